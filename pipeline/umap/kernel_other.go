//go:build !amd64

package umap

// vectorStep is nil: there is no vector version for this machine.
func (l *layout) vectorStep() func(l *layout, epoch uint32, lo, hi int, rate float32) { return nil }
