package umap

import (
	"math"
	"math/bits"
	"slices"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/rng"
)

// rowHash is a function of the values of row i of x. -0 counts as 0, and an
// entry of 0 as absent, so rows that are equal hash alike in either layout.
func rowHash(x matrix.Matrix, i int) uint64 {
	h := uint64(0x243f6a8885a308d3)
	add := func(col int, v float32) {
		if v != 0 {
			h ^= uint64(col)<<32 | uint64(math.Float32bits(v))
			h = bits.RotateLeft64(h*0x9fb21c651e98df25, 29)
		}
	}
	switch x := x.(type) {
	case matrix.Rows:
		for j, v := range x.Row(i) {
			add(j, v)
		}
	case *matrix.CSR:
		cols, vals := x.Row(i)
		for p, c := range cols {
			add(int(c), vals[p])
		}
	}
	return rng.Hash2(h, 0, 0)
}

// rowTable finds rows by their values.
type rowTable struct {
	x      matrix.Matrix
	hashes []uint64 // ascending
	rows   []int32  // parallel; ascending among equal hashes
}

func newRowTable(x matrix.Matrix, threads int) *rowTable {
	n, _ := x.Dims()
	t := &rowTable{x: x, hashes: make([]uint64, n), rows: make([]int32, n)}
	hash := make([]uint64, n)
	par.Blocks(threads, n, 256, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			hash[i], t.rows[i] = rowHash(x, i), int32(i)
		}
	})
	slices.SortFunc(t.rows, func(a, b int32) int {
		switch {
		case hash[a] < hash[b]:
			return -1
		case hash[a] > hash[b]:
			return 1
		}
		return int(a - b)
	})
	for p, i := range t.rows {
		t.hashes[p] = hash[i]
	}
	return t
}

// find returns the first row of the table that equals row i of y, whose hash
// is h, or -1.
func (t *rowTable) find(y matrix.Matrix, i int, h uint64) int {
	p, _ := slices.BinarySearch(t.hashes, h)
	for ; p < len(t.hashes) && t.hashes[p] == h; p++ {
		if matrix.EqualRows(y, i, t.x, int(t.rows[p])) {
			return int(t.rows[p])
		}
	}
	return -1
}

// firsts returns for each row the first row that equals it.
func (t *rowTable) firsts() []int32 {
	first := make([]int32, len(t.rows))
	for p := range t.rows {
		i := t.rows[p]
		first[i] = i
		// The row before in the table is nearly always an equal one, whose
		// first is known.
		for q := p - 1; q >= 0 && t.hashes[q] == t.hashes[p]; q-- {
			if j := first[t.rows[q]]; matrix.EqualRows(t.x, int(i), t.x, int(j)) {
				first[i] = j
				break
			}
		}
	}
	return first
}
