package knn

import (
	"math"
	"slices"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
)

// spare is the number of neighbours kept beyond those asked for, where the
// scores only approximate the distances.
func (ix *denseIndex) spare() int {
	if ix.metric == Euclidean {
		return 8
	}
	return 0
}

// refine replaces the squared distances of the rows of q, which come from
// cancelling sums in float32, by true distances, and sorts by them. Where the
// error of the float32 scores could have hidden one of the k nearest, the row
// is searched again among all rows within that error.
func (ix *denseIndex) refine(nb *neighbours, q *matrix.Dense, k int, self bool) {
	k = min(k, nb.k)
	par.Blocks(ix.threads, q.Rows, 64, func(_, lo, hi int) {
		var all []candidate
		centred := make([]float32, ix.k)
		for i := lo; i < hi; i++ {
			dist, idx := nb.dist[i*nb.k:(i+1)*nb.k], nb.idx[i*nb.k:(i+1)*nb.k]
			x := q.Row(i)
			all = all[:0]
			for _, j := range idx {
				if j >= 0 {
					all = append(all, candidate{euclidean(x, ix.x.Row(int(j))), j})
				}
			}
			slices.SortFunc(all, candidate.compare)
			half := ix.centre(centred, x)
			slack := 8e-7 * math.Sqrt(float64(ix.k)+8) * (float64(half) + float64(ix.maxHalf))
			last := float64(dist[nb.k-1])
			if kth := float64(all[k-1].dist); len(all) < ix.others(self) && kth*kth+slack >= last {
				all = ix.within(all[:0], x, i, float32(min(kth*(1+1e-6), math.MaxFloat32)), self)
			}
			for c := range k {
				dist[c], idx[c] = all[c].dist, all[c].row
			}
			for c := k; c < nb.k; c++ {
				dist[c], idx[c] = inf32, -1
			}
		}
	})
}

// others is the number of rows that can be a neighbour of one row.
func (ix *denseIndex) others(self bool) int {
	if self {
		return ix.n - 1
	}
	return ix.n
}

// within lists, sorted, every row at a true distance of at most r from x.
func (ix *denseIndex) within(all []candidate, x []float32, i int, r float32, self bool) []candidate {
	for j := range ix.n {
		if self && j == i {
			continue
		}
		if d := euclidean(x, ix.x.Row(j)); d <= r {
			all = append(all, candidate{d, int32(j)})
		}
	}
	slices.SortFunc(all, candidate.compare)
	return all
}

type candidate struct {
	dist float32
	row  int32
}

func (a candidate) compare(b candidate) int {
	switch {
	case a.dist < b.dist:
		return -1
	case a.dist > b.dist:
		return 1
	}
	return int(a.row) - int(b.row)
}

// euclidean is |x-y|, summed in float64 in ascending order.
func euclidean(x, y []float32) float32 {
	var sum float64
	y = y[:len(x)]
	for j, v := range x {
		e := float64(v) - float64(y[j])
		sum += float64(e * e)
	}
	return float32(math.Sqrt(sum))
}
