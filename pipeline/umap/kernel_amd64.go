package umap

import (
	"os"
	"unsafe"

	"golang.org/x/sys/cpu"

	"github.com/bertopic-go/bertopic/internal/rng"
)

// steps is what the vector kernels need to move points lo..hi; kernel_amd64.s
// knows the offsets of the fields.
type steps struct {
	y, next, mean, square *float32 // rows of 8, from the first point on
	start                 *int64   // of point lo
	rates                 *uint32
	tails                 *int32
	forces                *forces
	states                *uint64 // streams of lo..hi
	pairs                 *uint32 // room for the pairs of some points
	lo, hi                int64
	count                 uint64 // of all points
	negatives             int64
	epoch                 uint32
	rate                  float32
	limit                 *uint32 // the last of pairs from which on a point has room
}

//go:noescape
func step5AVX2(s *steps)

//go:noescape
func step8AVX2(s *steps)

//go:noescape
func step5AVX512(s *steps)

//go:noescape
func step8AVX512(s *steps)

// The choice is made once, by what the processor has; BERTOPIC_SIMD=off keeps
// the Go version and BERTOPIC_SIMD=avx2 the narrower vectors. No choice changes
// a result.
var (
	useVectors = cpu.X86.HasAVX2 && os.Getenv("BERTOPIC_SIMD") != "off"
	useAVX512  = useVectors && cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && os.Getenv("BERTOPIC_SIMD") != "avx2"
)

// scratch is what one kernel at work needs.
type scratch struct {
	states [rowsPerBlock]uint64
	pairs  []uint32 // aligned to 64 bytes
}

// groupPairs is the number of pairs for which a kernel has room, unless a point
// has more.
const groupPairs = 1024

func (l *layout) newScratch() *scratch {
	// Each point's pairs are followed by up to four vectors of filling.
	size := max(groupPairs, l.mostPairs) + 5*sumLanes
	const line = 64 / 4
	s := make([]uint32, size+line)
	at := int(uintptr(unsafe.Pointer(&s[0])) / 4 % line)
	return &scratch{pairs: s[(line-at)%line:][:size]}
}

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
			lo: int64(lo), hi: int64(end), count: uint64(l.n), negatives: int64(l.negatives), epoch: epoch, rate: rate,
			limit: &w.pairs[len(w.pairs)-l.mostPairs-4*sumLanes],
		}
		switch {
		case useAVX512 && l.dim > 5:
			step8AVX512(&s)
		case useAVX512:
			step5AVX512(&s)
		case l.dim > 5:
			step8AVX2(&s)
		default:
			step5AVX2(&s)
		}
	}
}

// moveLanes rows are moved side by side by move5AVX512.
const moveLanes = 16

// moving is what move5AVX512 needs; kernel_amd64.s knows the offsets of the fields.
type moving struct {
	points *float32 // rows of 8
	forces *forces  // with a positive sample
	ids    *uint32  // steps x 16, four times the number of the point
	alphas *float32 // steps x 16, negative for a negative sample, 0 for no move
	y      *float32 // 5 x 16
	steps  int64
}

//go:noescape
func move5AVX512(m *moving)

// vectorLanes is the number of rows that moveVector moves at a time, 0 for none.
func (t *Transformer) vectorLanes() int {
	if !useAVX512 || t.stride != 8 || t.m.Params.NComponents > 5 || len(t.m.Points) > 1<<29 {
		return 0
	}
	return moveLanes
}

// moveVector is move for up to moveLanes rows.
func (t *Transformer) moveVector(rows [][]float32, ids []uint32, alphas []float32, steps int) {
	if steps == 0 {
		return
	}
	var y [5 * moveLanes]float32
	for r, row := range rows {
		for d, v := range row {
			y[d*moveLanes+r] = v
		}
	}
	f := *t.forces
	f.sample = -f.sample
	move5AVX512(&moving{points: &t.points[0], forces: &f, ids: &ids[:steps*moveLanes][0], alphas: &alphas[:steps*moveLanes][0], y: &y[0], steps: int64(steps)})
	for r, row := range rows {
		for d := range row {
			row[d] = y[d*moveLanes+r]
		}
	}
}

//go:noescape
func combineAVX2(w *walking)

func combineLanes(w *walking) { combineAVX2(w) }
