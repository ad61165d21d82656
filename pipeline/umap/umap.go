package umap

import (
	"context"
	"errors"
	"fmt"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/rng"
	"github.com/bertopic-go/bertopic/pipeline/knn"
)

// Model is a fitted embedding. Its fields are plain values, to be saved and
// restored by the caller; beside them Transform needs the training rows.
type Model struct {
	Params Params // as used: defaults filled in, Progress dropped

	// Embedding is n x NComponents. Equal rows have equal coordinates; a
	// disconnected row has zeros.
	Embedding *matrix.Dense
	// Disconnected marks the rows that have no place: those of zeros under the
	// cosine and Hellinger metrics, and those without an edge to another row.
	Disconnected []bool
	// Points are the rows behind the points of the layout, ascending: the
	// first of each set of equal rows, without the disconnected.
	Points []int32
	// A and B are the parameters of the curve 1/(1 + A d^(2B)).
	A, B float64
	// MeanDistance is the mean distance of all neighbours found, the bound of
	// the scale of new rows.
	MeanDistance float64
	// Recall is the share of the true neighbours that the search found: 1 up to
	// knn.ExactRows rows, measured on some rows above.
	Recall float64

	// Project needs these two, Transform does not: for each row the first row
	// that equals it, and the fuzzy graph of Points.
	First []int32
	Graph *matrix.CSR
}

// Fit embeds the rows of x. The result is a function of x and p, the same bits
// on any number of threads.
//
// Equal rows are embedded as one point. Time is that of knn.Fit and about
// 40 pair forces an epoch a point; memory beyond the neighbours and their graph
// is about 4 NComponents float32 and 3 (NComponents+4) float64 a point.
//
// Fit returns an error for bad parameters, for no rows, for a value that is
// not finite or, under Hellinger, negative, and when ctx ends. Any other input
// ends with finite values, down to a single row.
func Fit(ctx context.Context, x matrix.Matrix, p Params) (*Model, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	p = p.withDefaults()
	if err := knn.Check(x, p.Metric, p.Threads); err != nil {
		return nil, fmt.Errorf("umap: %w", err)
	}
	n, _ := x.Dims()
	if n == 0 {
		return nil, errors.New("umap: there are no rows to embed")
	}
	progress := p.Progress
	p.Progress = nil
	m := &Model{Params: p, Recall: 1, Embedding: matrix.NewDense(n, p.NComponents), Disconnected: make([]bool, n)}
	m.A, m.B = FitCurve(p.Spread, p.MinDist)

	first := newRowTable(x, p.Threads).firsts()
	distinct, copies := distinctRows(x, first, p.Metric)
	points, graph, err := m.connect(ctx, x, distinct, copies)
	if err != nil {
		return nil, err
	}
	m.First, m.Points, m.Graph = first, points, graph
	if len(points) > 0 {
		if err := m.place(ctx, matrix.Pick(x, points), progress); err != nil {
			return nil, err
		}
	}
	m.expand()
	return m, nil
}

// distinctRows lists the first of each set of equal rows, without rows of
// zeros where the metric gives them no direction, and the size of each set.
func distinctRows(x matrix.Matrix, first []int32, metric knn.Metric) (rows, copies []int32) {
	count := make([]int32, len(first))
	for _, f := range first {
		count[f]++
	}
	for i, f := range first {
		if int(f) != i || metric != knn.Euclidean && matrix.ZeroRow(x, i) {
			continue
		}
		rows = append(rows, int32(i))
		copies = append(copies, count[i])
	}
	return rows, copies
}

// connect builds the fuzzy graph of the distinct rows and drops those without
// an edge, unless a row has a copy of itself for company.
func (m *Model) connect(ctx context.Context, x matrix.Matrix, rows, copies []int32) (points []int32, graph *matrix.CSR, err error) {
	p := m.Params
	if len(rows) == 0 {
		return nil, &matrix.CSR{Indptr: []int64{0}}, nil
	}
	g, err := knn.Fit(ctx, matrix.Pick(x, rows), knn.Params{K: min(p.NNeighbors, len(rows)), Metric: p.Metric, Threads: p.Threads})
	if err != nil {
		return nil, nil, fmt.Errorf("umap: %w", err)
	}
	m.MeanDistance, m.Recall = meanDistance(g), g.Recall
	sigmas, rhos := smooth(g, p.LocalConnectivity, m.MeanDistance, p.Threads)
	graph = fuzzy(g, sigmas, rhos, p.SetOpMixRatio, p.Threads)
	var keep []int32
	for k, i := range rows {
		if cols, _ := graph.Row(k); len(cols) > 0 || copies[k] > 1 {
			keep = append(keep, int32(k))
			points = append(points, i)
		}
	}
	if len(keep) < len(rows) {
		graph = subgraph(graph, keep, make([]int32, len(rows)))
	}
	return points, graph, nil
}

// place lays out the points, whose rows are x, and writes their coordinates.
func (m *Model) place(ctx context.Context, x matrix.Matrix, progress func(done, total int)) error {
	p := m.Params
	start, err := startLayout(ctx, m.Graph, x, p.NComponents, p)
	if err != nil {
		return fmt.Errorf("umap: %w", err)
	}
	m.Params.NEpochs = p.epochs(len(m.Points))
	epochs := m.Params.NEpochs
	l := newLayout(m.Graph, start, p.NComponents, p, m.A, m.B, epochs, rng.Hash2(p.Seed, drawLayout, 0))
	if err := l.run(ctx, epochs, p.LearningRate, progress); err != nil {
		return fmt.Errorf("umap: %w", err)
	}
	for k, i := range m.Points {
		copy(m.Embedding.Row(int(i)), l.y[k*l.stride:])
	}
	return nil
}

// expand marks the rows without a place and copies each point's coordinates
// to the rows equal to it.
func (m *Model) expand() {
	placed := make([]bool, len(m.First))
	for _, i := range m.Points {
		placed[i] = true
	}
	for i, f := range m.First {
		m.Disconnected[i] = !placed[f]
	}
	m.copyToEqual(m.Embedding)
}

// copyToEqual copies the row of y of each first row to the rows equal to it.
func (m *Model) copyToEqual(y *matrix.Dense) {
	for i, f := range m.First {
		if int(f) != i {
			copy(y.Row(i), y.Row(int(f)))
		}
	}
}
