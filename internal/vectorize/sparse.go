package vectorize

import (
	"fmt"
	"math"
	"math/bits"
	"slices"
	"sync"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
)

// Sparse is a Rows x Cols matrix in compressed rows, of which a column is a
// term: the entries of row i are Data[Indptr[i]:Indptr[i+1]] in the columns
// Indices[Indptr[i]:Indptr[i+1]], which ascend strictly. No stored count is 0.
type Sparse[T int32 | float64] struct {
	Rows, Cols int
	Indptr     []int64 // Rows+1 long, Indptr[0] is 0
	Indices    []int32
	Data       []T
}

// Counts holds how often each term occurs in each row.
type Counts = Sparse[int32]

// Weights holds a weight for each term of each row.
type Weights = Sparse[float64]

// Dims returns the shape of m.
func (m *Sparse[T]) Dims() (rows, cols int) { return m.Rows, m.Cols }

// NNZ returns the number of stored entries.
func (m *Sparse[T]) NNZ() int { return len(m.Indices) }

// Row returns the columns and the values of row i. Both alias m.
func (m *Sparse[T]) Row(i int) (cols []int32, values []T) {
	lo, hi := m.Indptr[i], m.Indptr[i+1]
	return m.Indices[lo:hi:hi], m.Data[lo:hi:hi]
}

// Select returns the given rows of m, in the given order, as a new matrix.
func (m *Sparse[T]) Select(rows []int) *Sparse[T] {
	out := &Sparse[T]{Rows: len(rows), Cols: m.Cols, Indptr: make([]int64, len(rows)+1)}
	for k, i := range rows {
		out.Indptr[k+1] = out.Indptr[k] + m.Indptr[i+1] - m.Indptr[i]
	}
	out.Indices = make([]int32, 0, out.Indptr[len(rows)])
	out.Data = make([]T, 0, out.Indptr[len(rows)])
	for _, i := range rows {
		cols, values := m.Row(i)
		out.Indices = append(out.Indices, cols...)
		out.Data = append(out.Data, values...)
	}
	return out
}

// Float32 returns m with its values rounded to float32. Row pointers and
// columns alias m.
func Float32[T int32 | float64](m *Sparse[T]) *matrix.CSR {
	out := &matrix.CSR{Rows: m.Rows, Cols: m.Cols, Indptr: m.Indptr, Indices: m.Indices, Data: make([]float32, len(m.Data))}
	for i, v := range m.Data {
		out.Data[i] = float32(v)
	}
	return out
}

// DocumentFrequency returns for each term the number of rows that hold it.
func DocumentFrequency(counts *Counts) []int64 {
	df := make([]int64, counts.Cols)
	for _, c := range counts.Indices {
		df[c]++
	}
	return df
}

// TermFrequency returns for each term the sum of its counts.
func TermFrequency(counts *Counts) []int64 {
	tf := make([]int64, counts.Cols)
	for i, c := range counts.Indices {
		tf[c] += int64(counts.Data[i])
	}
	return tf
}

// SumRows returns the groups x terms matrix whose row g is the sum of the rows
// i of counts with group[i] == g. A row whose group is negative is left out.
// The sums are integers, so that they depend on neither order nor threads; one
// beyond 2^31-1 is an error. group is as long as counts has rows and stays
// below groups.
func SumRows(counts *Counts, group []int32, groups, threads int) (*Counts, error) {
	if len(group) != counts.Rows {
		return nil, fmt.Errorf("sum the counts of %d rows: there are %d group numbers", counts.Rows, len(group))
	}
	start := make([]int, groups+1)
	for i, g := range group {
		if int(g) >= groups {
			return nil, fmt.Errorf("sum the counts of row %d: group %d is not below %d", i, g, groups)
		}
		if g >= 0 {
			start[g+1]++
		}
	}
	for g := range groups {
		start[g+1] += start[g]
	}
	members := make([]int32, start[groups])
	next := slices.Clone(start)
	for i, g := range group {
		if g >= 0 {
			members[next[g]] = int32(i)
			next[g]++
		}
	}

	parts := make([]part, groups)
	overflow := make([]int32, groups)
	adders := poolOfAdders(counts.Cols)
	par.Blocks(threads, groups, 1, func(_, g, _ int) {
		a := adders.Get().(*adder)
		parts[g], overflow[g] = a.sumOf(counts, members[start[g]:start[g+1]])
		adders.Put(a)
	})

	out := &Counts{Rows: groups, Cols: counts.Cols, Indptr: make([]int64, groups+1)}
	for g := range parts {
		if overflow[g] >= 0 {
			return nil, fmt.Errorf("sum the counts of group %d: term %d occurs more than %d times", g, overflow[g], math.MaxInt32)
		}
		out.Indptr[g+1] = out.Indptr[g] + int64(len(parts[g].cols))
	}
	out.Indices = make([]int32, 0, out.Indptr[groups])
	out.Data = make([]int32, 0, out.Indptr[groups])
	for g := range parts {
		out.Indices = append(out.Indices, parts[g].cols...)
		out.Data = append(out.Data, parts[g].data...)
	}
	return out, nil
}

// part is one row of sums.
type part struct{ cols, data []int32 }

// sumOf adds up the given rows. overflow is the first term whose sum doesn't
// fit, or -1.
func (a *adder) sumOf(counts *Counts, rows []int32) (p part, overflow int32) {
	for _, i := range rows {
		cols, values := counts.Row(int(i))
		for k, c := range cols {
			a.add(c, values[k])
		}
	}
	p.cols = a.columns(nil)
	p.data = make([]int32, len(p.cols))
	overflow = -1
	for k, c := range p.cols {
		sum := a.take(c)
		if sum > math.MaxInt32 && overflow < 0 {
			overflow = c
		}
		p.data[k] = int32(sum)
	}
	return p, overflow
}

// adder makes one row after another by adding counts to columns, which come
// out in order without a sort: a bit is set for each column that is added to,
// and a bit for each 64 of these.
type adder struct {
	sum   []int64 // by column
	added []uint64
	above []uint64
}

// poolOfAdders is a pool of empty adders for so many columns.
func poolOfAdders(cols int) *sync.Pool {
	return &sync.Pool{New: func() any {
		return &adder{sum: make([]int64, cols), added: make([]uint64, cols/64+1), above: make([]uint64, cols/(64*64)+1)}
	}}
}

func (a *adder) add(col, count int32) {
	c := uint(col)
	a.sum[c] += int64(count)
	a.added[c/64] |= 1 << (c % 64)
	a.above[c/(64*64)] |= 1 << (c / 64 % 64)
}

// columns appends the columns that were added to since it was called last, in
// ascending order. Each is to be taken then.
func (a *adder) columns(dst []int32) []int32 {
	for i, words := range a.above {
		a.above[i] = 0
		for ; words != 0; words &= words - 1 {
			j := i*64 + bits.TrailingZeros64(words)
			cols := a.added[j]
			a.added[j] = 0
			for ; cols != 0; cols &= cols - 1 {
				dst = append(dst, int32(j*64+bits.TrailingZeros64(cols)))
			}
		}
	}
	return dst
}

// take returns the sum of a column and makes it 0.
func (a *adder) take(col int32) int64 {
	sum := a.sum[col]
	a.sum[col] = 0
	return sum
}
