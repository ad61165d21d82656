//go:build unix

package sdk

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// divertStdout returns what standard output was and points file descriptor 1 at
// standard error, for prints of Go and of native libraries alike: a stray line
// before the handshake would spoil it, and one too long for the host's reader
// would block the program forever. It also takes standard input away, which the
// program shares with the host.
func divertStdout() (*os.File, error) {
	saved, err := unix.FcntlInt(1, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, fmt.Errorf("duplicate: %w", err)
	}
	if err := dup2(2, 1); err != nil {
		return nil, fmt.Errorf("redirect to standard error: %w", err)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil, err
	}
	defer null.Close()
	if err := dup2(int(null.Fd()), 0); err != nil {
		return nil, fmt.Errorf("close standard input: %w", err)
	}
	return os.NewFile(uintptr(saved), "handshake"), nil
}
