//go:build unix

package mapfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// Maps tells whether Map maps, and does not read.
const Maps = true

// Map maps the first size bytes of f, which may be closed afterwards.
func Map(f *os.File, size int64) ([]byte, error) {
	if size == 0 {
		return nil, nil
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, &os.PathError{Op: "map", Path: f.Name(), Err: err}
	}
	return data, nil
}

// Scattered tells that data will be looked at here and there, so that reading
// ahead brings what nobody needs.
func Scattered(data []byte) {
	if len(data) > 0 {
		_ = unix.Madvise(data, unix.MADV_RANDOM)
	}
}

// Unmap ends the use of what Map returned.
func Unmap(data []byte) error {
	if data == nil {
		return nil
	}
	return os.NewSyscallError("munmap", unix.Munmap(data))
}
