//go:build unix

package sdk

import (
	"os"
	"time"
)

// watchParent calls gone, in a goroutine of its own, when the process has
// another parent than it began with, which is how an orphan shows on every unix.
func watchParent(parent int, gone func()) (stop func()) {
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			if os.Getppid() != parent {
				gone()
				return
			}
		}
	}()
	return func() { close(done) }
}
