package corpus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// SHA256 returns the SHA-256 of the corpus in hexadecimal: of a file, that of
// its bytes as they lie on the disk (as sha256sum prints it); of a folder, that
// of the lines "HASH  PATH\n" of its documents in their order. Pictures that a
// file names do not take part.
//
// Standard input, or a pipe, is hashed as it is read, so there the reader must have
// reached io.EOF before; from anywhere else the content is read once more, or
// has been beside the reading where Options.Hash was set.
func (r *Reader) SHA256() (string, error) {
	if f, ok := r.src.(*folder); ok {
		return f.hash(r.ctx)
	}
	if !r.stream.once {
		hash := func() ([]byte, error) { return hashFile(r.ctx, r.stream.path) }
		if r.hashed != nil {
			hash = r.hashed.wait
		}
		sum, err := hash()
		if err != nil {
			return "", r.locate(err, -1, 0)
		}
		return hex.EncodeToString(sum), nil
	}
	if r.err != io.EOF {
		return "", fmt.Errorf("hash corpus: a pipe has not been read to its end")
	}
	if _, err := io.Copy(io.Discard, r.stream.raw); err != nil {
		return "", r.locate(err, -1, 0)
	}
	return hex.EncodeToString(r.stream.sum.Sum(nil)), nil
}

// hashing is the hash of a file while it is taken.
type hashing struct {
	cancel context.CancelFunc
	done   chan struct{}
	sum    []byte
	err    error
}

func hashBeside(ctx context.Context, path string) *hashing {
	ctx, cancel := context.WithCancel(ctx)
	h := &hashing{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(h.done)
		h.sum, h.err = hashFile(ctx, path)
	}()
	return h
}

func (h *hashing) wait() ([]byte, error) {
	<-h.done
	return h.sum, h.err
}

// end ends the hashing, wanted or not.
func (h *hashing) end() {
	h.cancel()
	<-h.done
}

func hashFile(ctx context.Context, path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, &ctxReader{ctx, f}); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}

// ctxReader ends with the context.
type ctxReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *ctxReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

func (f *folder) hash(ctx context.Context) (string, error) {
	h := sha256.New()
	for _, name := range f.names {
		sum, err := hashFile(ctx, filepath.Join(f.root, filepath.FromSlash(name)))
		if err != nil {
			e := fault("hash corpus").by(cause(err))
			e.Path = filepath.Join(f.root, name)
			return "", e
		}
		fmt.Fprintf(h, "%x  %s\n", sum, name)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
