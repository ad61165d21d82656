//go:build !linux

package isolate

import (
	"fmt"
	"os/exec"
	"runtime"
)

type counters struct{}

func start(newCommand func() *exec.Cmd, _ bool, _, weakest Kind) (*Process, error) {
	why := fmt.Errorf("%s has no means for it", runtime.GOOS)
	if weakest > None {
		return nil, &Unable{why}
	}
	p, err := Plain(newCommand())
	if err == nil {
		p.Why = why
	}
	return p, err
}

// Attempts returns false: it can't be known here.
func (*Process) Attempts() (n int, known bool) { return 0, false }

// Close has nothing to do.
func (*Process) Close() {}
