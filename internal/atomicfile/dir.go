package atomicfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Dir is a folder being written: a sibling of its target that takes the
// target's place at Commit.
type Dir struct {
	tmp, target string
	done        bool
}

// CreateDir begins a new content for the folder path; the folder above it must
// exist. What the folder holds now is replaced as a whole at Commit, files of
// other origin with it, so a folder that is not empty is accepted only when it
// holds an entry named marker: the name of a file that every earlier content
// had (such as "run.json"). With marker "" any folder is replaced.
//
// Every CreateDir needs an Abort (deferred: it does nothing after a Commit).
func CreateDir(path, marker string) (*Dir, error) {
	target, err := resolve(path)
	if err != nil {
		return nil, fmt.Errorf("write folder %s: %w", path, err)
	}
	if target, err = filepath.Abs(target); err != nil { // "." and ".." have no sibling name
		return nil, fmt.Errorf("write folder %s: %w", path, err)
	}
	if err := replaceable(target, marker); err != nil {
		return nil, fmt.Errorf("write folder %s: %w", path, err)
	}
	for try := 0; ; try++ {
		tmp := tempName(target, "tmp")
		if err := fault(OpCreate, tmp); err != nil {
			return nil, fmt.Errorf("write folder %s: %w", path, err)
		}
		err := os.Mkdir(tmp, 0o777)
		if err == nil {
			return &Dir{tmp: tmp, target: target}, nil
		}
		if !errors.Is(err, fs.ErrExist) || try == 100 {
			return nil, fmt.Errorf("write folder %s: %w", path, err)
		}
	}
}

func replaceable(target, marker string) error {
	if filepath.Dir(target) == target {
		return errors.New("the root of a file system cannot be replaced")
	}
	entries, err := os.ReadDir(target)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if info, e := os.Stat(target); e == nil && !info.IsDir() {
		return errors.New("a file of this name is in the way")
	}
	if err != nil {
		return err
	}
	if len(entries) == 0 || marker == "" {
		return nil
	}
	for _, e := range entries {
		if e.Name() == marker {
			return nil
		}
	}
	return fmt.Errorf("it is not empty and holds no %s, so its files are not ours to replace: name another folder or empty it", marker)
}

// Path returns the folder in which the new content is built.
func (d *Dir) Path() string { return d.tmp }

// Commit syncs every file of the new content and puts the folder in the place
// of the target. Where the system can swap two folders in one step (Linux)
// there is no moment without a folder; elsewhere the old folder is moved aside
// first and moved back if the second move fails. The old content is removed
// last. On an error the target is as it was and the new content is gone.
func (d *Dir) Commit() (err error) {
	if d.done {
		return fmt.Errorf("write folder %s: already committed or aborted", d.target)
	}
	defer func() {
		if err != nil {
			d.Abort()
		}
	}()
	if err := syncTree(d.tmp); err != nil {
		return fmt.Errorf("write folder %s: %w", d.target, err)
	}
	old, err := d.swap()
	if err != nil {
		return fmt.Errorf("write folder %s: %w", d.target, err)
	}
	d.done = true
	if old != "" {
		if err := os.RemoveAll(old); err != nil {
			return fmt.Errorf("write folder %s: the new content is in place, but the old one is left at %s: %w", d.target, old, err)
		}
	}
	if err := syncFolder(filepath.Dir(d.target)); err != nil {
		return fmt.Errorf("write folder %s: the new content is in place, but may not outlast a power cut: %w", d.target, err)
	}
	return nil
}

// swap puts the new folder in place and returns where the old one is now, ""
// if there was none.
func (d *Dir) swap() (old string, err error) {
	info, err := os.Stat(d.target)
	if errors.Is(err, fs.ErrNotExist) {
		return "", rename(d.tmp, d.target)
	}
	if err != nil {
		return "", err
	}
	if err := os.Chmod(d.tmp, info.Mode().Perm()); err != nil {
		return "", err
	}
	if err := fault(OpRename, d.target); err != nil {
		return "", err
	}
	if exchange(d.tmp, d.target) {
		return d.tmp, nil
	}
	return d.tmp + ".old", moveAside(d.tmp, d.target, d.tmp+".old")
}

// moveAside is the swap in two moves, for systems that have no single one.
func moveAside(fresh, target, old string) error {
	if err := os.Rename(target, old); err != nil {
		return err
	}
	err := rename(fresh, target)
	if err == nil {
		return nil
	}
	if back := os.Rename(old, target); back != nil {
		return fmt.Errorf("%w; the old content could not be moved back and is at %s: %w", err, old, back)
	}
	return err
}

// Abort throws the new content away. After Commit or Abort it does nothing.
func (d *Dir) Abort() {
	if d.done {
		return
	}
	d.done = true
	os.RemoveAll(d.tmp)
}

// WriteDir replaces the folder path by one that write fills. The rules are
// those of CreateDir and Commit.
func WriteDir(path, marker string, write func(dir string) error) error {
	d, err := CreateDir(path, marker)
	if err != nil {
		return err
	}
	defer d.Abort()
	if err := write(d.Path()); err != nil {
		return err
	}
	return d.Commit()
}

func syncTree(root string) error {
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir():
			return syncFolder(path)
		case !e.Type().IsRegular():
			return nil
		}
		if err := fault(OpSync, path); err != nil {
			return err
		}
		// Some systems sync only what is open for writing.
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if errors.Is(err, fs.ErrPermission) {
			f, err = os.Open(path)
		}
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}
