//go:build unix

package conformance

import (
	"os/exec"
	"syscall"
)

// ownGroup gives the process a group of its own, so that all it starts can be
// ended with it.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup ends the process and all that it has started.
func killGroup(cmd *exec.Cmd) {
	if p := cmd.Process; p != nil && p.Pid > 1 {
		_ = syscall.Kill(-p.Pid, syscall.SIGKILL)
		_ = p.Kill()
	}
}

// byShell is the command that runs a program as the child of a shell which can
// be killed.
func byShell(program string) []string { return []string{"/bin/sh", "-c", `"$0" & wait`, program} }
