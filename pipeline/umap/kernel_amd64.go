package umap

import (
	"os"

	"golang.org/x/sys/cpu"
)

// pull is what gradientAVX2 needs for one point; kernel_amd64.s knows the
// offsets of the fields.
type pull struct {
	y, self, out   *float32 // rows of 8
	rates          *uint32
	tails          *int32
	edges          int64
	attract, repel *segment // their tables from minD2 on
	state, count   uint64
	negatives      int64
	epoch          uint32
}

//go:noescape
func gradientAVX2(p *pull)

//go:noescape
func gradientAVX512(p *pull)

//go:noescape
func adamAVX2(grad, y, m, v *float32, rate float32)

// The choice is made once, by what the processor has; BERTOPIC_SIMD=off keeps
// the Go version and BERTOPIC_SIMD=avx2 the narrower vectors. No choice changes
// a result.
var (
	useAVX2   = cpu.X86.HasAVX2 && os.Getenv("BERTOPIC_SIMD") != "off"
	useAVX512 = useAVX2 && cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && os.Getenv("BERTOPIC_SIMD") != "avx2"
)

// maxPairs is the number of pairs that gradientAVX512 has room for.
const maxPairs = 512

// vectorStep is the vector version of the kernels and of adam, or nil.
func (l *layout) vectorStep() func(l *layout, epoch uint32, i int, rate float32) {
	if !useAVX2 || l.stride != 8 || l.n == 0 {
		return nil
	}
	return stepAVX2
}

func stepAVX2(l *layout, epoch uint32, i int, rate float32) {
	l.gradientVector(epoch, i)
	o := i * 8
	adamAVX2(&l.next[o:][:8][0], &l.y[o:][:8][0], &l.mean[o:][:8][0], &l.square[o:][:8][0], rate)
}

func (l *layout) gradientVector(epoch uint32, i int) {
	o := i * 8
	lo, hi := l.start[i], l.start[i+1]
	if lo == hi {
		clear(l.next[o : o+8])
		return
	}
	p := pull{
		y: &l.y[0], self: &l.y[o:][:8][0], out: &l.next[o:][:8][0],
		rates: &l.rates[lo], tails: &l.tails[lo], edges: hi - lo,
		attract: &l.attract.all[0], repel: &l.repel.all[0],
		state: l.stream(epoch, i), count: uint64(l.n), negatives: int64(l.negatives), epoch: epoch,
	}
	if useAVX512 && (hi-lo)*int64(1+l.negatives) <= maxPairs {
		gradientAVX512(&p)
	} else {
		gradientAVX2(&p)
	}
}
