package atomicfile

import "sync/atomic"

// Operations that a fault hook is asked about.
const (
	OpCreate = "create"
	OpWrite  = "write"
	OpSync   = "sync"
	OpRename = "rename"
)

var faultHook atomic.Pointer[func(op, path string) error]

// SetFault makes f decide, before each operation of this package, whether it
// fails: a non-nil error is returned in place of doing the operation. It is
// meant for tests (a full disk, a rename that is refused), holds for the whole
// process and is taken back by calling restore.
func SetFault(f func(op, path string) error) (restore func()) {
	old := faultHook.Swap(&f)
	return func() { faultHook.Store(old) }
}

func fault(op, path string) error {
	if f := faultHook.Load(); f != nil {
		return (*f)(op, path)
	}
	return nil
}
