package picture

import (
	"os"

	"golang.org/x/sys/cpu"
)

//go:noescape
func acrossAVX2(dst *uint8, columns int, src *uint8, width int, first, weights *int32, size int)

//go:noescape
func downAVX2(dst, src *uint8, stride int, weights *int32, taps, vectors int)

//go:noescape
func inverseAVX2(dst *uint8, stride int, b *[64]int16, quant *[64]int32, constants *[14][8]int32)

//go:noescape
func blendAVX2(sum *uint16, near, far *uint8, vectors int)

//go:noescape
func doubleAVX2(dst *uint8, sum *uint16, even, odd, shift uint64, vectors int)

//go:noescape
func toRGBAVX2(toR, toG, toB, luma, cb, cr *uint8, vectors int)

// BERTOPIC_SIMD=off keeps the versions in Go, which changes no result.
func init() {
	if os.Getenv("BERTOPIC_SIMD") == "off" || !cpu.X86.HasAVX2 {
		return
	}
	resizeAcross, resizeDown, inverseBlock = resizeAcross4, resizeDown32, inverseBlock8
	blend, double, toRGB = blend16, double16, toRGB16
}

// resizeAcross4 is resizeAcrossGo for four rows at a time.
func resizeAcross4(dst, src []uint8, width int, t *taps) {
	columns := len(t.first)
	if t.size%lanes == 0 && columns > 0 {
		for len(src) >= 4*width {
			_ = dst[4*columns-1]
			acrossAVX2(&dst[0], columns, &src[0], width, &t.first[0], &t.weights[0], t.size)
			dst, src = dst[4*columns:], src[4*width:]
		}
	}
	resizeAcrossGo(dst, src, width, t)
}

// resizeDown32 is resizeDownGo for 32 columns at a time.
func resizeDown32(dst, src []uint8, stride int, weights []int32) {
	for len(weights) > 1 && weights[0] == 0 {
		weights, src = weights[1:], src[stride:]
	}
	for len(weights) > 1 && weights[len(weights)-1] == 0 {
		weights = weights[:len(weights)-1]
	}
	n := len(dst) / 32
	if n > 0 {
		_ = src[(len(weights)-1)*stride+32*n-1]
		downAVX2(&dst[0], &src[0], stride, &weights[0], len(weights), n)
	}
	if n *= 32; n < len(dst) {
		resizeDownGo(dst[n:], src[n:], stride, weights)
	}
}

// inverseConstants are those of the inverse transform, and the halves that round
// what it drops.
var inverseConstants = func() (out [14][8]int32) {
	for i, v := range []int32{c0541, -c1847, c0765, c1175, c0298, c2053, c3072, c1501, -c0899, -c2562, -c1961, -c0390, 1 << 10, 1 << 17} {
		for j := range out[i] {
			out[i][j] = v
		}
	}
	return out
}()

// inverseBlock8 is inverseBlockGo for eight columns, and then rows, at a time.
func inverseBlock8(dst []uint8, stride int, b *[64]int16, quant *[64]int32) {
	_ = dst[7*stride+7]
	inverseAVX2(&dst[0], stride, b, quant, &inverseConstants)
}

// blend16 is blendGo for 16 samples at a time.
func blend16(sum []uint16, near, far []uint8) {
	n := len(near) / 16
	if n > 0 {
		_, _ = sum[16*n-1], far[16*n-1]
		blendAVX2(&sum[0], &near[0], &far[0], n)
	}
	n *= 16
	blendGo(sum[n:], near[n:], far[n:])
}

// double16 is doubleGo for 16 sums at a time.
func double16(dst []uint8, sum []uint16, even, odd, shift uint16) {
	n := len(dst) / 32
	if n > 0 {
		_ = sum[16*n+1]
		doubleAVX2(&dst[0], &sum[0], uint64(even), uint64(odd), uint64(shift), n)
	}
	doubleGo(dst[32*n:], sum[16*n:], even, odd, shift)
}

// toRGB16 is toRGBGo for 16 pixels at a time.
func toRGB16(r, g, b, luma, cb, cr []uint8) {
	n := len(luma) / 16
	if n > 0 {
		_, _, _, _, _ = r[16*n-1], g[16*n-1], b[16*n-1], cb[16*n-1], cr[16*n-1]
		toRGBAVX2(&r[0], &g[0], &b[0], &luma[0], &cb[0], &cr[0], n)
	}
	n *= 16
	toRGBGo(r[n:], g[n:], b[n:], luma[n:], cb[n:], cr[n:])
}
