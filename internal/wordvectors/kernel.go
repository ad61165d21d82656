package wordvectors

import "math"

// addScaled adds weight times the little-endian float32 values of raw to sum; raw
// has four bytes a value. A product is rounded before it is added, so that the
// bits are the same on every processor.
func addScaled(sum []float64, raw []byte, weight float64) {
	raw = raw[:4*len(sum)]
	if useAVX && len(sum) >= 8 {
		n := len(sum) &^ 7
		addScaledAVX(&sum[0], &raw[0], n, weight)
		sum, raw = sum[n:], raw[4*n:]
	}
	addScaledGo(sum, raw, weight)
}

func addScaledGo(sum []float64, raw []byte, weight float64) {
	raw = raw[:4*len(sum)]
	for j := range sum {
		sum[j] += float64(weight * float64(math.Float32frombits(le.Uint32(raw[4*j:4*j+4]))))
	}
}
