package wordvectors

import (
	"os"

	"golang.org/x/sys/cpu"
)

// The choice is made once, by what the processor has; BERTOPIC_SIMD=off keeps
// the Go version. It does not change a result.
var useAVX = cpu.X86.HasAVX && os.Getenv("BERTOPIC_SIMD") != "off"

// addScaledAVX is addScaled for n values, a multiple of 8.
//
//go:noescape
func addScaledAVX(sum *float64, raw *byte, n int, weight float64)
