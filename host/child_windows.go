package host

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// setAttributes gives the process a group of its own, so that Ctrl-C is the
// host's to handle.
func setAttributes(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: syscall.CREATE_NEW_PROCESS_GROUP}
}

// killGroup does nothing: Windows has no such groups.
func killGroup(*os.Process) {}

// terminate does nothing: Windows has no signal that asks.
func terminate(*os.Process) {}

func describeState(s *os.ProcessState) string {
	if s == nil {
		return "its end was not seen"
	}
	return fmt.Sprintf("exit status %#x", uint32(s.ExitCode()))
}
