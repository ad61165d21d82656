package knn

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/rng"
)

// all compares a row with every row of x, by the distances of the package.
func all(q *matrix.Dense, i int, x *matrix.Dense, m Metric, self bool, k int) ([]int32, []float32) {
	nb := newNeighbours(1, k)
	row, at := rows(q.Select([]int{i}), m), rows(x, m)
	ms := measure{m, snap(x.Cols)}
	for j := range x.Rows {
		if self && i == j {
			continue
		}
		a, b := row(0), at(j)
		d, ok := float32(math.Sqrt(squares(a, b))), true
		if m != Euclidean {
			l, r := math.Sqrt(product(a, a)), math.Sqrt(product(b, b))
			s := product(a, b) / (l * r)
			if l == 0 || r == 0 {
				s = 0
				if l == r {
					s = 1
				}
			}
			d, ok = ms.distance(s)
		}
		if ok {
			nb.insert(0, d, int32(j))
		}
	}
	g := nb.graph(1, k, false)
	return g.Row(0)
}

// The codes of rows only say what to look at: what is found is what comparing
// all rows finds, bit for bit, however the rows lie.
func TestNothingIsMissed(t *testing.T) {
	corpora := map[string]func(n, d int) *matrix.Dense{
		"clusters": func(n, d int) *matrix.Dense { return random(n, d, 3, 1, true) },
		"sparse":   func(n, d int) *matrix.Dense { return random(n, d, 4, 6, true) },
		// Nearer to each other than codes can tell: each search is resolved by
		// distances over and over.
		"crowd": func(n, d int) *matrix.Dense {
			x := matrix.NewDense(n, d)
			for i := range x.Data {
				x.Data[i] = 3 + float32(i%d) + 1e-5*float32(rng.Normal(1, uint64(i), 0))
			}
			return x
		},
		// Equal rows: ties all over.
		"copies": func(n, d int) *matrix.Dense {
			x := random(n, d, 5, 1, true)
			for i := range n {
				copy(x.Row(i), x.Row(i%7))
			}
			return x
		},
		// One row is so much longer that the others are next to nothing.
		"giant": func(n, d int) *matrix.Dense {
			x := random(n, d, 6, 1, true)
			for j := range d {
				x.Row(n / 2)[j] = 1e6
			}
			return x
		},
		"tiny": func(n, d int) *matrix.Dense {
			x := random(n, d, 7, 1, true)
			for i := range x.Data {
				x.Data[i] *= 1e-30
			}
			return x
		},
		"huge": func(n, d int) *matrix.Dense {
			x := random(n, d, 7, 1, true)
			for i := range x.Data {
				x.Data[i] *= 1e30
			}
			return x
		},
		// One value is all of a row.
		"axes": func(n, d int) *matrix.Dense {
			x := matrix.NewDense(n, d)
			for i := range n {
				x.Row(i)[i%d] = float32(i%5) + 1
			}
			return x
		},
	}
	for name, make := range corpora {
		for _, m := range []Metric{Cosine, Euclidean, Hellinger} {
			for _, n := range []int{150, 20*landmarks + 55} {
				if n > 1000 && name != "clusters" && (name != "crowd" && name != "copies" || m != Cosine) {
					continue // the way of many rows is the same for all
				}
				t.Run(fmt.Sprintf("%s/%s/%d", name, m, n), func(t *testing.T) {
					const k = 6
					x := make(n, 9)
					var first *Graph
					for threads := 1; threads <= 3; threads++ {
						g, err := Fit(context.Background(), x, Params{K: k + 1, Metric: m, Threads: threads})
						if err != nil {
							t.Fatal(err)
						}
						if first == nil {
							first = g
						}
						if !same(g.Indices, first.Indices) || !sameBits(g.Distances, first.Distances) {
							t.Fatalf("%d threads differ from 1", threads)
						}
					}
					ix, err := NewIndex(x, m, 2)
					if err != nil {
						t.Fatal(err)
					}
					q := make(110, 9)
					for j := range 9 {
						q.Row(1)[j] = 3e8 // farther than far
						q.Row(2)[j] = 1e-8
					}
					queried, err := ix.Query(context.Background(), q, k)
					if err != nil {
						t.Fatal(err)
					}
					for i := 0; i < n; i += 1 + n/47 {
						idx, dist := first.Row(i)
						wantIdx, wantDist := all(x, i, x, m, true, k)
						if !slices.Equal(idx[1:], wantIdx) || !sameBits(dist[1:], wantDist) {
							t.Fatalf("row %d has %v at %v, want %v at %v", i, idx[1:], dist[1:], wantIdx, wantDist)
						}
					}
					for i := range q.Rows {
						idx, dist := queried.Row(i)
						wantIdx, wantDist := all(q, i, x, m, false, k)
						if !slices.Equal(idx, wantIdx) || !sameBits(dist, wantDist) {
							t.Fatalf("query %d has %v at %v, want %v at %v", i, idx, dist, wantIdx, wantDist)
						}
					}
				})
			}
		}
	}
}

func TestKthLargest(t *testing.T) {
	for seed := range uint64(300) {
		n := 1 + int(rng.Hash2(seed, 0, 0)%70)
		s := make([]int32, n)
		for i := range s {
			s[i] = int32(rng.Hash2(seed, uint64(i), 1) % (1 + seed))
			if seed%3 == 0 {
				s[i] = int32(rng.Hash2(seed, uint64(i), 2))
			}
		}
		ordered := slices.Sorted(slices.Values(s))
		for k := 1; k <= n; k++ {
			if got := kthLargest(slices.Clone(s), k); got != ordered[n-k] {
				t.Fatalf("the %d-th largest of %v is %d, want %d", k, ordered, got, ordered[n-k])
			}
		}
	}
}

func TestOrderOfFloats(t *testing.T) {
	values := []float32{-inf32, -1e30, -2, -1, -1e-40, 0, 1e-40, 1, 2, 1e30, inf32}
	for i, v := range values {
		if value(order(v)) != v {
			t.Errorf("%g comes back as %g", v, value(order(v)))
		}
		if i > 0 && order(values[i-1]) >= order(v) {
			t.Errorf("the order of %g is not below that of %g", values[i-1], v)
		}
	}
}
