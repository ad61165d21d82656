package host

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// The checksum of a program of many files is taken once, and again after any
// change: of a byte with size and time as before, too.
func TestKnownSum(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere nothing tells a file from one with the same size and time")
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	program := filepath.Join(t.TempDir(), "bertopic-embedder-large")
	folder := folderOf(program)
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	write(program, "#!/bin/sh\n")
	for i := range manyFiles {
		write(filepath.Join(folder, fmt.Sprint(i)), fmt.Sprint(i))
	}
	known := func() string {
		t.Helper()
		k, err := KnownSum(program)
		if err != nil {
			t.Fatal(err)
		}
		s, err := Sum(program)
		if err != nil {
			t.Fatal(err)
		}
		if k != s {
			t.Errorf("known is %v, read is %v", k, s)
		}
		return k.SHA256
	}
	first := known()
	if known() != first {
		t.Error("the second checksum is another")
	}
	files, _ := filepath.Glob(filepath.Join(os.Getenv("XDG_CACHE_HOME"), "bertopic", "checksums", "*.json"))
	if len(files) != 1 {
		t.Fatalf("%d checksums are kept, want 1", len(files))
	}
	one := filepath.Join(folder, "1")
	st, err := os.Stat(one)
	if err != nil {
		t.Fatal(err)
	}
	write(one, "9")
	if err := os.Chtimes(one, st.ModTime(), st.ModTime()); err != nil {
		t.Fatal(err)
	}
	if known() == first {
		t.Error("a changed byte is not seen")
	}
}
