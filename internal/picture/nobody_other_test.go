//go:build !linux

package picture

import (
	"os"
	"testing"
)

// asNobody runs f, where the test is not root's.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	if os.Geteuid() == 0 {
		t.Skip("root may read every file")
	}
	f()
}
