package knn

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/rng"
)

// random makes rows in a few loose clusters, of which one value in so many is
// kept; some rows are zero, some repeat.
func random(n, d int, seed uint64, one uint64, positive bool) *matrix.Dense {
	x := matrix.NewDense(n, d)
	for i := range n {
		row := x.Row(i)
		if rng.Hash2(seed, uint64(i), 1)%31 == 0 {
			continue
		}
		if i > 0 && rng.Hash2(seed, uint64(i), 2)%17 == 0 {
			copy(row, x.Row(rng.Below(rng.Hash2(seed, uint64(i), 3), i)))
			continue
		}
		c := rng.Hash2(seed, uint64(i), 4) % 5
		for j := range row {
			v := float32(rng.Normal(seed+100+c, uint64(j), 0) + 0.7*rng.Normal(seed+7, uint64(i), uint64(j)))
			if rng.Hash3(seed, uint64(i), uint64(j), 5)%one != 0 {
				v = 0
			}
			if positive {
				v = max(0, v)
			}
			row[j] = v
		}
	}
	return x
}

func csr(x *matrix.Dense) *matrix.CSR {
	m := &matrix.CSR{Rows: x.Rows, Cols: x.Cols, Indptr: []int64{0}}
	for i := range x.Rows {
		for j, v := range x.Row(i) {
			if v != 0 {
				m.Indices = append(m.Indices, int32(j))
				m.Data = append(m.Data, v)
			}
		}
		m.Indptr = append(m.Indptr, int64(len(m.Indices)))
	}
	return m
}

// reference is the distance in float64 straight from its definition.
func reference(x, y []float32, m Metric) float64 {
	var xx, yy, s float64
	for j := range x {
		a, b := float64(x[j]), float64(y[j])
		switch m {
		case Euclidean:
			s += (a - b) * (a - b)
		case Cosine:
			s += a * b
			xx += a * a
			yy += b * b
		case Hellinger:
			s += math.Sqrt(a * b)
			xx += a
			yy += b
		}
	}
	if m == Euclidean {
		return math.Sqrt(s)
	}
	if xx == 0 || yy == 0 {
		if xx == yy {
			return 0
		}
		return 1
	}
	d := max(0, 1-s/math.Sqrt(xx*yy))
	if m == Hellinger {
		d = math.Sqrt(d)
	}
	return d
}

func TestExact(t *testing.T) {
	for _, m := range []Metric{Cosine, Euclidean, Hellinger} {
		for _, layout := range []string{"dense", "sparse", "thin"} {
			for _, n := range []int{1, 2, 3, 40, 95, 96, 97, 400} {
				for _, k := range []int{1, 5, 15} {
					t.Run(fmt.Sprintf("%s/%s/n=%d/k=%d", m, layout, n, k), func(t *testing.T) {
						d, one := 23, map[string]uint64{"dense": 1, "sparse": 4, "thin": 40}[layout]
						if layout == "thin" {
							d = 150
						}
						x := random(n, d, 5, one, m == Hellinger)
						q := random(50, d, 6, one, m == Hellinger)
						var mx, mq matrix.Matrix = x, q
						if layout != "dense" {
							mx, mq = csr(x), csr(q)
						}
						g, err := Fit(context.Background(), mx, Params{K: k, Metric: m})
						if err != nil {
							t.Fatal(err)
						}
						checkGraph(t, g, x, x, m, true)
						ix, err := NewIndex(mx, m, 0)
						if err != nil {
							t.Fatal(err)
						}
						g, err = ix.Query(context.Background(), mq, k)
						if err != nil {
							t.Fatal(err)
						}
						checkGraph(t, g, q, x, m, false)
					})
				}
			}
		}
	}
}

// checkGraph compares g with all pairs. Two distances that differ by less than
// the rounding of float32 may come in either order; everything else must agree.
func checkGraph(t *testing.T, g *Graph, q, x *matrix.Dense, m Metric, self bool) {
	t.Helper()
	tol := 2e-6 // float32 dot products of 23 terms
	if m == Hellinger {
		tol = 1.5e-3 // the root of an error of 2e-6 at distance 0
	}
	for i := range q.Rows {
		idx, dist := g.Row(i)
		want := []float64{}
		for j := range x.Rows {
			d := reference(q.Row(i), x.Row(j), m)
			if self && i == j || m == Hellinger && d >= 1 {
				continue
			}
			want = append(want, d)
		}
		slices.Sort(want)
		if self {
			if idx[0] != int32(i) || dist[0] != 0 {
				t.Fatalf("row %d: column 0 is row %d at %g, not the row itself at 0", i, idx[0], dist[0])
			}
			idx, dist = idx[1:], dist[1:]
		}
		seen := map[int32]bool{}
		for c, j := range idx {
			if c >= len(want) {
				if j != -1 || !math.IsInf(float64(dist[c]), 1) {
					t.Fatalf("row %d column %d: %d at %g, want no neighbour", i, c, j, dist[c])
				}
				continue
			}
			if j < 0 || seen[j] || self && int(j) == i {
				t.Fatalf("row %d column %d: neighbour %d is missing, doubled or the row itself", i, c, j)
			}
			seen[j] = true
			if d := reference(q.Row(i), x.Row(int(j)), m); math.Abs(d-float64(dist[c])) > tol || math.Abs(want[c]-d) > tol {
				t.Fatalf("row %d column %d: row %d at %g, true distance %g, true %d-th distance %g", i, c, j, dist[c], d, c, want[c])
			}
			if c > 0 && cmp.Or(cmp.Compare(dist[c-1], dist[c]), cmp.Compare(idx[c-1], j)) >= 0 {
				t.Fatalf("row %d: columns %d and %d are not in (distance, index) order: %g row %d, %g row %d", i, c-1, c, dist[c-1], idx[c-1], dist[c], j)
			}
		}
	}
}

func TestDuplicatesAtDistanceZero(t *testing.T) {
	x := random(120, 384, 9, 1, true)
	copy(x.Row(70), x.Row(3))
	for _, m := range []Metric{Cosine, Euclidean, Hellinger} {
		for _, mx := range []matrix.Matrix{x, csr(x)} {
			g, err := Fit(context.Background(), mx, Params{K: 4, Metric: m})
			if err != nil {
				t.Fatal(err)
			}
			if _, dist := g.Row(70); dist[1] != 0 {
				t.Errorf("%s %T: a duplicate is at distance %g", m, mx, dist[1])
			}
		}
	}
}

// Clusters far from each other with much smaller distances inside defeat the
// float32 expansion of |x-y|^2; the refined search must not notice.
func TestEuclideanCancellation(t *testing.T) {
	x := matrix.NewDense(300, 8)
	for i := range 300 {
		for j := range 8 {
			x.Row(i)[j] = float32(float64(i%2)*4000 + 0.01*rng.Normal(3, uint64(i), uint64(j)))
		}
	}
	g, err := Fit(context.Background(), x, Params{K: 10, Metric: Euclidean})
	if err != nil {
		t.Fatal(err)
	}
	checkGraph(t, g, x, x, Euclidean, true)
}

func TestThreadsAndBatchDoNotMatter(t *testing.T) {
	for _, m := range []Metric{Cosine, Euclidean, Hellinger} {
		x := random(700, 31, 1, 4, m == Hellinger)
		q := random(200, 31, 2, 4, m == Hellinger)
		for _, layout := range []string{"dense", "sparse"} {
			var mx, mq matrix.Matrix = x, q
			if layout == "sparse" {
				mx, mq = csr(x), csr(q)
			}
			var first *Graph
			for _, threads := range []int{1, 2, 3} {
				g, err := Fit(context.Background(), mx, Params{K: 12, Metric: m, Threads: threads})
				if err != nil {
					t.Fatal(err)
				}
				if first == nil {
					first = g
				}
				if !same(g.Indices, first.Indices) || !sameBits(g.Distances, first.Distances) {
					t.Errorf("%s %s: %d threads differ from 1", m, layout, threads)
				}
			}
			ix, err := NewIndex(mx, m, 2)
			if err != nil {
				t.Fatal(err)
			}
			whole, err := ix.Query(context.Background(), mq, 7)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range []int{0, 13, 96, 199} {
				one, err := ix.Query(context.Background(), matrix.SelectRows(mq, []int{i}), 7)
				if err != nil {
					t.Fatal(err)
				}
				idx, dist := whole.Row(i)
				if !same(one.Indices, idx) || !sameBits(one.Distances, dist) {
					t.Errorf("%s %s: row %d alone differs from row %d of a batch", m, layout, i, i)
				}
			}
		}
	}
}

func same(a, b []int32) bool { return slices.Equal(a, b) }

func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

func TestErrors(t *testing.T) {
	good := matrix.NewDense(3, 2)
	bad := matrix.NewDense(3, 2)
	bad.Data[3] = float32(math.NaN())
	inf := matrix.NewDense(3, 2)
	inf.Data[4] = float32(math.Inf(-1))
	neg := matrix.NewDense(3, 2)
	neg.Data[5] = -1
	for _, c := range []struct {
		name string
		x    matrix.Matrix
		p    Params
		want string
	}{
		{"k", good, Params{}, "k is 0"},
		{"metric", good, Params{K: 1, Metric: "l7"}, `unknown metric "l7"`},
		{"nan", bad, Params{K: 1}, "row 1 holds a value that is not finite"},
		{"inf", inf, Params{K: 1}, "row 2 holds a value that is not finite"},
		{"negative", neg, Params{K: 1, Metric: Hellinger}, "row 2 holds the negative value -1"},
		{"csr", &matrix.CSR{Rows: 2}, Params{K: 1}, "row pointers"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Fit(context.Background(), c.x, c.p); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Fit(ctx, random(300, 3, 1, 1, false), Params{K: 3}); err != context.Canceled {
		t.Errorf("after cancel: %v", err)
	}
	ix, _ := NewIndex(good, Cosine, 1)
	if _, err := ix.Query(context.Background(), matrix.NewDense(1, 3), 1); err == nil {
		t.Error("a query with other columns went through")
	}
	if _, err := ix.Query(context.Background(), csr(good), 1); err == nil {
		t.Error("a sparse query on a dense index went through")
	}
}

func TestEmpty(t *testing.T) {
	for _, x := range []matrix.Matrix{matrix.NewDense(0, 4), csr(matrix.NewDense(0, 4)), matrix.NewDense(3, 0), csr(matrix.NewDense(3, 0))} {
		for _, m := range []Metric{Cosine, Euclidean, Hellinger} {
			n, _ := x.Dims()
			g, err := Fit(context.Background(), x, Params{K: 2, Metric: m})
			if err != nil || g.N != n || len(g.Indices) != 2*n {
				t.Errorf("%s %T: %v, %v", m, x, g, err)
			}
		}
	}
}

// newsgroups reads the float32 vectors of the 20 newsgroups for benchmarks.
func newsgroups(tb testing.TB) *matrix.Dense {
	dir, _ := os.Getwd()
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if filepath.Dir(dir) == dir {
			tb.Skip("the module's root was not found")
		}
		dir = filepath.Dir(dir)
	}
	f, err := os.Open(filepath.Join(dir, "..", "shared", "data", "20ng_minilm.npy"))
	if err != nil {
		tb.Skip("the newsgroup vectors are absent (../shared/data/20ng_minilm.npy)")
	}
	defer f.Close()
	head := make([]byte, 10)
	if _, err := io.ReadFull(f, head); err != nil {
		tb.Fatal(err)
	}
	text := make([]byte, binary.LittleEndian.Uint16(head[8:]))
	if _, err := io.ReadFull(f, text); err != nil {
		tb.Fatal(err)
	}
	var n, d int
	shape := string(text)[strings.Index(string(text), "("):]
	if _, err := fmt.Sscanf(shape, "(%d, %d)", &n, &d); err != nil {
		tb.Fatalf("npy header %q: %v", text, err)
	}
	x := matrix.NewDense(n, d)
	if err := binary.Read(f, binary.LittleEndian, x.Data); err != nil {
		tb.Fatal(err)
	}
	return x
}

// A part of a matrix is searched where it lies, as a copy of its rows is.
func TestPartsOfAMatrix(t *testing.T) {
	x := random(900, 12, 8, 1, true)
	var rows []int32
	for i := range int32(900) {
		if i%3 != 1 {
			rows = append([]int32{i}, rows...)
		}
	}
	part := &matrix.Part{Of: x, Rows: rows}
	list := make([]int, len(rows))
	for k, i := range rows {
		list[k] = int(i)
	}
	picked := x.Select(list)
	for _, m := range []Metric{Cosine, Euclidean, Hellinger} {
		for _, exact := range []int{0, 100} {
			got, err := Fit(t.Context(), part, Params{K: 8, Metric: m, Exact: exact})
			if err != nil {
				t.Fatal(err)
			}
			want, err := Fit(t.Context(), picked, Params{K: 8, Metric: m, Exact: exact})
			if err != nil {
				t.Fatal(err)
			}
			if !same(got.Indices, want.Indices) || !sameBits(got.Distances, want.Distances) {
				t.Errorf("%s, exact up to %d: a part differs from a copy of its rows", m, exact)
			}
		}
	}
}
