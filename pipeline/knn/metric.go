package knn

import "math"

// snap is the cosine distance below which two unit rows count as equal: the
// rounding of a float32 dot product of a row with its own copy stays below it
// for some hundred columns.
func snap(d int) float32 {
	return float32(4e-7 * max(1, math.Sqrt(float64(d)/384)))
}

// measure turns scores into distances, but for Euclidean. A score is the dot
// product of two rows of length 1, for Hellinger of the roots of their values.
type measure struct {
	metric Metric
	snap   float32
}

// distance returns the distance that belongs to score s, and false where rows
// with this score are no neighbours.
func (m measure) distance(s float64) (float32, bool) {
	d := float32(max(0, 1-s))
	if d < m.snap {
		d = 0
	}
	if m.metric == Hellinger {
		return float32(math.Sqrt(float64(d))), d < 1
	}
	return min(d, 2), true
}

// bar returns a score below which no row can be at distance d or less. It lies
// a little too low, never too high.
func (m measure) bar(d float32) float32 {
	if d == inf32 {
		return -inf32
	}
	e := float64(d)
	if m.metric == Hellinger {
		e *= e
	}
	return float32(1 - max(e, float64(m.snap)) - 4e-7)
}

// unit writes the row that Cosine or Hellinger takes a dot product of, and
// reports whether x is zero: x/|x|, or sqrt(x/|x|_1), whose Euclidean length
// is 1. Sums run in float64 in ascending order.
func (m Metric) unit(dst, x []float32) (zero bool) {
	var sum float64
	if m == Hellinger {
		for _, v := range x {
			sum += float64(v)
		}
		if sum == 0 {
			clear(dst)
			return true
		}
		for j, v := range x {
			dst[j] = float32(math.Sqrt(float64(v) / sum))
		}
		return false
	}
	for _, v := range x {
		sum += float64(float64(v) * float64(v))
	}
	if sum == 0 {
		clear(dst)
		return true
	}
	scale := 1 / math.Sqrt(sum)
	for j, v := range x {
		dst[j] = float32(float64(v) * scale)
	}
	return false
}

func sqrt32(x float64) float32 { return float32(math.Sqrt(x)) }
