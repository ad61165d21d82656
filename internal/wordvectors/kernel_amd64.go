package wordvectors

import (
	"os"

	"golang.org/x/sys/cpu"
)

// The choice is made once, by what the processor has; BERTOPIC_SIMD=off keeps
// the Go version. It does not change a result.
var useAVX = cpu.X86.HasAVX && os.Getenv("BERTOPIC_SIMD") != "off"

// addRowsAVX is addRows for a sum of n values and one row or more.
//
//go:noescape
func addRowsAVX(sum *float64, n int, vectors *byte, offsets *int64, weights *float64, rows int, tail *columnMask)
