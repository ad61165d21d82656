package agglomerative

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

func flat(rows [][]float64) []float64 {
	var out []float64
	for _, r := range rows {
		out = append(out, r...)
	}
	return out
}

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

func checkMerges(t *testing.T, name string, got []Merge, want [][]float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d merges, want %d", name, len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		if float64(g.A) != w[0] || float64(g.B) != w[1] || float64(g.Size) != w[3] || math.Abs(g.Distance-w[2]) > 1e-12*max(1, w[2]) {
			t.Fatalf("%s: merge %d is %+v, want %v", name, i, g, w)
		}
	}
}

func TestGolden(t *testing.T) {
	var g map[string]json.RawMessage
	load(t, "agglomerative.json.gz", &g)
	read := func(raw json.RawMessage, v any) {
		t.Helper()
		if err := json.Unmarshal(raw, v); err != nil {
			t.Fatal(err)
		}
	}
	var x, cosine [][]float64
	read(g["X"], &x)
	read(g["cosine_like"], &cosine)
	n := len(x)
	for _, l := range []Linkage{Ward, Average, Complete, Single} {
		var e map[string]json.RawMessage
		read(g[string(l)], &e)
		var merges [][]float64
		read(e["merges"], &merges)
		for _, k := range []int{1, 2, 5, 13, 120} {
			m, err := Fit(background, flat(x), n, 4, Params{Linkage: l, NClusters: k})
			if err != nil {
				t.Fatal(err)
			}
			checkMerges(t, string(l), m.Tree.Merges, merges)
			var labels []int32
			read(e[fmt.Sprint("labels_", k)], &labels)
			if !samePartition(m.Labels, labels) || m.K != k {
				t.Errorf("%s cut to %d: %v, want %v", l, k, m.Labels, labels)
			}
		}
		if l == Ward {
			// Ward from distances of points is Ward from the points.
			var dist []float64
			for i := range n {
				for j := range n {
					dist = append(dist, math.Sqrt(square(x[i], x[j])))
				}
			}
			m, err := FitDistances(background, dist, n, Params{Linkage: l})
			if err != nil {
				t.Fatal(err)
			}
			checkMerges(t, "ward from distances", m.Tree.Merges, merges)
			continue
		}
		read(e["precomputed_merges"], &merges)
		for _, k := range []int{2, 7} {
			m, err := FitDistances(background, flat(cosine), n, Params{Linkage: l, NClusters: k})
			if err != nil {
				t.Fatal(err)
			}
			checkMerges(t, string(l)+" from distances", m.Tree.Merges, merges)
			var labels []int32
			read(e[fmt.Sprint("precomputed_labels_", k)], &labels)
			if !samePartition(m.Labels, labels) {
				t.Errorf("%s of distances cut to %d: %v, want %v", l, k, m.Labels, labels)
			}
		}
	}
}

func cloud(n, d int) []float64 {
	x := make([]float64, n*d)
	for i := range x {
		x[i] = rng.Normal(3, 0, uint64(i))
	}
	return x
}

// TestThreads is large enough for the parallel scans.
func TestThreads(t *testing.T) {
	for _, l := range []Linkage{Ward, Single, Average} {
		n, d := 1100, 32
		if l == Average {
			n = 200
		}
		x := cloud(n, d)
		var want []Merge
		for _, threads := range []int{1, 2, 3} {
			m, err := Fit(background, x, n, d, Params{Linkage: l, Threads: threads})
			if err != nil {
				t.Fatal(err)
			}
			if want == nil {
				want = m.Tree.Merges
			} else if !reflect.DeepEqual(want, m.Tree.Merges) {
				t.Fatalf("%s: %d threads change the tree", l, threads)
			}
		}
	}
}

// TestTies: equal points and equal distances give a whole tree of ascending
// heights, and labels numbered by the lowest point.
func TestTies(t *testing.T) {
	for _, l := range []Linkage{Ward, Average, Complete, Single} {
		x := []float64{0, 1, 2, 3, 0, 1, 2, 3, 7}
		m, err := Fit(background, x, 9, 1, Params{Linkage: l, NClusters: 5})
		if err != nil {
			t.Fatal(err)
		}
		last := 0.0
		for _, e := range m.Tree.Merges {
			if e.Distance < last {
				t.Errorf("%s: heights descend in %v", l, m.Tree.Merges)
			}
			last = e.Distance
		}
		if want := []int32{0, 1, 2, 3, 0, 1, 2, 3, 4}; !reflect.DeepEqual(m.Labels, want) {
			t.Errorf("%s: labels %v, want %v", l, m.Labels, want)
		}
		if m.Tree.Merges[7].Size != 9 {
			t.Errorf("%s: the last merge holds %d points, want 9", l, m.Tree.Merges[7].Size)
		}
	}
}

func TestThresholdAndClamp(t *testing.T) {
	x := []float64{0, 1, 10, 12, 40}
	m, err := Fit(background, x, 5, 1, Params{Linkage: Single, DistanceThreshold: 2})
	if err != nil {
		t.Fatal(err)
	}
	if want := []int32{0, 0, 1, 2, 3}; !reflect.DeepEqual(m.Labels, want) || m.K != 4 || m.Note() != "" {
		t.Errorf("labels %v, want %v: merges at the threshold are not made", m.Labels, want)
	}
	m, err = Fit(background, x, 5, 1, Params{NClusters: 9})
	if err != nil {
		t.Fatal(err)
	}
	if m.K != 5 || !m.Clamped() || !strings.Contains(m.Note(), "5 of the 9") {
		t.Errorf("%d clusters, note %q", m.K, m.Note())
	}
	for _, l := range []Linkage{Ward, Average, Complete, Single} {
		for _, fit := range []func() (*Model, error){
			func() (*Model, error) { return Fit(background, []float64{4}, 1, 1, Params{Linkage: l}) },
			func() (*Model, error) { return FitDistances(background, []float64{0}, 1, Params{Linkage: l}) },
		} {
			if m, err := fit(); err != nil || m.K != 1 || len(m.Tree.Merges) != 0 {
				t.Errorf("%s of one point: %+v, %v", l, m, err)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	fit := func(x []float64, n, d int, p Params) error { _, err := Fit(background, x, n, d, p); return err }
	dist := func(x []float64, n int) error { _, err := FitDistances(background, x, n, Params{}); return err }
	ctx, stop := context.WithCancel(background)
	stop()
	_, cancelled := Fit(ctx, []float64{1, 2, 3}, 3, 1, Params{})
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"linkage":     {fit([]float64{1}, 1, 1, Params{Linkage: "median"}), "median"},
		"all faults":  {fit([]float64{1}, 1, 1, Params{Linkage: "x", DistanceThreshold: -1}), "distance_threshold is -1"},
		"both":        {fit([]float64{1}, 1, 1, Params{NClusters: 1, DistanceThreshold: 1}), "both"},
		"no points":   {fit(nil, 0, 3, Params{}), "no points"},
		"shape":       {fit([]float64{1}, 2, 1, Params{}), "1 values"},
		"nan":         {fit([]float64{1, math.NaN()}, 2, 1, Params{}), "point 1"},
		"memory":      {fit(cloud(50, 2), 50, 2, Params{Linkage: Average, MaxBytes: 100}), "use ward or single"},
		"asymmetric":  {dist([]float64{0, 1, 2, 0}, 2), "points 0 and 1"},
		"negative":    {dist([]float64{0, -1, -1, 0}, 2), "not negative"},
		"wrong count": {dist([]float64{0, 1}, 2), "4 are needed"},
		"interrupted": {cancelled, "canceled"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: error %v does not say %q", name, c.err, c.want)
		}
	}
	if err := dist([]float64{0, -1e-16, -1e-16, 0}, 2); err != nil {
		t.Errorf("a rounding error below 0: %v", err)
	}
}
