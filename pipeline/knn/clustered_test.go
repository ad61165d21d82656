package knn

import (
	"math"
	"slices"
	"testing"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/rng"
)

// spots are rows around centres, on no sphere.
func spots(n, d, centres int) *matrix.Dense {
	x := matrix.NewDense(n, d)
	for i := range n {
		c := uint64(rng.Below(rng.Hash2(1, 0, uint64(i)), centres))
		for j := range d {
			x.Row(i)[j] = float32(rng.Normal(2, c, uint64(j)) + 0.7*rng.Normal(3, uint64(i), uint64(j)))
		}
	}
	return x
}

// share is the share of the neighbours of want that got has.
func share(got, want *Graph) float64 {
	hits, all := 0, 0
	for i := range want.N {
		g, _ := got.Row(i)
		w, _ := want.Row(i)
		for _, j := range w[1:] {
			all++
			if slices.Contains(g, j) {
				hits++
			}
		}
	}
	return float64(hits) / float64(all)
}

func TestClusteredFindsNearlyAll(t *testing.T) {
	x := spots(4000, 40, 25)
	for _, m := range []Metric{Cosine, Euclidean} {
		exact, err := Fit(t.Context(), x, Params{K: 15, Metric: m})
		if err != nil {
			t.Fatal(err)
		}
		if exact.Recall != 1 {
			t.Errorf("%s: the recall of an exact search is %g", m, exact.Recall)
		}
		g, err := Fit(t.Context(), x, Params{K: 15, Metric: m, Exact: 1000})
		if err != nil {
			t.Fatal(err)
		}
		got := share(g, exact)
		if got < 0.95 {
			t.Errorf("%s: %.3f of the neighbours were found, want 0.95", m, got)
		}
		if math.Abs(g.Recall-got) > 0.03 {
			t.Errorf("%s: recall is said to be %.3f and is %.3f", m, g.Recall, got)
		}
		for i := range g.N {
			idx, dist := g.Row(i)
			if idx[0] != int32(i) || dist[0] != 0 || !slices.IsSorted(dist) {
				t.Fatalf("%s: row %d: %v at %v", m, i, idx, dist)
			}
			if s := slices.Clone(idx); len(slices.Compact(sorted(s))) != len(idx) {
				t.Fatalf("%s: row %d has a neighbour twice: %v", m, i, idx)
			}
			at, want := exact.Row(i)
			for c, j := range idx {
				if k := slices.Index(at, j); k >= 0 && math.Abs(float64(dist[c]-want[k])) > 1e-5 {
					t.Fatalf("%s: row %d: %d is at distance %g, exactly %g", m, i, j, dist[c], want[k])
				}
			}
		}
	}
}

func sorted(s []int32) []int32 { slices.Sort(s); return s }

func TestClusteredIsTheSameOnAnyThreads(t *testing.T) {
	x := spots(3000, 33, 10)
	x.Row(7)[0] = 5
	copy(x.Row(9), x.Row(7)) // equal rows
	clear(x.Row(11))
	clear(x.Row(12))
	for _, m := range []Metric{Cosine, Euclidean} {
		var first *Graph
		for threads := 1; threads <= 3; threads++ {
			g, err := Fit(t.Context(), x, Params{K: 10, Metric: m, Exact: 500, Threads: threads})
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = g
			} else if !slices.Equal(first.Indices, g.Indices) || !sameBits(first.Distances, g.Distances) || first.Recall != g.Recall {
				t.Errorf("%s: %d threads give another result than one", m, threads)
			}
		}
		if idx, dist := first.Row(9); idx[1] != 7 || dist[1] != 0 {
			t.Errorf("%s: the nearest of row 9 is %d at %g, want its equal, 7, at 0", m, idx[1], dist[1])
		}
	}
}

// One heap of rows near each other is one cluster as large as the corpus.
func TestClusteredOfOneHeap(t *testing.T) {
	x := matrix.NewDense(2000, 8)
	for i := range x.Data {
		x.Data[i] = 100 + float32(i%97)*1e-3
	}
	for i := range x.Rows {
		x.Row(i)[0] += float32(i) * 1e-4
	}
	if _, err := Fit(t.Context(), x, Params{K: 10, Metric: Euclidean, Exact: 100}); err != nil {
		t.Fatal(err)
	}
}
