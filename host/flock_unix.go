//go:build unix && !solaris && !aix

package host

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

var errLocked = errors.New("it is in use by another process")

// tryLock takes the lock of a file for as long as the file is open, or returns
// errLocked at once.
func tryLock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errLocked
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", f.Name(), err)
	}
	return nil
}

// unlock gives the lock back. Closing the file is not enough: a process that is
// being started at that moment has it open too.
func unlock(f *os.File) { _ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }
