package atomicfile

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
)

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func put(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

func TestWriteFileReplaces(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.csv")
	for _, s := range []string{"one", "two", ""} {
		if err := WriteFile(path, put(s)); err != nil {
			t.Fatal(err)
		}
		if got := read(t, path); got != s {
			t.Errorf("content %q, want %q", got, s)
		}
	}
	if got := names(t, dir); !reflect.DeepEqual(got, []string{"a.csv"}) {
		t.Errorf("left in the folder: %v", got)
	}
}

func TestWriteFileKeepsPermissionsAndLinks(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	if err := os.WriteFile(path, []byte("old"), 0o640); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("real", link); err != nil {
		t.Skip("no symbolic links here")
	}
	if err := WriteFile(link, put("new")); err != nil {
		t.Fatal(err)
	}
	info, _ := os.Lstat(link)
	if info.Mode()&os.ModeSymlink == 0 || read(t, path) != "new" {
		t.Errorf("the link was replaced, not the file behind it")
	}
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o640 {
		t.Errorf("permissions are %v now", info.Mode().Perm())
	}
}

// Whatever step fails, the old content stays and nothing else is left.
func TestFaultsLeaveTheOldFile(t *testing.T) {
	full := fmt.Errorf("injected: %w", syscall.ENOSPC)
	for _, op := range []string{OpCreate, OpWrite, OpSync, OpRename} {
		t.Run(op, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "model.bin")
			if err := WriteFile(path, put("old")); err != nil {
				t.Fatal(err)
			}
			defer SetFault(func(o, _ string) error {
				if o == op {
					return full
				}
				return nil
			})()
			if err := WriteFile(path, put("new")); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("error is %v", err)
			}
			if got := read(t, path); got != "old" {
				t.Errorf("content %q", got)
			}
			if got := names(t, dir); !reflect.DeepEqual(got, []string{"model.bin"}) {
				t.Errorf("left in the folder: %v", got)
			}
		})
	}
}

func TestCommitRefusesAfterAFailedWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	f, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Abort()
	restore := SetFault(func(op, _ string) error {
		if op == OpWrite {
			return syscall.ENOSPC
		}
		return nil
	})
	f.Write([]byte("lost"))
	restore()
	f.Write([]byte("kept"))
	if err := f.Commit(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("commit after a lost write: %v", err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the file is there: %v", err)
	}
}

func TestErrorOfTheWriterAborts(t *testing.T) {
	dir := t.TempDir()
	want := errors.New("no more rows")
	if err := WriteFile(filepath.Join(dir, "x"), func(io.Writer) error { return want }); err != want {
		t.Errorf("error is %v", err)
	}
	if err := WriteDir(filepath.Join(dir, "d"), "", func(string) error { return want }); err != want {
		t.Errorf("error is %v", err)
	}
	if got := names(t, dir); got != nil {
		t.Errorf("left in the folder: %v", got)
	}
}

func TestInTheWay(t *testing.T) {
	dir := t.TempDir()
	os.Mkdir(filepath.Join(dir, "folder"), 0o755)
	os.WriteFile(filepath.Join(dir, "file"), nil, 0o644)
	os.Symlink("nowhere", filepath.Join(dir, "dangling"))
	for _, path := range []string{"", filepath.Join(dir, "folder"), filepath.Join(dir, "none", "x"), filepath.Join(dir, "dangling"), os.DevNull} {
		if err := WriteFile(path, put("x")); err == nil {
			t.Errorf("WriteFile(%q) gave no error", path)
		}
	}
	for _, path := range []string{"", "/", filepath.Join(dir, "file"), filepath.Join(dir, "none", "x")} {
		if err := WriteDir(path, "", func(string) error { return nil }); err == nil {
			t.Errorf("WriteDir(%q) gave no error", path)
		}
	}
}

func fill(content string) func(string) error {
	return func(dir string) error {
		if err := os.Mkdir(filepath.Join(dir, "model"), 0o755); err != nil {
			return err
		}
		if err := WriteFile(filepath.Join(dir, "model", "a"), put(content)); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "run.json"), []byte(content), 0o644)
	}
}

func TestWriteDirReplacesTheWhole(t *testing.T) {
	dir := t.TempDir()
	out := filepath.Join(dir, "out")
	if err := WriteDir(out, "run.json", fill("one")); err != nil {
		t.Fatal(err)
	}
	os.WriteFile(filepath.Join(out, "stale.csv"), nil, 0o644)
	if err := WriteDir(out, "run.json", fill("two")); err != nil {
		t.Fatal(err)
	}
	if got := names(t, out); !reflect.DeepEqual(got, []string{"model", "run.json"}) || read(t, filepath.Join(out, "model", "a")) != "two" {
		t.Errorf("folder holds %v", got)
	}
	if got := names(t, dir); !reflect.DeepEqual(got, []string{"out"}) {
		t.Errorf("left beside it: %v", got)
	}
}

func TestWriteDirSparesAStrangersFiles(t *testing.T) {
	out := t.TempDir()
	precious := filepath.Join(out, "thesis.tex")
	os.WriteFile(precious, []byte("x"), 0o644)
	if err := WriteDir(out, "run.json", fill("one")); err == nil {
		t.Error("no error")
	}
	if read(t, precious) != "x" {
		t.Error("the file is gone")
	}
}

func TestFaultsLeaveTheOldFolder(t *testing.T) {
	for _, op := range []string{OpCreate, OpWrite, OpSync, OpRename} {
		t.Run(op, func(t *testing.T) {
			dir := t.TempDir()
			out := filepath.Join(dir, "out")
			if err := WriteDir(out, "run.json", fill("old")); err != nil {
				t.Fatal(err)
			}
			defer SetFault(func(o, path string) error {
				if o == op {
					return syscall.ENOSPC
				}
				return nil
			})()
			if err := WriteDir(out, "run.json", fill("new")); !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("error is %v", err)
			}
			if got := read(t, filepath.Join(out, "model", "a")); got != "old" {
				t.Errorf("content %q", got)
			}
			if got := names(t, dir); !reflect.DeepEqual(got, []string{"out"}) {
				t.Errorf("left beside it: %v", got)
			}
		})
	}
}

func TestMoveAsideMovesBack(t *testing.T) {
	dir := t.TempDir()
	fresh, target, old := filepath.Join(dir, "fresh"), filepath.Join(dir, "target"), filepath.Join(dir, "old")
	for _, d := range []string{fresh, target} {
		os.Mkdir(d, 0o755)
		os.WriteFile(filepath.Join(d, "name"), []byte(filepath.Base(d)), 0o644)
	}
	restore := SetFault(func(op, _ string) error { return syscall.EBUSY })
	err := moveAside(fresh, target, old)
	restore()
	if !errors.Is(err, syscall.EBUSY) || read(t, filepath.Join(target, "name")) != "target" {
		t.Errorf("after a failed move: %v, %v", err, names(t, dir))
	}
	if err := moveAside(fresh, target, old); err != nil || read(t, filepath.Join(target, "name")) != "fresh" || read(t, filepath.Join(old, "name")) != "target" {
		t.Errorf("after the move: %v, %v", err, names(t, dir))
	}
}

// A reader beside a writer sees one content or the other, never none.
func TestReadersNeverSeeAHole(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	if err := WriteDir(out, "run.json", fill("x")); err != nil {
		t.Fatal(err)
	}
	a, b := out+".a", out+".b"
	if os.Mkdir(a, 0o755); !func() bool { os.Mkdir(b, 0o755); return exchange(a, b) }() {
		t.Skip("the file system cannot swap folders in one step")
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		for {
			select {
			case <-stop:
				return
			default:
			}
			if _, err := os.Stat(out); err != nil {
				t.Errorf("reader: %v", err)
				return
			}
		}
	}()
	for range 30 {
		if err := WriteDir(out, "run.json", fill("y")); err != nil {
			t.Error(err)
			break
		}
	}
	close(stop)
	wg.Wait()
}

func TestPart(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "part")
	long := strings.Repeat("0123456789", 30_000)
	sum, err := Part(path, func(w io.Writer) error {
		io.WriteString(w, "head")
		_, err := io.WriteString(w, long)
		return err
	})
	if want := fmt.Sprintf("%x", sha256.Sum256([]byte("head"+long))); err != nil || sum != want || read(t, path) != "head"+long {
		t.Errorf("sum %s, want %s; %v", sum, want, err)
	}
	if _, err := Part(path, put("x")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file that is there: %v", err)
	}
	want := errors.New("no more rows")
	if _, err := Part(path+"1", func(io.Writer) error { return want }); !errors.Is(err, want) {
		t.Errorf("error is %v", err)
	}
	for _, op := range []string{OpCreate, OpWrite, OpSync} {
		restore := SetFault(func(o, path string) error {
			if o == op {
				return syscall.ENOSPC
			}
			return nil
		})
		if err := KnownPart(path+op, put("x")); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: error is %v", op, err)
		}
		restore()
	}
}
