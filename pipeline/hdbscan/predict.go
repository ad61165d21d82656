package hdbscan

import (
	"context"
	"errors"
	"fmt"

	"github.com/bertopic-go/bertopic/internal/par"
)

// index is what predictions look up; it follows from the exported fields.
type index struct {
	groups  *rowGroups
	tree    *kdTree
	ct      *clusters
	core    []float64 // group -> core distance for prediction
	samples int       // min_samples, cut to the rows there are

	exemplars []*kdTree // label -> its exemplars
	order     []int32   // the labels in the order of a walk through the cluster tree
	from, to  []int32   // cluster -> the labels under it are order[from:to]
}

func newIndex(m *Model, g *rowGroups, t *kdTree, c *clusters) *index {
	ix := &index{groups: g, tree: t, ct: c, core: make([]float64, g.len()), samples: m.Params.samples(m.N)}
	for i := range ix.core {
		ix.core[i] = m.PredictionCore[g.first(int32(i))]
	}
	ix.walk()
	ix.findExemplars(m)
	return ix
}

var errNotReady = errors.New("the model has no search index; fit it, or fill its fields and call Restore")

// queries checks new rows and runs f over each with its own search.
func (m *Model) queries(ctx context.Context, points []float64, f func(row int, q []float64, pl *placer)) error {
	if m.idx == nil {
		return errNotReady
	}
	if len(points)%m.D != 0 {
		return fmt.Errorf("%d values do not make whole rows of %d, the dimensions of the model", len(points), m.D)
	}
	n := len(points) / m.D
	if n == 0 {
		return ctx.Err()
	}
	rows, err := copyPoints(points, n, m.D)
	if err != nil {
		return err
	}
	par.Blocks(m.Params.Threads, n, queryBlock, func(_, lo, hi int) {
		if ctx.Err() != nil {
			return
		}
		pl := m.idx.newPlacer()
		for r := lo; r < hi; r++ {
			f(r, rows[r*m.D:(r+1)*m.D], pl)
		}
	})
	return ctx.Err()
}

// placer finds where new rows would join the tree, one goroutine at a time.
type placer struct {
	ix  *index
	knn *knnSearch

	nearest []*knnSearch // label -> search among its exemplars; made when needed
	scores  []float64
}

func (ix *index) newPlacer() *placer {
	return &placer{ix: ix, knn: newKNNSearch(ix.tree, 2*ix.samples)}
}

// place returns the training row, by its first copy, that q is nearest to in
// mutual reachability, and the lambda of that distance.
//
// The counts are hdbscan's, odd as they are, since labels depend on them: the
// 2*min_samples nearest rows are candidates, q's own core distance is that to
// the (min_samples+1)-th of them, and theirs include themselves among
// min_samples. The nearest candidate wins ties.
func (pl *placer) place(q []float64) (row int32, lambda float64) {
	ix := pl.ix
	near := pl.knn.query(q)
	met := ix.tree.metric
	own := met.distance(distanceHolding(near, ix.groups, ix.samples+1))
	have := 0
	best, id := 0.0, int32(-1)
	for _, e := range near {
		if have >= 2*ix.samples {
			break
		}
		have += int(ix.groups.weight(int(e.id)))
		if d := max(met.distance(e.dist), own, ix.core[e.id]); id < 0 || d < best {
			best, id = d, e.id
		}
	}
	lambda = ix.ct.maxLambda
	if best > tiny {
		lambda = 1 / best
	}
	return ix.groups.first(id), lambda
}

// Predict labels new rows, row-major with the model's D dimensions, without
// changing the clusters: hdbscan's approximate_predict. A row joins where its
// nearest training row by mutual reachability is, climbing to the cluster that
// existed at that distance; probs are strengths in 0..1, 0 for noise.
//
// Each row's result is the same whatever rows it comes with. It costs a search
// for 2*min_samples neighbours and a climb a row. Rows that are not finite give
// an error that names them.
//
// Two cases differ from hdbscan 0.8.44, where Fit and prediction disagree: with
// a single root cluster a row must reach the lambda that Fit demands, and a
// tree without splits predicts the root rather than noise only.
func (m *Model) Predict(ctx context.Context, points []float64) (labels []int32, probs []float64, err error) {
	if m.D > 0 {
		labels, probs = make([]int32, len(points)/m.D), make([]float64, len(points)/m.D)
	}
	err = m.queries(ctx, points, func(r int, q []float64, pl *placer) {
		labels[r], probs[r] = m.predictRow(q, pl)
	})
	if err != nil {
		return nil, nil, fmt.Errorf("hdbscan predict: %w", err)
	}
	return labels, probs, nil
}

func (m *Model) predictRow(q []float64, pl *placer) (int32, float64) {
	c := m.idx.ct
	if len(c.selected) == 0 {
		return -1, 0
	}
	row, lambda := pl.place(q)
	at := c.rowParent[row]
	if c.rowLambda[row] > lambda {
		for at > 0 && c.birth[at] >= lambda {
			at = c.parent[at]
		}
	}
	l := c.label[at]
	if l < 0 {
		return -1, 0
	}
	s := c.selected[l]
	if s == 0 && min(lambda, c.rowLambda[row]) < c.rootThreshold(m.Params) {
		return -1, 0
	}
	return l, strength(lambda, c.last[s])
}
