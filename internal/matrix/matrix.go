// Package matrix holds the two matrices that travel through the program:
// dense float32 rows and compressed sparse float32 rows.
package matrix

import (
	"errors"
	"fmt"
	"slices"
)

// Matrix is a matrix of either layout. Code that treats the layouts
// differently switches on the type: *CSR, or Rows, which *Dense and *Part are.
type Matrix interface {
	// Dims returns the number of rows and of columns.
	Dims() (rows, cols int)
}

var (
	_ Matrix = (*Dense)(nil)
	_ Matrix = (*CSR)(nil)
	_ Matrix = (*Part)(nil)
)

// Dense is a Rows x Cols matrix, row-major, without padding:
// element (i, j) is Data[i*Cols+j].
type Dense struct {
	Rows, Cols int
	Data       []float32
}

// NewDense returns a zero matrix of the given shape.
func NewDense(rows, cols int) *Dense {
	return &Dense{Rows: rows, Cols: cols, Data: make([]float32, rows*cols)}
}

// Dims returns the shape of m.
func (m *Dense) Dims() (rows, cols int) { return m.Rows, m.Cols }

// Row returns row i of m. It aliases m.Data.
func (m *Dense) Row(i int) []float32 {
	return m.Data[i*m.Cols : (i+1)*m.Cols : (i+1)*m.Cols]
}

// CSR is a Rows x Cols sparse matrix in compressed rows: the entries of row i
// are Data[Indptr[i]:Indptr[i+1]] in the columns Indices[Indptr[i]:Indptr[i+1]],
// which ascend strictly.
type CSR struct {
	Rows, Cols int
	Indptr     []int64 // Rows+1 long, Indptr[0] is 0
	Indices    []int32
	Data       []float32
}

// Dims returns the shape of m.
func (m *CSR) Dims() (rows, cols int) { return m.Rows, m.Cols }

// Row returns the columns and the values of row i. Both alias m.
func (m *CSR) Row(i int) (cols []int32, values []float32) {
	lo, hi := m.Indptr[i], m.Indptr[i+1]
	return m.Indices[lo:hi:hi], m.Data[lo:hi:hi]
}

// NNZ returns the number of stored entries.
func (m *CSR) NNZ() int { return len(m.Indices) }

// Validate reports the first way in which m is not a well-formed CSR matrix.
func (m *CSR) Validate() error {
	switch {
	case m.Rows < 0 || m.Cols < 0:
		return fmt.Errorf("csr matrix has the negative shape %d x %d", m.Rows, m.Cols)
	case len(m.Indptr) != m.Rows+1:
		return fmt.Errorf("csr matrix of %d rows has %d row pointers, not %d", m.Rows, len(m.Indptr), m.Rows+1)
	case m.Indptr[0] != 0:
		return errors.New("csr matrix: the first row pointer is not 0")
	case len(m.Indices) != len(m.Data):
		return fmt.Errorf("csr matrix has %d column indices for %d values", len(m.Indices), len(m.Data))
	case m.Indptr[m.Rows] != int64(len(m.Indices)):
		return fmt.Errorf("csr matrix: the last row pointer is %d, but %d entries are stored", m.Indptr[m.Rows], len(m.Indices))
	}
	for i := 0; i < m.Rows; i++ {
		lo, hi := m.Indptr[i], m.Indptr[i+1]
		if hi < lo || hi > int64(len(m.Indices)) {
			return fmt.Errorf("csr matrix: row pointers of row %d do not ascend", i)
		}
		last := int32(-1)
		for _, c := range m.Indices[lo:hi] {
			if c <= last || int(c) >= m.Cols {
				return fmt.Errorf("csr matrix: column %d of row %d is out of order or outside 0..%d", c, i, m.Cols-1)
			}
			last = c
		}
	}
	return nil
}

// Select returns the given rows of m, in the given order, as a new matrix.
func (m *CSR) Select(rows []int) *CSR {
	out := &CSR{Rows: len(rows), Cols: m.Cols, Indptr: make([]int64, 1, len(rows)+1)}
	for _, i := range rows {
		cols, values := m.Row(i)
		out.Indices = append(out.Indices, cols...)
		out.Data = append(out.Data, values...)
		out.Indptr = append(out.Indptr, int64(len(out.Indices)))
	}
	return out
}

// Rows is a dense matrix or a part of one.
type Rows interface {
	Matrix
	// Row returns row i, which aliases the matrix.
	Row(i int) []float32
}

// Part is some rows of a dense matrix, in the order of Rows, where they lie.
type Part struct {
	Of   *Dense
	Rows []int32
}

// Dims returns the number of rows and of columns.
func (m *Part) Dims() (rows, cols int) { return len(m.Rows), m.Of.Cols }

// Row returns row i, which aliases the whole matrix.
func (m *Part) Row(i int) []float32 { return m.Of.Row(int(m.Rows[i])) }

// Whole is m with a part of a matrix copied into one of its own.
func Whole(m Matrix) Matrix {
	p, ok := m.(*Part)
	if !ok {
		return m
	}
	out := NewDense(p.Dims())
	for i := range p.Rows {
		copy(out.Row(i), p.Row(i))
	}
	return out
}

// Pick is SelectRows without a copy of dense rows.
func Pick(m Matrix, rows []int32) Matrix {
	if n, _ := m.Dims(); n == len(rows) {
		all := true
		for k, i := range rows {
			all = all && k == int(i)
		}
		if all {
			return m
		}
	}
	switch m := m.(type) {
	case *Dense:
		return &Part{m, rows}
	case *Part:
		of := make([]int32, len(rows))
		for k, i := range rows {
			of[k] = m.Rows[i]
		}
		return &Part{m.Of, of}
	}
	list := make([]int, len(rows))
	for k, i := range rows {
		list[k] = int(i)
	}
	return SelectRows(m, list)
}

// Select returns the given rows of m, in the given order, as a new matrix.
func (m *Dense) Select(rows []int) *Dense {
	out := NewDense(len(rows), m.Cols)
	for k, i := range rows {
		copy(out.Row(k), m.Row(i))
	}
	return out
}

// SelectRows is Select for either layout. All rows in their order are m itself.
func SelectRows(m Matrix, rows []int) Matrix {
	if n, _ := m.Dims(); n == len(rows) {
		all := true
		for k, i := range rows {
			all = all && k == i
		}
		if all {
			return m
		}
	}
	switch m := m.(type) {
	case *Dense:
		return m.Select(rows)
	case *CSR:
		return m.Select(rows)
	}
	panic("matrix: unknown layout")
}

// EqualRows tells whether row i of a and row j of b, which have the same layout,
// hold the same values; an entry of 0 is the same as none.
func EqualRows(a Matrix, i int, b Matrix, j int) bool {
	switch a := a.(type) {
	case Rows:
		return slices.Equal(a.Row(i), b.(Rows).Row(j))
	case *CSR:
		xc, xv := a.Row(i)
		yc, yv := b.(*CSR).Row(j)
		for p, q := 0, 0; ; p, q = p+1, q+1 {
			for p < len(xv) && xv[p] == 0 {
				p++
			}
			for q < len(yv) && yv[q] == 0 {
				q++
			}
			if p == len(xv) || q == len(yv) {
				return p == len(xv) && q == len(yv)
			}
			if xc[p] != yc[q] || xv[p] != yv[q] {
				return false
			}
		}
	}
	panic("matrix: unknown layout")
}

// ZeroRow reports whether row i of m has no value but 0.
func ZeroRow(m Matrix, i int) bool {
	var values []float32
	switch m := m.(type) {
	case Rows:
		values = m.Row(i)
	case *CSR:
		_, values = m.Row(i)
	}
	return !slices.ContainsFunc(values, func(v float32) bool { return v != 0 })
}

// Finite reports whether every value of row i is finite.
func Finite(m Matrix, i int) bool {
	var values []float32
	switch m := m.(type) {
	case Rows:
		values = m.Row(i)
	case *CSR:
		_, values = m.Row(i)
	}
	// v-v is 0 for a finite v, else NaN. Four sums at a time, since one waits for
	// itself.
	var a, b, c, d float32
	for ; len(values) >= 4; values = values[4:] {
		a += values[0] - values[0]
		b += values[1] - values[1]
		c += values[2] - values[2]
		d += values[3] - values[3]
	}
	for _, v := range values {
		a += v - v
	}
	return a+b+c+d == 0
}

// Sparse returns m in compressed rows, without its zeros.
func Sparse(m *Dense) *CSR {
	out := &CSR{Rows: m.Rows, Cols: m.Cols, Indptr: make([]int64, 1, m.Rows+1)}
	for i := range m.Rows {
		for j, v := range m.Row(i) {
			if v != 0 {
				out.Indices = append(out.Indices, int32(j))
				out.Data = append(out.Data, v)
			}
		}
		out.Indptr = append(out.Indptr, int64(len(out.Indices)))
	}
	return out
}
