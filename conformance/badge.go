package conformance

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/bertopic-go/bertopic/host"
	"github.com/bertopic-go/bertopic/internal/atomicfile"
)

// Suite is the version of the rules. It changes whenever one of them does.
const Suite = 2

// Badge is what is remembered of a report: the outcome, and the hash of the
// program that it is true of.
type Badge struct {
	Format   int       `json:"format"` // of this file: 1
	Name     string    `json:"name"`
	Version  string    `json:"version"`
	Program  string    `json:"program"` // its path
	SHA256   string    `json:"sha256"`
	Protocol int       `json:"protocol"`
	Suite    int       `json:"suite"`
	Date     time.Time `json:"date"`
	Conforms bool      `json:"conforms"`
	Passed   int       `json:"passed"` // rules of level must or should
	Tried    int       `json:"tried"`  // without those that were skipped
	Failed   []string  `json:"failed"` // ids
}

// badgeFormat is the version of the file's format.
const badgeFormat = 1

// Folder is the one in the user's data folder that keeps outcomes; "" where the
// user has none.
func Folder() string {
	plugins := host.UserDir()
	if plugins == "" {
		return ""
	}
	return filepath.Join(filepath.Dir(plugins), "conformance")
}

// Keep remembers the outcome in a file of the folder dir, which is made where
// there is none. It replaces what was remembered of the program at that path.
func (r *Report) Keep(dir string, now time.Time) error {
	b := Badge{
		Format: badgeFormat, Name: r.Name, Version: r.Version, Program: r.Program, SHA256: r.SHA256, Protocol: r.Protocol,
		Suite: Suite, Date: now.UTC().Truncate(time.Second), Conforms: r.Conforms, Failed: append([]string{}, r.Failed()...),
	}
	for _, level := range []Level{Must, Should} {
		b.Passed += r.count(level, Pass)
		b.Tried += r.count(level, Pass) + r.count(level, Fail)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("keep the outcome: %w", err)
	}
	forget(dir)
	err := atomicfile.WriteFile(badgeFile(dir, r.Program), func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(b)
	})
	if err != nil {
		return fmt.Errorf("keep the outcome: %w", err)
	}
	return nil
}

// forget removes what is remembered of programs that are gone.
func forget(dir string) {
	files, _ := filepath.Glob(filepath.Join(dir, "bertopic-embedder-*.json"))
	for _, f := range files {
		b := readBadge(f)
		if b == nil {
			continue
		}
		if _, err := os.Stat(b.Program); errors.Is(err, fs.ErrNotExist) {
			_ = os.Remove(f)
		}
	}
}

// readBadge returns nil for a file that can't be read.
func readBadge(path string) *Badge {
	text, err := os.ReadFile(path)
	var b Badge
	if err != nil || json.Unmarshal(text, &b) != nil || b.Format != badgeFormat {
		return nil
	}
	return &b
}

// badgeFile is named for the program and for where it lies.
func badgeFile(dir, program string) string {
	sum := sha256.Sum256([]byte(program))
	return filepath.Join(dir, filepath.Base(program)+"-"+hex.EncodeToString(sum[:6])+".json")
}

// Recall returns what Keep has left of the program at a path, nil where there is
// nothing that can be read.
func Recall(dir, program string) *Badge {
	b := readBadge(badgeFile(dir, program))
	if b != nil && b.Program != program {
		return nil
	}
	return b
}

// Line says in a few words what is known of a program that now has the given
// hash. The badge may be nil.
func (b *Badge) Line(sha256 string) string {
	switch {
	case b == nil:
		return "not checked"
	case b.SHA256 != sha256:
		return "changed since"
	case !b.Conforms:
		const most = 3
		ids := b.Failed
		more := ""
		if len(ids) > most {
			ids, more = ids[:most], ", ..."
		}
		return "fails " + strings.Join(ids, ", ") + more
	case b.Suite != Suite:
		return fmt.Sprintf("conforms (%d of %d), by older rules", b.Passed, b.Tried)
	}
	return fmt.Sprintf("conforms (%d of %d)", b.Passed, b.Tried)
}
