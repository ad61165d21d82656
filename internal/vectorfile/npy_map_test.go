package vectorfile

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/bertopic-go/bertopic/internal/matrix"
)

// A large file is mapped, and has the values that reading it gives; it may be
// replaced while it is in use.
func TestLargeFileIsMapped(t *testing.T) {
	const rows, cols = MapFrom/4/64 + 1, 64
	path := filepath.Join(t.TempDir(), "large.npy")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	fmt.Fprintf(w, "\x93NUMPY\x01\x00\x76\x00%-117s\n", fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", rows, cols))
	var b [4 * cols]byte
	for i := range rows {
		for j := range cols {
			binary.LittleEndian.PutUint32(b[4*j:], math.Float32bits(float32(i)+float32(j)/64))
		}
		w.Write(b[:])
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	f.Close()

	v, err := Read(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path + ".old"); err != nil {
		t.Fatal(err)
	}
	m := v.Matrix.(*matrix.Dense)
	if m.Rows != rows || m.Cols != cols {
		t.Fatalf("got %d x %d", m.Rows, m.Cols)
	}
	for i := range rows {
		for j, x := range m.Row(i) {
			if x != float32(i)+float32(j)/64 {
				t.Fatalf("(%d, %d) is %g", i, j, x)
			}
		}
	}
}
