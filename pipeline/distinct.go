package pipeline

import (
	"crypto/sha256"
	"encoding/binary"
	"math"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
)

// content identifies a vector: two rows have the same content if and only if
// their values have the same bits.
type content [sha256.Size]byte

// contents hashes the given rows of m.
func contents(m Matrix, rows []int, threads int) []content {
	out := make([]content, len(rows))
	par.Blocks(threads, len(rows), 256, func(_, lo, hi int) {
		var buf []byte
		for k := lo; k < hi; k++ {
			buf = buf[:0]
			switch m := m.(type) {
			case *matrix.Dense:
				for _, v := range m.Row(rows[k]) {
					buf = binary.LittleEndian.AppendUint32(buf, bits(v))
				}
			case *matrix.CSR:
				cols, values := m.Row(rows[k])
				for j, v := range values {
					if v != 0 {
						buf = binary.LittleEndian.AppendUint32(buf, uint32(cols[j]))
						buf = binary.LittleEndian.AppendUint32(buf, bits(v))
					}
				}
			}
			out[k] = sha256.Sum256(buf)
		}
	})
	return out
}

// bits returns the bits of v; the two zeros count as one.
func bits(v float32) uint32 {
	if v == 0 {
		return 0
	}
	return math.Float32bits(v)
}

// distinct groups equal rows. first holds one row of each group, the first, in
// ascending order; group[k] is the group of rows[k]; size counts each group.
type distinct struct {
	first []int // row
	group []int // index into first, for each of rows
	size  []int
}

func distinctRows(m Matrix, rows []int, threads int) distinct {
	d := distinct{group: make([]int, len(rows))}
	seen := make(map[content]int, len(rows))
	for k, c := range contents(m, rows, threads) {
		g, ok := seen[c]
		if !ok {
			g = len(d.first)
			seen[c] = g
			d.first = append(d.first, rows[k])
			d.size = append(d.size, 0)
		}
		d.group[k] = g
		d.size[g]++
	}
	return d
}
