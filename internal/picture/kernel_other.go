//go:build !amd64

package picture

func resizeAcross(dst, src []uint8, width int, t *taps) { resizeAcrossGo(dst, src, width, t) }
func resizeDown(dst, src []uint8, stride int, weights []int32) {
	resizeDownGo(dst, src, stride, weights)
}
