package knn

import (
	"context"
	"math"
	"slices"
	"sync"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/rng"
)

// Beyond ExactRows the rows are searched by clusters: each row belongs to the
// nearest cluster centres, several of them, and is compared with all rows of
// these clusters. Every step is a function of the rows, never of an order among
// threads. To try the neighbours of neighbours afterwards, as NN-descent does,
// found next to nothing more and took longer (docs/decisions/0007).
const (
	// ExactRows is the number of dense rows up to which Fit is exact.
	ExactRows = 100_000
	// memberships is the number of clusters that a row belongs to.
	memberships = 8
	// perCentre is the number of rows sampled a centre to find the centres, and
	// centreRounds how often they are moved.
	perCentre    = 24
	centreRounds = 5
	// widest is the number of rows of a cluster that are compared at once; a
	// larger cluster is cut.
	widest = 1 << 15
	// asked is the number of rows whose true neighbours are looked for, to
	// measure what was missed.
	asked = 64

	clusterSeed = 0x636c7573746572
)

// clustered is a search by clusters for the neighbours of x's own rows.
type clustered struct {
	measure
	x       matrix.Rows
	n, d    int       // rows and columns of x
	mean    []float64 // Euclidean: of the columns
	threads int
	nb      *neighbours
	lock    []sync.Mutex // of blocks of rows of nb
}

// fitClustered finds about the k nearest rows of each row, itself included,
// under Cosine or Euclidean.
func fitClustered(ctx context.Context, x matrix.Rows, k int, m Metric, threads int) (*Graph, error) {
	n, d := x.Dims()
	c := &clustered{measure: measure{m, snap(d)}, x: x, n: n, d: d, threads: threads, nb: newNeighbours(n, k-1)}
	c.lock = make([]sync.Mutex, (n+blockRows-1)/blockRows)
	zeros := m == Cosine && hasZeroRow(x)
	if m == Euclidean {
		c.mean = columnMeans(x, threads)
	}
	centres, err := c.centres(ctx)
	if err != nil {
		return nil, err
	}
	lists, err := c.assign(ctx, centres)
	if err != nil {
		return nil, err
	}
	if err := c.search(ctx, lists, zeros); err != nil {
		return nil, err
	}
	g := c.nb.graph(n, k, true)
	g.Recall, err = c.recall(ctx)
	return g, err
}

// recall is the share of the true neighbours that some rows have. A row as far
// as the last of them is as good as it.
func (c *clustered) recall(ctx context.Context) (float64, error) {
	const chunk = 1 << 14
	rows := c.sample(asked)
	q := matrix.NewDense(len(rows), c.d)
	for s, i := range rows {
		copy(q.Row(s), c.x.Row(i))
	}
	k := c.nb.k
	nearest := newNeighbours(len(rows), k)
	for lo := 0; lo < c.n; lo += chunk {
		hi := min(lo+chunk, c.n)
		ix, err := NewIndex(c.part(lo, hi), c.metric, c.threads)
		if err != nil {
			return 0, err
		}
		g, err := ix.Query(ctx, q, k+1) // itself may be among them
		if err != nil {
			return 0, err
		}
		for r, i := range rows {
			near, dist := g.Row(r)
			for s, j := range near {
				if j >= 0 && lo+int(j) != i {
					nearest.insert(r, dist[s], int32(lo)+j)
				}
			}
		}
	}
	found := 0
	for r, i := range rows {
		for s := i * k; s < (i+1)*k; s++ {
			if c.nb.dist[s] <= nearest.worst(r) {
				found++
			}
		}
	}
	return float64(found) / float64(len(rows)*k), nil
}

// part are the rows lo to hi of x, in its place.
func (c *clustered) part(lo, hi int) matrix.Matrix {
	switch x := c.x.(type) {
	case *matrix.Part:
		return &matrix.Part{Of: x.Of, Rows: x.Rows[lo:hi]}
	case *matrix.Dense:
		return &matrix.Dense{Rows: hi - lo, Cols: c.d, Data: x.Data[lo*c.d : hi*c.d]}
	}
	panic("knn: unknown layout")
}

// centres moves as many centres as the square root of the rows to the means of
// a sample's rows nearest to them.
func (c *clustered) centres(ctx context.Context) (*matrix.Dense, error) {
	want := int(math.Ceil(math.Sqrt(float64(c.n))))
	rows := c.sample(want * perCentre)
	sample := matrix.NewDense(len(rows), c.d)
	par.Blocks(c.threads, len(rows), blockRows, func(_, lo, hi int) {
		for s := lo; s < hi; s++ {
			c.prepared(sample.Row(s), c.x.Row(rows[s]))
		}
	})
	first := make([]int, want)
	for j := range first {
		first[j] = j
	}
	centres := sample.Select(first)
	for range centreRounds {
		ix, err := NewIndex(centres, c.metric, c.threads)
		if err != nil {
			return nil, err
		}
		near, err := ix.Query(ctx, sample, 1)
		if err != nil {
			return nil, err
		}
		sums := make([]float64, want*c.d)
		count := make([]int, want)
		for s := range sample.Rows { // in order, so that a sum has one order
			j := int(near.Indices[s])
			count[j]++
			sum := sums[j*c.d : (j+1)*c.d]
			for d, v := range sample.Row(s) {
				sum[d] += float64(v)
			}
		}
		for j, k := range count {
			for d := range c.d * min(k, 1) { // a centre without rows stays
				centres.Row(j)[d] = float32(sums[j*c.d+d] / float64(k))
			}
		}
	}
	return centres, nil
}

// prepared writes the row of which distances to centres are taken.
func (c *clustered) prepared(dst, row []float32) {
	if c.metric == Euclidean {
		copy(dst, row)
		return
	}
	c.metric.unit(dst, row)
}

// sample lists distinct rows, those with the smallest hashes of their numbers.
func (c *clustered) sample(size int) []int {
	all := make([]uint64, c.n)
	for i := range all {
		all[i] = rng.Hash2(clusterSeed, 0, uint64(i))>>32<<32 | uint64(uint32(i))
	}
	slices.Sort(all)
	rows := make([]int, min(size, len(all)))
	for i := range rows {
		rows[i] = int(uint32(all[i]))
	}
	return rows
}

// assign lists the rows of each centre, in ascending order.
func (c *clustered) assign(ctx context.Context, centres *matrix.Dense) ([][]int32, error) {
	const chunk = 1 << 14
	ix, err := NewIndex(centres, c.metric, c.threads)
	if err != nil {
		return nil, err
	}
	lists := make([][]int32, centres.Rows)
	for lo := 0; lo < c.n; lo += chunk {
		hi := min(lo+chunk, c.n)
		g, err := ix.Query(ctx, c.part(lo, hi), min(memberships, centres.Rows))
		if err != nil {
			return nil, err
		}
		for i := range hi - lo {
			near, _ := g.Row(i)
			for _, j := range near {
				lists[j] = append(lists[j], int32(lo+i))
			}
		}
	}
	return lists, nil
}

// search compares the rows of each list with each other.
func (c *clustered) search(ctx context.Context, lists [][]int32, zeros bool) error {
	var parts [][]int32
	for _, l := range lists {
		for p := range slices.Chunk(l, widest) {
			if len(p) > 1 {
				parts = append(parts, p)
			}
		}
	}
	// The largest first, so that none is left for one thread at the end.
	slices.SortStableFunc(parts, func(a, b []int32) int { return len(b) - len(a) })
	pool := sync.Pool{New: func() any {
		return &denseIndex{measure: c.measure, columns: c.d, threads: 1, zeros: zeros, mean: c.mean}
	}}
	par.Blocks(c.threads, len(parts), 1, func(_, p, _ int) {
		rows := parts[p]
		ix := pool.Get().(*denseIndex)
		defer pool.Put(ix)
		ix.order = rows
		ix.row = func(i int) []float32 { return c.x.Row(int(rows[i])) }
		ix.fill(len(rows))
		ix.near(ctx, c.nb, c.lock, min(c.nb.k, len(rows)-1)) // its only error is ctx's
	})
	return ctx.Err()
}
