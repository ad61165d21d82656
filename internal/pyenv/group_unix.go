//go:build unix

package pyenv

import (
	"os/exec"
	"syscall"
)

// group makes cmd the head of a group of processes, so that what it starts ends
// with it when the context does. A terminal's interrupt then reaches none of
// them but through the context.
func group(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
