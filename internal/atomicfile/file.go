package atomicfile

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// File is a file being written. It takes the place of its target at Commit;
// before that, Abort throws it away. It is not safe for concurrent use, except
// for WriteAt on ranges that do not overlap.
type File struct {
	f      *os.File
	target string
	mode   fs.FileMode // of the file that is replaced, 0 if there is none
	err    error       // the first failed write; Commit refuses after it
	done   bool
}

var (
	_ io.WriteSeeker = (*File)(nil)
	_ io.WriterAt    = (*File)(nil)
)

// Create begins a new content for the file path. The folder must exist. A
// symbolic link at path is followed, so that the link stays and the file
// behind it is replaced; an existing file keeps its permissions. Anything at
// path but a regular file is an error.
//
// Every Create needs an Abort (deferred: it does nothing after a Commit).
func Create(path string) (*File, error) {
	target, err := resolve(path)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	f := &File{target: target}
	switch info, err := os.Stat(target); {
	case err == nil && info.IsDir():
		return nil, fmt.Errorf("write %s: a folder of this name is in the way", path)
	case err == nil && !info.Mode().IsRegular():
		return nil, fmt.Errorf("write %s: not a regular file, so it cannot be replaced as a whole", path)
	case err == nil:
		f.mode = info.Mode().Perm()
	case !errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	for try := 0; ; try++ {
		tmp := tempName(target, "tmp")
		if err := fault(OpCreate, tmp); err != nil {
			return nil, fmt.Errorf("write %s: %w", path, err)
		}
		f.f, err = os.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if err == nil {
			return f, nil
		}
		if !errors.Is(err, fs.ErrExist) || try == 100 {
			return nil, fmt.Errorf("write %s: %w", path, err)
		}
	}
}

// Write appends p to the new content.
func (f *File) Write(p []byte) (int, error) {
	return f.keep(func() (int, error) { return f.f.Write(p) })
}

// WriteAt writes p at the given offset of the new content.
func (f *File) WriteAt(p []byte, off int64) (int, error) {
	return f.keep(func() (int, error) { return f.f.WriteAt(p, off) })
}

func (f *File) keep(write func() (int, error)) (int, error) {
	err := fault(OpWrite, f.f.Name())
	n := 0
	if err == nil {
		n, err = write()
	}
	if err != nil {
		err = fmt.Errorf("write %s: %w", f.target, err)
		f.err = err
	}
	return n, err
}

// Seek moves the place of the next Write.
func (f *File) Seek(offset int64, whence int) (int64, error) { return f.f.Seek(offset, whence) }

// Commit syncs the new content to the disk and puts it in the place of the
// target. On an error the target is as it was and the new content is gone;
// an earlier failed write is such an error, even if the caller let it pass.
// (The one exception says so: the new content is in place, the sync of its
// folder failed.)
func (f *File) Commit() (err error) {
	if f.done {
		return fmt.Errorf("write %s: already committed or aborted", f.target)
	}
	defer func() {
		if err != nil {
			f.Abort()
		}
	}()
	if f.err != nil {
		return f.err
	}
	tmp := f.f.Name()
	if f.mode != 0 {
		if err := f.f.Chmod(f.mode); err != nil {
			return fmt.Errorf("write %s: %w", f.target, err)
		}
	}
	err = fault(OpSync, tmp)
	if err == nil {
		err = f.f.Sync()
	}
	if err = errors.Join(err, f.f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", f.target, err)
	}
	if err := rename(tmp, f.target); err != nil {
		return fmt.Errorf("write %s: %w", f.target, err)
	}
	f.done = true
	if err := syncFolder(filepath.Dir(f.target)); err != nil {
		return fmt.Errorf("write %s: the new content is in place, but may not outlast a power cut: %w", f.target, err)
	}
	return nil
}

// Abort throws the new content away. After Commit or Abort it does nothing.
func (f *File) Abort() {
	if f.done {
		return
	}
	f.done = true
	f.f.Close()
	os.Remove(f.f.Name())
}

// WriteFile replaces the content of path by what write writes, buffered. An
// error of write, or of the disk, leaves path as it was.
func WriteFile(path string, write func(w io.Writer) error) error {
	f, err := Create(path)
	if err != nil {
		return err
	}
	defer f.Abort()
	w := bufio.NewWriterSize(f, 1<<16)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Commit()
}

// resolve follows a symbolic link at path; a path that does not exist is
// returned as it is.
func resolve(path string) (string, error) {
	if path == "" {
		return "", errors.New("the path is empty")
	}
	if info, err := os.Lstat(path); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return filepath.Clean(path), nil
	}
	target, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", errors.New("a symbolic link that leads nowhere is in the way")
	}
	return target, err
}

// tempName returns a hidden name beside path that is not in use, most likely.
func tempName(path, kind string) string {
	var b [6]byte
	rand.Read(b[:]) // never fails
	dir, name := filepath.Split(path)
	if len(name) > 200 { // a file name may have 255 bytes
		name = name[:200]
	}
	return dir + "." + name + "." + kind + "-" + hex.EncodeToString(b[:])
}

func rename(from, to string) error {
	if err := fault(OpRename, to); err != nil {
		return err
	}
	return os.Rename(from, to)
}
