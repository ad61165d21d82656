package represent

import "math"

// unit returns v as float64 with unit length; zeros stay zeros.
func unit[T float32 | float64](v []T) []float64 {
	out := make([]float64, len(v))
	norm := 0.0
	for i, x := range v {
		out[i] = float64(x)
		norm += out[i] * out[i]
	}
	if norm = math.Sqrt(norm); norm > 0 {
		for i := range out {
			out[i] /= norm
		}
	}
	return out
}

// dot returns the inner product of two vectors of one length.
func dot(a, b []float64) float64 {
	sum := 0.0
	for i, x := range a {
		sum += float64(x * b[i])
	}
	return sum
}
