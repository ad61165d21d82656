package linalg

import (
	"fmt"
	"math"

	"github.com/bertopic-go/bertopic/internal/matrix"
)

// Dense is a Rows x Cols float64 matrix, row-major, without padding.
type Dense struct {
	Rows, Cols int
	Data       []float64
}

// NewDense returns a zero matrix of the given shape.
func NewDense(rows, cols int) *Dense {
	return &Dense{Rows: rows, Cols: cols, Data: make([]float64, rows*cols)}
}

// Dims returns the shape of m.
func (m *Dense) Dims() (rows, cols int) { return m.Rows, m.Cols }

// Row returns row i of m. It aliases m.Data.
func (m *Dense) Row(i int) []float64 {
	return m.Data[i*m.Cols : (i+1)*m.Cols : (i+1)*m.Cols]
}

// Float32 returns m rounded to float32.
func (m *Dense) Float32() *matrix.Dense {
	out := matrix.NewDense(m.Rows, m.Cols)
	for i, v := range m.Data {
		out.Data[i] = float32(v)
	}
	return out
}

// CSR is a Rows x Cols sparse float64 matrix in compressed rows, laid out as
// matrix.CSR is.
type CSR struct {
	Rows, Cols int
	Indptr     []int64
	Indices    []int32
	Data       []float64
}

// Dims returns the shape of m.
func (m *CSR) Dims() (rows, cols int) { return m.Rows, m.Cols }

var (
	_ matrix.Matrix = (*Dense)(nil)
	_ matrix.Matrix = (*CSR)(nil)
)

// linear is a matrix that can be multiplied from both sides and squared.
// Blocks of vectors are row-major with b columns.
type linear interface {
	Dims() (rows, cols int)
	// mulTo sets dst (rows x b) to A x, where x is cols x b.
	mulTo(dst, x []float64, b, threads int)
	// mulTransTo sets dst (cols x b) to A^T y, where y is rows x b.
	mulTransTo(dst, y []float64, b, threads int)
	// gram returns A^T A where right is true and A A^T otherwise, both
	// triangles filled.
	gram(right bool, threads int) []float64
	// moments returns the sum of each column and the sum of the squared
	// differences from the column's mean over all columns.
	moments(threads int) (sum []float64, scatter float64)
	// checkFinite reports the first row that holds a value that is not finite.
	checkFinite() error
}

// asLinear wraps a matrix of any of the four layouts.
func asLinear(x matrix.Matrix) (linear, error) {
	switch x := x.(type) {
	case *matrix.Dense:
		return newDenseOp(x.Rows, x.Cols, x.Data)
	case *Dense:
		return newDenseOp(x.Rows, x.Cols, x.Data)
	case *matrix.CSR:
		if err := x.Validate(); err != nil {
			return nil, err
		}
		return newSparseOp(x.Rows, x.Cols, x.Indptr, x.Indices, x.Data), nil
	case *CSR:
		shape := matrix.CSR{Rows: x.Rows, Cols: x.Cols, Indptr: x.Indptr, Indices: x.Indices, Data: make([]float32, len(x.Data))}
		if err := shape.Validate(); err != nil {
			return nil, err
		}
		return newSparseOp(x.Rows, x.Cols, x.Indptr, x.Indices, x.Data), nil
	case nil:
		return nil, fmt.Errorf("no matrix given")
	}
	return nil, fmt.Errorf("matrix of unknown layout %T", x)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
