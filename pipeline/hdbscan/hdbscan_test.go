package hdbscan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/rng"
)

// grid are n rows of small integers: ties and copies everywhere.
func grid(n, d, width int, seed uint64) []float64 {
	x := make([]float64, n*d)
	for i := range x {
		x[i] = float64(rng.Below(rng.Hash2(seed, uint64(i), 0), width))
	}
	return x
}

// repeat is x followed by itself.
func repeat(x []float64, times int) []float64 {
	return slices.Repeat(x, times)
}

// checkSane looks for what no result may have, whatever the input.
func checkSane(t *testing.T, m *Model) {
	t.Helper()
	k := int32(m.NumClusters())
	if len(m.Labels) != m.N || len(m.Probabilities) != m.N || len(m.OutlierScores) != m.N || len(m.MST) != m.N-1 || len(m.Persistence) != int(k) {
		t.Fatalf("lengths: %d labels, %d probabilities, %d scores, %d edges, %d persistences for %d rows and %d clusters",
			len(m.Labels), len(m.Probabilities), len(m.OutlierScores), len(m.MST), len(m.Persistence), m.N, k)
	}
	unit := func(what string, v float64) {
		if !(v >= 0 && v <= 1+1e-12) {
			t.Fatalf("%s is %v", what, v)
		}
	}
	for i, l := range m.Labels {
		if l < -1 || l >= k {
			t.Fatalf("label %d of %d clusters", l, k)
		}
		if l < 0 && m.Probabilities[i] != 0 {
			t.Fatalf("noise with probability %v", m.Probabilities[i])
		}
		unit("probability", m.Probabilities[i])
		unit("outlier score", m.OutlierScores[i])
	}
	for _, x := range [][]float64{m.Persistence, m.CoreDistances, m.PredictionCore, m.Tree.Lambda} {
		for _, v := range x {
			if math.IsNaN(v) || math.IsInf(v, 0) || v < 0 {
				t.Fatalf("a result is %v", v)
			}
		}
	}
	if err := m.check(); err != nil {
		t.Fatal(err)
	}
	seen := map[[32]byte]int{}
	for i := range m.N {
		var key [32]byte
		copy(key[:], fmt.Sprint(m.Points[i*m.D:(i+1)*m.D]))
		if j, ok := seen[key]; ok {
			if m.Labels[i] != m.Labels[j] || m.Probabilities[i] != m.Probabilities[j] || m.OutlierScores[i] != m.OutlierScores[j] {
				t.Fatalf("rows %d and %d are identical and have labels %d and %d", i, j, m.Labels[i], m.Labels[j])
			}
		}
		seen[key] = i
	}
	v, err := m.MembershipVectors(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	checkMembership(t, v, int(k))
	labels, probs, err := m.Predict(t.Context(), m.Points)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range labels {
		if l < -1 || l >= k {
			t.Fatalf("predicted label %d of %d", l, k)
		}
		unit("predicted probability", probs[i])
	}
	v, err = m.PredictMembership(t.Context(), m.Points)
	if err != nil {
		t.Fatal(err)
	}
	checkMembership(t, v, int(k))
}

func checkMembership(t *testing.T, v []float64, k int) {
	t.Helper()
	for i := 0; i < len(v); i += k {
		s := 0.0
		for _, p := range v[i : i+k] {
			if !(p >= 0) {
				t.Fatalf("membership %v", p)
			}
			s += p
		}
		if s > 1+1e-9 {
			t.Fatalf("membership of row %d sums to %v", i/k, s)
		}
	}
}

func TestTinyAndOdd(t *testing.T) {
	cases := []struct {
		name string
		x    []float64
		n, d int
	}{
		{"one row", []float64{1, 2}, 1, 2},
		{"two rows", []float64{1, 2, 3, 4}, 2, 2},
		{"three rows", []float64{1, 2, 3, 4, 5, 7}, 3, 2},
		{"fewer than min_samples", blobs(8, 3, 2, 1), 8, 3},
		{"two identical", []float64{1, 1}, 2, 1},
		{"60 identical", repeat([]float64{1, 2, 3}, 60), 60, 3},
		{"two places", append(repeat([]float64{1, 2}, 30), repeat([]float64{5, 5}, 30)...), 60, 2},
		{"minus zero", []float64{0, math.Copysign(0, -1), 0, 1, math.Copysign(0, -1)}, 5, 1},
		{"copies and rest", append(repeat([]float64{1, 2}, 30), blobs(100, 2, 3, 2)...), 130, 2},
		{"each row twice", repeat(blobs(150, 3, 4, 3), 2), 300, 3},
		{"grid", grid(400, 2, 12, 4), 400, 2},
		{"line", grid(300, 1, 1<<20, 5), 300, 1},
		{"huge", []float64{1e140, -1e140, 3, 1e139, 2, 1}, 6, 1},
		{"close", []float64{0, 1e-180, 2e-180, 1, 1 + 1e-15, 2}, 6, 1},
		{"many dimensions", blobs(120, 70, 3, 6), 120, 70},
	}
	settings := []Params{
		{MinClusterSize: 5},
		{MinClusterSize: 2, MinSamples: 1},
		{MinClusterSize: 5, AllowSingleCluster: true},
		{MinClusterSize: 5, Method: "leaf", AllowSingleCluster: true},
		{MinClusterSize: 3, MinSamples: 2, Method: "leaf", Epsilon: 0.5},
		{MinClusterSize: 4, Epsilon: 2, AllowSingleCluster: true, Metric: "manhattan"},
		{MinClusterSize: 3, Persistence: 0.1, Alpha: 1.5},
		{MinClusterSize: 3, MaxClusterSize: 20, MinSamples: 50},
	}
	for _, c := range cases {
		for i, p := range settings {
			t.Run(fmt.Sprintf("%s/%d", c.name, i), func(t *testing.T) {
				checkSane(t, mustFit(t, c.x, c.n, c.d, p))
			})
		}
	}
}

func TestIdenticalRows(t *testing.T) {
	x := repeat([]float64{1, 2, 3}, 60)
	m := mustFit(t, x, 60, 3, Params{})
	if slices.Max(m.Labels) != -1 {
		t.Errorf("labels %v, want all -1", m.Labels)
	}
	m = mustFit(t, x, 60, 3, Params{AllowSingleCluster: true})
	for i, l := range m.Labels {
		if l != 0 || m.Probabilities[i] != 1 {
			t.Fatalf("row %d: label %d, probability %v; want 0, 1", i, l, m.Probabilities[i])
		}
	}
	if m = mustFit(t, x, 60, 3, Params{MinClusterSize: 61, AllowSingleCluster: true}); slices.Max(m.Labels) != -1 {
		t.Error("60 rows make a cluster of at least 61")
	}
}

func TestTwoPlaces(t *testing.T) {
	x := append(repeat([]float64{1, 2}, 30), repeat([]float64{5, 5}, 40)...)
	m := mustFit(t, x, 70, 2, Params{})
	if m.NumClusters() != 2 || slices.Min(m.Labels) != 0 || slices.Min(m.Probabilities) != 1 {
		t.Errorf("%d clusters, labels %v, probabilities %v", m.NumClusters(), m.Labels, m.Probabilities)
	}
}

// TestCopiesKeepTopics doubles every row: the clusters stay.
func TestCopiesKeepTopics(t *testing.T) {
	const n = 1000
	x := blobs(n, 4, 6, 7)
	once := mustFit(t, x, n, 4, Params{MinClusterSize: 15, MinSamples: 5})
	twice := mustFit(t, repeat(x, 2), 2*n, 4, Params{MinClusterSize: 30, MinSamples: 11})
	if !slices.Equal(twice.Labels[:n], twice.Labels[n:]) {
		t.Error("copies have other labels")
	}
	// min_samples 11 of doubled rows is the 5th neighbour: the copy itself is one.
	if _, misfits := matchLabels(twice.Labels[:n], once.Labels); misfits > 0 || once.NumClusters() < 4 {
		t.Errorf("%d rows moved among %d clusters", misfits, once.NumClusters())
	}
	near(t, "core", twice.CoreDistances[:n], once.CoreDistances)
}

func TestBadInput(t *testing.T) {
	ok := blobs(20, 2, 2, 1)
	with := func(i int, v float64) []float64 {
		x := slices.Clone(ok)
		x[i] = v
		return x
	}
	two := with(11, math.NaN())
	two[18] = math.Inf(1)
	cases := []struct {
		name string
		x    []float64
		n, d int
		p    Params
		want []string
	}{
		{"no rows", nil, 0, 2, Params{}, []string{"no rows"}},
		{"no columns", nil, 3, 0, Params{}, []string{"3 x 0"}},
		{"negative", ok, -1, 2, Params{}, []string{"-1 x 2"}},
		{"wrong length", ok[:39], 20, 2, Params{}, []string{"39 values"}},
		{"not finite", two, 20, 2, Params{}, []string{"row 5 (NaN", "row 9 (+Inf"}},
		{"too large", with(3, 1e200), 20, 2, Params{}, []string{"row 1 (1e+200"}},
		{"settings", ok, 20, 2, Params{MinClusterSize: 1, MinSamples: -1, Method: "x", Metric: "y", Epsilon: -1, Persistence: math.NaN(), Alpha: math.Inf(1), MaxClusterSize: -1},
			[]string{"min_cluster_size", "min_samples", "method", "metric", "epsilon", "persistence", "alpha", "max_cluster_size"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := Fit(t.Context(), c.x, c.n, c.d, c.p)
			if err == nil {
				t.Fatal("no error")
			}
			for _, w := range c.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not say %q", err, w)
				}
			}
		})
	}
	m := mustFit(t, ok, 20, 2, Params{MinClusterSize: 3})
	if _, _, err := m.Predict(t.Context(), two); err == nil || !strings.Contains(err.Error(), "row 5") {
		t.Errorf("predict of NaN: %v", err)
	}
	if _, err := m.PredictMembership(t.Context(), ok[:3]); err == nil {
		t.Error("half a row was accepted")
	}
	var empty Model
	if _, _, err := empty.Predict(t.Context(), ok); !errors.Is(err, errNotReady) {
		t.Errorf("predict of an empty model: %v", err)
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, d := range []int{3, 70} {
		if _, err := Fit(ctx, blobs(500, d, 3, 1), 500, d, Params{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%d dimensions: %v", d, err)
		}
	}
}

// FuzzFit reads settings and small integer coordinates, full of ties and
// copies, from bytes.
func FuzzFit(f *testing.F) {
	f.Add([]byte{2, 3, 2, 0, 1, 1, 2, 2, 3, 3, 3, 3, 9, 9, 9, 9, 9, 8, 8, 9, 0, 0})
	f.Add([]byte{1, 2, 1, 15, 0, 0, 0, 1, 1, 1, 5, 5, 5, 6})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 5 || len(b) > 400 {
			return
		}
		p := Params{MinClusterSize: 2 + int(b[1]%6), MinSamples: int(b[2] % 8), Epsilon: float64(b[3] >> 5), Persistence: float64(b[2]>>4) / 40, MaxClusterSize: int(b[1] >> 4)}
		if b[3]&1 != 0 {
			p.Method = "leaf"
		}
		if b[3]&2 != 0 {
			p.Metric = "manhattan"
		}
		p.AllowSingleCluster = b[3]&4 != 0
		d := 1 + int(b[0]%3)
		n := (len(b) - 4) / d
		if n == 0 {
			return
		}
		x := make([]float64, n*d)
		for i := range x {
			x[i] = float64(b[4+i] % 16)
		}
		checkSane(t, mustFit(t, x, n, d, p))
	})
}

// TestThreads wants the same bits from any number of threads.
func TestThreads(t *testing.T) {
	for name, x := range map[string][]float64{"blobs": blobs(3000, 5, 20, 8), "grid": grid(3000, 5, 7, 9)} {
		var first *Model
		var firstV, firstQ []float64
		for _, threads := range []int{1, 2, 3, 7} {
			m := mustFit(t, x, 3000, 5, Params{MinClusterSize: 8, Threads: threads})
			v, err := m.MembershipVectors(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			q, err := m.PredictMembership(t.Context(), blobs(700, 5, 20, 10))
			if err != nil {
				t.Fatal(err)
			}
			m.idx, m.Params.Threads = nil, 0
			if first == nil {
				first, firstV, firstQ = m, v, q
			} else if !reflect.DeepEqual(m, first) || !slices.Equal(v, firstV) || !slices.Equal(q, firstQ) {
				t.Errorf("%s: %d threads give another result", name, threads)
			}
		}
	}
}

// TestPermutation shuffles rows without equal distances.
func TestPermutation(t *testing.T) {
	const n = 1500
	x := blobs(n, 3, 12, 11)
	for _, p := range []Params{{MinClusterSize: 5}, {MinClusterSize: 12, MinSamples: 3, Method: "leaf"}} {
		want := mustFit(t, x, n, 3, p)
		for round := range 5 {
			order := make([]int, n)
			for i := range order {
				order[i] = i
			}
			slices.SortFunc(order, func(a, b int) int {
				return int(rng.Hash2(uint64(round), uint64(a), 0)>>33) - int(rng.Hash2(uint64(round), uint64(b), 0)>>33)
			})
			shuffled := make([]float64, 0, len(x))
			for _, i := range order {
				shuffled = append(shuffled, x[i*3:(i+1)*3]...)
			}
			m := mustFit(t, shuffled, n, 3, p)
			labels := make([]int32, n)
			probs := make([]float64, n)
			scores := make([]float64, n)
			for to, from := range order {
				labels[from], probs[from], scores[from] = m.Labels[to], m.Probabilities[to], m.OutlierScores[to]
			}
			samePartition(t, labels, want.Labels)
			if !slices.Equal(probs, want.Probabilities) || !slices.Equal(scores, want.OutlierScores) {
				t.Error("scores changed")
			}
		}
	}
}

// TestSpanningTree compares Boruvka over the kd-tree with Prim over all pairs,
// edge by edge, and core distances with a sort of all distances.
func TestSpanningTree(t *testing.T) {
	sets := map[string]struct {
		x    []float64
		n, d int
	}{
		"blobs":  {blobs(700, 5, 8, 1), 700, 5},
		"plane":  {blobs(700, 2, 8, 2), 700, 2},
		"wide":   {blobs(300, 20, 4, 3), 300, 20},
		"grid 1": {grid(300, 1, 1000, 4), 300, 1},
		"grid 2": {grid(700, 2, 20, 5), 700, 2},
		"grid 3": {grid(700, 3, 8, 6), 700, 3},
		"flat":   {append(grid(200, 2, 1, 7), grid(200, 2, 9, 8)...), 400, 2},
	}
	for name, s := range sets {
		for _, met := range []string{"euclidean", "manhattan"} {
			for _, samples := range []int{1, 4, 30} {
				for _, alpha := range []float64{1, 0.7, 1.8} {
					t.Run(fmt.Sprintf("%s/%s/%d/%g", name, met, samples, alpha), func(t *testing.T) {
						g := groupRows(s.x, s.n, s.d)
						tree := newKDTree(g.gather(s.x, s.d), g.len(), s.d, metricOf(met), 2)
						core, err := coreDistances(t.Context(), tree, g, samples, 2)
						if err != nil {
							t.Fatal(err)
						}
						if alpha == 1 {
							checkCore(t, s.x, s.n, s.d, g, core, tree.metric, samples)
						}
						a, err := boruvka(t.Context(), tree, core, alpha, 2)
						if err != nil {
							t.Fatal(err)
						}
						b, err := prim(t.Context(), tree, core.fit, alpha, 2)
						if err != nil {
							t.Fatal(err)
						}
						slices.SortFunc(a, compareSpans)
						slices.SortFunc(b, compareSpans)
						if !slices.Equal(a, b) {
							t.Error("Boruvka and Prim found different trees")
						}
					})
				}
			}
		}
	}
}

func checkCore(t *testing.T, x []float64, n, d int, g *rowGroups, core *cores, met metric, samples int) {
	t.Helper()
	dist := make([]float64, n)
	for i := range n {
		reducedDistances(dist, x[i*d:(i+1)*d], x, met)
		slices.Sort(dist)
		if got, want := core.fit[g.of[i]], dist[samples]; got != want {
			t.Fatalf("core distance of row %d is %v, want %v", i, got, want)
		}
		if got, want := core.predict[g.of[i]], dist[samples-1]; got != want {
			t.Fatalf("core distance of row %d for prediction is %v, want %v", i, got, want)
		}
	}
}

// TestPredictAlone wants each row's prediction to be the same in any company.
func TestPredictAlone(t *testing.T) {
	m := mustFit(t, blobs(800, 3, 6, 1), 800, 3, Params{})
	q := blobs(300, 3, 6, 2)
	labels, probs, err := m.Predict(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 300 {
		l, p, err := m.Predict(t.Context(), q[i*3:(i+1)*3])
		if err != nil || l[0] != labels[i] || p[0] != probs[i] {
			t.Fatalf("row %d alone: %v %v %v, want %d %v", i, l, p, err, labels[i], probs[i])
		}
	}
	if l, _, err := m.Predict(t.Context(), nil); err != nil || len(l) != 0 {
		t.Errorf("no rows: %v %v", l, err)
	}
}

// TestPredictOfTrainingRows wants rows that Fit labelled to be found again,
// and a single cluster not to swallow the noise.
func TestPredictOfTrainingRows(t *testing.T) {
	x := points2000(t)
	for _, p := range []Params{{MinClusterSize: 15}, {MinClusterSize: 900, MinSamples: 5, AllowSingleCluster: true}} {
		m := mustFit(t, x, 2000, 5, p)
		labels, _, err := m.Predict(t.Context(), x)
		if err != nil {
			t.Fatal(err)
		}
		same := 0
		for i, l := range labels {
			if l == m.Labels[i] {
				same++
			}
		}
		// hdbscan 0.8.44 finds 2000 and, where the tree has no split, 361.
		if same < 2000 {
			t.Errorf("%d of 2000 training rows keep their label among %d", same, m.NumClusters())
		}
	}
}

func savedModel(t testing.TB) (*Model, []byte) {
	m := mustFit(t, append(blobs(200, 2, 4, 1), repeat([]float64{3, 3}, 20)...), 220, 2, Params{MinClusterSize: 6})
	raw, err := json.Marshal(Model{Params: m.Params, N: m.N, D: m.D, Points: m.Points, PredictionCore: m.PredictionCore, Tree: m.Tree, Selected: m.Selected})
	if err != nil {
		t.Fatal(err)
	}
	return m, raw
}

func TestRestore(t *testing.T) {
	m, raw := savedModel(t)
	var back Model
	if err := json.Unmarshal(raw, &back); err != nil {
		t.Fatal(err)
	}
	if err := back.Restore(); err != nil {
		t.Fatal(err)
	}
	q := blobs(100, 2, 4, 2)
	l1, p1, err1 := m.Predict(t.Context(), q)
	l2, p2, err2 := back.Predict(t.Context(), q)
	v1, err3 := m.PredictMembership(t.Context(), q)
	v2, err4 := back.PredictMembership(t.Context(), q)
	a1, err5 := m.MembershipVectors(t.Context())
	a2, err6 := back.MembershipVectors(t.Context())
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(l1, l2) || !slices.Equal(p1, p2) || !slices.Equal(v1, v2) || !slices.Equal(a1, a2) {
		t.Error("the restored model predicts otherwise")
	}
}

// TestRestoreDamaged changes one number at a time: an error or a model that
// predicts, never a panic, and never NaN.
func TestRestoreDamaged(t *testing.T) {
	_, raw := savedModel(t)
	odd := []float64{-1, 0, 1, 2, 219, 220, 221, 222, 1e9, -1e300, math.NaN(), math.Inf(1)}
	refused := 0
	const rounds = 1500
	for round := range uint64(rounds) {
		var m Model
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		at := func(n int, k uint64) int { return rng.Below(rng.Hash2(1, round, k), n) }
		v := odd[at(len(odd), 0)]
		id := int32(max(-5, min(v, 1e6)))
		switch at(12, 1) {
		case 0:
			m.N = int(id)
		case 1:
			m.D = int(id)
		case 2:
			m.Points[at(len(m.Points), 2)] = v
		case 3:
			m.PredictionCore[at(m.N, 2)] = v
		case 4:
			m.Tree.Parent[at(len(m.Tree.Parent), 2)] = id
		case 5:
			m.Tree.Child[at(len(m.Tree.Child), 2)] = id
		case 6:
			m.Tree.Lambda[at(len(m.Tree.Lambda), 2)] = v
		case 7:
			m.Tree.Size[at(len(m.Tree.Size), 2)] = id
		case 8:
			m.Selected[at(len(m.Selected), 2)] = id
		case 9:
			m.Selected = append(m.Selected, id)
		case 10:
			m.Tree.Child = m.Tree.Child[:at(len(m.Tree.Child), 2)]
		case 11:
			m.Params.MinSamples = int(id)
		}
		if err := m.Restore(); err != nil {
			refused++
			continue
		}
		_, p, err1 := m.Predict(t.Context(), m.Points[:20])
		w, err2 := m.PredictMembership(t.Context(), m.Points[:20])
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		for _, x := range append(p, w...) {
			if !(x >= 0 && x <= 1+1e-9) {
				t.Fatalf("round %d predicts %v", round, x)
			}
		}
	}
	if refused < rounds/4 {
		t.Errorf("only %d of %d damaged models were refused", refused, rounds)
	}
}

// The five-dimensional distance to a box has the bits of the general one.
func TestBoxDistance5(t *testing.T) {
	value := func(k uint64) float64 { return []float64{0, 1e-160, 1, 1e140}[k%4] * rng.Normal(3, k, 0) }
	for k := range uint64(1000) {
		var q [5]float64
		var box [10]float64
		for j := range q {
			q[j] = value(32*k + uint64(j))
			a, b := value(32*k+uint64(8+j)), value(32*k+uint64(16+j))
			box[j], box[5+j] = min(a, b), max(a, b)
		}
		want := addGaps(0, q[:], box[:5], box[5:], euclidean)
		if got := boxDistance5(&q, &box); math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("case %d: %v, want %v", k, got, want)
		}
	}
}
