// Package isolate starts processes that can't reach what is not theirs to reach:
// the network, unless they are given it, and the memory and environment of the
// process that started them.
//
// It is a guard against programs that do on the quiet what they have not said,
// and against mistakes; files are open to such a process as to its user.
//
// On Linux the first of these that the system allows is used:
//
//	Namespace   a user namespace of its own, and a network namespace without a single interface
//	Filter      a seccomp filter that refuses sockets of the internet, and a Landlock domain
//	None        nothing; elsewhere this is all there is
package isolate

import "os/exec"

// Kind says what stands between a process and the rest.
type Kind int

// The kinds, the weakest first.
const (
	None Kind = iota
	Filter
	Namespace
)

// String returns the name of k.
func (k Kind) String() string { return [...]string{"none", "filter", "namespace"}[k] }

// Strongest is the kind that Start tries first. It is lowered in tests only.
var Strongest = Namespace

// Process is a process that has been started.
type Process struct {
	Cmd  *exec.Cmd
	Kind Kind
	Why  error // why it is no stronger kind; nil for the strongest

	counters
}

// Start starts the command that newCommand makes, which it calls once for each
// kind that it tries, down to weakest. With network, the process may reach the
// network.
//
// The calling goroutine must be locked to its thread and end so: a filter stays
// with the thread, which ends with the goroutine then.
func Start(newCommand func() *exec.Cmd, network bool, weakest Kind) (*Process, error) {
	return start(newCommand, network, Strongest, weakest)
}

// StartWithin is Start with a bound on how strong the kind is, too. It is for tests
// that start processes by the hundred: namespaces cost 20 ms each.
func StartWithin(newCommand func() *exec.Cmd, network bool, strongest, weakest Kind) (*Process, error) {
	return start(newCommand, network, strongest, weakest)
}

// Plain starts a command and puts nothing around it.
func Plain(cmd *exec.Cmd) (*Process, error) {
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &Process{Cmd: cmd}, nil
}

// Unable is the error of Start where the system allows no kind that is strong
// enough. A program that can't be run may end in it, too.
type Unable struct{ Why error }

func (u *Unable) Error() string { return u.Why.Error() }

// Unwrap returns what the system said of each kind.
func (u *Unable) Unwrap() error { return u.Why }
