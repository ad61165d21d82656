package knn

import (
	"context"
	"math/bits"
	"sync"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
)

// denseIndex holds prepared rows in panels of nr rows, padded with zero rows
// to whole blocks.
type denseIndex struct {
	measure
	x       *matrix.Dense // the rows as given, for Euclidean
	n, k    int           // rows, values a packed row
	threads int
	mean    []float64 // Euclidean: subtracted before packing
	half    []float32 // Euclidean: half the squared length of each centred row, padded
	maxHalf float32   // the largest of half
	zeros   bool      // some row is zero: a last column marks those
	panels  []float32
}

func newDenseIndex(x *matrix.Dense, m Metric, threads int) *denseIndex {
	ix := &denseIndex{measure: measure{m, snap(x.Cols)}, n: x.Rows, k: x.Cols, threads: threads}
	if m == Euclidean {
		ix.x = x
		ix.k = max(1, x.Cols)
		ix.mean = columnMeans(x, threads)
	} else {
		ix.zeros = hasZeroRow(x)
		if ix.zeros {
			ix.k++
		}
	}
	ix.panels, ix.half = ix.pack(x)
	for _, h := range ix.half {
		ix.maxHalf = max(ix.maxHalf, h)
	}
	return ix
}

// columnMeans sums fixed blocks of rows and joins them in order.
func columnMeans(x *matrix.Dense, threads int) []float64 {
	const grain = 1024
	parts := make([][]float64, (x.Rows+grain-1)/grain)
	par.Blocks(threads, x.Rows, grain, func(b, lo, hi int) {
		s := make([]float64, x.Cols)
		for i := lo; i < hi; i++ {
			for j, v := range x.Row(i) {
				s[j] += float64(v)
			}
		}
		parts[b] = s
	})
	mean := make([]float64, x.Cols)
	for _, s := range parts {
		for j, v := range s {
			mean[j] += v
		}
	}
	for j := range mean {
		mean[j] /= float64(max(1, x.Rows))
	}
	return mean
}

func hasZeroRow(x *matrix.Dense) bool {
	for i := range x.Rows {
		zero := true
		for _, v := range x.Row(i) {
			if v != 0 {
				zero = false
				break
			}
		}
		if zero {
			return true
		}
	}
	return false
}

// pack prepares the rows of x and lays them out in panels of k x nr values,
// with zero rows up to a whole number of blocks. Under Cosine and Hellinger
// zero rows get a 1 in the extra column, if the index has one, so that they
// are at distance 0 from each other and at 1 from all others.
func (ix *denseIndex) pack(x *matrix.Dense) (panels, half []float32) {
	return ix.packRows(nil, nil, x.Rows, x.Row)
}

// packRows is pack for n rows given one by one. It uses the room of panels and
// half, if there is enough.
func (ix *denseIndex) packRows(panels, half []float32, n int, rowOf func(i int) []float32) ([]float32, []float32) {
	padded := (n + blockRows - 1) / blockRows * blockRows
	panels = roomFor(panels, padded*ix.k)
	if ix.metric == Euclidean {
		half = roomFor(half, padded)
	}
	par.Blocks(ix.threads, n, blockRows, func(_, lo, hi int) {
		var row []float32
		for i := lo; i < hi; i++ {
			x := rowOf(i)
			if row == nil {
				row = make([]float32, len(x))
			}
			p := panels[i/nr*nr*ix.k+i%nr:]
			if ix.metric == Euclidean {
				half[i] = ix.centre(row, x)
			} else if ix.metric.unit(row, x) && ix.zeros {
				p[len(x)*nr] = 1
			}
			for j, v := range row {
				p[j*nr] = v
			}
		}
	})
	return panels, half
}

// roomFor returns n zeros, in s if it has room for them.
func roomFor(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// centre writes x less the mean and returns half its squared length.
func (ix *denseIndex) centre(dst, x []float32) float32 {
	var sum float64
	for j, v := range x {
		c := float32(float64(v) - ix.mean[j])
		dst[j] = c
		sum += float64(float64(c) * float64(c))
	}
	return float32(sum / 2)
}

// repack copies a block of rows from panels of nr to panels of mr.
func repack(dst, panels []float32, block, k int) {
	src := panels[block*blockRows*k:]
	for i := range blockRows {
		from, to := src[i/nr*nr*k+i%nr:], dst[i/mr*mr*k+i%mr:]
		for j := range k {
			to[j*mr] = from[j*nr]
		}
	}
}

// workspace is what one worker needs to score a block against a block.
type workspace struct {
	t              tile
	hits           hits
	rowBar, colBar [blockRows]float32
	a              []float32
}

// score fills w.t with the scores of block i of a (packed by mr in w.a, its
// halves in halfA) against block j of the index.
func (ix *denseIndex) score(w *workspace, a, halfA []float32, j int) {
	dotBlock(&w.t, a, ix.panels[j*blockRows*ix.k:(j+1)*blockRows*ix.k], ix.k)
	if ix.metric != Euclidean {
		return
	}
	halfB := ix.half[j*blockRows : (j+1)*blockRows]
	for r, h := range halfA[:blockRows] {
		row := w.t[r*blockRows : (r+1)*blockRows]
		for c, g := range halfB[:len(row)] {
			row[c] -= h + g
		}
	}
}

// superBlocks is the number of row blocks that a worker holds against each
// block of columns, so that a block read from memory is used more than once.
const superBlocks = 2

// self finds the neighbours of the index's own rows. Each pair of blocks is
// scored once and serves the rows of both.
func (ix *denseIndex) self(ctx context.Context, k int) (*Graph, error) {
	kk := min(k-1+ix.spare(), ix.n-1)
	if k == 1 || kk <= 0 {
		return newNeighbours(ix.n, 0).graph(ix.n, k, true), ctx.Err()
	}
	nb, err := ix.near(ctx, kk)
	if err != nil {
		return nil, err
	}
	if ix.metric == Euclidean {
		ix.refine(nb, ix.x, k-1, true)
	}
	return nb.graph(ix.n, k, true), nil
}

// near finds the k other rows of the best scores for each row, k at least 1 and
// less than the number of rows.
func (ix *denseIndex) near(ctx context.Context, k int) (*neighbours, error) {
	nb := newNeighbours(ix.n, k)
	blocks := len(ix.panels) / (blockRows * ix.k)
	bars := newBars(blocks, ix.n)
	pool := sync.Pool{New: func() any { return &workspace{a: make([]float32, superBlocks*blockRows*ix.k)} }}
	par.Blocks(ix.threads, blocks, superBlocks, func(_, lo, hi int) {
		w := pool.Get().(*workspace)
		defer pool.Put(w)
		size := blockRows * ix.k
		for i := lo; i < hi; i++ {
			repack(w.a[(i-lo)*size:(i-lo+1)*size], ix.panels, i, ix.k)
		}
		for j := lo; j < blocks && ctx.Err() == nil; j++ {
			for i := lo; i < hi && i <= j; i++ {
				var halfA []float32
				if ix.metric == Euclidean {
					halfA = ix.half[i*blockRows:]
				}
				ix.score(w, w.a[(i-lo)*size:(i-lo+1)*size], halfA, j)
				bars.read(i, &w.rowBar)
				bars.read(j, &w.colBar)
				scan(&w.t, &w.rowBar, &w.colBar, &w.hits)
				ix.offer(nb, bars, w, i, j)
			}
		}
	})
	return nb, ctx.Err()
}

// offer hands the marked entries of the tile of blocks i and j to their rows
// and, where the blocks differ, to their columns.
func (ix *denseIndex) offer(nb *neighbours, bars *bars, w *workspace, i, j int) {
	bars.lock[i].Lock()
	for wd, m := range w.hits {
		for ; m != 0; m &= m - 1 {
			r, c := wd/(blockRows/32), wd%(blockRows/32)*32+bits.TrailingZeros32(m)
			row, col := i*blockRows+r, j*blockRows+c
			s := w.t[r*blockRows+c]
			if s < w.rowBar[r] || row == col || row >= ix.n || col >= ix.n {
				continue
			}
			if d, ok := ix.distance(s); ok && nb.insert(row, d, int32(col)) {
				bars.at[i][r] = ix.bar(nb.worst(row))
			}
		}
	}
	bars.lock[i].Unlock()
	if i == j {
		return
	}
	bars.lock[j].Lock()
	for wd, m := range w.hits {
		for ; m != 0; m &= m - 1 {
			r, c := wd/(blockRows/32), wd%(blockRows/32)*32+bits.TrailingZeros32(m)
			row, col := i*blockRows+r, j*blockRows+c
			s := w.t[r*blockRows+c]
			if s < w.colBar[c] || row >= ix.n || col >= ix.n {
				continue
			}
			if d, ok := ix.distance(s); ok && nb.insert(col, d, int32(row)) {
				bars.at[j][c] = ix.bar(nb.worst(col))
			}
		}
	}
	bars.lock[j].Unlock()
}

// bars holds for each row the score that a new neighbour must reach. A bar
// only rises, so one read a moment ago lets too much through, never too little.
type bars struct {
	lock []sync.Mutex
	at   [][blockRows]float32
}

func newBars(blocks, n int) *bars {
	b := &bars{lock: make([]sync.Mutex, blocks), at: make([][blockRows]float32, blocks)}
	for i := range b.at {
		for r := range b.at[i] {
			b.at[i][r] = -inf32
			if i*blockRows+r >= n {
				b.at[i][r] = inf32 // padding asks for nothing
			}
		}
	}
	return b
}

func (b *bars) read(block int, dst *[blockRows]float32) {
	b.lock[block].Lock()
	*dst = b.at[block]
	b.lock[block].Unlock()
}

// query finds the neighbours of other rows. A block of query rows belongs to
// one worker.
func (ix *denseIndex) query(ctx context.Context, q *matrix.Dense, k int) (*Graph, error) {
	kk := min(k+ix.spare(), ix.n)
	if kk == 0 {
		return newNeighbours(q.Rows, 0).graph(q.Rows, k, false), ctx.Err()
	}
	nb := newNeighbours(q.Rows, kk)
	panels, half := ix.pack(q)
	pool := sync.Pool{New: func() any { return &workspace{a: make([]float32, blockRows*ix.k)} }}
	par.Blocks(ix.threads, q.Rows, blockRows, func(i, lo, hi int) {
		w := pool.Get().(*workspace)
		defer pool.Put(w)
		repack(w.a, panels, i, ix.k)
		var halfA []float32
		if ix.metric == Euclidean {
			halfA = half[i*blockRows:]
		}
		ix.queryBlock(ctx, nb, w, halfA, lo, hi)
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if ix.metric == Euclidean {
		ix.refine(nb, q, k, false)
	}
	return nb.graph(q.Rows, k, false), nil
}

func (ix *denseIndex) queryBlock(ctx context.Context, nb *neighbours, w *workspace, halfA []float32, lo, hi int) {
	for r := range blockRows {
		w.colBar[r] = inf32
		w.rowBar[r] = inf32
		if lo+r < hi {
			w.rowBar[r] = -inf32
		}
	}
	for j := 0; j*blockRows < ix.n && ctx.Err() == nil; j++ {
		ix.score(w, w.a, halfA, j)
		scan(&w.t, &w.rowBar, &w.colBar, &w.hits)
		for wd, m := range w.hits {
			for ; m != 0; m &= m - 1 {
				r, c := wd/(blockRows/32), wd%(blockRows/32)*32+bits.TrailingZeros32(m)
				col := j*blockRows + c
				if col >= ix.n {
					continue
				}
				if d, ok := ix.distance(w.t[r*blockRows+c]); ok && nb.insert(lo+r, d, int32(col)) {
					w.rowBar[r] = ix.bar(nb.worst(lo + r))
				}
			}
		}
	}
}
