//go:build unix && !linux

package host

import "syscall"

// setDeathSignal does nothing: only Linux can.
func setDeathSignal(*syscall.SysProcAttr) {}
