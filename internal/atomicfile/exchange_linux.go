package atomicfile

import "golang.org/x/sys/unix"

// exchange swaps the names of two folders in one step. It reports false, with
// nothing done, where the file system cannot.
func exchange(a, b string) bool {
	return unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE) == nil
}
