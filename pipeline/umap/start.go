package umap

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/bertopic-go/bertopic/internal/linalg"
	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/rng"
)

// The purposes random numbers are drawn for, mixed into the seed.
const (
	drawLayout = iota + 1
	drawNoise
	drawSpectral
	drawRandom
	drawPart
	drawSketch
	drawTransform
	drawMap
)

// startLayout places the n points of graph, n x dim, each axis stretched over
// [0, 10] as umap-learn does. x holds the rows behind the points.
func startLayout(ctx context.Context, graph *matrix.CSR, x matrix.Matrix, dim int, p Params) ([]float32, error) {
	n := graph.Rows
	var y []float64
	var err error
	switch p.Init {
	case InitSpectral:
		y, err = spectralParts(ctx, graph, x, dim, p)
	case InitPCA:
		y, err = principal(ctx, x, dim, p)
	default:
		y = make([]float64, n*dim)
		for i := range y {
			y[i] = 20*rng.Unit(rng.Hash2(p.Seed, drawRandom, uint64(i))) - 10
		}
	}
	if err != nil {
		return nil, err
	}
	if p.Init != InitRandom {
		noisy(y, p)
	}
	return stretch(y, n, dim), nil
}

// noisy scales y to a largest magnitude of 10 and adds a little noise, so that
// no two points start at one place.
func noisy(y []float64, p Params) {
	var top float64
	for _, v := range y {
		top = max(top, math.Abs(v))
	}
	scale := 1.0
	if top > 0 {
		scale = 10 / top
	}
	par.Blocks(p.Threads, len(y), 4096, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			y[i] = y[i]*scale + 1e-4*rng.Normal(p.Seed, drawNoise, uint64(i))
		}
	})
}

// stretch maps each column to [0, 10]; a constant one becomes 5.
func stretch(y []float64, n, dim int) []float32 {
	out := make([]float32, n*dim)
	for c := range dim {
		lo, hi := math.Inf(1), math.Inf(-1)
		for i := range n {
			lo, hi = min(lo, y[i*dim+c]), max(hi, y[i*dim+c])
		}
		for i := range n {
			out[i*dim+c] = 5
			if hi > lo {
				out[i*dim+c] = float32(10 * (y[i*dim+c] - lo) / (hi - lo))
			}
		}
	}
	return out
}

// principal is the scores on the leading principal components; columns beyond
// the rank of x are 0.
func principal(ctx context.Context, x matrix.Matrix, dim int, p Params) ([]float64, error) {
	n, d := x.Dims()
	y := make([]float64, n*dim)
	if n < 2 || d == 0 {
		return y, nil
	}
	x = matrix.Whole(x)
	c, err := linalg.PCA(ctx, x, linalg.SVDOptions{Components: min(dim, n, d), Seed: p.Seed, Threads: p.Threads})
	if err != nil {
		return nil, fmt.Errorf("pca start: %w", err)
	}
	scores, err := c.Transform(x, p.Threads)
	if err != nil {
		return nil, fmt.Errorf("pca start: %w", err)
	}
	for i := range n {
		copy(y[i*dim:(i+1)*dim], scores.Row(i))
	}
	return y, nil
}

// spectralParts is spectral for a graph of any number of components: each is
// embedded by itself and put at a place of its own.
func spectralParts(ctx context.Context, graph *matrix.CSR, x matrix.Matrix, dim int, p Params) ([]float64, error) {
	n := graph.Rows
	part, count := components(graph)
	seed := rng.Hash2(p.Seed, drawSpectral, 0)
	if count == 1 && n > dim+1 {
		return spectral(ctx, graph, dim, seed, spectralTolerance, p.Threads)
	}
	places, err := partPlaces(ctx, x, part, count, dim, p)
	if err != nil {
		return nil, err
	}
	members := make([][]int32, count)
	for i, c := range part {
		members[c] = append(members[c], int32(i))
	}
	y := make([]float64, n*dim)
	local := make([]int32, n)
	reaches := reach(places, count, dim)
	for c, rows := range members {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		place := places[c*dim : (c+1)*dim]
		var own []float64
		if len(rows) >= 2*dim && len(rows) > dim+1 {
			own, err = spectral(ctx, subgraph(graph, rows, local), dim, seed, spectralTolerance, p.Threads)
			if err != nil {
				return nil, err
			}
		} else {
			own = make([]float64, len(rows)*dim)
			for k := range own {
				if len(rows) > 1 {
					own[k] = 2*rng.Unit(rng.Hash3(p.Seed, drawPart, uint64(rows[k/dim]), uint64(k%dim))) - 1
				}
			}
		}
		var top float64
		for _, v := range own {
			top = max(top, math.Abs(v))
		}
		scale := 0.0
		if top > 0 {
			scale = reaches[c] / top
		}
		for k, i := range rows {
			for d := range dim {
				y[int(i)*dim+d] = place[d] + scale*own[k*dim+d]
			}
		}
	}
	return y, nil
}

// reach is half the distance of each place to the nearest other one.
func reach(places []float64, count, dim int) []float64 {
	out := make([]float64, count)
	if count > 4096 { // all pairs would cost more than the layout
		for c := range out {
			out[c] = math.Pow(float64(count), -1/float64(dim))
		}
		return out
	}
	for c := range out {
		best := math.Inf(1)
		for o := range count {
			var s float64
			for d := range dim {
				e := places[c*dim+d] - places[o*dim+d]
				s += e * e
			}
			if o != c && s > 0 {
				best = min(best, s)
			}
		}
		out[c] = 1
		if !math.IsInf(best, 1) {
			out[c] = math.Sqrt(best) / 2
		}
	}
	return out
}

// partPlaces gives each component a place: up to 2 dim of them the ends of the
// axes, more the principal components of their mean rows. Sparse rows are first
// hashed to few columns, which keeps distances roughly.
func partPlaces(ctx context.Context, x matrix.Matrix, part []int32, count, dim int, p Params) ([]float64, error) {
	places := make([]float64, count*dim)
	if count <= 2*dim {
		for c := range count {
			places[c*dim+c/2] = 1 - 2*float64(c%2)
		}
		return places, nil
	}
	means := partMeans(x, part, count, p)
	y, err := principal(ctx, means, dim, p)
	if err != nil {
		return nil, err
	}
	noise := rng.Hash2(p.Seed, drawPart, 1)
	var top float64
	for _, v := range y {
		top = max(top, math.Abs(v))
	}
	for k := range y {
		if top > 0 {
			y[k] /= top
		}
		y[k] += 0.02 * rng.Normal(noise, uint64(k/dim), uint64(k%dim))
	}
	return y, nil
}

const sketchCols = 128

// partMeans is the mean of each component's rows, scaled to length 1.
func partMeans(x matrix.Matrix, part []int32, count int, p Params) *matrix.Dense {
	_, cols := x.Dims()
	if _, sparse := x.(*matrix.CSR); sparse {
		cols = sketchCols
	}
	means := matrix.NewDense(count, cols)
	for i, c := range part {
		row := means.Row(int(c))
		switch x := x.(type) {
		case matrix.Rows:
			for j, v := range x.Row(i) {
				row[j] += v
			}
		case *matrix.CSR:
			terms, vals := x.Row(i)
			for k, t := range terms {
				h := rng.Hash2(p.Seed, drawSketch, uint64(t))
				if h&1 == 0 {
					row[rng.Below(h, sketchCols)] += vals[k]
				} else {
					row[rng.Below(h, sketchCols)] -= vals[k]
				}
			}
		}
	}
	for c := range count {
		row := means.Row(c)
		var s float64
		for _, v := range row {
			s += float64(v) * float64(v)
		}
		if s > 0 {
			for j, v := range row {
				row[j] = float32(float64(v) / math.Sqrt(s))
			}
		}
	}
	return means
}

// components numbers the connected components of graph in the order of their
// first points.
func components(graph *matrix.CSR) (part []int32, count int) {
	part = make([]int32, graph.Rows)
	for i := range part {
		part[i] = -1
	}
	var queue []int32
	for i := range part {
		if part[i] >= 0 {
			continue
		}
		part[i] = int32(count)
		queue = append(queue[:0], int32(i))
		for len(queue) > 0 {
			v := queue[len(queue)-1]
			queue = queue[:len(queue)-1]
			cols, _ := graph.Row(int(v))
			for _, c := range cols {
				if part[c] < 0 {
					part[c] = int32(count)
					queue = append(queue, c)
				}
			}
		}
		count++
	}
	return part, count
}

// subgraph keeps the given points, ascending, and numbers them anew. No edge
// may lead out. local is scratch of graph.Rows.
func subgraph(graph *matrix.CSR, rows, local []int32) *matrix.CSR {
	for k, i := range rows {
		local[i] = int32(k)
	}
	out := &matrix.CSR{Rows: len(rows), Cols: len(rows), Indptr: make([]int64, 1, len(rows)+1)}
	for _, i := range rows {
		cols, vals := graph.Row(int(i))
		for _, c := range cols {
			out.Indices = append(out.Indices, local[c])
		}
		out.Data = append(out.Data, vals...)
		out.Indptr = append(out.Indptr, int64(len(out.Indices)))
	}
	out.Data = slices.Clip(out.Data)
	return out
}
