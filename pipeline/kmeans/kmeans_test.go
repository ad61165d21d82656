package kmeans

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/rng"
)

var background = context.Background()

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

type golden struct {
	X, Init, Centers, Q, Transform [][]float64
	Labels, Predict                []int32
	Inertia                        float64
	NIter                          int     `json:"n_iter"`
	Best                           float64 `json:"best_inertia_of_200"`
}

func flat(rows [][]float64) []float64 {
	var out []float64
	for _, r := range rows {
		out = append(out, r...)
	}
	return out
}

func TestGoldenLloyd(t *testing.T) {
	var g golden
	load(t, "kmeans.json.gz", &g)
	m, err := Fit(background, flat(g.X), 120, 4, Params{K: 6, Init: flat(g.Init)})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(m.Labels, g.Labels) {
		t.Errorf("labels %v, want %v", m.Labels, g.Labels)
	}
	for i, v := range flat(g.Centers) {
		if math.Abs(m.Centers[i]-v) > 1e-12 {
			t.Fatalf("centre value %d is %v, want %v", i, m.Centers[i], v)
		}
	}
	if math.Abs(m.Inertia-g.Inertia) > 1e-10 || m.Iterations != g.NIter || !m.Converged {
		t.Errorf("inertia %v after %d iterations, want %v after %d", m.Inertia, m.Iterations, g.Inertia, g.NIter)
	}
	got, err := m.Predict(background, flat(g.Q))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, g.Predict) {
		t.Errorf("predict %v, want %v", got, g.Predict)
	}
}

// TestBestOfMany: with several starts the inertia is the best that
// scikit-learn found in 200 runs.
func TestBestOfMany(t *testing.T) {
	var g golden
	load(t, "kmeans.json.gz", &g)
	m, err := Fit(background, flat(g.X), 120, 4, Params{K: 6, NInit: 200})
	if err != nil {
		t.Fatal(err)
	}
	if m.Inertia > g.Best*(1+1e-12) {
		t.Errorf("inertia %v, scikit-learn reached %v", m.Inertia, g.Best)
	}
}

// blobs returns n points around k far corners of a cube and their corners.
func blobs(n, d, k int, seed uint64) (x []float64, label []int32) {
	for i := range n {
		c := i % k
		label = append(label, int32(c))
		for j := range d {
			x = append(x, 20*rng.Unit(rng.Hash3(seed, 1, uint64(c), uint64(j)))+0.3*rng.Normal(seed, uint64(i), uint64(j)))
		}
	}
	return x, label
}

// samePartition reports whether a and b group the points alike.
func samePartition(a, b []int32) bool {
	ab, ba := map[int32]int32{}, map[int32]int32{}
	for i := range a {
		if v, ok := ab[a[i]]; ok && v != b[i] {
			return false
		}
		if v, ok := ba[b[i]]; ok && v != a[i] {
			return false
		}
		ab[a[i]], ba[b[i]] = b[i], a[i]
	}
	return len(a) == len(b)
}

func TestFindsBlobsOnAnyThreads(t *testing.T) {
	x, label := blobs(5000, 6, 9, 4)
	for _, p := range []Params{{K: 9, NInit: 3}, {K: 9, NInit: 3, MiniBatch: true, BatchSize: 256}} {
		var want *Model
		for _, threads := range []int{1, 2, 3} {
			p.Threads = threads
			m, err := Fit(background, x, 5000, 6, p)
			if err != nil {
				t.Fatal(err)
			}
			m.Params.Threads = 0
			if want == nil {
				want = m
			} else if !reflect.DeepEqual(m, want) {
				t.Fatalf("mini-batch %v: %d threads change the model", p.MiniBatch, threads)
			}
		}
		if !samePartition(want.Labels, label) || !want.Converged {
			t.Errorf("mini-batch %v: blobs are not found (inertia %v, %d iterations)", p.MiniBatch, want.Inertia, want.Iterations)
		}
		got, err := want.Predict(background, x[:60])
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want.Labels[:10]) {
			t.Error("predict of fitted points differs from their labels")
		}
	}
}

// TestMiniBatchInertia: on points without clusters mini-batches come close to
// Lloyd.
func TestMiniBatchInertia(t *testing.T) {
	var x []float64
	for i := range 3000 {
		x = append(x, rng.Normal(1, 0, uint64(i)), rng.Normal(1, 1, uint64(i)), rng.Normal(1, 2, uint64(i)))
	}
	full, err := Fit(background, x, 3000, 3, Params{K: 20})
	if err != nil {
		t.Fatal(err)
	}
	mini, err := Fit(background, x, 3000, 3, Params{K: 20, MiniBatch: true})
	if err != nil {
		t.Fatal(err)
	}
	// Lloyd's local minima differ by some percent themselves.
	if mini.Inertia > 1.1*full.Inertia {
		t.Errorf("mini-batch inertia %v, Lloyd %v", mini.Inertia, full.Inertia)
	}
}

func TestOdd(t *testing.T) {
	for name, c := range map[string]struct {
		x    []float64
		d, k int
		want int
	}{
		"one point":         {[]float64{1, 2}, 2, 8, 1},
		"fewer points":      {[]float64{1, 5, 9}, 1, 8, 3},
		"equal points":      {[]float64{3, 3, 3, 3}, 1, 2, 1},
		"two values":        {[]float64{3, 3, 4, 3, 4}, 1, 4, 2},
		"as many as points": {[]float64{1, 2, 3}, 1, 3, 3},
		"one cluster":       {[]float64{1, 2, 3}, 1, 1, 1},
	} {
		for _, mini := range []bool{false, true} {
			m, err := Fit(background, c.x, len(c.x)/c.d, c.d, Params{K: c.k, MiniBatch: mini})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if m.K != c.want || m.Clamped() != (c.want < c.k) || m.Clamped() != strings.Contains(m.Note(), "asked for") {
				t.Errorf("%s: %d clusters, want %d; note %q", name, m.K, c.want, m.Note())
			}
			seen := map[int32]bool{}
			for _, l := range m.Labels {
				seen[l] = true
			}
			if len(seen) != c.want {
				t.Errorf("%s, mini-batch %v: labels %v use %d clusters, want %d", name, mini, m.Labels, len(seen), c.want)
			}
		}
	}
}

// TestEmptyCluster: a start centre far from all points moves to the farthest
// point; of equal points it stays empty and still.
func TestEmptyCluster(t *testing.T) {
	m, err := Fit(background, []float64{0, 1, 10}, 3, 1, Params{K: 2, Init: []float64{0, 1000}})
	if err != nil {
		t.Fatal(err)
	}
	if want := []int32{0, 0, 1}; !reflect.DeepEqual(m.Labels, want) {
		t.Errorf("labels %v, want %v", m.Labels, want)
	}
	m, err = Fit(background, []float64{2, 2}, 2, 1, Params{K: 2, Init: []float64{2, 9}})
	if err != nil {
		t.Fatal(err)
	}
	if want := []float64{2, 9}; !reflect.DeepEqual(m.Centers, want) || m.Inertia != 0 {
		t.Errorf("centres %v, want %v", m.Centers, want)
	}
}

func TestDraw(t *testing.T) {
	w := make([]float64, 3*grain)
	w[5], w[grain+7], w[2*grain+1] = 1, 2, 1
	parts := []float64{1, 2, 1}
	for target, want := range map[float64]int{0: 5, 0.9: 5, 1: grain + 7, 2.9: grain + 7, 3: 2*grain + 1, 4: 2*grain + 1} {
		if got := draw(w, parts, target); got != want {
			t.Errorf("draw at %v gives %d, want %d", target, got, want)
		}
	}
	w[2*grain+1] = 0
	if got := draw(w, []float64{1, 2, 0}, 3); got != grain+7 {
		t.Errorf("draw past the end gives %d, want %d", got, grain+7)
	}
}

func TestErrors(t *testing.T) {
	x := []float64{1, 2, 3, 4}
	fit := func(x []float64, n, d int, p Params) error { _, err := Fit(background, x, n, d, p); return err }
	m, err := Fit(background, x, 2, 2, Params{K: 1})
	if err != nil {
		t.Fatal(err)
	}
	predict := func(m *Model, x []float64) error { _, err := m.Predict(background, x); return err }
	ctx, stop := context.WithCancel(background)
	stop()
	_, cancelled := Fit(ctx, x, 2, 2, Params{})
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"no points":    {fit(nil, 0, 2, Params{}), "no points"},
		"shape":        {fit(x, 3, 2, Params{}), "4 values given for 3 points"},
		"nan":          {fit([]float64{1, math.NaN()}, 2, 1, Params{}), "point 1"},
		"all faults":   {fit(x, 2, 2, Params{K: -1, MaxIter: -1}), "max_iter is -1"},
		"tol":          {fit(x, 2, 2, Params{Tol: math.NaN()}), "tol"},
		"ratio":        {fit(x, 2, 2, Params{ReassignmentRatio: math.NaN()}), "reassignment_ratio"},
		"init":         {fit(x, 2, 2, Params{K: 2, Init: x[:3]}), "3 start values"},
		"predict":      {predict(m, x[:3]), "3 values"},
		"predict nan":  {predict(m, []float64{0, math.Inf(1)}), "point 0"},
		"damaged":      {predict(&Model{K: 2, D: 2}, x), "damaged"},
		"interruption": {cancelled, "canceled"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: error %v does not say %q", name, c.err, c.want)
		}
	}
}

// TestNearest holds the paired kernel against the plain distance for every
// remainder of the number of centres.
func TestNearest(t *testing.T) {
	for k := 1; k < 10; k++ {
		for d := 1; d < 6; d++ {
			x, _ := blobs(2+k, d, 2+k, uint64(k))
			p, q, centers := x[:d], x[d:2*d], x[2*d:]
			atP, bestP, atQ, bestQ := nearest2(p, q, centers, k)
			for j := range k {
				a, b := square(p, centers[j*d:(j+1)*d]), square(q, centers[j*d:(j+1)*d])
				if a < bestP || b < bestQ || (int(atP) == j && a != bestP) || (int(atQ) == j && b != bestQ) {
					t.Fatalf("%d centres of %d values: nearest %d at %v and %d at %v, centre %d is at %v and %v", k, d, atP, bestP, atQ, bestQ, j, a, b)
				}
			}
		}
	}
}

func BenchmarkLloyd(b *testing.B) {
	for _, d := range []int{5, 384} {
		n := 100000 / d
		x, _ := blobs(n, d, 100, 1)
		b.Run(fmt.Sprint(n, "x", d), func(b *testing.B) {
			for b.Loop() {
				if _, err := Fit(background, x, n, d, Params{K: 100}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
