package vectorfile

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"syscall"
	"testing"

	"codeberg.org/sbinet/npyio"
	"codeberg.org/sbinet/npyio/npz"

	"github.com/bertopic-go/bertopic/internal/atomicfile"
	"github.com/bertopic-go/bertopic/internal/matrix"
)

func small() *matrix.CSR {
	return &matrix.CSR{Rows: 3, Cols: 4, Indptr: []int64{0, 2, 2, 4}, Indices: []int32{1, 2, 0, 3}, Data: []float32{1.5, -2, 3, 0.25}}
}

// What is written is what npyio, a reader of other hands, finds.
func TestWriteNPY(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	w, err := CreateNPY(path, 4)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for i := 0; i < 12; i += 4 {
		if err := w.WriteRows(floats[i : i+4]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.WriteRows(floats[:3]); err == nil {
		t.Error("a part of a row was written")
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := npyio.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var got []float32
	if err := r.Read(&got); err != nil || !reflect.DeepEqual(got, floats) || !reflect.DeepEqual(r.Header.Descr.Shape, []int{3, 4}) || r.Header.Descr.Fortran {
		t.Errorf("%v %v %v", r.Header, got, err)
	}
}

func TestWriteCSR(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.npz"), filepath.Join(dir, "b.npz")
	for _, path := range []string{a, b} {
		if err := WriteCSR(path, small()); err != nil {
			t.Fatal(err)
		}
	}
	one, _ := os.ReadFile(a)
	two, _ := os.ReadFile(b)
	if !bytes.Equal(one, two) {
		t.Error("two files of one matrix differ")
	}
	var indices, indptr []int32
	var data []float32
	var dims []int64
	for name, dst := range map[string]any{"indices": &indices, "indptr": &indptr, "data": &data, "shape": &dims} {
		f, err := npz.Open(a)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Read(name+".npy", dst); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		f.Close()
	}
	m := small()
	if !reflect.DeepEqual(indices, m.Indices) || !reflect.DeepEqual(data, m.Data) || !reflect.DeepEqual(indptr, []int32{0, 2, 2, 4}) || !reflect.DeepEqual(dims, []int64{3, 4}) {
		t.Errorf("%v %v %v %v", indptr, indices, data, dims)
	}
	bad := small()
	bad.Indices[0] = 9
	if err := WriteCSR(a, bad); err == nil {
		t.Error("a matrix that is not well-formed was written")
	}
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	for _, m := range []matrix.Matrix{
		small(),
		&matrix.CSR{Rows: 2, Cols: 7, Indptr: []int64{0, 0, 0}, Indices: []int32{}, Data: []float32{}},
		&matrix.CSR{Cols: 7, Indptr: []int64{0}, Indices: []int32{}, Data: []float32{}},
		&matrix.Dense{Rows: 3, Cols: 4, Data: floats},
		matrix.NewDense(0, 384),
		matrix.NewDense(20_001, 7),
	} {
		var err error
		switch m := m.(type) {
		case *matrix.CSR:
			err = WriteCSR(path, m)
		case *matrix.Dense:
			err = WriteDense(path, m)
		}
		if err != nil {
			t.Fatal(err)
		}
		v, err := Read(context.Background(), path, Options{})
		if err != nil || !reflect.DeepEqual(v.Matrix, m) {
			rows, cols := m.Dims()
			t.Errorf("%T of %d x %d does not come back: %v", m, rows, cols, err)
		}
	}
}

func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	writes := 0
	defer atomicfile.SetFault(func(op, _ string) error {
		if op == atomicfile.OpWrite {
			if writes++; writes > 2 {
				return syscall.ENOSPC
			}
		}
		return nil
	})()
	if err := WriteDense(filepath.Join(dir, "x.npy"), matrix.NewDense(100_000, 10)); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("error %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("%s is left", left[0].Name())
	}
}

func BenchmarkReadNPY(b *testing.B) {
	path := filepath.Join(b.TempDir(), "x.npy")
	m := matrix.NewDense(18_331, 384)
	if err := WriteDense(path, m); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(m.Data)) * 4)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(context.Background(), path, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
