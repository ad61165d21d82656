package umap

import (
	"os"

	"github.com/bertopic-go/bertopic/internal/rng"
)

// steps is what the vector kernels need to move points lo..hi; kernel_arm64.s
// knows the offsets of the fields.
type steps struct {
	y, next, mean, square *float32 // rows of 8, from the first point on
	start                 *int64   // of point lo
	rates                 *uint32
	tails                 *int32
	forces                *forces
	states                *uint64 // streams of lo..hi
	pairs                 *uint32 // room for the pairs of a point
	lo, hi                int64
	count                 uint64 // of all points
	negatives             int64
	epoch                 uint32
	adam                  [6]float32 // both moments' shares of old and new, adamEps, the rate
}

//go:noescape
func step5NEON(s *steps)

//go:noescape
func step8NEON(s *steps)

// Every processor of this kind has NEON; BERTOPIC_SIMD=off keeps the Go
// versions. No choice changes a result.
var useVectors = os.Getenv("BERTOPIC_SIMD") != "off"

// scratch is what one kernel at work needs.
type scratch struct {
	states [rowsPerBlock]uint64
	pairs  []uint32
}

// newScratch has room for what fills the last four of a point's pairs, and for
// the four negative samples that are drawn at once.
func (l *layout) newScratch() *scratch { return &scratch{pairs: make([]uint32, l.mostPairs+8)} }

func stepVector(l *layout, epoch uint32, lo, hi int, rate float32) {
	w, _ := l.scratch.Get().(*scratch)
	if w == nil {
		w = l.newScratch()
	}
	defer l.scratch.Put(w)
	for ; lo < hi; lo += rowsPerBlock {
		end := min(hi, lo+rowsPerBlock)
		states := w.states[:end-lo]
		rng.Hash2s(states, l.seed, uint64(epoch), uint64(lo))
		for k := range states { // as l.stream
			states[k] |= 1
		}
		s := steps{
			y: &l.y[0], next: &l.next[0], mean: &l.mean[0], square: &l.square[0],
			start: &l.start[lo], rates: &l.rates[0], tails: &l.tails[0],
			forces: l.forces, states: &w.states[0], pairs: &w.pairs[0],
			lo: int64(lo), hi: int64(end), count: uint64(l.n), negatives: int64(l.negatives), epoch: epoch,
			adam: [6]float32{adamBeta1, 1 - adamBeta1, adamBeta2, 1 - adamBeta2, adamEps, rate},
		}
		if l.dim > 5 {
			step8NEON(&s)
		} else {
			step5NEON(&s)
		}
	}
}

// moveLanes rows are moved side by side by move5NEON: each row's moves wait for
// one another, and four times four rows fill the time.
const moveLanes = 16

// moving is what move5NEON needs; kernel_arm64.s knows the offsets of the fields.
type moving struct {
	points *float32 // rows of 8
	forces *forces  // with a positive sample
	ids    *uint32  // steps x 16, four times the number of the point
	alphas *float32 // steps x 16, negative for a negative sample, 0 for no move
	y      *float32 // 4 x 5 x 4
	steps  int64
	fours  int64 // how many times four rows there are
}

//go:noescape
func move5NEON(m *moving)

// vectorLanes is the number of rows that moveVector moves at a time, 0 for none.
func (t *Transformer) vectorLanes() int {
	if !useVectors || t.stride != 8 || t.m.Params.NComponents > 5 || len(t.m.Points) > 1<<29 {
		return 0
	}
	return moveLanes
}

// moveVector is move for up to moveLanes rows.
func (t *Transformer) moveVector(rows [][]float32, ids []uint32, alphas []float32, steps int) {
	if steps == 0 {
		return
	}
	var y [moveLanes / 4][5][4]float32
	for r, row := range rows {
		for d, v := range row {
			y[r/4][d][r%4] = v
		}
	}
	f := *t.forces
	f.sample = -f.sample
	move5NEON(&moving{points: &t.points[0], forces: &f, ids: &ids[:steps*moveLanes][0], alphas: &alphas[:steps*moveLanes][0], y: &y[0][0][0],
		steps: int64(steps), fours: int64(len(rows)+3) / 4})
	for r, row := range rows {
		for d := range row {
			row[d] = y[r/4][d][r%4]
		}
	}
}

//go:noescape
func combineNEON(w *walking)

func combineLanes(w *walking) { combineNEON(w) }
