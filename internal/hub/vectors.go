package hub

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

// ResolveVectors returns the file, or the folder of one, of the word vectors
// that name means: a path, which may be a file here, or a name of the models
// folder, as with Resolve. No connection is opened. Vectors that are not there
// are a NotFoundError.
func ResolveVectors(modelsDir, baseDir, name string) (path string, err error) {
	if name == "" {
		return "", &NotFoundError{"no word vectors are named"}
	}
	path = name
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		path = filepath.Join(home, rest)
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(baseDir, path)
	}
	path = filepath.Clean(path)
	info, err := os.Stat(path)
	switch {
	case err == nil && (info.Mode().IsRegular() || isPath(name) || holdsFile(path)):
		return path, nil
	case isPath(name):
		return "", &NotFoundError{"there is no file or folder of word vectors at " + path}
	}
	dir, err := Resolve(modelsDir, baseDir, name)
	if e, ok := errors.AsType[*NotFoundError](err); ok {
		e.Msg = strings.Replace(e.Msg, "there is no folder "+path, "there is neither a file nor a folder "+path, 1)
		if _, ok := gensimName(name); !ok { // a hub's models are no word vectors
			before, _, _ := strings.Cut(e.Msg, "; `bertopic models get ")
			e.Msg = before + "; name the file, or one of gensim's names that `bertopic models get` brings, such as glove-wiki-gigaword-50"
		}
	}
	return dir, err
}

// holdsFile tells whether a folder has a file that is not hidden.
func holdsFile(dir string) bool {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && isFile(filepath.Join(dir, e.Name())) {
			return true
		}
	}
	return false
}
