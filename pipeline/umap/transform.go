package umap

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/rng"
	"github.com/bertopic-go/bertopic/pipeline/knn"
)

// Transformer embeds new rows into a fitted layout. It is safe for concurrent
// use.
type Transformer struct {
	m      *Model
	table  *rowTable
	index  *knn.Index
	points []float32 // the coordinates of m.Points, padded to rows of stride
	stride int
	forces *forces
	epochs int

	walkers sync.Pool
}

// NewTransformer prepares m for new rows. train is the matrix m was fitted on.
func (m *Model) NewTransformer(train matrix.Matrix) (*Transformer, error) {
	n, _ := train.Dims()
	switch {
	case m.Embedding == nil || m.Embedding.Cols != m.Params.NComponents || len(m.Disconnected) != m.Embedding.Rows:
		return nil, errors.New("umap: the model is incomplete: its embedding does not fit its parameters; fit it again")
	case n != m.Embedding.Rows:
		return nil, fmt.Errorf("umap: the model was fitted on %d rows, not on %d; give the training rows", m.Embedding.Rows, n)
	}
	for _, i := range m.Points {
		if i < 0 || int(i) >= n {
			return nil, fmt.Errorf("umap: the model is damaged: point %d is no row of %d", i, n)
		}
	}
	t := &Transformer{m: m, table: newRowTable(train, m.Params.Threads), epochs: min(100, max(30, m.Params.NEpochs/3)),
		forces: newForces(m.A, m.B, 1, m.Params.RepulsionStrength)}
	var err error
	if t.index, err = knn.NewIndex(matrix.Pick(train, m.Points), m.Params.Metric, m.Params.Threads); err != nil {
		return nil, fmt.Errorf("umap: %w", err)
	}
	t.stride = stride(m.Params.NComponents)
	t.points = make([]float32, len(m.Points)*t.stride)
	for k, i := range m.Points {
		copy(t.points[k*t.stride:], m.Embedding.Row(int(i)))
	}
	return t, nil
}

// Transform embeds the rows of x, which have the layout and columns of train,
// the matrix m was fitted on. See Transformer.Transform.
func (m *Model) Transform(ctx context.Context, train, x matrix.Matrix) (*matrix.Dense, []bool, error) {
	t, err := m.NewTransformer(train)
	if err != nil {
		return nil, nil, err
	}
	return t.Transform(ctx, x)
}

// Transform returns the coordinates of the rows of x, rows x NComponents, and
// marks those that are disconnected and have zeros. A row's result depends on
// its values and the model alone, bit for bit: not on the other rows, nor their
// order. A row equal to a training row gets that row's coordinates.
//
// As in umap-learn a row starts at the mean of its neighbours, weighted by
// membership, and is moved by its own edges and negative samples while the
// training points stand still. Other than there, every constant is one of the
// training data.
func (t *Transformer) Transform(ctx context.Context, x matrix.Matrix) (*matrix.Dense, []bool, error) {
	p := t.m.Params
	if err := knn.Check(x, p.Metric, p.Threads); err != nil {
		return nil, nil, fmt.Errorf("umap: transform: %w", err)
	}
	n, cols := x.Dims()
	if _, d := t.table.x.Dims(); cols != d {
		return nil, nil, fmt.Errorf("umap: transform: the rows have %d columns, the training rows %d", cols, d)
	}
	if _, a := x.(matrix.Rows); a != isDense(t.table.x) {
		return nil, nil, errors.New("umap: transform: the rows and the training rows must both be dense or both be sparse")
	}
	out, lost := matrix.NewDense(n, p.NComponents), make([]bool, n)
	var fresh []int32
	hashes := make([]uint64, n)
	for i := range n {
		hashes[i] = rowHash(x, i)
		if j := t.table.find(x, i, hashes[i]); j >= 0 {
			copy(out.Row(i), t.m.Embedding.Row(j))
			lost[i] = t.m.Disconnected[j]
		} else if len(t.m.Points) == 0 || p.Metric != knn.Euclidean && matrix.ZeroRow(x, i) {
			lost[i] = true
		} else {
			fresh = append(fresh, int32(i))
		}
	}
	if len(fresh) == 0 {
		return out, lost, ctx.Err()
	}
	g, err := t.index.Query(ctx, matrix.Pick(x, fresh), min(p.NNeighbors, len(t.m.Points)))
	if err != nil {
		return nil, nil, fmt.Errorf("umap: transform: %w", err)
	}
	par.Blocks(p.Threads, len(fresh), 64, func(_, lo, hi int) {
		w, _ := t.walkers.Get().(*walker)
		if w == nil {
			w = &walker{t: t, lanes: t.vectorLanes()}
		}
		defer t.walkers.Put(w)
		for k := lo; k < hi && ctx.Err() == nil; k++ {
			i := int(fresh[k])
			idx, dist := g.Row(k)
			if idx[0] < 0 {
				lost[i] = true
				continue
			}
			w.add(out.Row(i), idx, dist, hashes[i])
		}
		w.flush()
	})
	return out, lost, ctx.Err()
}

func isDense(x matrix.Matrix) bool {
	_, ok := x.(matrix.Rows)
	return ok
}

// A walker moves new rows to their places, several side by side where there are
// vectors for it. Each row's moves are its own, whatever rows are beside it.
type walker struct {
	t       *Transformer
	lanes   int // rows moved side by side, 0 for the Go version
	rows    [][]float32
	weights []float32
	rates   []uint32
	ids     []uint32  // four times the point of each move, steps x lanes
	alphas  []float32 // its step, negative for a negative sample
	steps   int       // of the row that has most
}

// add takes the row y, whose neighbours are idx at dist.
func (w *walker) add(y []float32, idx []int32, dist []float32, hash uint64) {
	w.start(y, idx, dist)
	width := max(1, w.lanes)
	steps := w.count()
	if more := steps*width - len(w.ids); more > 0 {
		w.ids = append(w.ids, make([]uint32, more)...)
		w.alphas = append(w.alphas, make([]float32, more)...)
	}
	w.draw(len(w.rows), width, idx, hash)
	if w.lanes == 0 {
		w.t.move(y, w.ids[:steps], w.alphas[:steps])
		return
	}
	w.rows, w.steps = append(w.rows, y), max(w.steps, steps)
	if len(w.rows) == w.lanes {
		w.flush()
	}
}

// flush moves the rows that wait for others.
func (w *walker) flush() {
	if len(w.rows) == 0 {
		return
	}
	w.t.moveVector(w.rows, w.ids, w.alphas, w.steps)
	clear(w.alphas[:w.steps*w.lanes])
	w.rows, w.steps = w.rows[:0], 0
}

// start sets y to the mean of the row's neighbours, weighted by membership, and
// w.rates to the share of the epochs that each is drawn in.
func (w *walker) start(y []float32, idx []int32, dist []float32) {
	t := w.t
	p := t.m.Params
	w.weights, w.rates = slices.Grow(w.weights[:0], len(idx))[:len(idx)], slices.Grow(w.rates[:0], len(idx))[:len(idx)]
	weights := w.weights
	sigma, rho := smoothRow(dist, float32(math.Log2(float64(len(dist)))), max(0, p.LocalConnectivity-1), t.m.MeanDistance)
	var total float32
	for c, j := range idx {
		weights[c] = 0
		if j >= 0 {
			weights[c] = membership(dist[c], sigma, rho)
			total += weights[c]
		}
	}
	if total == 0 { // every membership underflowed: the nearest decides
		weights[0], total = 1, 1
	}
	clear(y)
	for c, j := range idx {
		w.rates[c] = 0
		if weights[c] > 0 {
			for d, v := range t.points[int(j)*t.stride:][:len(y)] {
				y[d] += float32(weights[c] / total * v)
			}
		}
		if weights[c]*float32(t.epochs) >= 1 {
			w.rates[c] = rate(float64(weights[c]))
		}
	}
}

// count is the number of moves of a row with w.rates.
func (w *walker) count() int {
	drawn := 0
	for _, r := range w.rates {
		drawn += int(uint64(r) * uint64(w.t.epochs) >> 32)
	}
	return drawn * (1 + w.t.m.Params.NegativeSampleRate)
}

// draw writes down the moves of a row: every width-th element from lane on.
func (w *walker) draw(lane, width int, idx []int32, hash uint64) {
	t := w.t
	p := t.m.Params
	state := rng.Hash3(p.Seed, drawTransform, hash, 0) | 1
	n := uint64(len(t.m.Points))
	at := lane
	for e := range t.epochs {
		alpha := float32(p.LearningRate / 4 * (1 - float64(e)/float64(t.epochs)))
		for c, r := range w.rates {
			if !drawn(r, uint32(e)) {
				continue
			}
			w.ids[at], w.alphas[at] = uint32(idx[c])*4, alpha
			at += width
			for range p.NegativeSampleRate {
				state *= streamStep
				w.ids[at], w.alphas[at] = uint32((state>>32)*n>>32)*4, -alpha
				at += width
			}
		}
	}
}

// move takes a row's moves, each a share of the pull of a point.
func (t *Transformer) move(y []float32, ids []uint32, alphas []float32) {
	for k, id := range ids {
		at := t.points[int(id/4)*t.stride:][:len(y)]
		x := distance2(y, at)
		alpha, force := alphas[k], float32(0)
		if alpha < 0 {
			alpha, force = -alpha, t.forces.ofSample(x)
		} else {
			force = t.forces.ofEdge(x)
		}
		for d, v := range at {
			y[d] += float32(alpha * clip(force*(v-y[d])))
		}
	}
}
