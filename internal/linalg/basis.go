package linalg

import (
	"math"

	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/rng"
)

const (
	lengthBlock = 2048 // entries of long vectors in a block of a blocked sum
	orthBlock   = 8    // vectors made orthonormal together
)

// basis is a growing set of orthonormal vectors of length n, one a row.
type basis struct {
	n, count int
	data     []float64 // capacity x n
	threads  int
	seed     uint64
	drawn    uint64 // replacement vectors drawn so far
	part     []float64
}

func newBasis(n, capacity, threads int, seed uint64) *basis {
	return &basis{n: n, data: make([]float64, capacity*n), threads: threads, seed: seed}
}

func (q *basis) vec(i int) []float64 { return q.data[i*q.n : (i+1)*q.n : (i+1)*q.n] }

// project sets h (q.count x b) to Q W^T, where w is b x n, and takes the
// projection out of w.
func (q *basis) project(h, w []float64, b int) {
	n, m := q.n, q.count
	clear(h[:m*b])
	if m == 0 {
		return
	}
	blocks := (n + lengthBlock - 1) / lengthBlock
	if need := blocks * m * b; cap(q.part) < need {
		q.part = make([]float64, need)
	}
	part := q.part[:blocks*m*b]
	par.Blocks(q.threads, n, lengthBlock, func(block, lo, hi int) {
		out := part[block*m*b : (block+1)*m*b]
		for i := range m {
			x := q.data[i*n+lo : i*n+hi]
			for j := range b {
				out[i*b+j] = dot(x, w[j*n+lo:j*n+hi])
			}
		}
	})
	for k := range blocks {
		axpy(h[:m*b], 1, part[k*m*b:])
	}
	par.Blocks(q.threads, n, lengthBlock, func(_, lo, hi int) {
		for j := range b {
			dst := w[j*n+lo : j*n+hi]
			i := 0
			for ; i+4 <= m; i += 4 {
				axpy4(dst, -h[i*b+j], -h[(i+1)*b+j], -h[(i+2)*b+j], -h[(i+3)*b+j],
					q.data[i*n+lo:], q.data[(i+1)*n+lo:], q.data[(i+2)*n+lo:], q.data[(i+3)*n+lo:])
			}
			for ; i < m; i++ {
				axpy(dst, -h[i*b+j], q.data[i*n+lo:])
			}
		}
	})
}

// append makes the b vectors of w (b x n, overwritten) orthonormal to the
// basis and to each other and adds them. It returns the coefficients of the
// old w: h on the vectors already there (count x b) and r on the new ones
// (b x b, upper triangular). A vector that lies in the span of the others is
// replaced by a random one, with a zero on the diagonal of r.
//
// The room must be there: count + b <= n and within the capacity.
func (q *basis) append(w []float64, b int) (h, r []float64) {
	n, m := q.n, q.count
	h = make([]float64, m*b)
	again := make([]float64, m*b)
	r = make([]float64, b*b)
	before := make([]float64, b)
	for j := range b {
		before[j] = norm(w[j*n : (j+1)*n])
	}
	q.project(h, w, b)
	q.project(again, w, b)
	axpy(h, 1, again)
	for j := range b {
		v := w[j*n : (j+1)*n]
		for pass := 0; pass < 2; pass++ {
			for i := range j {
				u := q.vec(m + i)
				c := dot(u, v)
				axpy(v, -c, u)
				r[i*b+j] += c
			}
		}
		length := norm(v)
		if length <= 1e-14*before[j] || length == 0 {
			q.replace(v)
		} else {
			// What is left may be mostly rounding of what was taken out, so it
			// is made orthogonal to all once more before it counts.
			if length < 1e-4*before[j] {
				scale(v, 1/length)
				coef := make([]float64, q.count)
				q.project(coef, v, 1)
				rest := norm(v)
				scale(v, 1/rest)
				length *= rest
			} else {
				scale(v, 1/length)
			}
			r[j*b+j] = length
		}
		copy(q.data[q.count*n:], v)
		q.count++
	}
	return h, r
}

// replace sets v to a random unit vector orthogonal to the basis.
func (q *basis) replace(v []float64) {
	coef := make([]float64, q.count)
	for {
		q.drawn++
		for i := range v {
			v[i] = rng.Normal(q.seed, 1<<32+q.drawn, uint64(i))
		}
		scale(v, 1/norm(v))
		q.project(coef, v, 1)
		q.project(coef, v, 1)
		if length := norm(v); length > 1e-8 {
			scale(v, 1/length)
			q.project(coef, v, 1)
			scale(v, 1/norm(v))
			return
		}
	}
}

// rotate replaces the count vectors by keep combinations of them:
// new vector j is the sum over i of y[i*stride+j] times old vector i.
func (q *basis) rotate(y []float64, stride, keep int) {
	n, m := q.n, q.count
	par.Blocks(q.threads, n, lengthBlock, func(_, lo, hi int) {
		width := hi - lo
		out := make([]float64, keep*width)
		for j := range keep {
			dst := out[j*width : (j+1)*width]
			i := 0
			for ; i+4 <= m; i += 4 {
				axpy4(dst, y[i*stride+j], y[(i+1)*stride+j], y[(i+2)*stride+j], y[(i+3)*stride+j],
					q.data[i*n+lo:], q.data[(i+1)*n+lo:], q.data[(i+2)*n+lo:], q.data[(i+3)*n+lo:])
			}
			for ; i < m; i++ {
				axpy(dst, y[i*stride+j], q.data[i*n+lo:])
			}
		}
		for j := range keep {
			copy(q.data[j*n+lo:j*n+hi], out[j*width:(j+1)*width])
		}
	})
	q.count = keep
}

// orthonormal returns the rows of w (b x n, b <= n, overwritten) made
// orthonormal and the upper triangular b x b matrix r with W^T = Q^T r.
func orthonormal(w []float64, b, n, threads int, seed uint64) (q *basis, r []float64) {
	q = newBasis(n, b, threads, seed)
	r = make([]float64, b*b)
	for lo := 0; lo < b; lo += orthBlock {
		hi := min(lo+orthBlock, b)
		h, diag := q.append(w[lo*n:hi*n], hi-lo)
		for i := range lo {
			copy(r[i*b+lo:i*b+hi], h[i*(hi-lo):])
		}
		for i := range hi - lo {
			copy(r[(lo+i)*b+lo:(lo+i)*b+hi], diag[i*(hi-lo):(i+1)*(hi-lo)])
		}
	}
	return q, r
}

func norm(v []float64) float64 { return math.Sqrt(dot(v, v)) }

func scale(v []float64, f float64) {
	for i := range v {
		v[i] *= f
	}
}
