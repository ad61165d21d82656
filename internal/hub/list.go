package hub

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/bertopic-go/bertopic/internal/atomicfile"
)

// Model is a model of the models folder.
type Model struct {
	Name     string `json:"name"`
	Dir      string `json:"dir"`
	Bytes    int64  `json:"bytes"`              // of all its files
	Source   string `json:"source,omitempty"`   // "" for a folder that was not fetched
	Revision string `json:"revision,omitempty"` // commit
	Fault    string `json:"fault,omitempty"`    // what is wrong with the folder
	// Unfinished is a download that broke off; Bytes is what is there of it.
	Unfinished bool `json:"unfinished,omitempty"`
}

// List tells what the folder of models holds, by name. A folder that isn't
// there holds nothing.
func List(modelsDir string) ([]Model, error) {
	if _, err := os.ReadDir(modelsDir); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	var out []Model
	for _, name := range names(modelsDir) {
		dir := filepath.Join(modelsDir, filepath.FromSlash(name))
		m := Model{Name: name, Dir: dir}
		var err error
		if m.Bytes, err = treeSize(dir); err != nil {
			m.Fault = err.Error()
		}
		manifest, err := ReadManifest(dir)
		switch {
		case err == nil:
			m.Source, m.Revision = manifest.Source, manifest.Revision
			if err := manifest.Whole(dir); err != nil {
				m.Fault = strings.ReplaceAll(err.Error(), "\n", ", ")
			}
		case !errors.Is(err, fs.ErrNotExist):
			m.Fault = err.Error()
		case !holdsModel(dir):
			m.Fault = "holds no model"
		}
		out = append(out, m)
	}
	parts, err := filepath.Glob(filepath.Join(escapeGlob(modelsDir), "*", ".*.part"))
	if err != nil {
		return nil, err
	}
	for _, dir := range parts {
		base := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(dir), "."), ".part")
		m := Model{Name: filepath.Base(filepath.Dir(dir)) + "/" + base, Dir: dir, Unfinished: true}
		if m.Bytes, err = treeSize(dir); err != nil {
			m.Fault = err.Error()
		}
		out = append(out, m)
	}
	return out, nil
}

// treeSize is the size of all files under dir; links count as what they lead
// to.
func treeSize(dir string) (n int64, err error) {
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := os.Stat(path)
		if err == nil && info.Mode().IsRegular() {
			n += info.Size()
		}
		return err
	})
	return n, err
}

func escapeGlob(path string) string {
	return strings.NewReplacer(`[`, `\[`, `*`, `\*`, `?`, `\?`).Replace(path)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	return atomicfile.WriteFile(to, func(w io.Writer) error {
		_, err := io.Copy(w, in)
		return err
	})
}
