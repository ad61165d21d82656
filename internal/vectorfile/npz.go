package vectorfile

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/bertopic-go/bertopic/internal/matrix"
)

// archive is an open .npz file: a zip archive of .npy files.
type archive struct {
	files map[string]*zip.File
	names []string
}

func readNPZ(in input, o Options) (*Vectors, error) {
	z, err := zip.NewReader(in, in.size)
	if err != nil {
		return nil, fmt.Errorf("npz: %w: the file is truncated or damaged", err)
	}
	a := &archive{files: map[string]*zip.File{}}
	for _, f := range z.File {
		name, ok := strings.CutSuffix(f.Name, ".npy")
		if !ok {
			continue
		}
		if a.files[name] != nil {
			return nil, fmt.Errorf("npz: array %q stands there twice", name)
		}
		a.files[name] = f
		a.names = append(a.names, name)
	}
	if o.Array == "" && a.files["format"] != nil && a.files["shape"] != nil {
		m, err := a.sparse()
		if err != nil {
			return nil, fmt.Errorf("sparse npz: %w", err)
		}
		return &Vectors{Matrix: m}, nil
	}
	name := o.Array
	if name == "" && len(a.names) == 1 {
		name = a.names[0]
	}
	if a.files[name] == nil {
		if name == "" {
			return nil, fmt.Errorf("npz: which array holds the vectors? it has: %s", strings.Join(a.names, ", "))
		}
		return nil, fmt.Errorf("npz: there is no array %q; it has: %s", name, strings.Join(a.names, ", "))
	}
	var v *Vectors
	err = a.open(name, func(h *array, r io.Reader) (err error) {
		v, err = h.dense(r, o.Folder)
		return err
	})
	return v, err
}

// open hands one array to read.
func (a *archive) open(name string, read func(h *array, r io.Reader) error) error {
	f := a.files[name]
	if f == nil {
		return fmt.Errorf("the array %q is missing; there are: %s", name, strings.Join(a.names, ", "))
	}
	// Deflate packs at most 1032 to 1. A size beyond it is a lie that would
	// cost memory.
	size, packed := f.UncompressedSize64, f.CompressedSize64
	if size > math.MaxInt64/2 || size/1040 > packed+1 {
		return fmt.Errorf("array %q: %d bytes cannot come out of %d: the file is damaged", name, size, packed)
	}
	r, err := f.Open()
	if err != nil {
		return fmt.Errorf("array %q: %w", name, err)
	}
	defer r.Close()
	h, _, err := readHeader(r, int64(size))
	if err == nil {
		err = read(h, r)
	}
	if err == nil { // at the end of the data its check sum is checked
		if _, err = r.Read(make([]byte, 1)); err == io.EOF {
			err = nil
		}
	}
	if err != nil {
		return fmt.Errorf("array %q: %w", name, err)
	}
	return nil
}

func (a *archive) int64s(name string) (v []int64, err error) {
	err = a.open(name, func(h *array, r io.Reader) error {
		v, err = h.int64s(r)
		return err
	})
	return v, err
}

// sparse reads what scipy.sparse.save_npz wrote.
func (a *archive) sparse() (matrix.Matrix, error) {
	var format string
	err := a.open("format", func(h *array, r io.Reader) (err error) {
		format, err = h.text(r)
		return err
	})
	if err != nil {
		return nil, err
	}
	if format != "csr" && format != "csc" && format != "coo" {
		return nil, fmt.Errorf("the format %q is not read: save the matrix as csr, for example scipy.sparse.save_npz(path, x.tocsr())", format)
	}
	dims, err := a.int64s("shape")
	if err != nil {
		return nil, err
	}
	if len(dims) != 2 || dims[0] < 0 || dims[1] < 0 || dims[0] > math.MaxInt32 || dims[1] > math.MaxInt32 {
		return nil, fmt.Errorf("shape %v: rows and columns between 0 and %d are needed", dims, math.MaxInt32)
	}
	rows, cols := int(dims[0]), int(dims[1])
	data, err := a.values("data")
	if err != nil {
		return nil, err
	}
	var m *matrix.CSR
	switch format {
	case "csr":
		m, err = a.compressed(rows, cols, data)
	case "csc":
		if err = plausible(rows, len(data)); err == nil {
			if m, err = a.compressed(cols, rows, data); err == nil {
				m = transpose(m)
			}
		}
	case "coo":
		if err = plausible(rows, len(data)); err == nil {
			m, err = a.coordinates(rows, cols, data)
		}
	}
	if err != nil {
		return nil, err
	}
	normalise(m)
	return m, m.Validate()
}

// plausible refuses a number of rows that only a header vouches for.
func plausible(rows, entries int) error {
	if rows > max(1<<24, 1024*entries) {
		return fmt.Errorf("%d rows for %d entries: the file is damaged", rows, entries)
	}
	return nil
}

func (a *archive) values(name string) (v []float32, err error) {
	err = a.open(name, func(h *array, r io.Reader) error {
		if len(h.shape) != 1 || h.kind == 'S' || h.kind == 'U' {
			return fmt.Errorf("shape %s of type %s where a list of numbers is needed", shape(h.shape), h.descr)
		}
		v = make([]float32, h.count)
		return h.each(r, func(at int, part []float32) { copy(v[at:], part) })
	})
	return v, err
}

// compressed reads a matrix compressed along its first side.
func (a *archive) compressed(rows, cols int, data []float32) (*matrix.CSR, error) {
	indptr, err := a.int64s("indptr")
	if err != nil {
		return nil, err
	}
	wide, err := a.int64s("indices")
	if err != nil {
		return nil, err
	}
	n := int64(len(data))
	if len(wide) != len(data) || len(indptr) != rows+1 || indptr[0] != 0 || indptr[rows] != n || !slices.IsSorted(indptr) {
		return nil, errors.New("indptr, indices and data do not fit together")
	}
	indices, err := narrow(wide, cols)
	return &matrix.CSR{Rows: rows, Cols: cols, Indptr: indptr, Indices: indices, Data: data}, err
}

func narrow(wide []int64, limit int) ([]int32, error) {
	out := make([]int32, len(wide))
	for i, v := range wide {
		if v < 0 || v >= int64(limit) {
			return nil, fmt.Errorf("index %d of entry %d is outside 0..%d", v, i, limit-1)
		}
		out[i] = int32(v)
	}
	return out, nil
}

func (a *archive) coordinates(rows, cols int, data []float32) (*matrix.CSR, error) {
	wideI, err := a.int64s("row")
	if err != nil {
		return nil, err
	}
	wideJ, err := a.int64s("col")
	if err != nil {
		return nil, err
	}
	if len(wideI) != len(data) || len(wideJ) != len(data) {
		return nil, errors.New("row, col and data do not fit together")
	}
	i, err := narrow(wideI, rows)
	if err != nil {
		return nil, err
	}
	j, err := narrow(wideJ, cols)
	if err != nil {
		return nil, err
	}
	return gather(rows, cols, i, j, data), nil
}

func transpose(m *matrix.CSR) *matrix.CSR {
	i := make([]int32, len(m.Data))
	for r := range m.Rows {
		for k := m.Indptr[r]; k < m.Indptr[r+1]; k++ {
			i[k] = int32(r)
		}
	}
	return gather(m.Cols, m.Rows, m.Indices, i, m.Data)
}

// gather sorts entries by row, those of a row in the order they come.
func gather(rows, cols int, i, j []int32, data []float32) *matrix.CSR {
	m := &matrix.CSR{Rows: rows, Cols: cols, Indptr: make([]int64, rows+1), Indices: make([]int32, len(j)), Data: make([]float32, len(data))}
	for _, r := range i {
		m.Indptr[r+1]++
	}
	for r := range rows {
		m.Indptr[r+1] += m.Indptr[r]
	}
	next := slices.Clone(m.Indptr)
	for k, r := range i {
		m.Indices[next[r]], m.Data[next[r]] = j[k], data[k]
		next[r]++
	}
	return m
}

// normalise sorts the columns of each row and adds up entries of one place,
// which SciPy takes as their sum.
func normalise(m *matrix.CSR) {
	out := int64(0)
	for r := range m.Rows {
		lo, hi := m.Indptr[r], m.Indptr[r+1]
		m.Indptr[r] = out
		row := byColumn{m.Indices[lo:hi], m.Data[lo:hi]}
		if !sort.IsSorted(row) {
			sort.Stable(row)
		}
		for k := lo; k < hi; k++ {
			if out > m.Indptr[r] && m.Indices[out-1] == m.Indices[k] {
				m.Data[out-1] += m.Data[k]
				continue
			}
			m.Indices[out], m.Data[out] = m.Indices[k], m.Data[k]
			out++
		}
	}
	m.Indptr[m.Rows] = out
	m.Indices, m.Data = m.Indices[:out], m.Data[:out]
}

type byColumn struct {
	cols   []int32
	values []float32
}

func (b byColumn) Len() int           { return len(b.cols) }
func (b byColumn) Less(i, j int) bool { return b.cols[i] < b.cols[j] }
func (b byColumn) Swap(i, j int) {
	b.cols[i], b.cols[j] = b.cols[j], b.cols[i]
	b.values[i], b.values[j] = b.values[j], b.values[i]
}
