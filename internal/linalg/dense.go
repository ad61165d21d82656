package linalg

import (
	"fmt"

	"github.com/bertopic-go/bertopic/internal/par"
)

const (
	rowGrain  = 256 // rows in a block of independent row work
	colStrip  = 32  // columns in a strip of a transposed product
	gramPanel = 256 // terms summed between two passes over a Gram matrix
	gramTile  = 32  // rows of a Gram matrix in one task
)

// denseOp multiplies by a dense matrix of either precision.
type denseOp[T float32 | float64] struct {
	rows, cols int
	data       []T
}

func newDenseOp[T float32 | float64](rows, cols int, data []T) (linear, error) {
	if rows < 0 || cols < 0 || len(data) != rows*cols {
		return nil, fmt.Errorf("dense matrix of shape %d x %d holds %d values", rows, cols, len(data))
	}
	return &denseOp[T]{rows, cols, data}, nil
}

func (a *denseOp[T]) Dims() (int, int) { return a.rows, a.cols }

func (a *denseOp[T]) checkFinite() error {
	for i, v := range a.data {
		if !finite(float64(v)) {
			return fmt.Errorf("row %d, column %d holds %v: leave such rows out", i/a.cols, i%a.cols, v)
		}
	}
	return nil
}

func (a *denseOp[T]) mulTo(dst, x []float64, b, threads int) {
	d := a.cols
	par.Blocks(threads, a.rows, rowGrain, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			mulRow(dst[i*b:(i+1)*b], a.data[i*d:(i+1)*d], x, b)
		}
	})
}

// mulRow sets out (b long) to row times x, which is len(row) x b.
func mulRow[T float32 | float64](out []float64, row []T, x []float64, b int) {
	clear(out)
	c := 0
	for ; c+4 <= len(row); c += 4 {
		r := row[c : c+4 : c+4]
		axpy4(out, float64(r[0]), float64(r[1]), float64(r[2]), float64(r[3]),
			x[c*b:], x[(c+1)*b:], x[(c+2)*b:], x[(c+3)*b:])
	}
	for ; c < len(row); c++ {
		axpy(out, float64(row[c]), x[c*b:])
	}
}

func (a *denseOp[T]) mulTransTo(dst, y []float64, b, threads int) {
	n, d := a.rows, a.cols
	par.Blocks(threads, d, colStrip, func(_, lo, hi int) {
		clear(dst[lo*b : hi*b])
		i := 0
		for ; i+4 <= n; i += 4 {
			r0, r1 := a.data[i*d:(i+1)*d], a.data[(i+1)*d:(i+2)*d]
			r2, r3 := a.data[(i+2)*d:(i+3)*d], a.data[(i+3)*d:(i+4)*d]
			y0, y1, y2, y3 := y[i*b:], y[(i+1)*b:], y[(i+2)*b:], y[(i+3)*b:]
			for c := lo; c < hi; c++ {
				axpy4(dst[c*b:(c+1)*b], float64(r0[c]), float64(r1[c]), float64(r2[c]), float64(r3[c]), y0, y1, y2, y3)
			}
		}
		for ; i < n; i++ {
			for c := lo; c < hi; c++ {
				axpy(dst[c*b:(c+1)*b], float64(a.data[i*d+c]), y[i*b:])
			}
		}
	})
}

func (a *denseOp[T]) gram(right bool, threads int) []float64 {
	n, d := a.rows, a.cols
	if right {
		return gramOf(d, n, threads, func(panel []float64, width, lo, hi int) {
			for i := lo; i < hi; i++ {
				for c, v := range a.data[i*d : (i+1)*d] {
					panel[c*width+i-lo] = float64(v)
				}
			}
		})
	}
	return gramOf(n, d, threads, func(panel []float64, width, lo, hi int) {
		for i := range n {
			for c, v := range a.data[i*d+lo : i*d+hi] {
				panel[i*width+c] = float64(v)
			}
		}
	})
}

// gramOf returns the size x size matrix P P^T, where fill writes the terms
// lo..hi of each of the size rows of P into panel (size x width).
// Every entry is summed in the order of the terms by one task.
func gramOf(size, terms, threads int, fill func(panel []float64, width, lo, hi int)) []float64 {
	g := make([]float64, size*size)
	padded := (size + 3) &^ 3 // rows past size stay zero
	panel := make([]float64, padded*gramPanel)
	for lo := 0; lo < terms; lo += gramPanel {
		hi := min(lo+gramPanel, terms)
		width := hi - lo
		fill(panel, width, lo, hi)
		clear(panel[size*width : padded*width])
		par.Blocks(threads, size, gramTile, func(_, r0, r1 int) {
			gramRows(g, panel, size, width, r0, r1)
		})
	}
	mirror(g, size)
	return g
}

// gramRows adds the panel's products to the rows r0..r1 of the lower triangle
// of g. r0 must be even.
func gramRows(g, panel []float64, size, width, r0, r1 int) {
	row := func(i int) []float64 { return panel[i*width : (i+1)*width : (i+1)*width] }
	var acc [8]float64
	for i := r0; i < r1; i += 2 {
		x0, x1 := row(i), row(i+1)
		pair := i+1 < r1
		for j := 0; j <= i+1 && j < size; j += 4 {
			acc = [8]float64{}
			w := min(4, size-j)
			copy(acc[:w], g[i*size+j:])
			if pair {
				copy(acc[4:4+w], g[(i+1)*size+j:])
			}
			dot2x4(&acc, x0, x1, row(j), row(j+1), row(j+2), row(j+3))
			copy(g[i*size+j:i*size+j+w], acc[:w])
			if pair {
				copy(g[(i+1)*size+j:(i+1)*size+j+w], acc[4:4+w])
			}
		}
	}
}

// mirror copies the lower triangle of a square matrix to the upper.
func mirror(g []float64, size int) {
	for i := range size {
		for j := i + 1; j < size; j++ {
			g[i*size+j] = g[j*size+i]
		}
	}
}

func (a *denseOp[T]) moments(threads int) (sum []float64, scatter float64) {
	n, d := a.rows, a.cols
	sum = make([]float64, d)
	parts := make([]float64, (d+colStrip-1)/colStrip)
	par.Blocks(threads, d, colStrip, func(block, lo, hi int) {
		for i := range n {
			for c := lo; c < hi; c++ {
				sum[c] += float64(a.data[i*d+c])
			}
		}
		for i := range n {
			for c := lo; c < hi; c++ {
				diff := float64(a.data[i*d+c]) - sum[c]/float64(n)
				parts[block] += float64(diff * diff)
			}
		}
	})
	for _, p := range parts {
		scatter += p
	}
	return sum, scatter
}
