//go:build !linux

package isolate

import (
	"fmt"
	"os/exec"
	"runtime"
)

type counters struct{}

func start(newCommand func() *exec.Cmd, _ bool, _ Kind) (*Process, error) {
	cmd := newCommand()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &Process{Cmd: cmd, Why: fmt.Errorf("%s has no means for it", runtime.GOOS)}, nil
}

// Plain starts nothing more than the command.
func Plain(cmd *exec.Cmd) (*Process, error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &Process{Cmd: cmd}, nil
}

// Attempts returns false: it can't be known here.
func (*Process) Attempts() (n int, known bool) { return 0, false }

// Close has nothing to do.
func (*Process) Close() {}
