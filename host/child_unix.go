//go:build unix

package host

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// setAttributes gives the process a group of its own: Ctrl-C at the terminal is
// the host's to handle, and what the program has started can be ended with it.
func setAttributes(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	setDeathSignal(cmd.SysProcAttr)
}

// killGroup ends the group that p leads or has led.
func killGroup(p *os.Process) {
	if p != nil && p.Pid > 1 {
		_ = syscall.Kill(-p.Pid, syscall.SIGKILL)
	}
}

// terminate asks p to end.
func terminate(p *os.Process) {
	if p != nil {
		_ = p.Signal(syscall.SIGTERM)
	}
}

func describeState(s *os.ProcessState) string {
	if s == nil {
		return "its end was not seen"
	}
	if ws, ok := s.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		sig := ws.Signal()
		text := fmt.Sprintf("signal %d (%s)", int(sig), sig)
		if sig == syscall.SIGKILL {
			text += ", which the system sends when memory runs out"
		}
		return text
	}
	return fmt.Sprintf("exit status %d", s.ExitCode())
}
