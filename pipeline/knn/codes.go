package knn

import (
	"math"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
)

// one is the code of 1. The product of the codes of two rows is at most about
// one*one, half of what an int32 holds.
const one = 1 << 15

// codes are rows rounded to 16-bit integers: value j of a row is about
// length/one times code j. Two codes after each other make a pair, the first in
// the lower half. Products of codes are four times as fast as products of
// float32, and say within a known error what the scores of rows are.
type codes struct {
	n, steps int       // rows, pairs a row
	pairs    []int32   // panels of steps x nr pairs, with rows of zeros up to whole blocks
	length   []float64 // of each row; under Euclidean less the mean
	off      float64   // how far a row of length 1 may be from its code, at most
	// Euclidean: the length of each row and half its square, in units of the
	// index, up to whole blocks.
	scale, half []float32
}

// encode writes the codes of n rows, in the room of c if there is enough.
func (ix *denseIndex) encode(c *codes, n, columns int, row func(i int) []float32) {
	c.n, c.steps, c.off = n, max(1, (columns+1)/2), 0
	blocks := (n + blockRows - 1) / blockRows
	c.pairs = roomFor(c.pairs, blocks*blockRows*c.steps)
	c.length = roomFor(c.length, n)
	offs := make([]float64, blocks)
	par.Blocks(ix.threads, n, blockRows, func(b, lo, hi int) {
		values := make([]float64, c.steps*2)
		for i := lo; i < hi; i++ {
			x := row(i)
			c.length[i] = ix.prepare(values, x)
			to := c.pairs[i/nr*nr*c.steps+i%nr:]
			offs[b] = max(offs[b], round(to, values, c.length[i]))
			if c.length[i] == 0 && ix.zeros {
				// The column after the last marks rows of zeros, which are at
				// distance 0 from each other and at 1 from all others.
				to[len(x)/2*nr] = (one - 1) << (16 * (len(x) % 2))
				offs[b] = max(offs[b], 1./one)
			}
		}
	})
	for _, o := range offs {
		c.off = max(c.off, o)
	}
}

// prepare writes the values of x, under Euclidean less the mean, and returns
// their length.
func (ix *denseIndex) prepare(values []float64, x []float32) float64 {
	if ix.metric != Euclidean {
		for j, v := range x {
			values[j] = float64(v)
		}
		return math.Sqrt(product(x, x))
	}
	var sum float64
	for j, v := range x {
		d := float64(v) - ix.mean[j]
		values[j] = d
		sum += float64(d * d)
	}
	return math.Sqrt(sum)
}

// round writes the codes of a row, pairs nr apart, and returns how far the row
// is from them, if its length were 1.
func round(to []int32, values []float64, length float64) float64 {
	if length == 0 {
		return 0
	}
	const magic = 3 << 51 // float64 from 2^52 to 2^53 are whole numbers
	scale := one / length
	var off float64
	for p := 0; p < len(values); p += 2 {
		f, g := values[p]*scale, values[p+1]*scale
		a, b := min(int32((f+magic)-magic), one-1), min(int32((g+magic)-magic), one-1)
		to[p/2*nr] = a&0xffff | b<<16
		f -= float64(a)
		g -= float64(b)
		off += float64(f*f) + float64(g*g)
	}
	return math.Sqrt(off) / one
}

// inUnits fills c.scale and c.half for Euclidean.
func (c *codes) inUnits(unit float64) {
	padded := (c.n + blockRows - 1) / blockRows * blockRows
	c.scale, c.half = roomFor(c.scale, padded), roomFor(c.half, padded)
	for i, l := range c.length {
		l /= unit
		c.scale[i], c.half[i] = float32(l), float32(l*l/2)
	}
}

// block returns the codes of a block of rows.
func (c *codes) block(i int) []int32 { return c.blockOf(c.pairs, i) }

func (c *codes) blockOf(pairs []int32, i int) []int32 {
	size := blockRows * c.steps
	return pairs[i*size : (i+1)*size]
}

// repack copies a block of rows from panels of nr to panels of mr.
func repack(dst, src []int32, steps int) {
	for i := range blockRows {
		from, to := src[i/nr*nr*steps+i%nr:], dst[i/mr*mr*steps+i%mr:]
		for j := range steps {
			to[j*mr] = from[j*nr]
		}
	}
}

// roomFor returns n zeros, in s if it has room for them.
func roomFor[T int32 | float32 | float64](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// columnMeans sums fixed blocks of rows and joins them in order.
func columnMeans(x matrix.Rows, threads int) []float64 {
	const grain = 1024
	n, d := x.Dims()
	parts := make([][]float64, (n+grain-1)/grain)
	par.Blocks(threads, n, grain, func(b, lo, hi int) {
		s := make([]float64, d)
		for i := lo; i < hi; i++ {
			for j, v := range x.Row(i) {
				s[j] += float64(v)
			}
		}
		parts[b] = s
	})
	mean := make([]float64, d)
	for _, s := range parts {
		for j, v := range s {
			mean[j] += v
		}
	}
	for j := range mean {
		mean[j] /= float64(max(1, n))
	}
	return mean
}
