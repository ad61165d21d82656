package picture

import (
	"fmt"
	"math"
	"slices"
)

// Filter is a way of resizing, by Pillow's number for it.
type Filter int

// Pillow's filters.
const (
	Nearest  Filter = 0
	Lanczos  Filter = 1
	Bilinear Filter = 2
	Bicubic  Filter = 3
	Box      Filter = 4
	Hamming  Filter = 5
)

// kernel is a filter: its half width and its value at a distance, in pixels of
// the smaller picture. The conversions to float64 here forbid fusing a
// multiplication with an addition, which would change bits on machines that can.
type kernel struct {
	support float64
	at      func(x float64) float64
}

var kernels = map[Filter]kernel{
	Lanczos: {3, func(x float64) float64 {
		if x < -3 || x >= 3 {
			return 0
		}
		return sinc(x) * sinc(x/3)
	}},
	Bilinear: {1, func(x float64) float64 { return max(0, 1-math.Abs(x)) }},
	Bicubic: {2, func(x float64) float64 { // Keys' cubic with a = -1/2, also called Catmull-Rom
		const a = -0.5
		x = math.Abs(x)
		switch {
		case x < 1:
			return float64((float64((a+2)*x)-(a+3))*x*x) + 1
		case x < 2:
			return (float64((float64((x-5)*x)+8)*x) - 4) * a
		}
		return 0
	}},
	Box: {0.5, func(x float64) float64 {
		if x > -0.5 && x <= 0.5 {
			return 1
		}
		return 0
	}},
	Hamming: {1, func(x float64) float64 {
		x = math.Abs(x)
		switch {
		case x == 0:
			return 1
		case x >= 1:
			return 0
		}
		return sinc(x) * (0.54 + float64(0.46*math.Cos(math.Pi*x)))
	}},
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	x *= math.Pi
	return math.Sin(x) / x
}

// fraction is the number of binary digits behind the point in a weight.
const fraction = 22

// lanes is how many weights go through the processor at a time: the weights of
// an output pixel are filled up with zeros to a multiple.
const lanes = 8

// taps are the weights of a resizing in one direction: output pixel i is the sum
// of weights[i*size:(i+1)*size] over the input pixels from first[i] on.
type taps struct {
	in, out, low, high int // which it is
	filter             Filter
	mirrored           bool // the input lies the other way round

	size    int
	first   []int32
	weights []int32 // of fraction digits
	scratch []float64
}

// plan makes the weights of the output pixels low to high-1 for a resizing of in
// to out pixels. They are Pillow's, to the last bit. Mirrored ones take the input
// from its end.
func (t *taps) plan(in, out, low, high int, filter Filter, mirrored bool) {
	if t.in == in && t.out == out && t.low == low && t.high == high && t.filter == filter && t.mirrored == mirrored && t.first != nil {
		return
	}
	t.in, t.out, t.low, t.high, t.filter, t.mirrored = in, out, low, high, filter, mirrored
	if filter == Nearest {
		t.planNearest(high - low)
	} else {
		t.planKernel(high - low)
	}
	if mirrored {
		for i := range t.first {
			t.first[i] = int32(in-t.size) - t.first[i]
			slices.Reverse(t.weights[i*t.size : (i+1)*t.size])
		}
	}
}

func (t *taps) planKernel(n int) {
	k, in, out, low := kernels[t.filter], t.in, t.out, t.low
	scale := float64(in) / float64(out)
	wide := max(scale, 1)
	support := float64(k.support * wide)
	most := min(int(math.Ceil(support))*2+1, in)
	t.size = (most + lanes - 1) / lanes * lanes
	if t.size > in { // too small a picture for whole vectors
		t.size = most
	}
	t.first = slices.Grow(t.first[:0], n)[:n]
	t.weights = slices.Grow(t.weights[:0], n*t.size)[:n*t.size]
	clear(t.weights)
	for i := range n {
		center := float64((float64(low+i) + 0.5) * scale)
		from := max(int(center-support+0.5), 0)
		to := min(int(center+support+0.5), in)
		t.scratch = t.scratch[:0]
		var sum float64
		for x := from; x < to; x++ {
			w := k.at((float64(x) - center + 0.5) * (1 / wide))
			t.scratch = append(t.scratch, w)
			sum += w
		}
		start := min(from, in-t.size) // zeros may stand on either side
		t.first[i] = int32(start)
		row := t.weights[i*t.size+from-start:]
		for j, w := range t.scratch {
			if sum != 0 {
				w /= sum
			}
			row[j] = int32(math.Copysign(0.5, w) + w*(1<<fraction))
		}
	}
}

// planNearest takes the pixel in which the middle of the output pixel lies.
func (t *taps) planNearest(n int) {
	t.size = 1
	t.first = slices.Grow(t.first[:0], n)[:n]
	t.weights = slices.Grow(t.weights[:0], n)[:n]
	scale := float64(t.in) / float64(t.out)
	x := scale / 2
	for i := range t.high { // summed up, as Pillow does it
		if i >= t.low {
			t.first[i-t.low] = int32(min(int(x), t.in-1))
			t.weights[i-t.low] = 1 << fraction
		}
		x += scale
	}
}

// inputs are the input pixels that count: from, and to the one before to.
func (t *taps) inputs() (from, to int) {
	first, last := int(t.first[0]), int(t.first[len(t.first)-1])
	return min(first, last), max(first, last) + t.size
}

// same tells whether pixels stay what and where they are.
func (t *taps) same() bool { return t.in == t.out && !t.mirrored }

func filterByNumber(n int) (Filter, error) {
	f := Filter(n)
	if _, ok := kernels[f]; !ok && f != Nearest {
		return 0, fmt.Errorf("resample is %d, which is not a filter of Pillow: 0 nearest, 1 lanczos, 2 bilinear, 3 bicubic, 4 box, 5 hamming", n)
	}
	return f, nil
}
