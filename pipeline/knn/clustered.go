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
// nearest of its cluster centres, several of them, and is compared with all
// rows of these clusters; then the neighbours of its neighbours are tried.
// Every step is a function of the rows and the seed of this package, never of
// an order among threads.
const (
	// ExactRows is the number of dense rows up to which Fit is exact.
	ExactRows = 100_000
	// memberships is the number of clusters that a row belongs to.
	memberships = 8
	// perCentre is the number of rows sampled a centre to find the centres, and
	// centreRounds how often they are moved.
	perCentre    = 24
	centreRounds = 5
	// rounds is how often neighbours of neighbours are tried.
	rounds = 1
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
	x       *matrix.Dense
	scale   []float32 // Cosine: the inverse lengths of the rows
	mean    []float64 // Euclidean: of the columns
	threads int
	nb      *neighbours
	lock    []sync.Mutex // of blocks of rows of nb
}

// fitClustered finds about the k nearest rows of each row, itself included,
// under Cosine or Euclidean.
func fitClustered(ctx context.Context, x *matrix.Dense, k int, m Metric, threads int) (*Graph, error) {
	c := &clustered{measure: measure{m, snap(x.Cols)}, x: x, threads: threads, nb: newNeighbours(x.Rows, k-1)}
	c.lock = make([]sync.Mutex, (x.Rows+blockRows-1)/blockRows)
	if m == Cosine {
		c.scale = scales(x, threads)
	} else {
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
	if err := c.search(ctx, lists); err != nil {
		return nil, err
	}
	before := make([]int32, len(c.nb.idx))
	for i := range before {
		before[i] = -1
	}
	for range rounds {
		now := slices.Clone(c.nb.idx)
		if err := c.follow(ctx, now, before); err != nil {
			return nil, err
		}
		before = now
	}
	g := c.nb.graph(x.Rows, k, true)
	g.Recall = c.recall()
	return g, ctx.Err()
}

// recall is the share of the true neighbours that some rows have. A row as far
// as the last of them is as good as it.
func (c *clustered) recall() float64 {
	rows := c.sample(asked)
	n, k := c.x.Rows, c.nb.k
	const grain = 4096
	near := make([]*neighbours, (n+grain-1)/grain) // of the asked rows, a block of all rows each
	par.Blocks(c.threads, n, grain, func(b, lo, hi int) {
		nb := newNeighbours(len(rows), k)
		for j := lo; j < hi; j++ {
			for r, i := range rows {
				if i != j {
					nb.insert(r, c.between(i, j), int32(j))
				}
			}
		}
		near[b] = nb
	})
	found := 0
	for r, i := range rows {
		all := newNeighbours(1, k)
		for _, nb := range near {
			for s := r * k; s < (r+1)*k && nb.idx[s] >= 0; s++ {
				all.insert(0, nb.dist[s], nb.idx[s])
			}
		}
		for s := i * k; s < (i+1)*k; s++ {
			if c.nb.dist[s] <= all.worst(0) {
				found++
			}
		}
	}
	return float64(found) / float64(len(rows)*k)
}

// scales are the inverse lengths of the rows, 0 of rows of zeros.
func scales(x *matrix.Dense, threads int) []float32 {
	out := make([]float32, x.Rows)
	par.Blocks(threads, x.Rows, 1024, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			var sum float64
			for _, v := range x.Row(i) {
				sum += float64(float64(v) * float64(v))
			}
			if sum > 0 {
				out[i] = float32(1 / math.Sqrt(sum))
			}
		}
	})
	return out
}

// between is the distance of two rows.
func (c *clustered) between(i, j int) float32 {
	if c.metric == Euclidean {
		return euclidean(c.x.Row(i), c.x.Row(j))
	}
	if c.scale[i] == 0 && c.scale[j] == 0 {
		return 0
	}
	d, _ := c.distance(dot(c.x.Row(i), c.x.Row(j)) * c.scale[i] * c.scale[j])
	return d
}

// centres moves as many centres as the square root of the rows to the means of
// a sample's rows nearest to them.
func (c *clustered) centres(ctx context.Context) (*matrix.Dense, error) {
	want := int(math.Ceil(math.Sqrt(float64(c.x.Rows))))
	rows := c.sample(want * perCentre)
	sample := matrix.NewDense(len(rows), c.x.Cols)
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
		sums := make([]float64, want*c.x.Cols)
		count := make([]int, want)
		for s := range sample.Rows { // in order, so that a sum has one order
			j := int(near.Indices[s])
			count[j]++
			sum := sums[j*c.x.Cols : (j+1)*c.x.Cols]
			for d, v := range sample.Row(s) {
				sum[d] += float64(v)
			}
		}
		for j, k := range count {
			for d := range c.x.Cols * min(k, 1) { // a centre without rows stays
				centres.Row(j)[d] = float32(sums[j*c.x.Cols+d] / float64(k))
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
	all := make([]uint64, c.x.Rows)
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
func (c *clustered) assign(ctx context.Context, centres *matrix.Dense) ([][]int, error) {
	const chunk = 1 << 14
	ix, err := NewIndex(centres, c.metric, c.threads)
	if err != nil {
		return nil, err
	}
	lists := make([][]int, centres.Rows)
	for lo := 0; lo < c.x.Rows; lo += chunk {
		hi := min(lo+chunk, c.x.Rows)
		part := &matrix.Dense{Rows: hi - lo, Cols: c.x.Cols, Data: c.x.Data[lo*c.x.Cols : hi*c.x.Cols]}
		g, err := ix.Query(ctx, part, min(memberships, centres.Rows))
		if err != nil {
			return nil, err
		}
		for i := range part.Rows {
			near, _ := g.Row(i)
			for _, j := range near {
				lists[j] = append(lists[j], lo+i)
			}
		}
	}
	return lists, nil
}

// search compares the rows of each list with each other.
func (c *clustered) search(ctx context.Context, lists [][]int) error {
	var parts [][]int
	for _, l := range lists {
		for p := range slices.Chunk(l, widest) {
			if len(p) > 1 {
				parts = append(parts, p)
			}
		}
	}
	// The largest first, so that none is left for one thread at the end.
	slices.SortStableFunc(parts, func(a, b []int) int { return len(b) - len(a) })
	var zeros bool
	for _, s := range c.scale {
		zeros = zeros || s == 0
	}
	pool := sync.Pool{New: func() any { return &denseIndex{measure: c.measure, threads: 1, x: c.x, zeros: zeros, mean: c.mean} }}
	par.Blocks(c.threads, len(parts), 1, func(_, p, _ int) {
		rows := parts[p]
		ix := pool.Get().(*denseIndex)
		defer pool.Put(ix)
		ix.n, ix.k = len(rows), c.x.Cols
		if zeros {
			ix.k++
		}
		ix.panels, ix.half = ix.packRows(ix.panels, ix.half, len(rows), func(i int) []float32 { return c.x.Row(rows[i]) })
		near, err := ix.near(ctx, min(c.nb.k+ix.spare(), len(rows)-1))
		if err != nil {
			return
		}
		for r, i := range rows {
			block := &c.lock[i/blockRows]
			block.Lock()
			for s := r * near.k; s < (r+1)*near.k && near.idx[s] >= 0; s++ {
				j := rows[near.idx[s]]
				d := near.dist[s]
				if c.metric == Euclidean {
					d = c.between(i, j)
				}
				c.nb.insertNew(i, d, int32(j))
			}
			block.Unlock()
		}
	})
	return ctx.Err()
}

// follow tries for each row the neighbours of its neighbours, and the rows of
// which it or these are neighbours. now holds the neighbours as they are,
// before those that were followed already.
func (c *clustered) follow(ctx context.Context, now, before []int32) error {
	n, k := c.x.Rows, c.nb.k
	fresh := make([]bool, len(now)) // neighbours not followed yet
	par.Blocks(c.threads, n, 1024, func(_, lo, hi int) {
		for s := lo * k; s < hi*k; s++ {
			row := s / k
			fresh[s] = now[s] >= 0 && !slices.Contains(before[row*k:(row+1)*k], now[s])
		}
	})
	back, isFresh := reversed(now, fresh, n, k)
	par.Blocks(c.threads, n, 64, func(_, lo, hi int) {
		var tried rowSet
		for i := lo; i < hi && ctx.Err() == nil; i++ {
			tried.reset()
			tried.add(int32(i))
			for _, j := range now[i*k : (i+1)*k] {
				tried.add(j)
			}
			try := func(j int32) {
				if j >= 0 && tried.add(j) {
					c.nb.insert(i, c.between(i, int(j)), j)
				}
			}
			from := func(j int32, new bool) {
				if j < 0 {
					return
				}
				for s := int(j) * k; s < (int(j)+1)*k; s++ {
					if new || fresh[s] {
						try(now[s])
					}
				}
				for s := int(j) * k; s < (int(j)+1)*k && back[s] >= 0; s++ {
					if new || isFresh[s] {
						try(back[s])
					}
				}
			}
			for s := i * k; s < (i+1)*k; s++ {
				from(now[s], fresh[s])
			}
			for s := i * k; s < (i+1)*k && back[s] >= 0; s++ {
				try(back[s])
				from(back[s], isFresh[s])
			}
		}
	})
	return ctx.Err()
}

// reversed lists for each row up to k rows of which it is a neighbour: those of
// the smallest numbers. Where there are fewer, -1 follows.
func reversed(now []int32, fresh []bool, n, k int) (back []int32, isFresh []bool) {
	back, isFresh = make([]int32, n*k), make([]bool, n*k)
	for s := range back {
		back[s] = -1
	}
	count := make([]int32, n)
	for s, j := range now {
		if j >= 0 && int(count[j]) < k {
			at := int(j)*k + int(count[j])
			back[at], isFresh[at] = int32(s/k), fresh[s]
			count[j]++
		}
	}
	return back, isFresh
}

// rowSet is a set of rows, for a few hundred of them.
type rowSet struct {
	slots []int32 // row+1, or 0
	used  []int32
}

func (s *rowSet) reset() {
	if s.slots == nil {
		s.slots = make([]int32, 1<<12)
	}
	for _, u := range s.used {
		s.slots[u] = 0
	}
	s.used = s.used[:0]
}

// add reports whether j was not there yet.
func (s *rowSet) add(j int32) bool {
	if 2*len(s.used) > len(s.slots) {
		s.grow()
	}
	mask := uint32(len(s.slots) - 1)
	for u := uint32(j) * 0x9e3779b9 & mask; ; u = (u + 1) & mask {
		switch s.slots[u] {
		case j + 1:
			return false
		case 0:
			s.slots[u] = j + 1
			s.used = append(s.used, int32(u))
			return true
		}
	}
}

func (s *rowSet) grow() {
	old := s.slots
	s.slots, s.used = make([]int32, 2*len(old)), s.used[:0]
	for _, j := range old {
		if j > 0 {
			s.add(j - 1)
		}
	}
}
