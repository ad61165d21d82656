//go:build !amd64

package wordvectors

const useAVX = false

func addRowsAVX(*float64, int, *byte, *int64, *float64, int, *columnMask) {
	panic("wordvectors: no vector kernel here")
}
