package host

import (
	"fmt"
	"strings"
)

// ErrorKind sorts the ways in which an embedder program fails its user.
type ErrorKind int

// The kinds of errors.
const (
	KindNotFound  ErrorKind = iota + 1 // no such program
	KindStart                          // it can't be started or ends before it is ready
	KindProtocol                       // it speaks another version or none
	KindOptions                        // it does not take the options
	KindCrashed                        // its process ended during a call that can't be repeated
	KindTimeout                        // no answer and no progress for too long
	KindLied                           // an answer breaks a promise: rows, columns, NaN, order, ...
	KindFailed                         // the program says that it can't
	KindKillLimit                      // its process died too often
	KindChecksum                       // it is not the program of bertopic.lock
	KindUnsafe                         // others could change it, or it can't be kept from the network where that is required
	KindMemory                         // it uses more memory than it is given
)

var kindNames = map[ErrorKind]string{
	KindNotFound: "not found", KindStart: "start", KindProtocol: "protocol", KindOptions: "options", KindCrashed: "crashed",
	KindTimeout: "timeout", KindLied: "broken promise", KindFailed: "failed", KindKillLimit: "kill limit", KindChecksum: "checksum",
	KindUnsafe: "unsafe", KindMemory: "memory",
}

// String returns a word or two for k.
func (k ErrorKind) String() string {
	if s, ok := kindNames[k]; ok {
		return s
	}
	return fmt.Sprintf("ErrorKind(%d)", int(k))
}

// Error is what is wrong with an embedder program. Its text ends with the last
// lines of the program's standard error, if there are any.
type Error struct {
	Kind   ErrorKind
	Plugin string // the program's name
	Op     string // what was being done, with the rows where there are any
	Err    error
	Stderr []string // the last lines that the program wrote to standard error
}

func (e *Error) Error() string {
	var b strings.Builder
	// The program's own text often begins with the same operation.
	fmt.Fprintf(&b, "embedder %s: %s: %s", e.Plugin, e.Op, strings.TrimPrefix(fmt.Sprint(e.Err), e.Op+": "))
	if len(e.Stderr) > 0 {
		b.WriteString("\nthe last lines of its standard error:")
		for _, line := range e.Stderr {
			b.WriteString("\n    ")
			b.WriteString(line)
		}
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }
