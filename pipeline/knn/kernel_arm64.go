package knn

import (
	"os"
	"unsafe"
)

//go:noescape
func dotHalfNEON(dst, a, b *int32, steps int)

//go:noescape
func scanNEON(t *tile, rowFloor, colFloor *[blockRows]int32, out *hits)

//go:noescape
func sumProductsNEON(sum *[lanes]float64, x, y *float32, rounds int)

//go:noescape
func sumSquaresNEON(sum *[lanes]float64, x, y *float32, rounds int)

//go:noescape
func threeProductsNEON(sums *[3]float64, x, y *float64, width int)

// dotTileNEON is dotTileGo in four 6 x 16 quarters, as many sums as the
// registers hold.
func dotTileNEON(dst, a, b *int32, steps int) {
	for i := 0; i < mr; i += 6 {
		for j := 0; j < nr; j += 16 {
			dotHalfNEON(at(dst, i*blockRows+j), at(a, i), at(b, j), steps)
		}
	}
}

// at returns the address of the i-th int32 after p.
func at(p *int32, i int) *int32 {
	return (*int32)(unsafe.Add(unsafe.Pointer(p), uintptr(i)*unsafe.Sizeof(*p)))
}

// Every processor of this kind has NEON; BERTOPIC_SIMD=off keeps the Go
// versions. No choice changes a result.
func init() {
	if os.Getenv("BERTOPIC_SIMD") == "off" {
		return
	}
	dotTile, scan = dotTileNEON, scanNEON
	sumProducts, sumSquares, threeProducts = sumProductsNEON, sumSquaresNEON, threeProductsNEON
}
