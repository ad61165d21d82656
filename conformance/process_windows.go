package conformance

import "os/exec"

func ownGroup(*exec.Cmd) {}

func killGroup(cmd *exec.Cmd) {
	if cmd.Process != nil {
		_ = cmd.Process.Kill()
	}
}

// byShell returns nil: an orphan can't be made here.
func byShell(string) []string { return nil }
