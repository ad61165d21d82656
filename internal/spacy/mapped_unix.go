//go:build unix

package spacy

import (
	"os"

	"golang.org/x/sys/unix"
)

// mapFile makes a file's bytes part of memory. They are read when they are
// looked at, and processes that map the same file share them.
func mapFile(f *os.File, size int64) (data []byte, unmap func() error, err error) {
	if data, err = unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED); err != nil {
		return nil, nil, os.NewSyscallError("mmap", err)
	}
	return data, func() error { return os.NewSyscallError("munmap", unix.Munmap(data)) }, nil
}
