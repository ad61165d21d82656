package hub

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bertopic-go/bertopic/internal/atomicfile"
)

// GetOptions say what of a model to fetch, and where to. The zero value is the
// files that running it takes, at the newest revision, into ModelsDir().
type GetOptions struct {
	ModelsDir string
	Revision  string   // branch, tag or commit; "" is "main"
	Update    bool     // ask the hub even if the model is here
	ONNX      bool     // the ONNX graph besides
	Files     []string // further files: path.Match, or "folder/"

	// Progress is told, from time to time, how many bytes are here of all that
	// are wanted, and which file is on its way.
	Progress func(file string, done, total int64)
	// Fetched is told of each file that is whole.
	Fetched func(f ManifestFile)
}

// GetResult is what Get left.
type GetResult struct {
	Name     string
	Dir      string
	Manifest Manifest
	There    bool     // the model was here already, and nothing was fetched
	Notes    []string // what the user should know of this model
}

// Get brings a model, "org/name" or the name alone of one of
// sentence-transformers, or of the word vectors of gensim's downloader. A model that is here is left as it is, without a
// connection, unless o asks for a revision that is not the one that is here, or
// for an update, or for further files. Only files that are not here yet are
// fetched, the rest of one that broke off too; each is checked against the
// hub's hash, and the folder is replaced as a whole at the end.
//
// Errors are *Error, those of the file system, or ctx.Err().
func (c *Client) Get(ctx context.Context, name string, o GetOptions) (*GetResult, error) {
	if !ValidName(name) {
		return nil, &Error{Kind: KindName, Msg: fmt.Sprintf("%q is no name of a model: write it as org/name, as on the hub's page", name)}
	}
	if o.ModelsDir == "" {
		dir, err := ModelsDir()
		if err != nil {
			return nil, err
		}
		o.ModelsDir = dir
	}
	if bare, ok := gensimName(name); ok {
		return c.getGensim(ctx, bare, o)
	}
	if r, err := present(name, o); r != nil || err != nil {
		return r, err
	}
	if c.Offline != "" {
		return nil, &Error{Kind: KindOffline, Msg: fmt.Sprintf("%s is not here, and %s forbids to fetch it: unset that, or copy the model's folder to %s",
			name, c.Offline, filepath.Join(o.ModelsDir, filepath.FromSlash(withOrg(name))))}
	}
	revision := o.Revision
	if revision == "" && !o.Update { // further files are to fit those that are here
		if m, err := ReadManifest(filepath.Join(o.ModelsDir, filepath.FromSlash(withOrg(name)))); err == nil {
			revision = m.Revision
		}
	}
	repo, err := c.find(ctx, name, revision)
	if err != nil {
		return nil, err
	}
	if !ValidName(repo.Name) || !strings.Contains(repo.Name, "/") {
		return nil, &Error{Kind: KindNetwork, Msg: fmt.Sprintf("%s calls the model %s %q, which is no name", c.Endpoint, name, repo.Name)}
	}
	return c.fetch(ctx, repo, o)
}

func withOrg(name string) string {
	if strings.Contains(name, "/") {
		return name
	}
	return defaultOrg + "/" + name
}

// present returns the model that is here, if that is what is asked for.
func present(name string, o GetOptions) (*GetResult, error) {
	r := &GetResult{Name: withOrg(name), There: true}
	r.Dir = filepath.Join(o.ModelsDir, filepath.FromSlash(r.Name))
	dir := r.Dir
	if entries, err := os.ReadDir(dir); len(entries) == 0 {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return nil, err
	}
	m, err := ReadManifest(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if o.Update || o.Revision != "" || o.ONNX || len(o.Files) > 0 {
			return nil, &Error{Kind: KindLocal, Msg: fmt.Sprintf("the folder %s was not fetched by this program, so its files are not replaced: move it away first", dir)}
		}
		r.Notes = []string{"the folder was not fetched by this program: it is taken as it is"}
		return r, nil
	case err != nil:
		return nil, &Error{Kind: KindLocal, Msg: fmt.Sprintf("%s: remove the folder to fetch the model anew", err)}
	}
	r.Manifest = *m
	if o.Update || o.ONNX || len(o.Files) > 0 || m.Whole(dir) != nil {
		return nil, nil
	}
	if o.Revision != "" && (len(o.Revision) < 7 || !strings.HasPrefix(m.Revision, o.Revision)) {
		return nil, nil // a branch, whose newest commit only the hub knows
	}
	return r, nil
}

// find asks the hub for a model. A name without an organisation is one of
// sentence-transformers, else one of the few that have none.
func (c *Client) find(ctx context.Context, name, revision string) (*repository, error) {
	if revision == "" {
		revision = "main"
	}
	repo, err := c.describe(ctx, withOrg(name), revision)
	var e *Error
	if err != nil && withOrg(name) != name && errors.As(err, &e) && e.Kind == KindMissing {
		if bare, bareErr := c.describe(ctx, name, revision); bareErr == nil {
			return bare, nil
		}
	}
	if err != nil {
		return nil, err
	}
	// A model that was renamed keeps the name that the user's files know.
	repo.Name = withOrg(name)
	return repo, nil
}

// fetch brings the files of a repository and puts the folder in place.
func (c *Client) fetch(ctx context.Context, repo *repository, o GetOptions) (*GetResult, error) {
	target := filepath.Join(o.ModelsDir, filepath.FromSlash(repo.Name))
	old, err := ReadManifest(target)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, &Error{Kind: KindLocal, Msg: fmt.Sprintf("%s: remove the folder to fetch the model anew", err)}
	}
	part := partDir(target)
	if err := os.MkdirAll(part, 0o755); err != nil {
		return nil, err
	}
	unlock, err := lock(filepath.Join(part, "lock"))
	if err != nil {
		return nil, &Error{Kind: KindLocal, Msg: fmt.Sprintf("%s is being fetched by another process", repo.Name), Err: err}
	}
	defer unlock()
	d := &fetching{c: c, repo: repo, part: part, files: filepath.Join(part, "files"), target: target, old: old, o: o}

	modules := []string{""}
	for _, f := range repo.Files {
		if f.Path != "modules.json" {
			continue
		}
		if _, err := d.one(ctx, f); err != nil {
			return nil, err
		}
		text, err := os.ReadFile(filepath.Join(d.files, f.Path))
		if err != nil {
			return nil, err
		}
		if modules, err = modulePaths(text); err != nil {
			return nil, err
		}
	}
	chosen, notes := slices.Clone(repo.Files), []string(nil)
	if !repo.all {
		chosen, notes, err = choose(repo.Files, modules, o.ONNX, o.Files)
	}
	if err != nil {
		var e *Error
		if errors.As(err, &e) {
			e.Msg = repo.Name + ": " + e.Msg
		}
		return nil, err
	}
	for _, f := range repo.Files { // what the user fetched besides stays
		if old != nil && slices.ContainsFunc(old.Files, func(m ManifestFile) bool { return m.Path == f.Path }) &&
			!slices.ContainsFunc(chosen, func(c remoteFile) bool { return c.Path == f.Path }) {
			chosen = append(chosen, f)
		}
	}
	// The small ones first: a fault in them costs less then.
	slices.SortFunc(chosen, func(a, b remoteFile) int {
		return cmp.Or(cmp.Compare(a.Size, b.Size), strings.Compare(a.Path, b.Path))
	})
	if d.same(chosen) {
		return &GetResult{Name: repo.Name, Dir: target, Manifest: *old, Notes: notes, There: true}, d.discard(unlock)
	}
	if err := d.clean(chosen); err != nil {
		return nil, err
	}
	for _, f := range chosen {
		d.total += max(f.Size, 0)
	}
	m := Manifest{Format: manifestFormat, Name: repo.Name, Source: c.Endpoint, Revision: repo.Commit}
	for _, f := range chosen {
		got, err := d.one(ctx, f)
		if err != nil {
			return nil, err
		}
		d.done += got.Size
		m.Files = append(m.Files, got)
	}
	if repo.join != "" {
		whole, err := joinParts(d.files, repo.join, m.Files)
		if err != nil {
			return nil, err
		}
		m.Files = []ManifestFile{whole}
	}
	if err := WriteManifest(d.files, m); err != nil {
		return nil, err
	}
	err = atomicfile.WriteDir(target, manifestName, func(dir string) error { return moveAll(d.files, dir) })
	if err != nil {
		return nil, err
	}
	return &GetResult{Name: repo.Name, Dir: target, Manifest: m, Notes: notes}, d.discard(unlock)
}

// partDir is where the files of a model gather until all are there.
func partDir(target string) string {
	return filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+".part")
}

// fetching is a model on its way.
type fetching struct {
	c           *Client
	repo        *repository
	part        string // holds files/ and what is half there
	files       string // the whole files, as the model will have them
	target      string
	old         *Manifest // of the model that is here; nil if there is none
	o           GetOptions
	done, total int64
}

// discard removes the folder of the download.
func (d *fetching) discard(unlock func()) error {
	if os.RemoveAll(d.part) == nil {
		return nil
	}
	unlock() // some systems keep a file that is open
	return os.RemoveAll(d.part)
}

// same tells whether the model that is here has all of chosen, of this
// revision and unspoilt.
func (d *fetching) same(chosen []remoteFile) bool {
	if d.old == nil || d.old.Revision != d.repo.Commit || len(d.old.Files) != len(chosen) {
		return false
	}
	for _, f := range chosen {
		got, err := f.verify(filepath.Join(d.target, filepath.FromSlash(f.Path)))
		if err != nil || !slices.Contains(d.old.Files, got) {
			return false
		}
	}
	return true
}

// one brings a file into d.files, from an earlier try, from the model that is
// here, or from the hub.
func (d *fetching) one(ctx context.Context, f remoteFile) (ManifestFile, error) {
	path := filepath.Join(d.files, filepath.FromSlash(f.Path))
	known := f.known()
	if known && isFile(path) {
		if got, err := f.verify(path); err == nil {
			d.progress(f.Path, got.Size)
			return got, nil
		}
	}
	if known && d.old != nil && slices.ContainsFunc(d.old.Files, func(m ManifestFile) bool { return m.Path == f.Path && (f.Size < 0 || m.Size == f.Size) }) {
		here := filepath.Join(d.target, filepath.FromSlash(f.Path))
		if got, err := f.verify(here); err == nil {
			if err := link(here, path); err != nil {
				return got, err
			}
			d.progress(f.Path, got.Size)
			return got, nil
		}
	}
	got, err := d.c.download(ctx, d.repo, &f, d.partial(f), path, func(n int64) { d.progress(f.Path, n) })
	if err == nil && d.o.Fetched != nil {
		d.o.Fetched(got)
	}
	return got, err
}

// partial is the path of what is there of a file. It is named by the content,
// so that nothing of another revision is taken for it.
func (d *fetching) partial(f remoteFile) string {
	key := f.SHA256 + f.Blob + f.MD5
	if key == "" {
		sum := sha256.Sum256([]byte(d.repo.Commit + "\x00" + f.Path))
		key = hex.EncodeToString(sum[:])
	}
	return filepath.Join(d.part, key+".incomplete")
}

func (d *fetching) progress(file string, n int64) {
	if d.o.Progress != nil && d.total > 0 {
		d.o.Progress(file, min(d.done+n, d.total), d.total)
	}
}

// clean removes what an earlier try left that is not of this one.
func (d *fetching) clean(chosen []remoteFile) error {
	keep := map[string]bool{filepath.Join(d.part, "lock"): true}
	for _, f := range chosen {
		keep[filepath.Join(d.files, filepath.FromSlash(f.Path))] = true
		keep[d.partial(f)] = true
	}
	return filepath.WalkDir(d.part, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || keep[path] {
			return err
		}
		return os.Remove(path)
	})
}

// link puts the file from at to as well, by a second name for it where the
// file system can, else by a copy.
func link(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	os.Remove(to)
	if os.Link(from, to) == nil {
		return nil
	}
	return copyFile(from, to)
}

// moveAll moves what is in the folder from into the folder to.
func moveAll(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.Rename(filepath.Join(from, e.Name()), filepath.Join(to, e.Name())); err != nil {
			return err
		}
	}
	return nil
}
