package vectorize

import (
	"fmt"
	"math"
	"slices"

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
	out := &Sparse[T]{Rows: len(rows), Cols: m.Cols, Indptr: make([]int64, 1, len(rows)+1)}
	for _, i := range rows {
		cols, values := m.Row(i)
		out.Indices = append(out.Indices, cols...)
		out.Data = append(out.Data, values...)
		out.Indptr = append(out.Indptr, int64(len(out.Indices)))
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
	pool := make(chan []int64, par.Threads(threads)+1)
	par.Blocks(threads, groups, 1, func(_, g, _ int) {
		var sum []int64
		select {
		case sum = <-pool:
		default:
			sum = make([]int64, counts.Cols)
		}
		parts[g], overflow[g] = sumInto(sum, counts, members[start[g]:start[g+1]])
		select {
		case pool <- sum:
		default:
		}
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

// sumInto adds up the given rows in sum, which is zero and as long as there
// are terms, takes the row of the result out of it and leaves it zero again.
// overflow is the first term whose sum doesn't fit, or -1.
func sumInto(sum []int64, counts *Counts, rows []int32) (p part, overflow int32) {
	var touched []int32
	for _, i := range rows {
		cols, values := counts.Row(int(i))
		for k, c := range cols {
			if sum[c] == 0 {
				touched = append(touched, c)
			}
			sum[c] += int64(values[k])
		}
	}
	slices.Sort(touched)
	p = part{cols: touched, data: make([]int32, len(touched))}
	overflow = -1
	for k, c := range touched {
		if sum[c] > math.MaxInt32 && overflow < 0 {
			overflow = c
		}
		p.data[k] = int32(sum[c])
		sum[c] = 0
	}
	return p, overflow
}
