package knn

import (
	"os"
	"unsafe"

	"golang.org/x/sys/cpu"
)

//go:noescape
func dotTileAVX512(dst, a, b *int32, steps int)

//go:noescape
func dotHalfAVX2(dst, a, b *int32, steps int)

//go:noescape
func scanAVX2(t *tile, rowFloor, colFloor *[blockRows]int32, out *hits)

//go:noescape
func sumProductsAVX2(sum *[lanes]float64, x, y *float32, rounds int)

//go:noescape
func sumSquaresAVX2(sum *[lanes]float64, x, y *float32, rounds int)

//go:noescape
func threeProductsFMA(sums *[3]float64, x, y *float64, width int)

// dotTileAVX2 is dotTileGo in four 6 x 16 quarters, as many sums as sixteen
// registers hold.
func dotTileAVX2(dst, a, b *int32, steps int) {
	for i := 0; i < mr; i += 6 {
		for j := 0; j < nr; j += 16 {
			dotHalfAVX2(at(dst, i*blockRows+j), at(a, i), at(b, j), steps)
		}
	}
}

// at returns the address of the i-th int32 after p.
func at(p *int32, i int) *int32 {
	return (*int32)(unsafe.Add(unsafe.Pointer(p), uintptr(i)*unsafe.Sizeof(*p)))
}

// The choice is made once, by what the processor has; BERTOPIC_SIMD=off keeps
// the Go versions and BERTOPIC_SIMD=avx2 the narrower vectors. No choice
// changes a result.
func init() {
	mode := os.Getenv("BERTOPIC_SIMD")
	if mode == "off" || !cpu.X86.HasAVX2 {
		return
	}
	dotTile, scan = dotTileAVX2, scanAVX2
	sumProducts, sumSquares = sumProductsAVX2, sumSquaresAVX2
	if cpu.X86.HasFMA {
		threeProducts = threeProductsFMA
	}
	if hasVNNI && mode != "avx2" {
		dotTile = dotTileAVX512
	}
}

// hasVNNI says whether the 512-bit products of 16-bit integers are there.
var hasVNNI = cpu.X86.HasAVX512F && cpu.X86.HasAVX512VNNI
