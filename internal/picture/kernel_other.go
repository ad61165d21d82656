//go:build !amd64

package picture

func resizeAcross(dst, src []uint8, width int, t *taps) { resizeAcrossGo(dst, src, width, t) }
func resizeDown(dst, src []uint8, stride int, weights []int32) {
	resizeDownGo(dst, src, stride, weights)
}

func inverseBlock(dst []uint8, stride int, b *[64]int16, quant *[64]int32) {
	inverseBlockGo(dst, stride, b, quant)
}
func blend(sum []uint16, near, far []uint8)                     { blendGo(sum, near, far) }
func double(dst []uint8, sum []uint16, even, odd, shift uint16) { doubleGo(dst, sum, even, odd, shift) }
func toRGB(r, g, b, luma, cb, cr []uint8)                       { toRGBGo(r, g, b, luma, cb, cr) }
