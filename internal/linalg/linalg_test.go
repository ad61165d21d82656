package linalg

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"runtime"
	"testing"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/rng"
)

func load(t testing.TB, name string, v any) {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(v); err != nil {
		t.Fatal(err)
	}
}

func dense(rows [][]float64) *Dense {
	m := NewDense(len(rows), len(rows[0]))
	for i, r := range rows {
		copy(m.Row(i), r)
	}
	return m
}

type goldenCSR struct {
	Shape   [2]int
	Indptr  []int64
	Indices []int32
	Data    []float64
}

func (g goldenCSR) csr() *CSR {
	return &CSR{g.Shape[0], g.Shape[1], g.Indptr, g.Indices, g.Data}
}

// near fails unless got and want agree within tol times the largest |want|.
func near(t testing.TB, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	size := 0.0
	for _, v := range want {
		size = max(size, math.Abs(v))
	}
	for i := range got {
		if d := math.Abs(got[i] - want[i]); !(d <= tol*size) {
			t.Fatalf("%s[%d] = %v, want %v (difference %.3g)", what, i, got[i], want[i], d)
		}
	}
}

var background = context.Background()

func TestGoldenSVD(t *testing.T) {
	var g struct {
		X   [][]float64
		PCA struct {
			Mean              []float64
			Components        [][]float64
			ExplainedVariance []float64 `json:"explained_variance"`
			Ratio             []float64
			Out               [][]float64
		}
		SVD struct {
			Components     [][]float64
			SingularValues []float64 `json:"singular_values"`
			Out            [][]float64
		} `json:"tsvd_arpack"`
	}
	load(t, "pca_svd.json.gz", &g)
	x := dense(g.X)
	for _, method := range []Method{Auto, Randomised} {
		// The power iterations leave 1e-8 of the discarded directions.
		tol := map[Method]float64{Auto: 1e-11, Randomised: 1e-7}[method]
		s, err := TruncatedSVD(background, x, SVDOptions{Components: 5, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		near(t, "components", s.Components.Data, dense(g.SVD.Components).Data, tol)
		near(t, "singular values", s.SingularValues, g.SVD.SingularValues, tol)
		out, err := s.Transform(x, 0)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "transform", out.Data, dense(g.SVD.Out).Data, tol)

		p, err := PCA(background, x, SVDOptions{Components: 5, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		near(t, "mean", p.Mean, g.PCA.Mean, 1e-14)
		near(t, "pca components", p.Components.Data, dense(g.PCA.Components).Data, tol)
		near(t, "pca variance", p.ExplainedVariance, g.PCA.ExplainedVariance, tol)
		near(t, "pca ratio", p.ExplainedVarianceRatio, g.PCA.Ratio, tol)
		out, err = p.Transform(x, 0)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "pca transform", out.Data, dense(g.PCA.Out).Data, tol)
	}
}

func TestGoldenTfidfSVD(t *testing.T) {
	var g struct {
		X, Q goldenCSR
		SVD  struct {
			Randomised     [][]float64 `json:"fit_transform"`
			Ratio          []float64   `json:"explained_variance_ratio"`
			Exact          [][]float64 `json:"arpack_fit_transform"`
			SingularValues []float64   `json:"arpack_singular_values"`
			Queries        [][]float64 `json:"transform_Q"`
		}
	}
	load(t, "tfidf_svd.json.gz", &g)
	x := g.X.csr()
	s, err := TruncatedSVD(background, x, SVDOptions{Components: 10})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "singular values", s.SingularValues, g.SVD.SingularValues, 1e-12)
	out, err := s.Transform(x, 0)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "fit_transform", out.Data, dense(g.SVD.Exact).Data, 1e-11)
	// The ratios stored are those of the randomised run, which is off by 1e-4.
	near(t, "ratio", s.ExplainedVarianceRatio, g.SVD.Ratio, 1e-2)
	q, err := s.Transform(g.Q.csr(), 0)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "queries", q.Data, dense(g.SVD.Queries).Data, 0.06)

	// float32 input, as the pipeline hands it over: the golden values within 1e-6.
	f := &matrix.CSR{Rows: x.Rows, Cols: x.Cols, Indptr: x.Indptr, Indices: x.Indices, Data: make([]float32, len(x.Data))}
	for i, v := range x.Data {
		f.Data[i] = float32(v)
	}
	s32, err := TruncatedSVD(background, f, SVDOptions{Components: 10})
	if err != nil {
		t.Fatal(err)
	}
	out32, err := s32.Transform(f, 0)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "fit_transform of float32", out32.Data, dense(g.SVD.Exact).Data, 2e-6)
}

// random returns a rows x cols matrix with singular values that decay slowly,
// dense and as CSR, with about a tenth of the entries set.
func random(rows, cols int, seed uint64) (*matrix.Dense, *matrix.CSR) {
	d := matrix.NewDense(rows, cols)
	s := &matrix.CSR{Rows: rows, Cols: cols, Indptr: []int64{0}}
	for i := range rows {
		for j := range cols {
			// Low columns are likelier, as frequent words are.
			if rng.Unit(rng.Hash3(seed, uint64(i), uint64(j), 0)) < 3/float64(j+6) {
				v := float32(rng.Unit(rng.Hash3(seed, uint64(i), uint64(j), 1)) + 0.1)
				d.Row(i)[j] = v
				s.Indices = append(s.Indices, int32(j))
				s.Data = append(s.Data, v)
			}
		}
		s.Indptr = append(s.Indptr, int64(len(s.Indices)))
	}
	return d, s
}

// TestLanczosEqualsGram holds the two exact ways, and the two layouts, against
// each other on both orientations.
func TestLanczosEqualsGram(t *testing.T) {
	for _, shape := range [][2]int{{300, 90}, {90, 300}} {
		d, s := random(shape[0], shape[1], 7)
		ad, _ := asLinear(d)
		as, _ := asLinear(s)
		mean, _ := ad.moments(1)
		scale(mean, 1/float64(d.Rows))
		for name, pair := range map[string][2]linear{"plain": {ad, as}, "centred": {&centred{ad, mean}, &centred{as, mean}}} {
			var want *SVD
			for which, a := range pair {
				gram, err := decompose(background, a, SVDOptions{Components: 12})
				if err != nil {
					t.Fatal(err)
				}
				if want == nil {
					want = gram
				}
				near(t, name+" gram values", gram.SingularValues, want.SingularValues, 1e-13)
				near(t, name+" gram vectors", gram.Components.Data, want.Components.Data, 1e-10)
				near(t, name+" ratio", gram.ExplainedVarianceRatio, want.ExplainedVarianceRatio, 1e-11)
				right := d.Cols <= d.Rows
				e, err := TopEigen(background, &gramOp{a: a, right: right}, EigenOptions{K: 12, MaxBasis: 40, Block: 3})
				if err != nil {
					t.Fatal(err)
				}
				for i, v := range e.Values {
					e.Values[i] = math.Sqrt(v)
				}
				near(t, fmt.Sprint(name, which, " lanczos values"), e.Values, want.SingularValues, 1e-11)
				if right {
					flipSigns(e.Vectors)
					near(t, name+" lanczos vectors", e.Vectors.Data, want.Components.Data, 1e-8)
				}
			}
		}
	}
}

// TestLargeSparse takes the Lanczos path of TruncatedSVD (both sides above
// GramLimit) and checks the triplets by their definition.
func TestLargeSparse(t *testing.T) {
	_, s := random(1080, 1030, 3)
	const k = 4
	var first *SVD
	for _, threads := range []int{1, 2, 3} {
		svd, err := TruncatedSVD(background, s, SVDOptions{Components: k, Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = svd
		} else if !sameBits(first.Components.Data, svd.Components.Data) || !sameBits(first.SingularValues, svd.SingularValues) {
			t.Fatalf("%d threads change the result", threads)
		}
	}
	checkTriplets(t, s, first, 1e-9)
	r, err := TruncatedSVD(background, s, SVDOptions{Components: k, Method: Randomised, PowerIter: 30})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "randomised values after 30 power iterations", r.SingularValues, first.SingularValues, 1e-6)
}

func sameBits(a, b []float64) bool {
	for i := range a {
		if math.Float64bits(a[i]) != math.Float64bits(b[i]) {
			return false
		}
	}
	return len(a) == len(b)
}

// checkTriplets checks A^T A v = s^2 v and that the vectors are orthonormal.
func checkTriplets(t *testing.T, x matrix.Matrix, s *SVD, tol float64) {
	t.Helper()
	a, err := asLinear(x)
	if err != nil {
		t.Fatal(err)
	}
	rows, cols := a.Dims()
	y, z := make([]float64, rows), make([]float64, cols)
	top := s.SingularValues[0] * s.SingularValues[0]
	for i, value := range s.SingularValues {
		v := s.Components.Row(i)
		a.mulTo(y, v, 1, 0)
		a.mulTransTo(z, y, 1, 0)
		axpy(z, -value*value, v)
		if r := norm(z); !(r <= tol*top) {
			t.Errorf("triplet %d: residual %.3g", i, r/max(top, 1e-300))
		}
		for j := range i + 1 {
			want := 0.0
			if i == j {
				want = 1
			}
			if d := math.Abs(dot(v, s.Components.Row(j)) - want); d > 1e-12 {
				t.Errorf("vectors %d and %d: inner product off by %.3g", i, j, d)
			}
		}
	}
}

// TestLargeGram takes Lanczos on the Gram matrix, and holds it against the full
// decomposition that more components need.
func TestLargeGram(t *testing.T) {
	d, _ := random(400, 270, 9)
	few, err := TruncatedSVD(background, d, SVDOptions{Components: 20})
	if err != nil {
		t.Fatal(err)
	}
	many, err := TruncatedSVD(background, d, SVDOptions{Components: 70})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "values", few.SingularValues, many.SingularValues[:20], 1e-12)
	near(t, "vectors", few.Components.Data, many.Components.Data[:20*270], 1e-8)
	checkTriplets(t, d, few, 1e-10)
}

// TestEqualValues: all singular values of a permutation are 1, so every copy
// of the value must be found.
func TestEqualValues(t *testing.T) {
	n := 1500
	s := &matrix.CSR{Rows: n, Cols: n, Indptr: []int64{0}}
	for i := range n {
		s.Indices = append(s.Indices, int32((i*7)%n))
		s.Data = append(s.Data, 1)
		s.Indptr = append(s.Indptr, int64(i+1))
	}
	svd, err := TruncatedSVD(background, s, SVDOptions{Components: 20})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range svd.SingularValues {
		if math.Abs(v-1) > 1e-12 {
			t.Fatalf("value %d is %v, want 1", i, v)
		}
	}
	checkTriplets(t, s, svd, 1e-11)
}

func TestOddShapes(t *testing.T) {
	for _, c := range []struct {
		name string
		x    *Dense
		k    int
		want []float64
	}{
		{"one value", &Dense{1, 1, []float64{-3}}, 5, []float64{3}},
		{"one row", &Dense{1, 3, []float64{0, 3, -4}}, 2, []float64{5}},
		{"one column", &Dense{3, 1, []float64{1, 2, 2}}, 2, []float64{3}},
		{"all zero", NewDense(4, 3), 3, []float64{0, 0, 0}},
		{"equal rows", &Dense{3, 2, []float64{1, 1, 1, 1, 1, 1}}, 2, []float64{math.Sqrt(6), 0}},
		{"tiny values", &Dense{2, 2, []float64{3e-150, 0, 0, 2e-150}}, 2, []float64{3e-150, 2e-150}},
	} {
		for _, method := range []Method{Exact, Randomised} {
			t.Run(c.name+"/"+string(method), func(t *testing.T) {
				s, err := TruncatedSVD(background, c.x, SVDOptions{Components: c.k, Method: method})
				if err != nil {
					t.Fatal(err)
				}
				if s.Requested != c.k || s.Method != method {
					t.Errorf("requested %d by %q reported, want %d by %q", s.Requested, s.Method, c.k, method)
				}
				size := c.want[0]
				for i, v := range s.SingularValues {
					if math.Abs(v-c.want[i]) > 1e-13*size {
						t.Errorf("value %d is %v, want %v", i, v, c.want[i])
					}
				}
				checkTriplets(t, c.x, s, 1e-12)
				p, err := PCA(background, c.x, SVDOptions{Components: c.k, Method: method})
				if err != nil {
					t.Fatal(err)
				}
				out, err := p.Transform(c.x, 1)
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range out.Data {
					if !finite(v) {
						t.Fatalf("transform gives %v", out.Data)
					}
				}
			})
		}
	}
}

func TestErrors(t *testing.T) {
	bad := &matrix.Dense{Rows: 1, Cols: 2, Data: []float32{1, float32(math.NaN())}}
	for name, f := range map[string]func() error{
		"no matrix":     func() error { _, err := TruncatedSVD(background, nil, SVDOptions{Components: 1}); return err },
		"no components": func() error { _, err := TruncatedSVD(background, NewDense(2, 2), SVDOptions{}); return err },
		"no rows":       func() error { _, err := PCA(background, NewDense(0, 2), SVDOptions{Components: 1}); return err },
		"not a number":  func() error { _, err := PCA(background, bad, SVDOptions{Components: 1}); return err },
		"unknown method": func() error {
			_, err := PCA(background, NewDense(2, 2), SVDOptions{Components: 1, Method: "x"})
			return err
		},
		"wrong columns": func() error { _, err := Project(NewDense(1, 2), NewDense(1, 3), nil, 1); return err },
		"data missing": func() error {
			_, err := TruncatedSVD(background, &Dense{2, 2, nil}, SVDOptions{Components: 1})
			return err
		},
		"bad csr": func() error {
			_, err := TruncatedSVD(background, &CSR{1, 1, []int64{0, 1}, []int32{4}, []float64{1}}, SVDOptions{Components: 1})
			return err
		},
		"cancelled": func() error {
			ctx, stop := context.WithCancel(background)
			stop()
			_, err := TruncatedSVD(ctx, &Dense{2, 2, []float64{1, 2, 3, 4}}, SVDOptions{Components: 1})
			return err
		},
	} {
		if f() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestRowsAlone: the bits of a row's projection depend neither on its
// neighbours nor on the layout.
func TestRowsAlone(t *testing.T) {
	d, s := random(60, 41, 5)
	svd, err := TruncatedSVD(background, s, SVDOptions{Components: 6})
	if err != nil {
		t.Fatal(err)
	}
	all, _ := svd.Transform(d, 3)
	for i := range d.Rows {
		one, _ := svd.Transform(d.Select([]int{i}), 1)
		sparse, _ := svd.Transform(s.Select([]int{i}), 1)
		if !sameBits(one.Data, all.Row(i)) || !sameBits(sparse.Data, all.Row(i)) {
			t.Fatalf("row %d alone differs from row %d among others", i, i)
		}
	}
}

func TestThreads(t *testing.T) {
	d, s := random(700, 60, 11)
	for name, x := range map[string]matrix.Matrix{"dense": d, "sparse": s} {
		for _, method := range []Method{Exact, Randomised} {
			var want []float64
			for _, threads := range []int{1, 2, 3} {
				p, err := PCA(background, x, SVDOptions{Components: 7, Method: method, Threads: threads})
				if err != nil {
					t.Fatal(err)
				}
				if want == nil {
					want = p.Components.Data
				} else if !sameBits(want, p.Components.Data) {
					t.Fatalf("%s, %s: %d threads change the result", name, method, threads)
				}
			}
		}
	}
}

// TestGOMAXPROCS: the small factorisations inside do not see the number of
// processors either.
func TestGOMAXPROCS(t *testing.T) {
	d, _ := random(300, 150, 13)
	var want *SVD
	for _, procs := range []int{1, 2, 5} {
		before := runtime.GOMAXPROCS(procs)
		s, err := TruncatedSVD(background, d, SVDOptions{Components: 120})
		runtime.GOMAXPROCS(before)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = s
		} else if !sameBits(want.Components.Data, s.Components.Data) || !sameBits(want.SingularValues, s.SingularValues) {
			t.Fatalf("GOMAXPROCS=%d changes the result", procs)
		}
	}
}

func TestKernels(t *testing.T) {
	for n := range 19 {
		x, y := make([]float64, n), make([]float64, n)
		want := 0.0
		for i := range n {
			x[i], y[i] = float64(i+1), float64(2*i-3)
			want += x[i] * y[i]
		}
		if got := dot(x, y); got != want {
			t.Errorf("dot of %d terms is %v, want %v", n, got, want)
		}
		var acc [8]float64
		dot2x4(&acc, x, y, y, x, y, x)
		if acc[0] != want || acc[5] != want || acc[1] != dot(x, x) || acc[6] != dot(y, y) {
			t.Errorf("dot2x4 of %d terms: %v", n, acc)
		}
	}
}

func benchmarkSVD(b *testing.B, x matrix.Matrix, opt SVDOptions) {
	for b.Loop() {
		if _, err := TruncatedSVD(background, x, opt); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDense(b *testing.B) {
	x := matrix.NewDense(5000, 384)
	for i := range x.Data {
		x.Data[i] = float32(rng.Normal(1, 0, uint64(i)))
	}
	benchmarkSVD(b, x, SVDOptions{Components: 50})
}

func BenchmarkSparse(b *testing.B) {
	_, s := random(6000, 3000, 1)
	b.Run("exact", func(b *testing.B) { benchmarkSVD(b, s, SVDOptions{Components: 50}) })
	b.Run("randomized", func(b *testing.B) { benchmarkSVD(b, s, SVDOptions{Components: 50, Method: Randomised}) })
}
