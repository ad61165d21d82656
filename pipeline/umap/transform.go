package umap

import (
	"context"
	"errors"
	"fmt"
	"math"

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
	points []float32 // the coordinates of m.Points
	forces *forces
	epochs int
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
	if t.index, err = knn.NewIndex(selectRows(train, m.Points), m.Params.Metric, m.Params.Threads); err != nil {
		return nil, fmt.Errorf("umap: %w", err)
	}
	dim := m.Params.NComponents
	t.points = make([]float32, len(m.Points)*dim)
	for k, i := range m.Points {
		copy(t.points[k*dim:(k+1)*dim], m.Embedding.Row(int(i)))
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
	if _, a := x.(*matrix.Dense); a != isDense(t.table.x) {
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
		} else if len(t.m.Points) == 0 || p.Metric != knn.Euclidean && isZeroRow(x, i) {
			lost[i] = true
		} else {
			fresh = append(fresh, int32(i))
		}
	}
	if len(fresh) == 0 {
		return out, lost, ctx.Err()
	}
	g, err := t.index.Query(ctx, selectRows(x, fresh), min(p.NNeighbors, len(t.m.Points)))
	if err != nil {
		return nil, nil, fmt.Errorf("umap: transform: %w", err)
	}
	par.Blocks(p.Threads, len(fresh), 64, func(_, lo, hi int) {
		weights, gradient := make([]float32, g.K), make([]float32, p.NComponents)
		for k := lo; k < hi && ctx.Err() == nil; k++ {
			i := int(fresh[k])
			idx, dist := g.Row(k)
			if idx[0] < 0 {
				lost[i] = true
				continue
			}
			t.embed(out.Row(i), gradient, weights, idx, dist, hashes[i])
		}
	})
	return out, lost, ctx.Err()
}

func isDense(x matrix.Matrix) bool {
	_, ok := x.(*matrix.Dense)
	return ok
}

// embed writes the coordinates of one new row into y.
func (t *Transformer) embed(y, gradient, weights []float32, idx []int32, dist []float32, hash uint64) {
	p := t.m.Params
	dim := len(y)
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
		if weights[c] > 0 {
			for d, v := range t.points[int(j)*dim : (int(j)+1)*dim] {
				y[d] += float32(weights[c] / total * v)
			}
		}
	}
	state := rng.Hash3(p.Seed, drawTransform, hash, 0) | 1
	n := uint64(len(t.m.Points))
	move := func(force func(x float32) float32, j int, alpha float32) {
		clear(gradient)
		x := distance2(y, t.points[j*dim:])
		addPull(gradient, y, t.points[j*dim:], force(x), x)
		for d, g := range gradient {
			y[d] += float32(alpha * g)
		}
	}
	for e := range t.epochs {
		alpha := float32(p.LearningRate / 4 * (1 - float64(e)/float64(t.epochs)))
		for c, j := range idx {
			if weights[c]*float32(t.epochs) < 1 || !drawn(rate(float64(weights[c])), uint32(e)) {
				continue
			}
			move(t.forces.ofEdge, int(j), alpha)
			for range p.NegativeSampleRate {
				state *= streamStep
				move(t.forces.ofSample, int((state>>32)*n>>32), alpha)
			}
		}
	}
}
