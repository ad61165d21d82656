package linalg

import (
	"fmt"

	"github.com/bertopic-go/bertopic/internal/par"
)

// sparseOp multiplies by a CSR matrix. It keeps the transpose as well, so that
// both products are loops over independent rows.
type sparseOp[T float32 | float64] struct {
	a, t csr[T]
}

type csr[T float32 | float64] struct {
	rows, cols int
	indptr     []int64
	indices    []int32
	data       []T
}

func newSparseOp[T float32 | float64](rows, cols int, indptr []int64, indices []int32, data []T) *sparseOp[T] {
	a := csr[T]{rows, cols, indptr, indices, data}
	return &sparseOp[T]{a, a.transposed()}
}

func (m *csr[T]) transposed() csr[T] {
	t := csr[T]{m.cols, m.rows, make([]int64, m.cols+1), make([]int32, len(m.indices)), make([]T, len(m.data))}
	for _, c := range m.indices {
		t.indptr[c+1]++
	}
	for c := range m.cols {
		t.indptr[c+1] += t.indptr[c]
	}
	next := append([]int64(nil), t.indptr[:m.cols]...)
	for i := range m.rows {
		for p := m.indptr[i]; p < m.indptr[i+1]; p++ {
			c := m.indices[p]
			q := next[c]
			next[c]++
			t.indices[q], t.data[q] = int32(i), m.data[p]
		}
	}
	return t
}

// mulTo sets dst (rows x b) to m x, where x is cols x b.
func (m *csr[T]) mulTo(dst, x []float64, b, threads int) {
	par.Blocks(threads, m.rows, rowGrain, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			p, q := m.indptr[i], m.indptr[i+1]
			mulSparseRow(dst[i*b:(i+1)*b], m.indices[p:q], m.data[p:q], x, b)
		}
	})
}

// mulSparseRow sets out (b long) to the sparse row times x (cols x b).
func mulSparseRow[T float32 | float64](out []float64, cols []int32, values []T, x []float64, b int) {
	clear(out)
	values = values[:len(cols)]
	k := 0
	for ; k+4 <= len(cols); k += 4 {
		c, v := cols[k:k+4:k+4], values[k:k+4:k+4]
		axpy4(out, float64(v[0]), float64(v[1]), float64(v[2]), float64(v[3]),
			x[int(c[0])*b:], x[int(c[1])*b:], x[int(c[2])*b:], x[int(c[3])*b:])
	}
	for ; k < len(cols); k++ {
		axpy(out, float64(values[k]), x[int(cols[k])*b:])
	}
}

func (s *sparseOp[T]) Dims() (int, int) { return s.a.rows, s.a.cols }

func (s *sparseOp[T]) checkFinite() error {
	for i := range s.a.rows {
		for p := s.a.indptr[i]; p < s.a.indptr[i+1]; p++ {
			if !finite(float64(s.a.data[p])) {
				return fmt.Errorf("row %d, column %d holds %v: leave such rows out", i, s.a.indices[p], s.a.data[p])
			}
		}
	}
	return nil
}

func (s *sparseOp[T]) mulTo(dst, x []float64, b, threads int)      { s.a.mulTo(dst, x, b, threads) }
func (s *sparseOp[T]) mulTransTo(dst, y []float64, b, threads int) { s.t.mulTo(dst, y, b, threads) }

func (s *sparseOp[T]) gram(right bool, threads int) []float64 {
	m, t := &s.a, &s.t
	if right {
		m, t = t, m
	}
	g := make([]float64, m.rows*m.rows)
	par.Blocks(threads, m.rows, 16, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			row := g[i*m.rows : (i+1)*m.rows]
			for p := m.indptr[i]; p < m.indptr[i+1]; p++ {
				r, v := m.indices[p], float64(m.data[p])
				for q := t.indptr[r]; q < t.indptr[r+1] && int(t.indices[q]) <= i; q++ {
					row[t.indices[q]] += float64(v * float64(t.data[q]))
				}
			}
		}
	})
	mirror(g, m.rows)
	return g
}

func (s *sparseOp[T]) moments(threads int) (sum []float64, scatter float64) {
	t := &s.t
	n := float64(t.cols)
	sum = make([]float64, t.rows)
	parts := make([]float64, (t.rows+rowGrain-1)/rowGrain)
	par.Blocks(threads, t.rows, rowGrain, func(block, lo, hi int) {
		for c := lo; c < hi; c++ {
			values := t.data[t.indptr[c]:t.indptr[c+1]]
			for _, v := range values {
				sum[c] += float64(v)
			}
			mean := sum[c] / n
			part := float64((n - float64(len(values))) * float64(mean*mean))
			for _, v := range values {
				diff := float64(v) - mean
				part += float64(diff * diff)
			}
			parts[block] += part
		}
	})
	for _, p := range parts {
		scatter += p
	}
	return sum, scatter
}

// centred is the linear map A - 1 mean^T, which stays sparse inside.
type centred struct {
	linear
	mean []float64
}

func (c *centred) mulTo(dst, x []float64, b, threads int) {
	c.linear.mulTo(dst, x, b, threads)
	shift := make([]float64, b)
	mulRow(shift, c.mean, x, b)
	rows, _ := c.Dims()
	par.Blocks(threads, rows, rowGrain, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			axpy(dst[i*b:(i+1)*b], -1, shift)
		}
	})
}

func (c *centred) mulTransTo(dst, y []float64, b, threads int) {
	c.linear.mulTransTo(dst, y, b, threads)
	rows, cols := c.Dims()
	total := make([]float64, b)
	for i := range rows {
		axpy(total, 1, y[i*b:])
	}
	for j := range cols {
		axpy(dst[j*b:(j+1)*b], -c.mean[j], total)
	}
}

func (c *centred) gram(right bool, threads int) []float64 {
	g := c.linear.gram(right, threads)
	rows, cols := c.Dims()
	if right {
		for i := range cols {
			for j := range cols {
				g[i*cols+j] -= float64(float64(rows)*c.mean[i]) * c.mean[j]
			}
		}
		return g
	}
	proj := make([]float64, rows)
	c.linear.mulTo(proj, c.mean, 1, threads)
	square := dot(c.mean, c.mean)
	for i := range rows {
		for j := range rows {
			g[i*rows+j] += square - (proj[i] + proj[j])
		}
	}
	return g
}
