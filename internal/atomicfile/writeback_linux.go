package atomicfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// startWriteback lets the disk begin with n bytes of f from off on, so that a
// later sync has less to wait for. It is a hint: what comes of it is not asked.
func startWriteback(f *os.File, off, n int64) {
	_ = unix.SyncFileRange(int(f.Fd()), off, n, unix.SYNC_FILE_RANGE_WRITE)
}
