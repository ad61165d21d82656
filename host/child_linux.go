package host

import "syscall"

// setDeathSignal has the kernel end the process when the host ends, however that
// comes about.
func setDeathSignal(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGKILL }
