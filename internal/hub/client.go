package hub

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// DefaultEndpoint is the hub that is asked unless HF_ENDPOINT names another.
const DefaultEndpoint = "https://huggingface.co"

// Client speaks to a hub. It is safe for concurrent use.
type Client struct {
	Endpoint string // address of the hub, without a slash at its end
	Token    string // sent to the hub and to no other host; "" for none
	Offline  string // the environment variable that forbids connections; "" if none does
	Version  string // of this program, told to the hub
	Gensim   string // address of a copy of gensim-data; "" for that of gensim

	plain string // the variable that names the server, where it is one without accounts
	http  *http.Client
	tries int                                              // of one request, without progress in between
	stall time.Duration                                    // a body that brings nothing for so long is given up
	wait  func(ctx context.Context, d time.Duration) error // between two tries
}

// NewClient makes a client as the environment says: HF_ENDPOINT, HF_TOKEN, and
// HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE. Proxies are those of the environment
// too.
func NewClient(getenv func(string) string, version string) (*Client, error) {
	c := &Client{Endpoint: DefaultEndpoint, Token: strings.TrimSpace(getenv("HF_TOKEN")), Version: version}
	if e := strings.TrimRight(strings.TrimSpace(getenv("HF_ENDPOINT")), "/"); e != "" {
		u, err := url.Parse(e)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
			return nil, &Error{Kind: KindName, Msg: "HF_ENDPOINT is no address of a hub: write it like " + DefaultEndpoint}
		}
		c.Endpoint = e
	}
	var err error
	if c.Gensim, err = gensimAddress(getenv); err != nil {
		return nil, err
	}
	if strings.ContainsAny(c.Token, "\r\n\t ") {
		return nil, &Error{Kind: KindAccess, Msg: "HF_TOKEN is no token: there is white space in it"}
	}
	for _, name := range []string{"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"} {
		switch strings.ToLower(getenv(name)) {
		case "1", "true", "yes", "on":
			c.Offline = name
		}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = time.Minute
	transport.DisableCompression = true // a size and a range are those of the file
	c.http = &http.Client{Transport: transport, CheckRedirect: redirect}
	c.tries, c.stall, c.wait = 5, time.Minute, sleep
	return c, nil
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// redirect lets a hub send us on to the storage that holds its large files.
// The token stays behind: it is not the storage's business, and some refuse a
// request that bears one.
func redirect(req *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return errors.New("the hub sends us round in circles")
	}
	first := via[0].URL
	if first.Scheme == "https" && req.URL.Scheme != "https" {
		return fmt.Errorf("the hub sends us to %s, which is not encrypted", req.URL.Host)
	}
	if req.URL.Scheme != first.Scheme || req.URL.Host != first.Host {
		req.Header.Del("Authorization")
	}
	return nil
}

// remoteFile is a file of a repository. What the hub didn't tell is unknown
// until the file is asked for.
type remoteFile struct {
	Path   string
	Size   int64  // -1: unknown
	SHA256 string // of a large file; "" for others
	Blob   string // Git's id of a small file; "" if unknown
	MD5    string // of a file of gensim-data; "" for others
	// Address is where the file lies; "" for the hub's place of it.
	Address string
}

// known tells whether a content can be compared with what the hub says of it.
func (f *remoteFile) known() bool { return f.SHA256 != "" || f.Blob != "" || f.MD5 != "" }

// repository is a model as a hub describes it.
type repository struct {
	Name   string // as the hub writes it
	Commit string
	Files  []remoteFile
	all    bool   // every file is wanted
	join   string // the files are parts of one of this name
}

// describe asks which files a model has at a revision.
func (c *Client) describe(ctx context.Context, name, revision string) (*repository, error) {
	address := c.Endpoint + "/api/models/" + name + "/revision/" + url.PathEscape(revision) + "?blobs=true"
	var answer struct {
		ID       string `json:"id"`
		ModelID  string `json:"modelId"`
		SHA      string `json:"sha"`
		Siblings []struct {
			Name   string `json:"rfilename"`
			Size   *int64 `json:"size"`
			BlobID string `json:"blobId"`
			LFS    *struct {
				SHA256 string `json:"sha256"`
				OID    string `json:"oid"`
				Size   *int64 `json:"size"`
			} `json:"lfs"`
		} `json:"siblings"`
	}
	err := c.retry(ctx, name, func() error {
		resp, err := c.get(ctx, address, 0)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return c.refused(resp, name, revision, "")
		}
		b, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
		if err != nil {
			return &transient{err: fmt.Errorf("the answer broke off: %w", err)}
		}
		if err := json.Unmarshal(b, &answer); err != nil || answer.SHA == "" || answer.Siblings == nil {
			return &Error{Kind: KindNetwork, Msg: fmt.Sprintf("%s does not answer as a hub does: see whether HF_ENDPOINT and the proxy are right", c.Endpoint), Err: err}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !isHex(answer.SHA) {
		return nil, &Error{Kind: KindNetwork, Msg: fmt.Sprintf("%s names the commit %q of %s, which is none", c.Endpoint, answer.SHA, name)}
	}
	r := &repository{Name: answer.ID, Commit: answer.SHA}
	if r.Name == "" {
		r.Name = answer.ModelID
	}
	for _, s := range answer.Siblings {
		if !localPath(s.Name) {
			return nil, &Error{Kind: KindContent, Msg: fmt.Sprintf("%s has a file %q, whose path leaves the model's folder: it is not fetched", name, s.Name)}
		}
		f := remoteFile{Path: s.Name, Size: -1}
		if s.Size != nil && *s.Size >= 0 {
			f.Size = *s.Size
		}
		if s.LFS != nil {
			f.SHA256 = strings.TrimPrefix(s.LFS.SHA256, "sha256:")
			if f.SHA256 == "" {
				f.SHA256 = strings.TrimPrefix(s.LFS.OID, "sha256:")
			}
			if s.LFS.Size != nil && *s.LFS.Size >= 0 {
				f.Size = *s.LFS.Size
			}
			if len(f.SHA256) != 64 || !isHex(f.SHA256) {
				f.SHA256 = ""
			}
		} else if len(s.BlobID) == 40 && isHex(s.BlobID) {
			f.Blob = s.BlobID
		}
		r.Files = append(r.Files, f)
	}
	return r, nil
}

// get asks for an address, from a byte on. The answer may be of any status.
func (c *Client) get(ctx context.Context, address string, from int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", "bertopic-go/"+strings.ReplaceAll(c.Version, " ", "-"))
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if from > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
	}
	resp, err := c.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		// The address may bear a signature that is nobody's business.
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, &transient{err: err, dial: isDial(err)}
	}
	return resp, nil
}

func isDial(err error) bool {
	var dns *net.DNSError
	var op *net.OpError
	return errors.As(err, &dns) && dns.IsNotFound || errors.As(err, &op) && op.Op == "dial"
}

// transient is a fault that may be gone at the next try.
type transient struct {
	err      error
	dial     bool          // nobody was reached
	after    time.Duration // how long the hub wants us to wait; 0: it didn't say
	progress bool          // something came before
}

func (t *transient) Error() string { return t.err.Error() }
func (t *transient) Unwrap() error { return t.err }

// The longest that a hub can make us wait, and the most often that we go back
// for the rest of one file.
const (
	maxWait   = 5 * time.Minute
	maxResume = 500
)

// retry calls f until it succeeds, fails for good, or has failed too often. A
// hub that can't be reached at the first call is not tried again: a machine
// without a network should say so at once.
func (c *Client) retry(ctx context.Context, what string, f func() error) error {
	for try, all := 1, 1; ; try, all = try+1, all+1 {
		err := f()
		var t *transient
		if err == nil || !errors.As(err, &t) || ctx.Err() != nil {
			if err != nil && ctx.Err() != nil {
				return ctx.Err()
			}
			return err
		}
		if t.progress {
			try = 1
		}
		if t.dial && all == 1 || try >= c.tries || all >= maxResume || t.after > maxWait {
			return c.unreachable(what, t)
		}
		d := t.after
		if d == 0 {
			d = time.Second << (try - 1)
		}
		if err := c.wait(ctx, d); err != nil {
			return err
		}
	}
}

func (c *Client) unreachable(what string, t *transient) error {
	msg := fmt.Sprintf("fetch %s from %s", what, c.Endpoint)
	switch {
	case t.after > maxWait:
		return &Error{Kind: KindNetwork, Msg: msg, Err: fmt.Errorf("%w: it wants us to come back in %v", t.err, t.after.Round(time.Second))}
	case t.dial:
		return &Error{Kind: KindNetwork, Msg: msg, Err: fmt.Errorf("%w (without a network, copy the model's folder from a machine that has it; %s names another hub, HTTPS_PROXY a proxy)", t.err, cmp.Or(c.plain, "HF_ENDPOINT"))}
	}
	return &Error{Kind: KindNetwork, Msg: msg, Err: fmt.Errorf("%w (what has come is kept: the same command goes on from there)", t.err)}
}

// refused makes an error of an answer that brings no content. X-Error-Code is
// the hub's own word on why: it answers 401 for a model that isn't there, too,
// so as not to tell which names are taken.
func (c *Client) refused(resp *http.Response, name, revision, file string) error {
	code := resp.Header.Get("X-Error-Code")
	status := resp.StatusCode
	what := name
	if file != "" {
		what = file + " of " + name
	}
	page := c.Endpoint + "/" + name
	switch {
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500:
		err := fmt.Errorf("the hub answers %s", resp.Status)
		if status == http.StatusTooManyRequests && c.Token == "" && c.plain == "" {
			err = fmt.Errorf("%w; with a token in HF_TOKEN it allows more", err)
		}
		return &transient{err: err, after: retryAfter(resp.Header.Get("Retry-After"), time.Now())}
	case c.plain != "":
		return &Error{Kind: KindMissing, Msg: fmt.Sprintf("%s has no %s (%s): see whether %s is right", c.Endpoint, what, resp.Status, c.plain)}
	case code == "GatedRepo":
		if c.Token == "" {
			return &Error{Kind: KindAccess, Msg: fmt.Sprintf("%s is given to registered users only: accept its terms at %s, and set HF_TOKEN to your token", name, page)}
		}
		return &Error{Kind: KindAccess, Msg: fmt.Sprintf("the owner of HF_TOKEN has no access to %s: accept its terms at %s", name, page)}
	case code == "RevisionNotFound":
		return &Error{Kind: KindMissing, Msg: fmt.Sprintf("%s has no revision %q: see %s/commits/main", name, revision, page)}
	case code == "EntryNotFound":
		return &Error{Kind: KindMissing, Msg: fmt.Sprintf("there is no file %s", what)}
	case status == http.StatusUnauthorized && c.Token != "" && code != "RepoNotFound":
		return &Error{Kind: KindAccess, Msg: fmt.Sprintf("the hub does not accept the token in HF_TOKEN for %s: make a new one, or unset it", what)}
	case status == http.StatusForbidden:
		return &Error{Kind: KindAccess, Msg: fmt.Sprintf("the hub refuses %s (%s): the owner of HF_TOKEN needs access to it", what, resp.Status)}
	case status == http.StatusUnauthorized || status == http.StatusNotFound:
		msg := fmt.Sprintf("%s has no model %s: check the name", c.Endpoint, name)
		if file != "" {
			msg = fmt.Sprintf("%s has no file %s", c.Endpoint, what)
		}
		if c.Token == "" {
			return &Error{Kind: KindMissing, Msg: msg + "; for a private one set HF_TOKEN"}
		}
		return &Error{Kind: KindMissing, Msg: msg + ", and that the owner of HF_TOKEN may see it"}
	}
	return &Error{Kind: KindNetwork, Msg: fmt.Sprintf("fetch %s from %s: the hub answers %s", what, c.Endpoint, resp.Status)}
}

// retryAfter reads the header of that name, seconds or a date; 0 if it says
// nothing.
func retryAfter(text string, now time.Time) time.Duration {
	if s, err := strconv.Atoi(strings.TrimSpace(text)); err == nil {
		return min(max(time.Duration(s), 0), 1<<20) * time.Second
	}
	if t, err := http.ParseTime(text); err == nil {
		return max(t.Sub(now), 0)
	}
	return 0
}

func isHex(s string) bool {
	for _, r := range s {
		if !strings.ContainsRune("0123456789abcdef", r) {
			return false
		}
	}
	return s != ""
}
