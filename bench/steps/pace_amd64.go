package main

import "golang.org/x/sys/cpu"

// One spin of the loops is 16 fused or 12 unfused pairs of a vector, or as many of
// two pairs a lane.
var (
	fusedFlops, unfusedFlops, pairOps float64
	spinFused, spinUnfused, spinPairs = func(n int) {}, func(n int) {}, func(n int) {}
)

//go:noescape
func spinFused512(n int)

//go:noescape
func spinUnfused512(n int)

//go:noescape
func spinFused256(n int)

//go:noescape
func spinUnfused256(n int)

//go:noescape
func spinPairs512(n int)

//go:noescape
func spinPairs256(n int)

func init() {
	switch {
	case cpu.X86.HasAVX512F:
		fusedFlops, unfusedFlops = 2*16*16, 2*12*16
		spinFused, spinUnfused = spinFused512, spinUnfused512
	case cpu.X86.HasAVX2 && cpu.X86.HasFMA:
		fusedFlops, unfusedFlops = 2*12*8, 2*12*8
		spinFused, spinUnfused = spinFused256, spinUnfused256
	}
	switch {
	case cpu.X86.HasAVX512F && cpu.X86.HasAVX512VNNI:
		pairOps, spinPairs = 2*16*32, spinPairs512
	case cpu.X86.HasAVX2:
		pairOps, spinPairs = 2*12*16, spinPairs256
	}
}
