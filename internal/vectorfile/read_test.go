package vectorfile

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/matrix"
)

// The matrix of testdata/make.py, and its whole-numbered brother.
var (
	floats = []float32{0, 1.5, -2, 0, 0, 0, 0, 0, 3, 0, 0, 0.25}
	wholes = []float32{0, 1, -2, 0, 0, 0, 0, 0, 3, 0, 0, 100}
)

func sample(t testing.TB, name string, o Options) *Vectors {
	t.Helper()
	v, err := Read(context.Background(), filepath.Join("testdata", name), o)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// dense returns the shape and the values of either layout.
func dense(m matrix.Matrix) *matrix.Dense {
	s, ok := m.(*matrix.CSR)
	if !ok {
		return m.(*matrix.Dense)
	}
	d := matrix.NewDense(s.Rows, s.Cols)
	for i := range s.Rows {
		cols, values := s.Row(i)
		for k, j := range cols {
			d.Row(i)[j] = values[k]
		}
	}
	return d
}

func TestReadsNumPyAndSciPy(t *testing.T) {
	names := []string{"version2.npy", "dense.npz", "two.npz", "csr.npz", "csr_array.npz", "csc.npz", "coo.npz", "csr_unsorted.npz", "float.parquet", "fixed.parquet", "x.fvecs"}
	for _, e := range []string{"le", "be"} {
		for _, w := range []string{"f2", "f4", "f8"} {
			names = append(names, e+"_"+w+".npy", e+"_"+w+"_fortran.npy")
		}
	}
	absolute := make([]float32, len(wholes))
	truth := make([]float32, len(wholes))
	for i, v := range wholes {
		absolute[i] = max(v, -v)
		truth[i] = min(absolute[i], 1)
	}
	want := map[string][]float32{"bool.npy": truth}
	for _, name := range names {
		want[name] = floats
	}
	for _, w := range []string{"1", "2", "4", "8"} {
		want["int_i"+w+".npy"] = wholes
		want["int_u"+w+".npy"] = absolute
	}
	for name, values := range want {
		t.Run(name, func(t *testing.T) {
			var o Options
			if name == "two.npz" {
				o.Array = "embeddings"
			}
			v := sample(t, name, o)
			m := dense(v.Matrix)
			if m.Rows != 3 || m.Cols != 4 || !reflect.DeepEqual(m.Data, values) {
				t.Errorf("%d x %d: %v, want %v", m.Rows, m.Cols, m.Data, values)
			}
			if rows := notFinite(v); rows != nil {
				t.Errorf("not finite: %v", rows)
			}
			if s, ok := v.Matrix.(*matrix.CSR); ok {
				if err := s.Validate(); err != nil || s.NNZ() != 4 {
					t.Errorf("%d entries, %v", s.NNZ(), err)
				}
			} else if strings.HasPrefix(name, "cs") || name == "coo.npz" {
				t.Error("not sparse")
			}
		})
	}
	if m := dense(sample(t, "empty.npy", Options{}).Matrix); m.Rows != 0 || m.Cols != 384 {
		t.Errorf("empty: %d x %d", m.Rows, m.Cols)
	}
}

func TestIDs(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
		want []string
	}{
		{"float.parquet", Options{}, []string{"a", "b", "c"}},
		{"float.parquet", Options{Column: "vector", ID: "id"}, []string{"a", "b", "c"}},
		{"fixed.parquet", Options{}, nil},
		{"fixed.parquet", Options{ID: "doc"}, []string{"10", "11", "12"}},
	} {
		if v := sample(t, c.name, c.o); !reflect.DeepEqual(v.IDs, c.want) {
			t.Errorf("%s %+v: %q", c.name, c.o, v.IDs)
		}
	}
}

// notFinite are the rows that hold a NaN or an infinity.
func notFinite(v *Vectors) (rows []int) {
	n, _ := v.Matrix.Dims()
	for i := range n {
		if !matrix.Finite(v.Matrix, i) {
			rows = append(rows, i)
		}
	}
	return rows
}

func TestNonFiniteValues(t *testing.T) {
	if rows := notFinite(sample(t, "odd.npy", Options{})); !reflect.DeepEqual(rows, []int{0, 2}) {
		t.Errorf("odd.npy: %v", rows)
	}
	// A row without a vector and an element that is null read as NaN.
	v := sample(t, "nulls.parquet", Options{Column: "vector"})
	if m := dense(v.Matrix); !reflect.DeepEqual(notFinite(v), []int{0, 2}) || m.Rows != 3 || m.Cols != 4 || m.Row(1)[1] != 1.5 {
		t.Errorf("nulls.parquet: %v, %v", notFinite(v), m)
	}
}

func TestFaults(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	load := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	npy := func(header string, values int) []byte {
		b := append([]byte(npyMagic), 1, 0, byte(len(header)), 0)
		return append(append(b, header...), make([]byte, values)...)
	}
	x := func(name string) string { return filepath.Join("testdata", name) }
	f4 := load("le_f4.npy")
	fvecs := load("x.fvecs")
	badDim := bytes.Clone(fvecs)
	badDim[20] = 5
	for _, c := range []struct {
		path string
		o    Options
		want string
	}{
		{x("one_dim.npy"), Options{}, "shape (4); vectors need two dimensions"},
		{x("three_dim.npy"), Options{}, "shape (1, 3, 4); vectors need two dimensions"},
		{x("object.npy"), Options{}, "Python objects cannot be read: save it as float32"},
		{x("string.npy"), Options{}, "holds strings"},
		{x("record.npy"), Options{}, "array of records"},
		{x("complex.npy"), Options{}, `type "<c16" is not read`},
		{put("cut.npy", f4[:len(f4)-1]), Options{}, "47 bytes of values where the shape (3, 4) of type <f4 needs 48"},
		{put("long.npy", append(bytes.Clone(f4), 0)), Options{}, "49 bytes of values"},
		{put("head.npy", f4[:60]), Options{}, "npy header: it would have"},
		{put("tiny.npy", f4[:7]), Options{}, "the data ends early"},
		{put("v9.npy", append([]byte(npyMagic), 9, 0, 0, 0)), Options{}, "version 9"},
		{put("huge.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", 0)), Options{}, "too large"},
		{put("huge1.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000, 4), }", 16)), Options{}, "needs 16000000000"},
		{put("flat.npy", npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000, 0), }", 0)), Options{}, "no dimension"},
		{put("keys.npy", npy("{'descr': '<f4', 'shape': (1, 1), }", 4)), Options{}, "fortran_order and shape are needed"},
		{put("code.npy", npy("{'descr': f(), 'fortran_order': False, 'shape': (1, 1), }", 4)), Options{}, "descr is not what NumPy writes"},
		{x("two.npz"), Options{}, "which array holds the vectors? it has: topics, embeddings"},
		{x("two.npz"), Options{Array: "vectors"}, `there is no array "vectors"`},
		{x("bsr.npz"), Options{}, `format "bsr" is not read: save the matrix as csr`},
		{put("cut.npz", load("csr.npz")[:400]), Options{}, "truncated or damaged"},
		{put("zeros.npz", flip(load("dense.npz"), 200)), Options{}, "checksum"},
		{x("ragged.parquet"), Options{}, "row 1 has 1 dimensions, the rows before it have 2"},
		{x("nulls.parquet"), Options{}, "candidates are: vector, other"},
		{x("float.parquet"), Options{Column: "text"}, "no lists of floating-point numbers"},
		{x("float.parquet"), Options{Column: "vectors"}, `(did you mean "vector"?)`},
		{x("float.parquet"), Options{ID: "uid"}, `there is no column "uid"`},
		{x("fixed.parquet"), Options{ID: "vector"}, "row 0 has 4 ids"},
		{put("cut.fvecs", fvecs[:50]), Options{}, "not whole rows of 4 dimensions"},
		{put("dim.fvecs", badDim), Options{}, "row 1 has 5 dimensions, row 0 has 4"},
		{put("x.bin", []byte("hello")), Options{}, `not a .npy, .npz, Parquet or .fvecs file: its first bytes are "hello"`},
		{put("x.npy.gz", []byte("\x1f\x8b")), Options{}, "unpack it first"},
		{put("empty", nil), Options{}, "not a .npy"},
		{filepath.Join(dir, "none.npy"), Options{}, "no such file"},
		{dir, Options{}, "not a regular file"},
	} {
		t.Run(filepath.Base(c.path), func(t *testing.T) {
			_, err := Read(context.Background(), c.path, c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "read vectors "+c.path) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func flip(b []byte, i int) []byte { b[i] ^= 1; return b }

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, name := range []string{"le_f4.npy", "csr.npz", "float.parquet", "x.fvecs"} {
		if _, err := Read(ctx, filepath.Join("testdata", name), Options{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Every fuzz target: an error or a well-formed matrix no larger than the file
// can hold.
func check(t *testing.T, b []byte, ext string) {
	v, err := readInput(input{bytes.NewReader(b), context.Background(), int64(len(b))}, ext, Options{})
	if err != nil {
		return
	}
	switch m := v.Matrix.(type) {
	case *matrix.Dense:
		if len(m.Data) != m.Rows*m.Cols || m.Rows > 0 && m.Cols == 0 && len(b) > 0 && ext != ".parquet" {
			t.Fatalf("%d x %d with %d values", m.Rows, m.Cols, len(m.Data))
		}
	case *matrix.CSR:
		if err := m.Validate(); err != nil {
			t.Fatal(err)
		}
	}
	if n, _ := v.Matrix.Dims(); v.IDs != nil && len(v.IDs) != n {
		t.Fatalf("%d ids for %d rows", len(v.IDs), n)
	}
}

func seeds(f *testing.F, pattern string) {
	names, _ := filepath.Glob(filepath.Join("testdata", pattern))
	if len(names) == 0 {
		f.Fatal("no seeds")
	}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

func FuzzNPY(f *testing.F) {
	seeds(f, "*.npy")
	f.Fuzz(func(t *testing.T, b []byte) {
		if bytes.HasPrefix(b, []byte(npyMagic)) {
			check(t, b, ".npy")
		}
	})
}

func FuzzNPZ(f *testing.F) {
	seeds(f, "*.npz")
	f.Fuzz(func(t *testing.T, b []byte) {
		if bytes.HasPrefix(b, []byte("PK")) {
			check(t, b, ".npz")
		}
	})
}

func FuzzFvecs(f *testing.F) {
	seeds(f, "*.fvecs")
	f.Fuzz(func(t *testing.T, b []byte) {
		if !bytes.HasPrefix(b, []byte("PK")) && !bytes.HasPrefix(b, []byte("PAR1")) {
			check(t, b, ".fvecs")
		}
	})
}

func FuzzParquet(f *testing.F) {
	seeds(f, "*.parquet")
	f.Fuzz(func(t *testing.T, b []byte) {
		if bytes.HasPrefix(b, []byte("PAR1")) {
			check(t, b, ".parquet")
		}
	})
}

func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "vectors.npy")
	nan := float32(math.NaN())
	if err := WriteDense(path, &matrix.Dense{Rows: 3, Cols: 2, Data: []float32{1, 0, nan, 0, 0, 1}}); err != nil {
		fmt.Println(err)
		return
	}
	v, err := Read(context.Background(), path, Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	rows, cols := v.Matrix.Dims()
	fmt.Println(rows, cols, matrix.Finite(v.Matrix, 0), matrix.Finite(v.Matrix, 1))
	// Output: 3 2 true false
}
