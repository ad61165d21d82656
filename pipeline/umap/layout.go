package umap

import (
	"context"
	"math"
	"sync"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/rng"
)

// layout moves n points along the edges of a graph. In each epoch every point
// reads the frozen positions of the epoch before, adds up its own gradient,
// and takes an Adam step; so the result does not depend on how the points are
// shared out among threads. The scheme is the batch mode of uwot (Melville);
// the sampling is a function of (seed, epoch, point).
//
// An edge of weight w is drawn in a share w/max(w) of the epochs, evenly
// spaced. Both ends of an edge are moved by it in umap-learn, and both
// directions are stored; here a point moves for its own edges only, with twice
// the force. Each drawn edge brings a fixed number of negative samples.
type layout struct {
	n, dim, stride int
	y, next        []float32 // n x stride
	mean, square   []float32 // Adam's moments, n x stride
	start          []int64
	tails          []int32
	rates          []uint32 // share of the epochs, in 2^-32
	forces         *forces
	negatives      int
	mostPairs      int // of a point in an epoch
	seed           uint64
	threads        int
	scratch        sync.Pool // of the vector kernels
}

// Adam with more memory than uwot gives it (0.5 and 0.9), and shorter steps for
// it: docs/decisions/0002.
const (
	adamBeta1 = 0.95
	adamBeta2 = 0.99
	adamEps   = 1e-7
	adamStep  = 0.7 // at a learning rate of 1
)

// rowsPerBlock is the unit of work of an epoch.
const rowsPerBlock = 256

// stride pads short rows with zeros to one vector of eight, which does not
// straddle cache lines.
func stride(dim int) int { return max(8, dim) }

// newLayout takes the edges of graph that would be drawn at least once in the
// given number of epochs. start is n x dim.
func newLayout(graph *matrix.CSR, start []float32, dim int, p Params, a, b float64, epochs int, seed uint64) *layout {
	n := graph.Rows
	l := &layout{n: n, dim: dim, stride: stride(dim), negatives: p.NegativeSampleRate, seed: seed, threads: p.Threads,
		forces: newForces(a, b, 2, p.RepulsionStrength)}
	l.y, l.next = make([]float32, n*l.stride), make([]float32, n*l.stride)
	l.mean, l.square = make([]float32, n*l.stride), make([]float32, n*l.stride)
	for i := range n {
		copy(l.y[i*l.stride:], start[i*dim:(i+1)*dim])
	}
	var top float32
	for _, w := range graph.Data {
		top = max(top, w)
	}
	l.start = make([]int64, n+1)
	l.tails = make([]int32, 0, len(graph.Indices))
	l.rates = make([]uint32, 0, len(graph.Indices))
	for i := range n {
		cols, vals := graph.Row(i)
		for k, w := range vals {
			if float64(w)*float64(epochs) >= float64(top) {
				l.tails = append(l.tails, cols[k])
				l.rates = append(l.rates, rate(float64(w)/float64(top)))
			}
		}
		l.start[i+1] = int64(len(l.tails))
		l.mostPairs = max(l.mostPairs, int(l.start[i+1]-l.start[i])*(1+l.negatives))
	}
	return l
}

// rate is a share of 1 in units of 2^-32.
func rate(share float64) uint32 { return uint32(min(share*(1<<32), 1<<32-1)) }

// drawn reports whether an edge is drawn in an epoch: whether its rate, added
// up over the epochs, passes a whole number.
func drawn(rate, epoch uint32) bool { return rate*epoch+rate < rate }

// run takes the given number of epochs, with steps falling linearly from
// learningRate.
func (l *layout) run(ctx context.Context, epochs int, learningRate float64, progress func(done, total int)) error {
	step := l.step()
	decay1, decay2 := 1.0, 1.0
	for e := range epochs {
		if err := ctx.Err(); err != nil {
			return err
		}
		decay1 *= adamBeta1
		decay2 *= adamBeta2
		alpha := adamStep * learningRate * (1 - float64(e)/float64(epochs))
		rateNow := float32(alpha * math.Sqrt(1-decay2) / (1 - decay1))
		par.Blocks(l.threads, l.n, rowsPerBlock, func(_, lo, hi int) {
			step(l, uint32(e), lo, hi, rateNow)
		})
		l.y, l.next = l.next, l.y
		if progress != nil {
			progress(e+1, epochs)
		}
	}
	return nil
}

// adam turns the gradient that a kernel left in row i of next into the new
// position of point i.
func (l *layout) adam(i int, rate float32) {
	lo, hi := i*l.stride, i*l.stride+l.dim
	g, y := l.next[lo:hi], l.y[lo:hi]
	m, v := l.mean[lo:hi], l.square[lo:hi]
	y, m, v = y[:len(g)], m[:len(g)], v[:len(g)]
	for d, x := range g {
		m[d] = float32(adamBeta1*m[d]) + float32((1-adamBeta1)*x)
		v[d] = float32(adamBeta2*v[d]) + float32((1-adamBeta2)*float32(x*x))
		root := float32(math.Sqrt(float64(v[d])))
		g[d] = y[d] + float32(rate*m[d])/(root+adamEps)
	}
}

// step picks the version of the steps of points lo..hi. All of them do the same
// sums in the same order and differ in no bit.
func (l *layout) step() func(l *layout, epoch uint32, lo, hi int, rate float32) {
	if s := l.vectorStep(); s != nil {
		return s
	}
	return stepGo
}

func stepGo(l *layout, epoch uint32, lo, hi int, rate float32) {
	gradient := l.kernel()
	for i := lo; i < hi; i++ {
		gradient(l, epoch, i)
		l.adam(i, rate)
	}
}

// kernel picks the Go version for the number of dimensions.
func (l *layout) kernel() func(l *layout, epoch uint32, i int) {
	switch l.dim {
	case 2:
		return gradient2
	case 5:
		return gradient5
	}
	return gradientN
}

// stream starts the random numbers of a point in an epoch. The next number
// follows by one multiplication; its upper half is used.
func (l *layout) stream(epoch uint32, i int) uint64 {
	return rng.Hash2(l.seed, uint64(epoch), uint64(i)) | 1
}

const streamStep = 0xd1342543de82ef95
