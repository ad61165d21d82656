//go:build unix

package corpus

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A pipe has a name, as a file has, but can be read only once: it is hashed as
// it passes.
func TestNamedPipe(t *testing.T) {
	const content = "{\"id\":\"a\",\"text\":\"x\"}\n{\"id\":\"b\",\"text\":\"y\"}\n"
	dir := t.TempDir()
	file, pipe := filepath.Join(dir, "file.jsonl"), filepath.Join(dir, "pipe.jsonl")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip("no named pipes here: ", err)
	}
	go os.WriteFile(pipe, []byte(content), 0)
	var sums [2]string
	for i, path := range []string{file, pipe} {
		r, err := Open(context.Background(), Options{Path: path})
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		for {
			if _, err = r.Next(); err != nil {
				break
			}
			rows++
		}
		if rows != 2 {
			t.Errorf("%s: %d rows, then %v", path, rows, err)
		}
		if sums[i], err = r.SHA256(); err != nil {
			t.Error(err)
		}
		r.Close()
	}
	if sums[0] != sums[1] {
		t.Errorf("hashes %v differ", sums)
	}
}

// A file's name may hold any bytes; its id is valid UTF-8.
func TestNameThatIsNotUTF8(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a\xff.txt"), []byte("text"), 0o600); err != nil {
		t.Skip("the file system takes UTF-8 only: ", err)
	}
	rows, err := readAll(Options{Path: dir})
	if err != nil || len(rows) != 1 || rows[0].ID != "a\uFFFD.txt" || rows[0].Text != "text" {
		t.Errorf("rows %+v, %v", rows, err)
	}
}
