package hub

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// download brings one file of a repository to target. What comes before an
// interruption stays in partial, and the next call goes on from there. The
// file is moved to target when its hash is right. progress is told how much of
// the file is here, and may be told less than before when a server starts anew.
func (c *Client) download(ctx context.Context, r *repository, f *remoteFile, partial, target string, progress func(n int64)) (ManifestFile, error) {
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return ManifestFile{}, err
	}
	var got ManifestFile
	wrong := 0
	err := c.retry(ctx, f.Path+" of "+r.Name, func() error {
		if err := c.rest(ctx, r, f, partial, progress); err != nil {
			return err
		}
		var err error
		got, err = f.verify(partial)
		var bad *Error
		if !errors.As(err, &bad) {
			return err
		}
		// A file of the right length and the wrong content was joined out of
		// two, or spoilt on its way: the next try takes it from its beginning.
		if rm := os.Remove(partial); rm != nil {
			return rm
		}
		if wrong++; wrong > 1 {
			return bad
		}
		return &transient{err: bad}
	})
	if err != nil {
		return ManifestFile{}, err
	}
	return got, os.Rename(partial, target)
}

// rest appends to partial what is missing of the file.
func (c *Client) rest(ctx context.Context, r *repository, f *remoteFile, partial string, progress func(n int64)) error {
	out, err := os.OpenFile(partial, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	have, err := out.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if !f.known() || f.Size < 0 && f.MD5 == "" || f.Size >= 0 && have > f.Size {
		have = 0 // no hash would tell a rest that doesn't fit
	}
	progress(have)
	if have == f.Size && have > 0 {
		return nil
	}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	address := f.Address
	if address == "" {
		address = c.Endpoint + "/" + r.Name + "/resolve/" + r.Commit + "/" + escape(f.Path)
	}
	resp, err := c.get(ctx, address, have)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
		have = 0
	case http.StatusPartialContent:
		if start, ok := rangeStart(resp.Header.Get("Content-Range")); !ok || start != have {
			out.Truncate(0)
			return &transient{err: fmt.Errorf("the hub sent another part of %s than the one asked for", f.Path)}
		}
	case http.StatusRequestedRangeNotSatisfiable:
		out.Truncate(0)
		return &transient{err: fmt.Errorf("the hub has no rest of %s after byte %d", f.Path, have)}
	default:
		return c.refused(resp, r.Name, r.Commit, f.Path)
	}
	f.learn(resp)
	if err := out.Truncate(have); err != nil {
		return err
	}
	if _, err := out.Seek(have, io.SeekStart); err != nil {
		return err
	}

	var stalled atomic.Bool
	timer := time.AfterFunc(c.stall, func() { stalled.Store(true); cancel() })
	defer timer.Stop()
	body := &meteredReader{ctx: ctx, r: resp.Body, n: have, told: func(n int64) { timer.Reset(c.stall); progress(n) }}
	var in io.Reader = body
	if f.Size >= 0 {
		in = io.LimitReader(body, f.Size-have+1)
	}
	copied, err := io.Copy(out, in)
	if body.err != nil { // the connection's fault, not the disk's
		err = fmt.Errorf("%s broke off after %d bytes: %w", f.Path, body.n, body.err)
		if stalled.Load() {
			err = fmt.Errorf("%s came to a halt after %d bytes", f.Path, body.n)
		}
		return &transient{err: err, progress: copied > 0}
	}
	if err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	switch {
	case f.Size >= 0 && body.n < f.Size:
		return &transient{err: fmt.Errorf("%s ended after %d of %d bytes", f.Path, body.n, f.Size), progress: copied > 0}
	case f.Size >= 0 && body.n > f.Size:
		os.Remove(partial)
		return &Error{Kind: KindContent, Msg: fmt.Sprintf("%s of %s is longer than the %d bytes that the hub says it has", f.Path, r.Name, f.Size)}
	}
	return nil
}

// meteredReader tells how much was read, and keeps the fault of its source.
type meteredReader struct {
	ctx  context.Context // ends the reading at once, whatever is in a buffer
	r    io.Reader
	n    int64
	err  error
	told func(n int64)
}

func (m *meteredReader) Read(p []byte) (int, error) {
	if m.err = m.ctx.Err(); m.err != nil {
		return 0, m.err
	}
	n, err := m.r.Read(p)
	m.n += int64(n)
	if n > 0 {
		m.told(m.n)
	}
	if err != nil && err != io.EOF {
		m.err = err
	}
	return n, err
}

// learn takes the hash and size from the answer to a download where the list
// of files had none, as with some mirrors. The hub's own answer has them, not
// the storage's that it sends us on to.
func (f *remoteFile) learn(resp *http.Response) {
	for prior := resp; prior != nil; prior = prior.Request.Response {
		h := prior.Header
		if !f.known() {
			for _, name := range []string{"X-Linked-Etag", "Etag"} {
				tag := strings.Trim(strings.TrimPrefix(h.Get(name), "W/"), `"`)
				switch {
				case len(tag) == 64 && isHex(tag) && f.SHA256 == "":
					f.SHA256 = tag
				case len(tag) == 40 && isHex(tag) && f.Blob == "" && prior.StatusCode == http.StatusOK:
					f.Blob = tag
				}
			}
		}
		if n, ok := parseSize(h.Get("X-Linked-Size")); ok && f.Size < 0 {
			f.Size = n
		}
	}
	if f.SHA256 != "" {
		f.Blob = ""
	}
	if f.Size < 0 && resp.StatusCode == http.StatusOK && resp.ContentLength >= 0 {
		f.Size = resp.ContentLength
	}
}

func parseSize(text string) (n int64, ok bool) {
	_, err := fmt.Sscanf(text, "%d", &n)
	return n, err == nil && n >= 0
}

// rangeStart reads the first byte of "bytes 100-199/200".
func rangeStart(text string) (int64, bool) {
	text, ok := strings.CutPrefix(text, "bytes ")
	if !ok {
		return 0, false
	}
	first, _, ok := strings.Cut(text, "-")
	if !ok {
		return 0, false
	}
	return parseSize(first)
}

func escape(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return strings.Join(parts, "/")
}

// verify compares the file at path with what the hub says of it. A difference
// is an *Error.
func (f *remoteFile) verify(path string) (ManifestFile, error) {
	in, err := os.Open(path)
	if err != nil {
		return ManifestFile{}, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return ManifestFile{}, err
	}
	got := ManifestFile{Path: f.Path, Size: info.Size()}
	if f.Size >= 0 && got.Size != f.Size {
		return got, &Error{Kind: KindContent, Msg: fmt.Sprintf("%s has %d bytes, not %d", f.Path, got.Size, f.Size)}
	}
	sum := sha256.New()
	var blob hash.Hash
	var w io.Writer = sum
	var check hash.Hash
	if f.MD5 != "" {
		check = md5.New()
		w = io.MultiWriter(sum, check)
	}
	if f.Blob != "" {
		blob = sha1.New()
		fmt.Fprintf(blob, "blob %d\x00", got.Size)
		w = io.MultiWriter(w, blob)
	}
	if _, err := io.Copy(w, in); err != nil {
		return got, err
	}
	got.SHA256 = hex.EncodeToString(sum.Sum(nil))
	if f.SHA256 != "" && got.SHA256 != f.SHA256 {
		return got, &Error{Kind: KindContent, Msg: fmt.Sprintf("%s has the SHA-256 %s, and the hub says %s: it was spoilt on its way, by a proxy perhaps", f.Path, got.SHA256, f.SHA256)}
	}
	if check != nil {
		if id := hex.EncodeToString(check.Sum(nil)); id != f.MD5 {
			return got, &Error{Kind: KindContent, Msg: fmt.Sprintf("%s has the MD5 %s, and the list of gensim-data says %s: it was spoilt on its way, by a proxy perhaps", f.Path, id, f.MD5)}
		}
	}
	if blob != nil {
		if id := hex.EncodeToString(blob.Sum(nil)); id != f.Blob {
			return got, &Error{Kind: KindContent, Msg: fmt.Sprintf("%s has the Git id %s, and the hub says %s: it was spoilt on its way, by a proxy perhaps", f.Path, id, f.Blob)}
		}
	}
	return got, nil
}
