package knn

import (
	"os"
	"unsafe"

	"golang.org/x/sys/cpu"
)

//go:noescape
func dotTileAVX512(dst *float32, a, b *float32, k int)

//go:noescape
func dotHalfAVX2(dst *float32, a, b *float32, k int)

//go:noescape
func scanAVX2(t *tile, rowBar, colBar *[blockRows]float32, out *hits)

// dotTileAVX2 is dotTileGo in four 6 x 16 quarters, as many sums as sixteen
// registers hold.
func dotTileAVX2(dst *float32, a, b *float32, k int) {
	for i := 0; i < mr; i += 6 {
		for j := 0; j < nr; j += 16 {
			dotHalfAVX2(at(dst, i*blockRows+j), at(a, i), at(b, j), k)
		}
	}
}

// at returns the address of the i-th float32 after p.
func at(p *float32, i int) *float32 {
	return (*float32)(unsafe.Add(unsafe.Pointer(p), uintptr(i)*unsafe.Sizeof(*p)))
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
	if cpu.X86.HasAVX512F && mode != "avx2" {
		dotTile = dotTileAVX512
	}
}
