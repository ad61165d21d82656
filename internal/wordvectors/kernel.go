package wordvectors

import "math"

// addRows adds, row by row, weight times the little-endian float32 values that
// begin at an offset of vectors to sum, where each row has as many values as sum. A
// product is rounded before it is added, so that the bits are the same on every
// processor. offsets are within vectors and followed by rowsAhead zeros, which
// their slice need not show.
func addRows(sum []float64, vectors []byte, offsets []int64, weights []float64) {
	if useAVX && len(offsets) > 0 && len(sum) > 0 {
		addRowsAVX(&sum[0], len(sum), &vectors[0], &offsets[0], &weights[0], len(offsets), &columnMasks[len(sum)%8])
		return
	}
	addRowsGo(sum, vectors, offsets, weights)
}

func addRowsGo(sum []float64, vectors []byte, offsets []int64, weights []float64) {
	for k, at := range offsets {
		raw, weight := vectors[at:at+4*int64(len(sum))], weights[k]
		for j := range sum {
			sum[j] += float64(weight * float64(math.Float32frombits(le.Uint32(raw[4*j:4*j+4]))))
		}
	}
}

// rowsAhead is how many rows ahead the vector version asks for.
const rowsAhead = 8

// columnMask has its first columns set: those that are left of eight.
type columnMask struct {
	single [8]int32
	double [8]int64
}

var columnMasks = func() (m [8]columnMask) {
	for n := range m {
		for j := range n {
			m[n].single[j], m[n].double[j] = -1, -1
		}
	}
	return m
}()
