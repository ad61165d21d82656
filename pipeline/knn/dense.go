package knn

import (
	"context"
	"math"
	"math/bits"
	"sync"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
)

// denseIndex holds rows as they are, for their distances, and as codes, to find
// those that are worth it.
type denseIndex struct {
	measure
	codes
	columns int
	row     func(i int) []float32 // under Hellinger the roots of a row
	threads int
	mean    []float64 // Euclidean: subtracted before coding
	unit    float64   // Euclidean: the length of the longest row then
	zeros   bool      // some row is zero: a column more marks those
	order   []int32   // the number of each row, where the index has an order of its own
}

func newDenseIndex(x matrix.Rows, m Metric, threads int) *denseIndex {
	n, d := x.Dims()
	ix := &denseIndex{measure: measure{m, snap(d)}, columns: d, threads: threads, row: rows(x, m)}
	if m == Euclidean {
		ix.mean = columnMeans(x, threads)
	} else {
		ix.zeros = hasZeroRow(x)
	}
	ix.fill(n)
	return ix
}

// rows gives the rows that products are taken of.
func rows(x matrix.Rows, m Metric) func(i int) []float32 {
	if m != Hellinger {
		return x.Row
	}
	roots := matrix.NewDense(x.Dims())
	for i := range roots.Rows {
		root := roots.Row(i)
		for j, v := range x.Row(i) {
			root[j] = float32(math.Sqrt(float64(v)))
		}
	}
	return roots.Row
}

// fill codes the n rows of the index.
func (ix *denseIndex) fill(n int) {
	ix.code(&ix.codes, n, ix.row)
	if ix.metric == Euclidean {
		ix.unit = 0
		for _, l := range ix.length {
			ix.unit = max(ix.unit, l)
		}
		if ix.unit == 0 {
			ix.unit = 1
		}
		ix.inUnits(ix.unit)
	}
}

func (ix *denseIndex) code(c *codes, n int, row func(i int) []float32) {
	columns := ix.columns
	if ix.zeros {
		columns++
	}
	ix.encode(c, n, columns, row)
}

func hasZeroRow(x matrix.Rows) bool {
	n, _ := x.Dims()
	for i := range n {
		if matrix.ZeroRow(x, i) {
			return true
		}
	}
	return false
}

// workspace is what one worker needs to compare a block with a block.
type workspace struct {
	t                  tile
	hits               hits
	rowFloor, colFloor [blockRows]int32
	a                  []int32
	crowd              *crowd
}

// superBlocks is the number of row blocks that a worker holds against each
// block of columns, so that a block read from memory is used more than once.
const superBlocks = 2

// self finds the neighbours of the index's own rows.
func (ix *denseIndex) self(ctx context.Context, k int) (*Graph, error) {
	kk := min(k-1, ix.n-1)
	if kk <= 0 {
		return newNeighbours(ix.n, 0).graph(ix.n, k, true), ctx.Err()
	}
	ix.arrange()
	nb := newNeighbours(ix.n, kk)
	if err := ix.near(ctx, nb, nil, kk); err != nil {
		return nil, err
	}
	return nb.graph(ix.n, k, true), nil
}

// landmarks is the number of rows that others are compared with by arrange.
const landmarks = 2 * blockRows

// arrange gives the index an order of its own, in which rows that are like the
// same of some rows follow each other. Then the first blocks that are compared
// hold most of the neighbours, and few rows come later to take their places.
func (ix *denseIndex) arrange() {
	if ix.n < 20*landmarks { // it wouldn't pay
		return
	}
	var marks codes
	ix.code(&marks, landmarks, func(i int) []float32 { return ix.row(i * ix.n / landmarks) })
	a := make([]int32, len(marks.pairs))
	for m := range landmarks / blockRows {
		repack(marks.blockOf(a, m), marks.block(m), ix.steps)
	}
	like := make([]int32, ix.n)
	par.Blocks(ix.threads, ix.n, blockRows, func(j, lo, hi int) {
		var t tile
		var best [blockRows]int32
		for m := range landmarks / blockRows {
			dotBlock(&t, marks.blockOf(a, m), ix.block(j), ix.steps)
			for r := range blockRows {
				for c, v := range t[r*blockRows : (r+1)*blockRows][:hi-lo] {
					if v > best[c] {
						best[c], like[lo+c] = v, int32(m*blockRows+r)
					}
				}
			}
		}
	})
	var start [landmarks + 1]int32
	for _, m := range like {
		start[m+1]++
	}
	for m := range landmarks {
		start[m+1] += start[m]
	}
	ix.order = make([]int32, ix.n)
	for i, m := range like {
		ix.order[start[m]] = int32(i)
		start[m]++
	}
	row := ix.row
	ix.row = func(i int) []float32 { return row(int(ix.order[i])) }
	ix.fill(ix.n)
}

// number is the number of the row at place i.
func (ix *denseIndex) number(i int32) int32 {
	if ix.order == nil {
		return i
	}
	return ix.order[i]
}

// near finds the k nearest other rows of each row, k at least 1 and less than
// the number of rows, and gives them to nb, by the numbers of rows. Each pair of
// blocks is multiplied once and serves the rows of both. lock is of blocks of
// rows of nb, if it is shared with others.
func (ix *denseIndex) near(ctx context.Context, nb *neighbours, lock []sync.Mutex, k int) error {
	f := newFinder(ix, &ix.codes, ix.row, nb, k)
	f.lock = lock
	blocks := make([]block, (ix.n+blockRows-1)/blockRows)
	for i := range blocks {
		f.reset(&blocks[i], i*blockRows)
	}
	size := blockRows * ix.steps
	pool := sync.Pool{New: func() any { return &workspace{a: make([]int32, superBlocks*size)} }}
	compare := func(lo, hi, from, to int) {
		w := pool.Get().(*workspace)
		defer pool.Put(w)
		for i := lo; i < hi; i++ {
			repack(w.a[(i-lo)*size:(i-lo+1)*size], ix.block(i), ix.steps)
		}
		for j := from; j < to && ctx.Err() == nil; j++ {
			for i := lo; i < hi && i <= j; i++ {
				dotBlock(&w.t, w.a[(i-lo)*size:(i-lo+1)*size], ix.block(j), ix.steps)
				f.keys(&w.t, i, j)
				if i == j && from == lo {
					f.raise(&blocks[i], &w.t, i, min(blockRows, ix.n-i*blockRows))
				}
				blocks[i].read(&w.rowFloor)
				blocks[j].read(&w.colFloor)
				scan(&w.t, &w.rowFloor, &w.colFloor, &w.hits)
				if from == hi && ix.metric != Euclidean && w.hits.crowded() {
					f.offerCrowd(blocks, w, i, j)
				} else {
					f.offer(blocks, w, i, j)
				}
			}
		}
	}
	// The blocks next to each other first: see arrange.
	par.Blocks(ix.threads, len(blocks), superBlocks, func(_, lo, hi int) { compare(lo, hi, lo, hi) })
	par.Blocks(ix.threads, len(blocks), superBlocks, func(_, lo, hi int) { compare(lo, hi, hi, len(blocks)) })
	if err := ctx.Err(); err != nil {
		return err
	}
	par.Blocks(ix.threads, ix.n, blockRows, func(b, lo, hi int) {
		f.finish(&blocks[b], lo, hi)
		blocks[b].list = nil
	})
	return nil
}

// offer hands the marked entries of the tile of blocks i and j to their rows
// and, where the blocks differ, to their columns.
func (f *finder) offer(blocks []block, w *workspace, i, j int) {
	b := &blocks[i]
	b.lock.Lock()
	for wd, m := range w.hits {
		for ; m != 0; m &= m - 1 {
			r, c := wd/(blockRows/32), wd%(blockRows/32)*32+bits.TrailingZeros32(m)
			row, col := i*blockRows+r, j*blockRows+c
			if key := w.t[r*blockRows+c]; key > b.floor[r] && row != col && col < f.ix.n {
				f.add(b, r, row, candidate{key, int32(col)})
			}
		}
	}
	b.lock.Unlock()
	if i == j {
		return
	}
	b = &blocks[j]
	b.lock.Lock()
	for wd, m := range w.hits {
		for ; m != 0; m &= m - 1 {
			r, c := wd/(blockRows/32), wd%(blockRows/32)*32+bits.TrailingZeros32(m)
			row, col := i*blockRows+r, j*blockRows+c
			if key := w.t[r*blockRows+c]; key > b.floor[c] && row < f.ix.n {
				f.add(b, c, col, candidate{key, int32(row)})
			}
		}
	}
	b.lock.Unlock()
}

// far is the length, in units of the index, beyond which a query row's
// distances are all about the same in float32: those are all computed.
const far = 1e4

// query finds the neighbours of other rows. A block of query rows belongs to
// one worker.
func (ix *denseIndex) query(ctx context.Context, x matrix.Rows, k int) (*Graph, error) {
	n, _ := x.Dims()
	kk := min(k, ix.n)
	if kk == 0 {
		return newNeighbours(n, 0).graph(n, k, false), ctx.Err()
	}
	var q codes
	row := rows(x, ix.metric)
	ix.code(&q, n, row)
	if ix.metric == Euclidean {
		q.inUnits(ix.unit)
	}
	f := newFinder(ix, &q, row, newNeighbours(n, kk), kk)
	type worker struct {
		workspace
		block
	}
	pool := sync.Pool{New: func() any {
		return &worker{workspace: workspace{a: make([]int32, blockRows*ix.steps)}}
	}}
	par.Blocks(ix.threads, n, blockRows, func(i, lo, hi int) {
		w := pool.Get().(*worker)
		defer pool.Put(w)
		f.reset(&w.block, lo)
		for r := lo; r < hi && ix.metric == Euclidean; r++ {
			if q.scale[r] > far {
				w.floor[r-lo] = highest
			}
		}
		f.queryBlock(ctx, &w.workspace, &w.block, i)
		f.finish(&w.block, lo, hi)
		for r := lo; r < hi && ix.metric == Euclidean; r++ {
			for j := 0; q.scale[r] > far && j < ix.n; j++ {
				d, _ := f.distance(r, j)
				f.nb.insert(r, d, int32(j))
			}
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return f.nb.graph(n, k, false), nil
}

// queryBlock gathers the candidates b of block i of the query rows.
func (f *finder) queryBlock(ctx context.Context, w *workspace, b *block, i int) {
	repack(w.a, f.q.block(i), f.q.steps)
	for c := range w.colFloor {
		w.colFloor[c] = highest
	}
	for j := 0; j*blockRows < f.ix.n && ctx.Err() == nil; j++ {
		dotBlock(&w.t, w.a, f.ix.block(j), f.ix.steps)
		f.keys(&w.t, i, j)
		scan(&w.t, &b.floor, &w.colFloor, &w.hits)
		for wd, m := range w.hits {
			for ; m != 0; m &= m - 1 {
				r, c := wd/(blockRows/32), wd%(blockRows/32)*32+bits.TrailingZeros32(m)
				col := j*blockRows + c
				if key := w.t[r*blockRows+c]; key > b.floor[r] && col < f.ix.n {
					f.add(b, r, i*blockRows+r, candidate{key, int32(col)})
				}
			}
		}
	}
}
