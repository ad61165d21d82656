package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// The word vectors that gensim's downloader knows. Their list has the MD5 of
// each file; it and the files are where gensim 4.4 looks for them, unless
// GENSIM_DATA_URL names a copy, with the list at its root (list.json) and the
// files of a name in a folder of that name.
const (
	gensimOrg  = "gensim-data"
	gensimList = "https://raw.githubusercontent.com/RaRe-Technologies/gensim-data/master/list.json"
	gensimBase = "https://github.com/RaRe-Technologies/gensim-data/releases/download"
	gensimEnv  = "GENSIM_DATA_URL"
)

// gensimNames are the names of that list, under which a model is meant without
// "gensim-data/" in front.
var gensimNames = []string{
	"conceptnet-numberbatch-17-06-300", "fasttext-wiki-news-subwords-300",
	"glove-twitter-100", "glove-twitter-200", "glove-twitter-25", "glove-twitter-50",
	"glove-wiki-gigaword-100", "glove-wiki-gigaword-200", "glove-wiki-gigaword-300", "glove-wiki-gigaword-50",
	"word2vec-google-news-300", "word2vec-ruscorpora-300",
}

// gensimName tells whether name is one of gensim's downloader, and which.
func gensimName(name string) (bare string, ok bool) {
	if bare, ok = strings.CutPrefix(name, gensimOrg+"/"); ok {
		return bare, true
	}
	return name, slices.Contains(gensimNames, name)
}

// fetchName is the name by which `bertopic models get` brings a model that is
// meant by name.
func fetchName(name string) string {
	if _, ok := gensimName(name); ok {
		return name
	}
	return withOrg(name)
}

// IsVectors tells whether a fetched model is a file of word vectors.
func IsVectors(name string) bool { return strings.HasPrefix(name, gensimOrg+"/") }

// gensimAddress reads GENSIM_DATA_URL.
func gensimAddress(getenv func(string) string) (string, error) {
	e := strings.TrimRight(strings.TrimSpace(getenv(gensimEnv)), "/")
	if e == "" {
		return "", nil
	}
	u, err := url.Parse(e)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
		return "", &Error{Kind: KindName, Msg: gensimEnv + " is no address of a copy of gensim-data: write it like https://mirror.example/gensim-data"}
	}
	return e, nil
}

// getGensim brings word vectors by their name in gensim's downloader.
func (c *Client) getGensim(ctx context.Context, name string, o GetOptions) (*GetResult, error) {
	full := gensimOrg + "/" + name
	if o.Revision != "" || o.ONNX || len(o.Files) > 0 {
		return nil, &Error{Kind: KindName, Msg: fmt.Sprintf("%s is one file of word vectors: it has no revisions, ONNX graphs or further files", full)}
	}
	if r, err := present(full, o); r != nil || err != nil {
		return r, err
	}
	if c.Offline != "" {
		return nil, &Error{Kind: KindOffline, Msg: fmt.Sprintf("%s is not here, and %s forbids to fetch it: unset that, or copy its file into %s",
			full, c.Offline, filepath.Join(o.ModelsDir, gensimOrg, name))}
	}
	g := *c
	g.Token, g.plain = "", gensimEnv // these servers know no accounts
	list := gensimList
	g.Endpoint = gensimBase
	if c.Gensim != "" {
		g.Endpoint, list = c.Gensim, c.Gensim+"/list.json"
	}
	repo, err := g.describeGensim(ctx, name, list)
	if err != nil {
		return nil, err
	}
	return g.fetch(ctx, repo, o)
}

// describeGensim reads the list and makes a repository of what it says of name.
func (c *Client) describeGensim(ctx context.Context, name, list string) (*repository, error) {
	var answer struct {
		Corpora map[string]json.RawMessage            `json:"corpora"`
		Models  map[string]map[string]json.RawMessage `json:"models"`
	}
	at := *c
	at.Endpoint = strings.TrimSuffix(list, "/list.json")
	err := at.retry(ctx, "the list of gensim-data", func() error {
		resp, err := at.get(ctx, list, 0)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return at.refused(resp, "list.json", "", "")
		}
		b, err := io.ReadAll(io.LimitReader(resp.Body, 16<<20))
		if err != nil {
			return &transient{err: fmt.Errorf("the answer broke off: %w", err)}
		}
		if err := json.Unmarshal(b, &answer); err != nil || len(answer.Models) == 0 {
			return &Error{Kind: KindNetwork, Msg: fmt.Sprintf("%s is not the list of gensim-data: see whether %s and the proxy are right", list, gensimEnv), Err: err}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	entry, ok := answer.Models[name]
	if !ok {
		if _, ok := answer.Corpora[name]; ok {
			return nil, &Error{Kind: KindMissing, Msg: fmt.Sprintf("%s of gensim-data is a corpus, not word vectors", name)}
		}
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(answer.Models)), func(n string) bool { return strings.HasPrefix(n, "_") })
		return nil, &Error{Kind: KindMissing, Msg: fmt.Sprintf("gensim-data has no word vectors %q: it has %s", name, strings.Join(names, ", "))}
	}
	return c.gensimRepository(name, entry)
}

func (c *Client) gensimRepository(name string, entry map[string]json.RawMessage) (*repository, error) {
	damaged := func(what string) error {
		return &Error{Kind: KindNetwork, Msg: fmt.Sprintf("the list of gensim-data says nothing of use of %s: %s", name, what)}
	}
	text := func(key string) (s string) {
		json.Unmarshal(entry[key], &s) // what is no string counts as none
		return s
	}
	parts := 1
	if raw, ok := entry["parts"]; ok && json.Unmarshal(raw, &parts) != nil || parts < 1 || parts > 1000 {
		return nil, damaged("it does not tell the number of its parts")
	}
	file := text("file_name")
	if file == "" {
		file = name + ".gz"
	}
	if !localPath(file) || strings.Contains(file, "/") {
		return nil, damaged(fmt.Sprintf("its file is called %q", file))
	}
	r := &repository{Name: gensimOrg + "/" + name, all: true}
	if parts > 1 {
		r.join = file
	}
	for i := range parts {
		f := remoteFile{Path: file, Size: -1, MD5: text("checksum")}
		if parts > 1 {
			f.Path, f.MD5 = fmt.Sprintf("%s_%02d", file, i), text(fmt.Sprintf("checksum-%d", i))
		}
		f.MD5 = strings.ToLower(f.MD5)
		if len(f.MD5) != 32 || !isHex(f.MD5) {
			return nil, damaged("there is no checksum")
		}
		f.Address = c.Endpoint + "/" + escape(name) + "/" + escape(f.Path)
		r.Files = append(r.Files, f)
	}
	r.Commit = r.Files[0].MD5
	return r, nil
}

// joinParts makes one file of the parts of got, in their order.
func joinParts(dir, name string, got []ManifestFile) (ManifestFile, error) {
	out, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return ManifestFile{}, err
	}
	for _, part := range got {
		if err = appendFile(out, filepath.Join(dir, part.Path)); err != nil {
			break
		}
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return ManifestFile{}, err
	}
	for _, part := range got {
		if err := os.Remove(filepath.Join(dir, part.Path)); err != nil {
			return ManifestFile{}, err
		}
	}
	whole := remoteFile{Path: name, Size: -1}
	return whole.verify(filepath.Join(dir, name))
}

func appendFile(out io.Writer, path string) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	_, err = io.Copy(out, in)
	return err
}
