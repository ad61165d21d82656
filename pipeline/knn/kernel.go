package knn

import "math"

// The dense search reads every product of two rows' codes from tiles of
// mr x nr values that one micro-kernel fills; a block of rows is blockRows
// long, which both mr and nr divide.
const (
	mr        = 12
	nr        = 32
	blockRows = 96
)

// tile holds the keys of blockRows x blockRows pairs, row-major.
type tile [blockRows * blockRows]int32

// hits marks the entries of a tile that rise above a floor: bit c%32 of word
// r*blockRows/32 + c/32 stands for entry (r, c).
type hits [blockRows * blockRows / 32]uint32

// lanes is the number of partial sums of sumProducts and sumSquares: term j of
// a sum belongs to lane j mod lanes, and a lane adds its terms in ascending
// order.
const lanes = 16

// The kernels in use. Products of codes are integers, so that every
// implementation yields the same. Sums of products are float64 by lanes, so
// that every implementation yields the same bits: the product of two float32 is
// exact in float64, fused or not.
var (
	dotTile     func(dst, a, b *int32, steps int)                              = dotTileGo
	scan        func(t *tile, rowFloor, colFloor *[blockRows]int32, out *hits) = scanGo
	sumProducts func(sum *[lanes]float64, x, y *float32, rounds int)           = sumProductsGo
	sumSquares  func(sum *[lanes]float64, x, y *float32, rounds int)           = sumSquaresGo
	// threeProducts are the products of x with three rows y that follow each
	// other, all of float64 and as wide, a whole number of lanes.
	threeProducts func(sums *[3]float64, x, y *float64, width int) = threeProductsGo
)

// dotBlock fills t with the products of two blocks of codes. a holds
// blockRows/mr panels of steps x mr pairs, b blockRows/nr panels of steps x nr;
// steps is at least 1.
func dotBlock(t *tile, a, b []int32, steps int) {
	a, b = a[:blockRows*steps], b[:blockRows*steps]
	for j := 0; j < blockRows; j += nr {
		for i := 0; i < blockRows; i += mr {
			dotTile(&t[i*blockRows+j], &a[i*steps], &b[j*steps], steps)
		}
	}
}

// product is the dot product of x and y, which are equally long.
func product(x, y []float32) float64 {
	var sum [lanes]float64
	rounds := len(x) / lanes
	y = y[:len(x)]
	if rounds > 0 {
		sumProducts(&sum, &x[0], &y[0], rounds)
	}
	for j := rounds * lanes; j < len(x); j++ {
		sum[j%lanes] += float64(x[j]) * float64(y[j])
	}
	return total(&sum)
}

// squares is the squared distance of x and y, which are equally long.
func squares(x, y []float32) float64 {
	var sum [lanes]float64
	rounds := len(x) / lanes
	y = y[:len(x)]
	if rounds > 0 {
		sumSquares(&sum, &x[0], &y[0], rounds)
	}
	for j := rounds * lanes; j < len(x); j++ {
		e := float64(x[j]) - float64(y[j])
		sum[j%lanes] += float64(e * e)
	}
	return total(&sum)
}

// total adds the halves of sum until one value is left.
func total(sum *[lanes]float64) float64 {
	for h := lanes / 2; h > 0; h /= 2 {
		for l := range h {
			sum[l] += sum[l+h]
		}
	}
	return sum[0]
}

// inf32 is the distance of a missing neighbour.
var inf32 = float32(math.Inf(1))
