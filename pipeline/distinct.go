package pipeline

import (
	"math"
	"math/bits"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
)

// hashes returns a hash of the content of each of rows: equal rows have equal
// ones, and others hardly ever.
func hashes(m Matrix, rows []int, threads int) []uint64 {
	out := make([]uint64, len(rows))
	par.Blocks(threads, len(rows), 256, func(_, lo, hi int) {
		for k := lo; k < hi; k++ {
			switch m := m.(type) {
			case matrix.Rows:
				out[k] = hashDense(m.Row(rows[k]))
			case *matrix.CSR:
				out[k] = hashSparse(m.Row(rows[k]))
			}
		}
	})
	return out
}

// Odd numbers without a pattern: of the first primes' square roots.
const seedA, seedB = 0x6a09e667f3bcc909, 0xbb67ae8584caa73b

// mix brings two words together: the halves of their product.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^seedA, b^seedB)
	return hi ^ lo
}

func hashDense(row []float32) uint64 {
	h := uint64(len(row))
	for ; len(row) >= 4; row = row[4:] {
		h = mix(h^pair(row[0], row[1]), pair(row[2], row[3]))
	}
	for _, v := range row {
		h = mix(h, pair(v, 0))
	}
	return h
}

func hashSparse(cols []int32, values []float32) uint64 {
	h := uint64(0)
	for k, v := range values {
		if v != 0 {
			h = mix(h^uint64(cols[k]), pair(v, 0))
		}
	}
	return h
}

// pair holds the bits of two values; the two zeros count as one, since 0 added
// to -0 is 0.
func pair(v, w float32) uint64 {
	return uint64(math.Float32bits(v+0)) | uint64(math.Float32bits(w+0))<<32
}

// rowIndex finds rows by their content. A row has a number, from 0 on, in the
// order in which rows are added.
type rowIndex struct {
	m     Matrix
	rows  []int            // of m, by number
	first map[uint64]int32 // number of the last row of a hash
	next  []int32          // and of the one before it; -1: there is none
}

func newRowIndex(m Matrix, size int) *rowIndex {
	return &rowIndex{m: m, first: make(map[uint64]int32, size)}
}

// find returns the number of a row that equals row i of m, which has this hash.
func (x *rowIndex) find(m Matrix, i int, hash uint64) (number int, ok bool) {
	g, ok := x.first[hash]
	if !ok {
		return 0, false
	}
	for ; g >= 0; g = x.next[g] {
		if matrix.EqualRows(x.m, x.rows[g], m, i) {
			return int(g), true
		}
	}
	return 0, false
}

// add adds row i, which is not there yet.
func (x *rowIndex) add(i int, hash uint64) {
	before, ok := x.first[hash]
	if !ok {
		before = -1
	}
	x.first[hash] = int32(len(x.rows))
	x.rows, x.next = append(x.rows, i), append(x.next, before)
}

// distinct groups equal rows. first holds one row of each group, the first, in
// ascending order; group[k] is the group of rows[k]; size counts each group.
type distinct struct {
	first []int // row
	group []int // index into first, for each of rows
	size  []int
}

// distinctRows groups rows of m, whose values are finite.
func distinctRows(m Matrix, rows []int, threads int) distinct {
	d := distinct{group: make([]int, len(rows))}
	seen := newRowIndex(m, len(rows))
	for k, hash := range hashes(m, rows, threads) {
		g, ok := seen.find(m, rows[k], hash)
		if !ok {
			g = len(d.size)
			seen.add(rows[k], hash)
			d.size = append(d.size, 0)
		}
		d.group[k] = g
		d.size[g]++
	}
	d.first = seen.rows
	return d
}
