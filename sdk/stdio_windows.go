package sdk

import (
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// divertStdout returns what standard output was and makes standard error the
// standard output of the process, for Go's prints, for child processes and for
// libraries that ask the system. The C library's own idea of file descriptor 1
// is out of reach.
func divertStdout() (*os.File, error) {
	saved := os.Stdout
	h, err := windows.GetStdHandle(windows.STD_ERROR_HANDLE)
	if err == nil {
		err = windows.SetStdHandle(windows.STD_OUTPUT_HANDLE, h)
	}
	if err != nil {
		return nil, fmt.Errorf("redirect to standard error: %w", err)
	}
	os.Stdout = os.Stderr
	return saved, nil
}
