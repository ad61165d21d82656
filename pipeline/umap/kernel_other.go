//go:build !amd64 && !arm64

package umap

// vectorStep is nil: there is no vector version for this machine.
func (l *layout) vectorStep() func(l *layout, epoch uint32, lo, hi int, rate float32) { return nil }

// vectorLanes is 0, for the same reason.
func (t *Transformer) vectorLanes() int { return 0 }

func (t *Transformer) moveVector(rows [][]float32, ids []uint32, alphas []float32, steps int) {}

func (w *walk) combineVector(y, x, y0 []float64, s, t float64, lo, hi int) bool { return false }
