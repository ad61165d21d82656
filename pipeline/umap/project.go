package umap

import (
	"context"
	"errors"
	"fmt"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/rng"
)

// mapEpochs and mapNegatives suffice for a map, which starts from a finished
// layout.
const (
	mapEpochs    = 80
	mapNegatives = 3
)

// Project lays out the fitted graph once more in two dimensions, for a map of
// the rows. It starts from the two principal components of the embedding and
// takes few epochs with a curve that keeps points apart (minimum distance 0.1).
// The result is n x 2, zeros for disconnected rows, and the same bits on any
// number of threads. It needs m.Graph.
func (m *Model) Project(ctx context.Context, threads int) (*matrix.Dense, error) {
	if m.Graph == nil || m.Graph.Rows != len(m.Points) {
		return nil, errors.New("umap: the map of rows needs the graph of the fit, which this model does not hold")
	}
	out := matrix.NewDense(m.Embedding.Rows, 2)
	if len(m.Points) == 0 {
		return out, nil
	}
	p := m.Params
	p.Threads = threads
	start, err := principal(ctx, matrix.Pick(m.Embedding, m.Points), 2, p)
	if err != nil {
		return nil, fmt.Errorf("umap: map of rows: %w", err)
	}
	noisy(start, p)
	y := stretch(start, len(m.Points), 2)
	a, b := FitCurve(1, 0.1)
	p.NegativeSampleRate = min(p.NegativeSampleRate, mapNegatives)
	l := newLayout(m.Graph, y, 2, p, a, b, mapEpochs, rng.Hash2(p.Seed, drawMap, 0))
	if err := l.run(ctx, mapEpochs, 1, nil); err != nil {
		return nil, fmt.Errorf("umap: map of rows: %w", err)
	}
	for k, i := range m.Points {
		copy(out.Row(int(i)), l.y[k*l.stride:])
	}
	m.copyToEqual(out)
	return out, nil
}
