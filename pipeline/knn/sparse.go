package knn

import (
	"context"
	"sync"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
)

// sparseIndex is an inverted index: the rows that hold term t are
// docs[start[t]:start[t+1]], ascending, with the values vals.
type sparseIndex struct {
	measure
	rows  *sparseRows
	n     int
	start []int64
	docs  []int32
	vals  []float32
}

// sparseRows are rows prepared for a dot product.
type sparseRows struct {
	m    *matrix.CSR
	data []float32 // the prepared values, parallel to m.Data
	zero []bool    // rows without a value
	half []float64 // Euclidean: half the squared length
}

func prepareSparse(x *matrix.CSR, m Metric) *sparseRows {
	p := &sparseRows{m: x, data: x.Data, zero: make([]bool, x.Rows)}
	if m == Euclidean {
		p.half = make([]float64, x.Rows)
		for i := range x.Rows {
			_, vals := x.Row(i)
			for _, v := range vals {
				p.half[i] += float64(float64(v)*float64(v)) / 2
			}
		}
		return p
	}
	p.data = make([]float32, len(x.Data))
	for i := range x.Rows {
		lo, hi := x.Indptr[i], x.Indptr[i+1]
		p.zero[i] = m.unit(p.data[lo:hi], x.Data[lo:hi])
	}
	return p
}

func newSparseIndex(x *matrix.CSR, m Metric) *sparseIndex {
	ix := &sparseIndex{measure: measure{m, snap(0)}, n: x.Rows, rows: prepareSparse(x, m)}
	ix.start = make([]int64, x.Cols+2)
	for _, c := range x.Indices {
		ix.start[c+2]++
	}
	for c := 2; c < len(ix.start); c++ {
		ix.start[c] += ix.start[c-1]
	}
	ix.docs = make([]int32, len(x.Indices))
	ix.vals = make([]float32, len(x.Indices))
	for i := range x.Rows {
		for p := x.Indptr[i]; p < x.Indptr[i+1]; p++ {
			to := &ix.start[x.Indices[p]+1]
			ix.docs[*to], ix.vals[*to] = int32(i), ix.rows.data[p]
			*to++
		}
	}
	return ix
}

// search finds the k nearest rows of the index for each of the n rows of q.
// self says that q is the index's own rows.
func (ix *sparseIndex) search(ctx context.Context, q *sparseRows, n, k int, self bool, threads int) (*Graph, error) {
	kk := min(k, ix.n)
	if self {
		kk = min(k-1, ix.n-1)
	}
	if kk <= 0 {
		return newNeighbours(n, 0).graph(n, k, self), ctx.Err()
	}
	nb := newNeighbours(n, kk)
	if ix.metric == Euclidean {
		searchSparse[float64](ctx, ix, q, n, nb, self, threads)
	} else {
		searchSparse[float32](ctx, ix, q, n, nb, self, threads)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return nb.graph(n, k, self), nil
}

// searchSparse adds up the products of each query row term by term, in
// ascending order of the terms, into one sum a row of the index. Where few rows
// share a term with the query, they are listed as they are met, and only those
// are looked at; the sums are the same.
func searchSparse[T float32 | float64](ctx context.Context, ix *sparseIndex, q *sparseRows, n int, nb *neighbours, self bool, threads int) {
	type scratch struct {
		sums []T // all 0 between two rows
		met  []int32
	}
	pool := sync.Pool{New: func() any { return &scratch{sums: make([]T, ix.n)} }}
	par.Blocks(threads, n, 16, func(_, lo, hi int) {
		if ctx.Err() != nil {
			return
		}
		s := pool.Get().(*scratch)
		defer pool.Put(s)
		for i := lo; i < hi; i++ {
			cols := q.m.Indices[q.m.Indptr[i]:q.m.Indptr[i+1]]
			vals := q.data[q.m.Indptr[i]:q.m.Indptr[i+1]]
			var postings int64
			for _, c := range cols {
				postings += ix.start[c+1] - ix.start[c]
			}
			few := ix.metric != Euclidean && postings < int64(ix.n/2)
			s.met = s.met[:0]
			for t, c := range cols {
				from, to := ix.start[c], ix.start[c+1]
				if few {
					s.met = addListed(s.sums, s.met, ix.docs[from:to], ix.vals[from:to], T(vals[t]))
				} else {
					addScaled(s.sums, ix.docs[from:to], ix.vals[from:to], T(vals[t]))
				}
			}
			skip := -1
			if self {
				skip = i
			}
			if few {
				pickListed(ix, q, s.sums, s.met, i, nb, skip)
			} else {
				pick(ix, q, s.sums, i, nb, skip)
				clear(s.sums)
			}
		}
	})
}

// addScaled adds w times each posting to its row's sum.
func addScaled[T float32 | float64](sums []T, docs []int32, vals []float32, w T) {
	vals = vals[:len(docs)]
	for p, d := range docs {
		sums[d] += T(w * T(vals[p]))
	}
}

// addListed is addScaled, and appends to met the rows whose sum was 0.
func addListed[T float32 | float64](sums []T, met, docs []int32, vals []float32, w T) []int32 {
	vals = vals[:len(docs)]
	for p, d := range docs {
		old := sums[d]
		if old == 0 {
			met = append(met, d)
		}
		sums[d] = old + T(w*T(vals[p]))
	}
	return met
}

// pick keeps the nearest rows for query row i out of the finished sums.
func pick[T float32 | float64](ix *sparseIndex, q *sparseRows, sums []T, i int, nb *neighbours, skip int) {
	if ix.metric == Euclidean {
		for j, s := range sums {
			if j == skip {
				continue
			}
			d2 := max(0, q.half[i]+ix.rows.half[j]-float64(s)) * 2
			nb.insert(i, sqrt32(d2), int32(j))
		}
		return
	}
	pickZeros(ix, q, i, nb, skip)
	bar := -inf32
	for j, s := range sums {
		v := float32(s)
		if v < bar || v == 0 || j == skip {
			continue
		}
		if d, ok := ix.distance(float64(v)); ok && nb.insert(i, d, int32(j)) {
			bar = ix.bar(nb.worst(i))
		}
	}
	pickStrangers(ix, q, sums, i, nb, skip)
}

// pickListed is pick where all sums but those of the rows met are 0, and sets
// them to 0. A row may be listed twice, where its sum was 0 in between; it is
// offered once, since its sum is 0 the second time. So the strangers, known by
// a sum of 0, go first.
func pickListed[T float32 | float64](ix *sparseIndex, q *sparseRows, sums []T, met []int32, i int, nb *neighbours, skip int) {
	pickZeros(ix, q, i, nb, skip)
	pickStrangers(ix, q, sums, i, nb, skip)
	bar := ix.bar(nb.worst(i))
	for _, j := range met {
		v := float32(sums[j])
		sums[j] = 0
		if v < bar || v == 0 || int(j) == skip {
			continue
		}
		if d, ok := ix.distance(float64(v)); ok && nb.insert(i, d, j) {
			bar = ix.bar(nb.worst(i))
		}
	}
}

// pickZeros offers a row of zeros the other rows of zeros, at distance 0.
func pickZeros(ix *sparseIndex, q *sparseRows, i int, nb *neighbours, skip int) {
	if !q.zero[i] {
		return
	}
	for j, zero := range ix.rows.zero {
		if zero && j != skip {
			nb.insert(i, 0, int32(j))
		}
	}
}

// pickStrangers offers the rows that share nothing with query row i, which
// under Cosine are all at distance 1.
func pickStrangers[T float32 | float64](ix *sparseIndex, q *sparseRows, sums []T, i int, nb *neighbours, skip int) {
	if ix.metric == Hellinger || nb.worst(i) < 1 {
		return
	}
	for j, s := range sums {
		if s != 0 || j == skip || q.zero[i] && ix.rows.zero[j] {
			continue
		}
		if !nb.insert(i, 1, int32(j)) {
			return
		}
	}
}
