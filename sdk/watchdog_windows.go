package sdk

import (
	"log/slog"

	"golang.org/x/sys/windows"
)

// watchParent calls gone, in a goroutine of its own, when the parent process has
// ended.
func watchParent(parent int, gone func()) (stop func()) {
	h, err := windows.OpenProcess(windows.SYNCHRONIZE, false, uint32(parent))
	if err != nil {
		slog.Warn("can't watch the host; end this program by hand if it outlives it", "error", err)
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		defer windows.CloseHandle(h)
		for {
			event, err := windows.WaitForSingleObject(h, 500)
			select {
			case <-done:
				return
			default:
			}
			if err != nil || event == windows.WAIT_OBJECT_0 {
				gone()
				return
			}
		}
	}()
	return func() { close(done) }
}
