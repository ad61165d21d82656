package knn

import "math"

// The dense search reads every dot product from tiles of mr x nr values that
// one micro-kernel fills; a block of rows is blockRows long, which both mr and
// nr divide.
const (
	mr        = 12
	nr        = 32
	blockRows = 96
)

// tile holds the scores of blockRows x blockRows pairs, row-major.
type tile [blockRows * blockRows]float32

// hits marks the entries of a tile that reach a bar: bit c%32 of word
// r*blockRows/32 + c/32 stands for entry (r, c).
type hits [blockRows * blockRows / 32]uint32

// The kernels in use. Each implementation yields the same bits: an output is
// one chain of multiply, round, add, round over ascending k, so neither vector
// width nor thread count nor neighbours in the tile can change it.
var (
	dotTile func(dst *float32, a, b *float32, k int)                     = dotTileGo
	scan    func(t *tile, rowBar, colBar *[blockRows]float32, out *hits) = scanGo
)

// dotBlock fills t with the dot products of two blocks. k is at
// least 1; a holds blockRows/mr panels of k x mr values, b blockRows/nr panels
// of k x nr.
func dotBlock(t *tile, a, b []float32, k int) {
	a, b = a[:blockRows*k], b[:blockRows*k]
	for j := 0; j < blockRows; j += nr {
		for i := 0; i < blockRows; i += mr {
			dotTile(&t[i*blockRows+j], &a[i*k], &b[j*k], k)
		}
	}
}

// scanGo sets a bit of out for each entry (r, c) of t that is at least
// min(rowBar[r], colBar[c]). It is the twin of the vector versions.
func scanGo(t *tile, rowBar, colBar *[blockRows]float32, out *hits) {
	for r := range blockRows {
		row := t[r*blockRows : (r+1)*blockRows]
		bar := rowBar[r]
		for w := range blockRows / 32 {
			vals, cols := row[w*32:w*32+32], colBar[w*32:w*32+32]
			var bits uint32
			for c, v := range vals {
				if v >= bar || v >= cols[c] {
					bits |= 1 << c
				}
			}
			out[r*(blockRows/32)+w] = bits
		}
	}
}

// inf32 is the distance of a missing neighbour.
var inf32 = float32(math.Inf(1))
