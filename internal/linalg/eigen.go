package linalg

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/bertopic-go/bertopic/internal/rng"
)

// SymEigen returns all eigenvalues of the symmetric n x n matrix a (row-major,
// both triangles filled), largest first, and the eigenvectors as the columns
// of vectors (n x n, row-major), in the same order. Signs are free.
func SymEigen(a []float64, n int) (values, vectors []float64, err error) {
	if len(a) != n*n {
		return nil, nil, fmt.Errorf("eigenvalues of a %d x %d matrix: %d values given", n, n, len(a))
	}
	if n == 0 {
		return nil, nil, nil
	}
	for _, v := range a {
		if !finite(v) {
			return nil, nil, fmt.Errorf("eigenvalues of a %d x %d matrix: it holds %v", n, n, v)
		}
	}
	var e mat.EigenSym
	if !e.Factorize(mat.NewSymDense(n, append([]float64(nil), a...)), true) {
		return nil, nil, fmt.Errorf("eigenvalues of a %d x %d matrix: the iteration did not converge", n, n)
	}
	values = e.Values(nil)
	for i, j := 0, n-1; i < j; i, j = i+1, j-1 {
		values[i], values[j] = values[j], values[i]
	}
	var v mat.Dense
	e.VectorsTo(&v)
	raw := v.RawMatrix()
	vectors = make([]float64, n*n)
	for i := range n {
		for j := range n {
			vectors[i*n+j] = raw.Data[i*raw.Stride+n-1-j]
		}
	}
	return values, vectors, nil
}

// SymOperator is a symmetric linear map of vectors of length Dim.
type SymOperator interface {
	Dim() int
	// MulTo sets dst to the image of x. Both are Dim x b, row-major: b vectors
	// side by side. The result must not depend on the number of threads.
	MulTo(dst, x []float64, b int)
}

// EigenOptions says how TopEigen searches. The zero value of every field but
// K is a usable default.
type EigenOptions struct {
	K           int     // eigenpairs wanted; at most Dim
	Tolerance   float64 // residual norm allowed, as a part of the largest |eigenvalue| found; 0: 1e-11
	MaxRestarts int     // 0: 300
	Block       int     // vectors multiplied at once; 0: 8
	MaxBasis    int     // vectors kept; 0: about twice K and at least K + 48
	Seed        uint64  // of the start vectors
	Threads     int     // 0: all cores; never changes the result
}

// Eigen holds the K algebraically largest eigenvalues of an operator, largest
// first, and their unit eigenvectors, one a row.
type Eigen struct {
	Values   []float64
	Vectors  *Dense  // K x Dim
	Residual float64 // largest residual norm |C v - value v|
	Restarts int
}

// TopEigen returns the K algebraically largest eigenpairs of op, by a block
// Lanczos iteration with full orthogonalisation and thick restart (Wu and
// Simon, 2000). Eigenvalues of a multiplicity up to Block are found with all
// their copies. Signs are free.
//
// It is an error if the residuals do not fall under the tolerance within
// MaxRestarts.
func TopEigen(ctx context.Context, op SymOperator, opt EigenOptions) (*Eigen, error) {
	n, k := op.Dim(), opt.K
	if k < 1 || k > n {
		return nil, fmt.Errorf("%d eigenpairs of an operator of dimension %d: ask for 1 to %d", k, n, n)
	}
	tol := opt.Tolerance
	if tol <= 0 {
		tol = 1e-11
	}
	restarts := opt.MaxRestarts
	if restarts <= 0 {
		restarts = 300
	}
	b := opt.Block
	if b <= 0 {
		b = 8
	}
	b = min(b, n)
	size := opt.MaxBasis
	if size <= 0 {
		size = max(2*k, k+48)
	}
	size = min(max(size, k+2*b), n)

	q := newBasis(n, size+2*b, opt.Threads, opt.Seed)
	w := make([]float64, b*n)
	for j := range b {
		for i := range n {
			w[j*n+i] = rng.Normal(opt.Seed, uint64(j), uint64(i))
		}
	}
	q.append(w, b)

	t := make([]float64, (size+b)*(size+b)) // Q C Q^T of the vectors already multiplied
	stride := size + b
	lo := 0 // vectors before lo are multiplied
	x, y := make([]float64, b*n), make([]float64, b*n)
	for round := 0; ; round++ {
		var r []float64
		var width int // of the block multiplied last
		for {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			width = q.count - lo
			transpose(x[:width*n], q.data[lo*n:q.count*n], width, n)
			op.MulTo(y[:width*n], x[:width*n], width)
			transpose(w[:width*n], y[:width*n], n, width)
			m := q.count
			next := min(width, n-m) // vectors for which there is room in the space
			var h []float64
			if next == width {
				h, r = q.append(w[:width*n], width)
			} else {
				h, r = q.appendSome(w[:width*n], width, next)
			}
			for i := range m {
				for j := range width {
					v := h[i*width+j]
					t[i*stride+lo+j], t[(lo+j)*stride+i] = v, v
				}
			}
			lo = m
			if m >= size || next == 0 {
				break
			}
		}
		m := lo
		small := make([]float64, m*m)
		for i := range m {
			for j := range i + 1 {
				v := (t[i*stride+j] + t[j*stride+i]) / 2
				small[i*m+j], small[j*m+i] = v, v
			}
		}
		values, vectors, err := SymEigen(small, m)
		if err != nil {
			return nil, err
		}
		largest := max(math.Abs(values[0]), math.Abs(values[m-1]))
		worst := 0.0
		rows := len(r) / max(width, 1)
		for c := range k {
			var square float64
			for i := range rows {
				var s float64
				for j := range width {
					s += r[i*width+j] * vectors[(m-width+j)*m+c]
				}
				square += s * s
			}
			worst = max(worst, math.Sqrt(square))
		}
		done := worst <= tol*largest
		if !done && round >= restarts {
			return nil, fmt.Errorf("%d eigenpairs of an operator of dimension %d: residual %.3g is above %.3g after %d restarts: raise the tolerance or ask for fewer",
				k, n, worst, tol*largest, round)
		}
		keep := k
		if !done {
			keep = min(k+(m-k)/2, m-1)
		}
		tail := q.count - m
		q.count = m
		fresh := append([]float64(nil), q.data[m*n:(m+tail)*n]...)
		q.rotate(vectors, m, keep)
		if done {
			return &Eigen{Values: values[:k], Vectors: &Dense{k, n, q.data[:k*n]}, Residual: worst, Restarts: round}, nil
		}
		if tail == 0 {
			return nil, errors.New("eigenpairs: the whole space was searched without convergence")
		}
		copy(q.data[keep*n:], fresh)
		q.count = keep + tail
		clear(t)
		for i := range keep {
			t[i*stride+i] = values[i]
		}
		lo = keep
	}
}

// appendSome is append where the space has room for only next of the b vectors
// of w: the strongest directions of what lies outside the basis are kept by
// adding the vectors in order of what is left of them.
func (q *basis) appendSome(w []float64, b, next int) (h, r []float64) {
	n, m := q.n, q.count
	h = make([]float64, m*b)
	again := make([]float64, m*b)
	q.project(h, w, b)
	q.project(again, w, b)
	axpy(h, 1, again)
	r = make([]float64, next*b)
	for i := range next {
		best, length := 0, -1.0
		for j := range b {
			if l := norm(w[j*n : (j+1)*n]); l > length {
				best, length = j, l
			}
		}
		u := q.vec(m + i)
		copy(u, w[best*n:(best+1)*n])
		if length > 0 {
			scale(u, 1/length)
			coef := make([]float64, q.count)
			q.project(coef, u, 1)
		}
		if l := norm(u); l > 0.5 {
			scale(u, 1/l)
		} else {
			q.replace(u)
		}
		q.count++
		for j := range b {
			v := w[j*n : (j+1)*n]
			c := dot(u, v)
			axpy(v, -c, u)
			r[i*b+j] = c
		}
	}
	return h, r
}
