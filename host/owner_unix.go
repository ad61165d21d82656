//go:build unix

package host

import (
	"io/fs"
	"os"
	"syscall"
)

// ownedByUs reports whether a file is the user's or root's.
func ownedByUs(st fs.FileInfo) bool {
	s, ok := st.Sys().(*syscall.Stat_t)
	return ok && (s.Uid == 0 || int(s.Uid) == os.Geteuid())
}
