package hub

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bertopic-go/bertopic/internal/atomicfile"
)

// manifestName is the file that says what a fetched model's folder holds.
const manifestName = ".bertopic-model.json"

// manifestFormat is the version of the manifest.
const manifestFormat = 1

// Manifest says what a fetched model's folder holds and where it is from.
type Manifest struct {
	Format   int            `json:"format"`
	Name     string         `json:"name"`               // org/name
	Source   string         `json:"source"`             // the hub's address, or a package
	Revision string         `json:"revision,omitempty"` // commit of the repository
	Files    []ManifestFile `json:"files"`              // by path
}

// ManifestFile is one file of a model.
type ManifestFile struct {
	Path   string `json:"path"` // with slashes, from the model's folder
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Bytes is the size of all files.
func (m *Manifest) Bytes() (n int64) {
	for _, f := range m.Files {
		n += f.Size
	}
	return n
}

// WriteManifest writes m into the folder of a model.
func WriteManifest(dir string, m Manifest) error {
	m.Format = manifestFormat
	m.Files = slices.Clone(m.Files)
	slices.SortFunc(m.Files, func(a, b ManifestFile) int { return strings.Compare(a.Path, b.Path) })
	return atomicfile.WriteFile(filepath.Join(dir, manifestName), func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(m)
	})
}

// ReadManifest reads the manifest of a model's folder. A folder that was not
// fetched has none: the error is fs.ErrNotExist then.
func ReadManifest(dir string) (*Manifest, error) {
	file := filepath.Join(dir, manifestName)
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var m Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if m.Format != manifestFormat {
		return nil, fmt.Errorf("read %s: its format is %d, this program knows %d", file, m.Format, manifestFormat)
	}
	for _, f := range m.Files {
		if !localPath(f.Path) {
			return nil, fmt.Errorf("read %s: the path %q leaves the model's folder", file, f.Path)
		}
	}
	return &m, nil
}

// Whole returns nil if the folder has every file of m with its size, and else
// says what is missing. Contents are not read.
func (m *Manifest) Whole(dir string) error {
	var faults []error
	for _, f := range m.Files {
		info, err := os.Stat(filepath.Join(dir, filepath.FromSlash(f.Path)))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			faults = append(faults, fmt.Errorf("%s is missing", f.Path))
		case err != nil:
			faults = append(faults, err)
		case info.Size() != f.Size:
			faults = append(faults, fmt.Errorf("%s has %d bytes, not %d", f.Path, info.Size(), f.Size))
		}
	}
	return errors.Join(faults...)
}

// localPath is true for a path, with slashes, that stays in its folder.
func localPath(p string) bool {
	return p != "" && !strings.ContainsAny(p, "\\\x00") && path.Clean(p) == p && filepath.IsLocal(filepath.FromSlash(p))
}
