//go:build unix

package wordvectors

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockFile takes the file for one process; it falls with the process.
func lockFile(f *os.File) (ok bool, err error) {
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == unix.EWOULDBLOCK {
		return false, nil
	}
	return err == nil, err
}
