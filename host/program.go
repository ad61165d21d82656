package host

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/sync/errgroup"
)

// folderSuffix makes the name of a program the name of the folder beside it that
// holds what belongs to it: its modules, its environment, its models.
const folderSuffix = ".d"

// folderOf is the folder of what belongs to the program at path.
func folderOf(path string) string {
	if runtime.GOOS == "windows" {
		path = strings.TrimSuffix(path, filepath.Ext(path))
	}
	return path + folderSuffix
}

// survey is a program as it lies there: its file, and all that is in the folder
// of what belongs to it.
type survey struct {
	path    string
	folder  string // empty where there is none
	entries []entry
	seen    [sha256.Size]byte // of everything that changes when a file does: sizes, times, numbers
}

// entry is a file or a link in the folder.
type entry struct {
	name string // below the folder, with slashes
	link bool
}

// surveyProgram looks at a program without reading it. It refuses one that
// others could change.
func surveyProgram(path string) (*survey, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := guarded(path, st); err != nil {
		return nil, err
	}
	s := &survey{path: path}
	h := sha256.New()
	note(h, "", st)
	folder, err := filepath.EvalSymlinks(folderOf(path))
	if errors.Is(err, fs.ErrNotExist) {
		h.Sum(s.seen[:0])
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	if dir, err := os.Stat(folder); err != nil {
		return nil, err
	} else if !dir.IsDir() {
		return nil, fmt.Errorf("%s is no folder: what belongs to %s goes into a folder of that name", folder, filepath.Base(path))
	}
	s.folder = folder
	err = filepath.WalkDir(folder, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, at)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		st, err := d.Info()
		if err != nil {
			return err
		}
		mode := st.Mode()
		if mode.Type() != fs.ModeSymlink && anyoneWrites(st) {
			return &openToAll{at}
		}
		switch {
		case mode.IsDir():
			return nil
		case mode.IsRegular(), mode.Type() == fs.ModeSymlink:
			s.entries = append(s.entries, entry{name, !mode.IsRegular()})
			note(h, name, st)
			return nil
		}
		return fmt.Errorf("%s is neither a file nor a folder nor a link", at)
	})
	if err != nil {
		return nil, err
	}
	h.Sum(s.seen[:0])
	return s, nil
}

// note writes what a file's change would change.
func note(h io.Writer, name string, st fs.FileInfo) {
	var b []byte
	b = binary.LittleEndian.AppendUint64(b, uint64(len(name)))
	b = append(b, name...)
	b = binary.LittleEndian.AppendUint64(b, uint64(st.Size()))
	b = binary.LittleEndian.AppendUint64(b, uint64(st.ModTime().UnixNano()))
	b = binary.LittleEndian.AppendUint32(b, uint32(st.Mode()))
	_, _ = h.Write(append(b, identity(st)...))
}

// openToAll is what is wrong with a file or a folder that everybody may write.
type openToAll struct{ path string }

func (e *openToAll) Error() string {
	return fmt.Sprintf("every user of this machine may change %s, and so what you run: chmod o-w it", e.path)
}

func anyoneWrites(st fs.FileInfo) bool {
	return runtime.GOOS != "windows" && st.Mode().Perm()&0o002 != 0
}

// guarded refuses a program that everybody may write, or put another one in the
// place of. In a folder like /tmp, where everybody may write but take away only
// what is his own, a program must be the user's or the system's.
func guarded(path string, st fs.FileInfo) error {
	if anyoneWrites(st) {
		return &openToAll{path}
	}
	folders := []string{filepath.Dir(path)}
	if real, err := filepath.EvalSymlinks(path); err == nil && filepath.Dir(real) != folders[0] {
		folders = append(folders, filepath.Dir(real))
	}
	for _, folder := range folders {
		dir, err := os.Stat(folder)
		if err != nil {
			return err
		}
		switch {
		case !anyoneWrites(dir):
		case dir.Mode()&fs.ModeSticky == 0:
			return &openToAll{folder}
		case !ownedByUs(st):
			return fmt.Errorf("%s is another user's, in %s, where everybody may write: put it into a folder of your own", path, folder)
		}
	}
	return nil
}

// Checksum is a SHA-256 and what it is of.
type Checksum struct {
	SHA256 string // hexadecimal
	Covers string // in words
	Script bool   // the program's file is a script
	Files  int    // in the folder of what belongs to the program
}

// Sum takes the checksum of the program at path: that of its file, or, where
// bertopic-embedder-NAME.d is beside it, of the file and all that is in that
// folder (docs/format/lock.md). It refuses a program that everybody may change.
func Sum(path string) (Checksum, error) {
	s, err := surveyProgram(path)
	if err != nil {
		return Checksum{}, err
	}
	return s.sum()
}

func (s *survey) sum() (Checksum, error) {
	own, err := fileSum(s.path, make([]byte, 256<<10))
	if err != nil {
		return Checksum{}, err
	}
	c := Checksum{SHA256: hex.EncodeToString(own), Covers: "the program's file"}
	if c.Script, err = isScript(s.path); err != nil {
		return Checksum{}, err
	}
	if s.folder == "" {
		if c.Script {
			c.Covers = "the program's file, a script: neither its interpreter nor what it loads"
		}
		return c, nil
	}
	sums := make([][]byte, len(s.entries))
	var group errgroup.Group
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		group.Go(func() error {
			buffer := make([]byte, 256<<10)
			for i := w; i < len(sums); i += workers {
				at := filepath.Join(s.folder, filepath.FromSlash(s.entries[i].name))
				var err error
				if s.entries[i].link {
					sums[i], err = linkSum(at)
				} else {
					sums[i], err = fileSum(at, buffer)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return Checksum{}, err
	}
	h := sha256.New()
	_, _ = h.Write(own)
	for i, e := range s.entries { // in the order of the walk: by name, folder by folder
		kind := "f"
		if e.link {
			kind = "l"
		}
		_, _ = fmt.Fprintf(h, "%s%s\x00%s", kind, e.name, sums[i])
	}
	c.SHA256, c.Files = hex.EncodeToString(h.Sum(nil)), len(s.entries)
	files := fmt.Sprintf("%d files", c.Files)
	if c.Files == 1 {
		files = "one file"
	}
	c.Covers = fmt.Sprintf("the program's file and the %s of %s", files, filepath.Base(folderOf(s.path)))
	return c, nil
}

func fileSum(path string, buffer []byte) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.CopyBuffer(struct{ io.Writer }{h}, struct{ io.Reader }{f}, buffer); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}

// linkSum is that of the text of a link: what it points to may lie elsewhere.
func linkSum(path string) ([]byte, error) {
	target, err := os.Readlink(path)
	sum := sha256.Sum256([]byte(target))
	return sum[:], err
}

func isScript(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	var begin [2]byte
	_, err = io.ReadFull(f, begin[:])
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return bytes.Equal(begin[:], []byte("#!")), err
}

// program is a program as it was when its checksum was taken.
type program struct {
	path   string
	sha256 string
	seen   [sha256.Size]byte
	met    string // when the host was attached to it, if it was
}

// openProgram sees that nobody else could have changed a program, takes its
// checksum and holds that against the lock file.
func openProgram(path, lock string) (program, ErrorKind, error) {
	s, err := surveyProgram(path)
	if err != nil {
		return program{}, KindUnsafe, err
	}
	l, err := readLock(lock)
	if err != nil {
		return program{}, KindChecksum, err
	}
	take := s.known
	if l != nil {
		take = s.sum
	}
	sum, err := take()
	if err != nil {
		return program{}, KindChecksum, fmt.Errorf("checksum: %w", err)
	}
	if l != nil {
		if err := l.allows(path, sum.SHA256); err != nil {
			return program{}, KindChecksum, err
		}
	}
	return program{path: path, sha256: sum.SHA256, seen: s.seen}, 0, nil
}

// unchanged says whether the program still is the one whose checksum was taken:
// a run must not mix the vectors of two.
func (p program) unchanged() error {
	s, err := surveyProgram(p.path)
	if err != nil {
		return err
	}
	if s.seen == p.seen {
		return nil
	}
	sum, err := s.sum()
	if err != nil {
		return err
	}
	if sum.SHA256 != p.sha256 {
		return fmt.Errorf("%s was replaced while it was in use: its SHA-256 was %s and is %s now", p.path, p.sha256, sum.SHA256)
	}
	return nil
}
