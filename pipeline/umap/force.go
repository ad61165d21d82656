package umap

import "math"

// A force is the factor by which the difference of two embedded points enters
// a gradient, as a function of their squared distance d2. It is tabulated in
// segments of a 64th of an octave, linear in d2 within each, which is within
// 3e-4 of the exact value and needs no power and no division.
//
// The gradient of a pair is clipped to [-4, 4] in each component. Where the
// force times the distance is below 4 there is nothing to clip; the segments
// of that range, from bits first<<segShift of d2 on, are those of safe.
type force struct {
	first uint32
	safe  []segment
	all   []segment // from minD2 to maxD2
}

type segment struct{ c0, c1 float32 } // the force is c0 + c1 d2

const (
	segShift = 23 - 6
	minD2    = 1.0 / (1 << 24)
	maxD2    = 1 << 20
	maxGrad  = 4
)

// attraction is -2ab d^(2(b-1)) / (1 + a d^(2b)), scaled.
func attraction(a, b, scale float64) *force {
	return newForce(func(d2 float64) float64 {
		return -scale * 2 * a * b * math.Pow(d2, b-1) / (1 + a*math.Pow(d2, b))
	})
}

// repulsion is 2 gamma b / ((0.001 + d^2)(1 + a d^(2b))).
func repulsion(a, b, gamma float64) *force {
	return newForce(func(d2 float64) float64 {
		return 2 * gamma * b / ((0.001 + d2) * (1 + a*math.Pow(d2, b)))
	})
}

func newForce(f func(d2 float64) float64) *force {
	lo, hi := math.Float32bits(minD2)>>segShift, math.Float32bits(maxD2)>>segShift
	t := &force{all: make([]segment, hi-lo)}
	edge := func(s uint32) float64 { return float64(math.Float32frombits(s << segShift)) }
	first := lo
	for s := lo; s < hi; s++ {
		x, y := edge(s), edge(s+1)
		fx, fy := f(x), f(y)
		c1 := (fy - fx) / (y - x)
		t.all[s-lo] = segment{float32(fx - c1*x), float32(c1)}
		if max(math.Abs(fx), math.Abs(fy))*math.Sqrt(y) > 0.99*maxGrad { // with room for rounding
			first = s + 1
		}
	}
	t.first, t.safe = first, t.all[first-lo:]
	return t
}

// slow is the force for any d2. At d2 of 0 its value does not matter, as it is
// multiplied by a difference of 0.
func (t *force) slow(d2 float32) float32 {
	d2 = min(max(d2, minD2), maxD2*(1-1.0/(1<<24)))
	s := t.all[math.Float32bits(d2)>>segShift-math.Float32bits(minD2)>>segShift]
	return s.c0 + float32(s.c1*d2)
}

func clip(g float32) float32 { return min(max(g, -maxGrad), maxGrad) }
