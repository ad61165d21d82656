package pipeline

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/pipeline/knn"
)

// Hit is a row that a search found.
type Hit struct {
	Row int
	// Score is the cosine of the two vectors, by the metric hellinger the
	// cosine of their values' square roots, and by euclidean the distance.
	Score float64
}

// Nearest returns the n rows of m nearest to row i of query, the nearest
// first, the lower row first of equals. Rows that use does not want are left
// out; use may be nil. Both matrices are of one layout and width.
//
// The result is the same on any number of threads (0: all cores).
func Nearest(query Matrix, i int, m Matrix, metric knn.Metric, n int, use func(row int) bool, threads int) ([]Hit, error) {
	rows, d := m.Dims()
	if _, have := query.Dims(); have != d {
		return nil, fmt.Errorf("the query's vector has %d dimensions, the vectors it is compared with %d", have, d)
	}
	if sparse(query) != sparse(m) {
		return nil, fmt.Errorf("the query's vector is %s, the vectors it is compared with %s", layout(query), layout(m))
	}
	score, falling := scorer(query, i, m, metric)
	all := make([]Hit, rows)
	par.Blocks(threads, rows, 1024, func(_, lo, hi int) {
		for k := lo; k < hi; k++ {
			all[k].Row = -1
			if use == nil || use(k) {
				all[k] = Hit{k, score(k)}
			}
		}
	})
	all = slices.DeleteFunc(all, func(h Hit) bool { return h.Row < 0 || math.IsNaN(h.Score) })
	slices.SortFunc(all, func(a, b Hit) int {
		if falling {
			a.Score, b.Score = b.Score, a.Score
		}
		return cmp.Or(cmp.Compare(a.Score, b.Score), cmp.Compare(a.Row, b.Row))
	})
	return slices.Clip(all[:min(n, len(all))]), nil
}

// NearestTopics returns the n topics whose vectors are nearest to row i of
// query, by the metric of the fit; Row is the topic's id.
func (m *Model) NearestTopics(query Matrix, i, n int) ([]Hit, error) {
	return Nearest(query, i, m.TopicVectors, m.Metric, n, func(k int) bool { return m.Topics[k].ID != Outlier }, m.Threads)
}

// scorer returns the score of each row of m, and whether a higher one is
// nearer.
func scorer(query Matrix, i int, m Matrix, metric knn.Metric) (score func(k int) float64, falling bool) {
	switch metric {
	case knn.Euclidean:
		return func(k int) float64 { return euclidean(query, i, m, k) }, false
	case knn.Hellinger:
		q := roots(query, i)
		return func(k int) float64 { return cosine(q, 0, roots(m, k), 0) }, true
	}
	return func(k int) float64 { return cosine(query, i, m, k) }, true
}

// roots returns row i of m with the square roots of its values; negative ones
// count as 0.
func roots(m Matrix, i int) Matrix {
	out := selectRows(m, []int{i}, 1)
	var data []float32
	switch out := out.(type) {
	case *matrix.Dense:
		data = out.Data
	case *matrix.CSR:
		data = out.Data
	}
	for j, v := range data {
		data[j] = float32(math.Sqrt(float64(max(v, 0))))
	}
	return out
}

// euclidean returns the distance between row i of a and row j of b.
func euclidean(a Matrix, i int, b Matrix, j int) float64 {
	var sum float64
	add := func(v float64) { sum += float64(v * v) }
	switch a := a.(type) {
	case matrix.Rows:
		x, y := a.Row(i), b.(matrix.Rows).Row(j)
		for k, v := range x {
			add(float64(v) - float64(y[k]))
		}
	case *matrix.CSR:
		xc, xv := a.Row(i)
		yc, yv := b.(*matrix.CSR).Row(j)
		for p, q := 0, 0; p < len(xc) || q < len(yc); {
			switch {
			case q == len(yc) || p < len(xc) && xc[p] < yc[q]:
				add(float64(xv[p]))
				p++
			case p == len(xc) || xc[p] > yc[q]:
				add(float64(yv[q]))
				q++
			default:
				add(float64(xv[p]) - float64(yv[q]))
				p++
				q++
			}
		}
	}
	return math.Sqrt(sum)
}
