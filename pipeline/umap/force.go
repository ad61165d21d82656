package umap

import "math"

// forces holds what the pull of one embedded point on another is computed
// from: the factor by which their difference enters a gradient, as a function of
// their squared distance x. With u = a x^b, which is a power of two times a
// polynomial of the mantissa of x, it is
//
//	scale 2b u / (x (1 + u))          along an edge,
//	-2 gamma b / ((0.001 + x) (1 + u)) to a negative sample,
//
// which are the forces of umap-learn within 1e-4 of their value. Each component
// of a pull is clipped to [-4, 4]. The vector kernels know the offsets of the
// fields.
type forces struct {
	power  [32]float32 // a 2^(b e) for x of [2^e, 2^(e+1)), at the exponent's last five bits
	low    [8]float32  // power[e] is, rounded, low of the last three of these bits
	high   [8]float32  // times high of the three bits above
	curve  [4]float32  // m^b for the mantissa m of [1, 2)
	edge   float32     // scale 2b
	sample float32     // -2 gamma b
}

// The limits of x. Beyond them a force is that of the limit, which nothing shows
// in: such points lie in one spot, or pull each other by next to nothing.
const (
	minD2    = 1.0 / (1 << 18)
	maxD2    = 1<<14 - 1.0/1024 // the last float32 below 2^14
	maxGrad  = 4
	softness = 0.001 // added to x for a negative sample
)

// newForces is for the curve 1 / (1 + a d^(2b)).
func newForces(a, b, scale, gamma float64) *forces {
	f := &forces{edge: float32(scale * 2 * b), sample: float32(-2 * gamma * b)}
	for e := range f.low {
		f.low[e] = float32(min(math.Exp2(b*float64(e)), 1<<60))
	}
	const bias = 127
	lo, hi := math.Float32bits(minD2)>>23, math.Float32bits(maxD2)>>23
	for e := lo; e <= hi; e++ {
		// The limit keeps u finite for any a and b.
		f.high[e>>3&7] = float32(min(a*math.Exp2(b*(float64(e&^7)-bias)), 1<<40))
	}
	for e := lo; e <= hi; e++ {
		f.power[e&31] = float32(f.high[e>>3&7] * f.low[e&7])
	}
	f.curve = cubic(func(m float64) float64 { return math.Pow(m, b) })
	return f
}

// cubic is the polynomial that meets f at 1, 1.25, 1.75 and 2, the extrema of
// a Chebyshev polynomial: without a step where one octave ends, and nearly as
// close to f between as a cubic comes.
func cubic(f func(m float64) float64) [4]float32 {
	nodes := [4]float64{1, 1.25, 1.75, 2}
	var c [4]float64
	for i, x := range nodes {
		term := [4]float64{f(x)}
		for j, z := range nodes {
			if j == i {
				continue
			}
			for k := 3; k >= 0; k-- { // times (m - z) / (x - z)
				t := -z * term[k]
				if k > 0 {
					t += term[k-1]
				}
				term[k] = t / (x - z)
			}
		}
		for k := range c {
			c[k] += term[k]
		}
	}
	return [4]float32{float32(c[0]), float32(c[1]), float32(c[2]), float32(c[3])}
}

// limited is x within its limits.
func limited(x float32) float32 {
	if x < minD2 {
		return minD2
	}
	if x > maxD2 {
		return maxD2
	}
	return x
}

// u is a x^b for a limited x. As everywhere in what the vector kernels do too, a
// conversion keeps a compiler from fusing a product with the sum that it is in.
func (f *forces) u(x float32) float32 {
	b := math.Float32bits(x)
	m := math.Float32frombits(b&(1<<23-1) | 127<<23)
	p := float32(f.curve[3]*m) + f.curve[2]
	p = float32(p*m) + f.curve[1]
	p = float32(p*m) + f.curve[0]
	return float32(f.power[b>>23&31] * p)
}

// edgeForce is the force along an edge, for a limited x.
func (f *forces) edgeForce(x, u float32) float32 { return float32(f.edge*u) / float32(x*(1+u)) }

// sampleForce is the force to a negative sample, for a limited x.
func (f *forces) sampleForce(x, u float32) float32 {
	return f.sample / float32((x+softness)*(1+u))
}

// ofEdge and ofSample are these for any x.
func (f *forces) ofEdge(x float32) float32 {
	x = limited(x)
	return f.edgeForce(x, f.u(x))
}

func (f *forces) ofSample(x float32) float32 {
	x = limited(x)
	return f.sampleForce(x, f.u(x))
}

// far reports that no component of a difference of squared length x times c
// needs to be clipped.
func far(c, x float32) bool { return c*c*x < 0.99*maxGrad*maxGrad }

func clip(g float32) float32 { return min(max(g, -maxGrad), maxGrad) }
