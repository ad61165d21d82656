//go:build !amd64

package wordvectors

const useAVX = false

func addScaledAVX(*float64, *byte, int, float64) { panic("wordvectors: no vector kernel here") }
