//go:build amd64 || arm64

package umap

// vectorStep is the vector version of the kernels and of adam, or nil.
func (l *layout) vectorStep() func(l *layout, epoch uint32, lo, hi int, rate float32) {
	if !useVectors || l.stride != 8 || len(l.tails) == 0 || l.n > 1<<30 {
		return nil
	}
	return stepVector
}

// walking is what combineLanes needs for lanes columns of some rows; the assembly
// knows the offsets of the fields.
type walking struct {
	x, y, y0 *float64 // from the first row on, y0 may be nil
	indptr   *int64   // of row
	cols     *int32
	vals     *float32
	row      int64
	rows     int64
	stride   int64 // of x, y and y0, in bytes
	s, t     float64
}

// combineVector is combineRows where there are vectors for it.
func (w *walk) combineVector(y, x, y0 []float64, s, t float64, lo, hi int) bool {
	if !useVectors || len(w.scaled) == 0 {
		return false
	}
	for c := 0; c < w.width; c += lanes {
		a := walking{x: &x[c], y: &y[c], indptr: &w.graph.Indptr[lo], cols: &w.graph.Indices[0], vals: &w.scaled[0],
			row: int64(lo), rows: int64(hi - lo), stride: int64(8 * w.width), s: s, t: t}
		if y0 != nil {
			a.y0 = &y0[c]
		}
		combineLanes(&a)
	}
	return true
}
