package umap

import (
	"context"
	"fmt"
	"math"

	"github.com/bertopic-go/bertopic/internal/linalg"
	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/rng"
)

// The search for eigenvectors stops when each is within this residual, for they
// only start a layout, or after the given number of rounds.
const (
	spectralTolerance = 2e-3
	spectralRounds    = 30
	filterDegree      = 16
	lanes             = 8 // vectors handled side by side
)

// spectral returns the dim eigenvectors of the normalised Laplacian
// I - D^-1/2 W D^-1/2 of a connected graph that follow the trivial one, in
// ascending order of eigenvalue (spectral_layout of umap-learn), as n x dim.
// They have length 1 and a positive largest entry.
//
// The method is subspace iteration with a Chebyshev filter (Zhou and Saad,
// 2007) on D^-1/2 W D^-1/2, whose leading eigenvector sqrt(degree) is known and
// projected out. Memory is about 3 (dim+4) float64 a point. The result is a
// function of the graph and the seed.
func spectral(ctx context.Context, graph *matrix.CSR, dim int, seed uint64, tolerance float64, threads int) ([]float64, error) {
	n := graph.Rows
	if n <= 4*lanes || n <= 2*(dim+4) {
		return spectralDense(graph, dim)
	}
	width := (dim + 3 + lanes - 1) / lanes * lanes
	width = min(width, (n-1)/lanes*lanes)
	op := newWalk(graph, width, threads)
	x := make([]float64, n*width)
	par.Blocks(threads, n, 1024, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			for c := range width {
				x[i*width+c] = rng.Normal(seed, uint64(i), uint64(c))
			}
		}
	})
	y, z := make([]float64, n*width), make([]float64, n*width)
	cut := 0.5 // no eigenvalue is known yet
	var values []float64
	for round := range spectralRounds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		x, y, z = op.filter(x, y, z, cut)
		for range 2 { // twice, as one pass leaves the error of an ill-conditioned basis
			if err := op.orthonormalise(x, y); err != nil {
				return nil, err
			}
			x, y = y, x
		}
		op.multiply(y, x)
		h := op.gram(x, y)
		var vectors []float64
		var err error
		values, vectors, err = linalg.SymEigen(h, width)
		if err != nil {
			return nil, fmt.Errorf("spectral start: %w", err)
		}
		// z = rotated x, x = rotated image: the residual is image - value z.
		op.rotate(z, x, vectors)
		op.rotate(x, y, vectors)
		worst := op.residual(x, z, values, dim)
		x, z = z, x
		cut = max(-0.5, min(values[width-1], 0.9999))
		if worst <= tolerance && round > 0 {
			break
		}
	}
	out := make([]float64, n*dim)
	for i := range n {
		copy(out[i*dim:(i+1)*dim], x[i*width:])
	}
	fixSigns(out, n, dim)
	return out, nil
}

// spectralDense is spectral through all eigenvectors, for few points.
func spectralDense(graph *matrix.CSR, dim int) ([]float64, error) {
	n := graph.Rows
	root := rootDegrees(graph)
	a := make([]float64, n*n)
	for i := range n {
		cols, vals := graph.Row(i)
		for p, c := range cols {
			a[i*n+int(c)] = float64(vals[p]) / (root[i] * root[c])
		}
	}
	_, vectors, err := linalg.SymEigen(a, n)
	if err != nil {
		return nil, fmt.Errorf("spectral start: %w", err)
	}
	out := make([]float64, n*dim)
	for i := range n {
		for c := 0; c < dim && c+1 < n; c++ {
			out[i*dim+c] = vectors[i*n+c+1]
		}
	}
	fixSigns(out, n, dim)
	return out, nil
}

// fixSigns makes the entry of largest magnitude of each column positive, the
// first of equals.
func fixSigns(x []float64, n, dim int) {
	for c := range dim {
		best := 0.0
		for i := range n {
			if v := x[i*dim+c]; math.Abs(v) > math.Abs(best) {
				best = v
			}
		}
		if best < 0 {
			for i := range n {
				x[i*dim+c] = -x[i*dim+c]
			}
		}
	}
}

func rootDegrees(graph *matrix.CSR) []float64 {
	root := make([]float64, graph.Rows)
	for i := range root {
		_, vals := graph.Row(i)
		for _, w := range vals {
			root[i] += float64(w)
		}
		root[i] = math.Sqrt(root[i])
	}
	return root
}

// walk is the operator D^-1/2 W D^-1/2 on blocks of width vectors, n x width
// row-major, together with the sums over rows that the iteration needs. Sums
// run over fixed blocks of rows and are joined in order.
type walk struct {
	graph    *matrix.CSR
	scaled   []float32 // the entries of the operator
	trivial  []float64 // its leading eigenvector
	n, width int
	threads  int
}

const walkGrain = 512

func newWalk(graph *matrix.CSR, width, threads int) *walk {
	w := &walk{graph: graph, n: graph.Rows, width: width, threads: threads, trivial: rootDegrees(graph)}
	w.scaled = make([]float32, len(graph.Data))
	root := w.trivial
	par.Blocks(threads, w.n, walkGrain, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			for p := graph.Indptr[i]; p < graph.Indptr[i+1]; p++ {
				w.scaled[p] = float32(float64(graph.Data[p]) / (root[i] * root[graph.Indices[p]]))
			}
		}
	})
	var norm float64
	for _, r := range root {
		norm += r * r
	}
	norm = math.Sqrt(norm)
	for i := range root {
		root[i] /= norm
	}
	return w
}

// multiply sets y to the operator's image of x.
func (w *walk) multiply(y, x []float64) { w.combine(y, x, nil, 1, 0) }

// combine sets y to s*(image of x) + t*x - y0, where y0, if given, may be y.
func (w *walk) combine(y, x, y0 []float64, s, t float64) {
	par.Blocks(w.threads, w.n, walkGrain, func(_, lo, hi int) {
		if !w.combineVector(y, x, y0, s, t, lo, hi) {
			w.combineRows(y, x, y0, s, t, lo, hi)
		}
	})
}

func (w *walk) combineRows(y, x, y0 []float64, s, t float64, lo, hi int) {
	for i := lo; i < hi; i++ {
		from, to := w.graph.Indptr[i], w.graph.Indptr[i+1]
		cols, vals := w.graph.Indices[from:to], w.scaled[from:to]
		for c := i * w.width; c < (i+1)*w.width; c += lanes {
			sum := gather(cols, vals, x[c%w.width:], w.width)
			own, out := (*[lanes]float64)(x[c:]), (*[lanes]float64)(y[c:])
			for k := range sum {
				v := float64(s*sum[k]) + float64(t*own[k])
				if y0 != nil {
					v -= y0[c+k]
				}
				out[k] = v
			}
		}
	}
}

// gather sums lanes columns of the rows of x, weighted.
func gather(cols []int32, vals []float32, x []float64, width int) (sum [lanes]float64) {
	vals = vals[:len(cols)]
	var s0, s1, s2, s3, s4, s5, s6, s7 float64
	for p, c := range cols {
		r, v := (*[lanes]float64)(x[int(c)*width:]), float64(vals[p])
		s0 += float64(v * r[0])
		s1 += float64(v * r[1])
		s2 += float64(v * r[2])
		s3 += float64(v * r[3])
		s4 += float64(v * r[4])
		s5 += float64(v * r[5])
		s6 += float64(v * r[6])
		s7 += float64(v * r[7])
	}
	return [lanes]float64{s0, s1, s2, s3, s4, s5, s6, s7}
}

// filter applies the Chebyshev polynomial that is small on [-1, cut] and grows
// beyond it. It returns the result and the two other buffers.
func (w *walk) filter(x, y, z []float64, cut float64) (a, b, c []float64) {
	e, mid := (cut+1)/2, (cut-1)/2
	w.combine(y, x, nil, 1/e, -mid/e)
	for range filterDegree - 1 {
		w.combine(z, y, x, 2/e, -2*mid/e)
		x, y, z = y, z, x
	}
	return y, x, z
}

// orthonormalise sets y to an orthonormal basis of the columns of x less the
// trivial vector.
func (w *walk) orthonormalise(x, y []float64) error {
	width := w.width
	w.sums(width, func(part []float64, lo, hi int) {
		for i := lo; i < hi; i++ {
			for c := range width {
				part[c] += float64(w.trivial[i] * x[i*width+c])
			}
		}
	}, func(total []float64) {
		par.Blocks(w.threads, w.n, walkGrain, func(_, lo, hi int) {
			for i := lo; i < hi; i++ {
				for c, s := range total {
					x[i*width+c] -= float64(w.trivial[i] * s)
				}
			}
		})
	})
	g := w.gram(x, x)
	// Columns differ by orders of magnitude after a filter: scale them first.
	scale := make([]float64, width)
	for c := range width {
		scale[c] = 1
		if d := g[c*width+c]; d > 0 {
			scale[c] = 1 / math.Sqrt(d)
		}
	}
	for r := range width {
		for c := range width {
			g[r*width+c] *= scale[r] * scale[c]
		}
	}
	values, vectors, err := linalg.SymEigen(g, width)
	if err != nil {
		return fmt.Errorf("spectral start: %w", err)
	}
	for r := range width {
		for c := range width {
			vectors[r*width+c] *= scale[r] / math.Sqrt(max(values[c], 1e-14))
		}
	}
	w.rotate(y, x, vectors)
	return nil
}

// sums adds up f over blocks of rows and hands the total to use.
func (w *walk) sums(size int, f func(part []float64, lo, hi int), use func(total []float64)) {
	parts := make([]float64, (w.n+walkGrain-1)/walkGrain*size)
	par.Blocks(w.threads, w.n, walkGrain, func(b, lo, hi int) { f(parts[b*size:(b+1)*size], lo, hi) })
	total := make([]float64, size)
	for b := 0; b < len(parts); b += size {
		for c := range total {
			total[c] += parts[b+c]
		}
	}
	use(total)
}

// gram returns x' y, made symmetric.
func (w *walk) gram(x, y []float64) []float64 {
	width := w.width
	var g []float64
	w.sums(width*width, func(part []float64, lo, hi int) {
		for i := lo; i < hi; i++ {
			yr := y[i*width : (i+1)*width]
			for r, v := range x[i*width : (i+1)*width] {
				p := part[r*width : (r+1)*width]
				for c, u := range yr[:len(p)] {
					p[c] += float64(v * u)
				}
			}
		}
	}, func(total []float64) { g = total })
	for r := range width {
		for c := range r {
			v := (g[r*width+c] + g[c*width+r]) / 2
			g[r*width+c], g[c*width+r] = v, v
		}
	}
	return g
}

// rotate sets y to x times the width x width matrix q.
func (w *walk) rotate(y, x, q []float64) {
	width := w.width
	par.Blocks(w.threads, w.n, walkGrain, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			out := y[i*width : (i+1)*width]
			clear(out)
			for r, v := range x[i*width : (i+1)*width] {
				row := q[r*width : (r+1)*width]
				for c, u := range row[:len(out)] {
					out[c] += float64(v * u)
				}
			}
		}
	})
}

// residual is the largest norm of image - value*vector over the first k columns.
func (w *walk) residual(image, vector, values []float64, k int) float64 {
	width := w.width
	worst := 0.0
	w.sums(k, func(part []float64, lo, hi int) {
		for i := lo; i < hi; i++ {
			for c := range k {
				e := image[i*width+c] - values[c]*vector[i*width+c]
				part[c] += float64(e * e)
			}
		}
	}, func(total []float64) {
		for _, s := range total {
			worst = max(worst, math.Sqrt(s))
		}
	})
	return worst
}
