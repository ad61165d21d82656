package host

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"

	"github.com/bertopic-go/bertopic/internal/atomicfile"
)

// manyFiles is the number of files from which on a program's checksum is
// remembered: a Python library with all it needs has tens of thousands.
const manyFiles = 500

// remembered is a checksum as it is kept in the user's cache.
type remembered struct {
	Seen string   `json:"seen"` // of sizes, numbers and times of all files
	Sum  Checksum `json:"sum"`
}

// KnownSum is Sum, but for a program of many files in whose place nothing has
// changed since its checksum was last taken by KnownSum: no size, no time of a
// change of any kind, no file's number. Nobody but the system's administrator can
// set the time of a change back. What a lock file is held against is always taken
// anew.
func KnownSum(path string) (Checksum, error) {
	s, err := surveyProgram(path)
	if err != nil {
		return Checksum{}, err
	}
	return s.known()
}

func (s *survey) known() (Checksum, error) {
	st, err := os.Stat(s.path)
	if err != nil {
		return Checksum{}, err
	}
	cache, err := os.UserCacheDir()
	if err != nil || len(s.entries) < manyFiles || identity(st) == nil {
		return s.sum()
	}
	abs, err := filepath.Abs(s.path)
	if err != nil {
		return Checksum{}, err
	}
	name := sha256.Sum256([]byte(abs))
	file := filepath.Join(cache, "bertopic", "checksums", hex.EncodeToString(name[:16])+".json")
	seen := hex.EncodeToString(s.seen[:])
	var r remembered
	if text, err := os.ReadFile(file); err == nil && json.Unmarshal(text, &r) == nil && r.Seen == seen && len(r.Sum.SHA256) == 2*sha256.Size {
		return r.Sum, nil
	}
	sum, err := s.sum()
	if err != nil {
		return Checksum{}, err
	}
	// A cache that can't be written costs time alone.
	if text, err := json.Marshal(remembered{seen, sum}); err == nil && os.MkdirAll(filepath.Dir(file), 0o700) == nil {
		_ = atomicfile.WriteFile(file, func(w io.Writer) error { _, err := w.Write(text); return err })
	}
	return sum, nil
}
