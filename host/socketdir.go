package host

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// A socket's path may have 103 bytes on some systems. go-plugin and the program
// add some 45 to that of the folder.
const maxSocketDir = 50

// socketDir is a folder that only this user may enter, for the sockets of the
// programs of one Embedder. A lock held on a file in it tells others that it is
// in use, so that those of hosts that were killed can be told and removed.
type socketDir struct {
	path string
	lock *os.File
}

const (
	socketPrefix = "btp-"
	socketLock   = "lock"
)

func newSocketDir() (*socketDir, error) {
	var faults []error
	for _, base := range socketBases() {
		sweepSocketDirs(base)
		path, err := os.MkdirTemp(base, socketPrefix) // 0700
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if runtime.GOOS != "windows" && len(path) > maxSocketDir {
			_ = os.Remove(path)
			faults = append(faults, fmt.Errorf("%s is too long for a socket's path", path))
			continue
		}
		lock, err := lockNewFile(filepath.Join(path, socketLock))
		if err != nil {
			_ = os.RemoveAll(path)
			faults = append(faults, err)
			continue
		}
		return &socketDir{path: path, lock: lock}, nil
	}
	return nil, fmt.Errorf("make a folder for the programs' sockets: %w", errors.Join(faults...))
}

// socketBases are the folders in which sockets may live, the best first.
func socketBases() []string {
	bases := []string{os.TempDir()}
	if runtime.GOOS != "windows" {
		bases = append(bases, "/tmp", "/var/tmp")
		if d := os.Getenv("XDG_RUNTIME_DIR"); d != "" {
			bases = append(bases, d)
		}
	}
	return bases
}

func (d *socketDir) remove() {
	_ = os.RemoveAll(d.path)
	unlock(d.lock)
	_ = d.lock.Close()
}

// sweepSocketDirs removes what hosts have left that were killed. A folder that
// has no lock yet is left alone for a while: its host may be about to make it.
func sweepSocketDirs(base string) {
	paths, err := filepath.Glob(filepath.Join(base, socketPrefix+"*"))
	if err != nil {
		return
	}
	for _, path := range paths {
		st, err := os.Lstat(path)
		if err != nil || !st.IsDir() || time.Since(st.ModTime()) < time.Minute {
			continue
		}
		lock, err := os.OpenFile(filepath.Join(path, socketLock), os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if tryLock(lock) == nil {
			_ = os.RemoveAll(path)
		}
		_ = lock.Close()
	}
}

// lockNewFile makes a file and takes its lock.
func lockNewFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	if err := tryLock(f); err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
