package hdbscan

import (
	"cmp"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"
)

type goldenParams struct {
	MinClusterSize int     `json:"min_cluster_size"`
	MinSamples     int     `json:"min_samples"`
	Method         string  `json:"cluster_selection_method"`
	Epsilon        float64 `json:"cluster_selection_epsilon"`
	Persistence    float64 `json:"cluster_selection_persistence"`
	Alpha          float64 `json:"alpha"`
	MaxClusterSize int     `json:"max_cluster_size"`
	AllowSingle    bool    `json:"allow_single_cluster"`
	Metric         string  `json:"metric"`
}

func (g goldenParams) params() Params {
	return Params{
		MinClusterSize: g.MinClusterSize, MinSamples: g.MinSamples, Method: g.Method, Epsilon: g.Epsilon,
		Persistence: g.Persistence, Alpha: g.Alpha, MaxClusterSize: g.MaxClusterSize,
		AllowSingleCluster: g.AllowSingle, Metric: g.Metric,
	}
}

type goldenPrediction struct {
	Labels        []int32
	Probabilities []float64
}

type goldenSetting struct {
	Params        goldenParams
	Labels        []int32
	Persistence   []float64
	Probabilities string
	OutlierScores string `json:"outlier_scores"`
	Tree          *struct {
		Parent, Child []int32
		Lambda        []float64 `json:"lambda_val"`
		Size          []int32   `json:"child_size"`
	} `json:"condensed_tree"`
	MergeOrder string            `json:"merge_order"`
	MSTWeights []float64         `json:"mst_weights_sorted"`
	Predict    *goldenPrediction `json:"approximate_predict"`
	Membership [][]float64       `json:"membership_vectors_first50"`
}

type tieSetting struct {
	Params           goldenParams
	Labels           []int32
	Persistence      []float64
	Probabilities    []float64 // of the first 200 rows
	OutlierScores    []float64 `json:"outlier_scores"`
	ProbabilitiesSum float64   `json:"probabilities_sum"`
	OutlierScoresSum float64   `json:"outlier_scores_sum"`
}

type goldenExtra struct {
	Params        goldenParams
	Labels        []int32
	Probabilities []float64
	Persistence   []float64
	Predict       *goldenPrediction `json:"approximate_predict"`
	Membership    []float64         `json:"membership_vectors"`
	AllPoints     []float64         `json:"all_points_first100"`
	MergeOrder    []int32           `json:"merge_order"`
}

// goldenFile is the library as it comes.
type goldenFile struct {
	Settings   map[string]goldenSetting
	Scores     map[string][]float64 `json:"shared_scores"`
	MergeOrder map[string][]int32   `json:"merge_order"`
}

// tieFile is the library with a stable sort of edges.
type tieFile struct {
	Settings map[string]tieSetting
	Query    [][]float64
	Extra    map[string]goldenExtra
}

// readJSON decodes a gzipped file of testdata.
func readJSON[T any](t testing.TB, name string) *T {
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
	v := new(T)
	if err := json.NewDecoder(z).Decode(v); err != nil {
		t.Fatal(err)
	}
	return v
}

// points2000 reads the little-endian float64 matrix behind the 128 byte header.
func points2000(t testing.TB) []float64 {
	t.Helper()
	raw, err := os.ReadFile("testdata/points2000.npy")
	if err != nil {
		t.Fatal(err)
	}
	raw = raw[len(raw)-2000*5*8:]
	x := make([]float64, 2000*5)
	for i := range x {
		x[i] = math.Float64frombits(binary.LittleEndian.Uint64(raw[i*8:]))
	}
	return x
}

func mustFit(t testing.TB, x []float64, n, d int, p Params) *Model {
	t.Helper()
	m, err := Fit(context.Background(), x, n, d, p)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// matchLabels returns which label of b each label of a stands for, and how
// many rows do not fit. Noise must stay noise.
func matchLabels(a, b []int32) (to map[int32]int32, misfits int) {
	count := map[[2]int32]int{}
	for i := range a {
		count[[2]int32{a[i], b[i]}]++
	}
	pairs := make([][2]int32, 0, len(count))
	for p := range count {
		pairs = append(pairs, p)
	}
	slices.SortFunc(pairs, func(p, q [2]int32) int { return cmp.Compare(count[q], count[p]) })
	to = map[int32]int32{-1: -1}
	used := map[int32]bool{-1: true}
	for _, p := range pairs {
		if _, ok := to[p[0]]; !ok && !used[p[1]] {
			to[p[0]] = p[1]
			used[p[1]] = true
		}
	}
	for i := range a {
		if v, ok := to[a[i]]; !ok || v != b[i] {
			misfits++
		}
	}
	return to, misfits
}

func samePartition(t *testing.T, got, want []int32) map[int32]int32 {
	t.Helper()
	to, misfits := matchLabels(got, want)
	if misfits > 0 {
		t.Errorf("%d of %d rows are in another cluster", misfits, len(got))
	}
	return to
}

// near compares to 1e-6: the golden numbers are rounded to 8 digits and the
// library adds in another order.
func near(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	bad, worst := 0, 0.0
	for i := range got {
		d := math.Abs(got[i] - want[i])
		worst = max(worst, d)
		if !(d <= 1e-6) {
			if bad++; bad <= 3 {
				t.Errorf("%s[%d] = %.10g, want %.10g", what, i, got[i], want[i])
			}
		}
	}
	if bad > 0 {
		t.Errorf("%s: %d of %d differ, by up to %g", what, bad, len(got), worst)
	}
}

// permuted reorders want, given by the library's labels, to ours.
func permuted(want []float64, k int, to map[int32]int32) []float64 {
	out := make([]float64, len(want))
	if len(want)%k != 0 || len(to) != k+1 {
		return nil
	}
	for i := 0; i < len(want); i += k {
		for j := range k {
			out[i+j] = want[i+int(to[int32(j)])]
		}
	}
	return out
}

// fitInOrder is Fit with the merge order of the library in place of ours:
// every step but the search for the spanning tree, without the freedom that
// ties leave. It checks that the library's edges weigh what ours do.
func fitInOrder(t *testing.T, x []float64, n, d int, p Params, order []int32) *Model {
	t.Helper()
	m := &Model{Params: p.withDefaults(), N: n, D: d, Points: x}
	groups := groupRows(m.Points, n, d)
	tree := newKDTree(m.Points, n, d, metricOf(m.Params.Metric), 2)
	core, err := coreDistances(t.Context(), tree, groups, m.Params.samples(n), 2)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := spanningTree(t.Context(), tree, core, m.Params)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(ours, compareSpans)
	edges := make([]span, n-1)
	var dist [1]float64
	scale := tree.metric.scale(m.Params.Alpha)
	for i := range edges {
		a, b := order[2*i], order[2*i+1]
		reducedDistances(dist[:], m.Points[int(a)*d:int(a+1)*d], m.Points[int(b)*d:int(b+1)*d], tree.metric)
		edges[i] = newSpan(max(core.fit[a], core.fit[b], dist[0]*scale), dist[0], a, b)
		if edges[i].weight != ours[i].weight {
			t.Fatalf("edge %d weighs %v, the library's %v (squared)", i, ours[i].weight, edges[i].weight)
		}
	}
	m.build(groups, tree, core, edges)
	return m
}

// TestGoldenSettings compares the 15 settings with the library as it comes,
// given its order among edges of equal weight.
func TestGoldenSettings(t *testing.T) {
	g, x := readJSON[goldenFile](t, "hdbscan.json.gz"), points2000(t)
	if len(g.Settings) != 15 {
		t.Fatalf("%d settings, want 15", len(g.Settings))
	}
	for name, s := range g.Settings {
		t.Run(name, func(t *testing.T) {
			m := fitInOrder(t, x, 2000, 5, s.Params.params(), g.MergeOrder[s.MergeOrder])
			to := samePartition(t, m.Labels, s.Labels)
			near(t, "probabilities", m.Probabilities, g.Scores[s.Probabilities])
			near(t, "outlier scores", m.OutlierScores, g.Scores[s.OutlierScores])
			near(t, "persistence", m.Persistence, permuted(s.Persistence, len(m.Selected), to))
			if s.MSTWeights != nil {
				w := make([]float64, len(m.MST))
				for i, e := range m.MST {
					w[i] = e.Weight
				}
				near(t, "mst weights", w, s.MSTWeights)
			}
			if s.Tree != nil {
				want := CondensedTree{Parent: s.Tree.Parent, Child: s.Tree.Child, Lambda: s.Tree.Lambda, Size: s.Tree.Size}
				sameTree(t, &m.Tree, &want, 2000)
			}
			if s.Predict != nil {
				q := slices.Clone(x[:50*5])
				for i := range q {
					q[i] += 0.05
				}
				labels, probs, err := m.Predict(t.Context(), q)
				if err != nil {
					t.Fatal(err)
				}
				checkPrediction(t, labels, probs, s.Predict, to)
			}
			if s.Membership != nil {
				// The library takes a part of a cluster for the cluster where
				// it splits before it loses a row; see make_fixtures.py.
				renumber(m, leastParents(m), to)
				v, err := m.MembershipVectors(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				k := m.NumClusters()
				near(t, "membership", v[:50*k], slices.Concat(s.Membership...))
			}
		})
	}
}

// leastParents is the least cluster that a row of each label falls out of.
func leastParents(m *Model) []int32 {
	out := make([]int32, m.NumClusters())
	for r, l := range m.Labels {
		if p := m.idx.ct.rowParent[r] + int32(m.N); l >= 0 && (out[l] == 0 || p < out[l]) {
			out[l] = p
		}
	}
	return out
}

// renumber gives the model the library's label numbers: where a row is as near
// to two clusters in the tree, the first one's density counts.
func renumber(m *Model, selected []int32, to map[int32]int32) {
	theirs := make([]int32, len(selected))
	for j, s := range selected {
		theirs[to[int32(j)]] = s
	}
	m.idx.ct.assign(theirs)
	m.idx = newIndex(m, m.idx.groups, m.idx.tree, m.idx.ct)
}

func checkPrediction(t *testing.T, labels []int32, probs []float64, want *goldenPrediction, to map[int32]int32) {
	t.Helper()
	for i, l := range labels {
		if to[l] != want.Labels[i] {
			t.Errorf("predicted label of row %d is %d (the library's %d), want %d", i, l, to[l], want.Labels[i])
		}
	}
	near(t, "predicted probabilities", probs, want.Probabilities)
}

// sameTree compares two condensed trees up to the numbers of the clusters.
func sameTree(t *testing.T, got, want *CondensedTree, n int) {
	t.Helper()
	if len(got.Child) != len(want.Child) {
		t.Errorf("condensed tree has %d entries, want %d", len(got.Child), len(want.Child))
		return
	}
	a, b := newClusters(got, n), newClusters(want, n)
	near(t, "row lambdas", a.rowLambda, b.rowLambda)
	// A cluster is the set of rows that fall out of it: rows name it.
	to := make([]int32, a.k)
	for i := range to {
		to[i] = -1
	}
	for r := range n {
		to[a.rowParent[r]] = b.rowParent[r]
	}
	for i := a.k - 1; i > 0; i-- { // a cluster that lost no row is named by its children
		if to[i] >= 0 {
			to[a.parent[i]] = b.parent[to[i]]
		}
	}
	moved := 0
	for r := range n {
		if to[a.rowParent[r]] != b.rowParent[r] {
			moved++
		}
	}
	if moved > 0 {
		t.Errorf("%d rows fall out of another cluster", moved)
	}
	for i := 1; i < a.k; i++ {
		j := to[i]
		if j < 0 || to[a.parent[i]] != b.parent[j] {
			t.Errorf("cluster %d is not the library's %d", i, j)
			continue
		}
		if a.size[i] != b.size[j] || math.Abs(a.birth[i]-b.birth[j]) > 1e-9 {
			t.Errorf("cluster %d has %d rows from %g, want %d from %g", i, a.size[i], a.birth[i], b.size[j], b.birth[j])
		}
	}
}

// TestTies compares Fit as a whole with the library given a stable sort, on
// the same 15 settings: ours breaks ties by distance, and so does the library
// then, since it looks at a point's neighbours from the nearest on.
func TestTies(t *testing.T) {
	g, x := readJSON[tieFile](t, "hdbscan_ties.json.gz"), points2000(t)
	if len(g.Settings) != 15 {
		t.Fatalf("%d settings, want 15", len(g.Settings))
	}
	for name, s := range g.Settings {
		t.Run(name, func(t *testing.T) {
			m := mustFit(t, x, 2000, 5, s.Params.params())
			to := samePartition(t, m.Labels, s.Labels)
			near(t, "probabilities", m.Probabilities[:200], s.Probabilities)
			near(t, "outlier scores", m.OutlierScores[:200], s.OutlierScores)
			near(t, "sums", []float64{sum(m.Probabilities), sum(m.OutlierScores)}, []float64{s.ProbabilitiesSum, s.OutlierScoresSum})
			near(t, "persistence", m.Persistence, permuted(s.Persistence, len(m.Selected), to))
		})
	}
}

func sum(x []float64) (s float64) {
	for _, v := range x {
		s += v
	}
	return s
}

func TestGoldenExtra(t *testing.T) {
	g, x := readJSON[tieFile](t, "hdbscan_ties.json.gz"), points2000(t)
	q := slices.Concat(g.Query...)
	for name, s := range g.Extra {
		t.Run(name, func(t *testing.T) {
			var m *Model
			if s.MergeOrder != nil { // Prim meets ties in another order than Boruvka
				m = fitInOrder(t, x, 2000, 5, s.Params.params(), s.MergeOrder)
			} else {
				m = mustFit(t, x, 2000, 5, s.Params.params())
			}
			to := samePartition(t, m.Labels, s.Labels)
			k := m.NumClusters()
			near(t, "probabilities", m.Probabilities[:300], s.Probabilities)
			near(t, "persistence", m.Persistence, permuted(s.Persistence, k, to))
			if s.Predict == nil {
				return
			}
			labels, probs, err := m.Predict(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			checkPrediction(t, labels, probs, s.Predict, to)
			renumber(m, m.Selected, to)
			v, err := m.PredictMembership(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			near(t, "membership of new rows", v, s.Membership)
			all, err := m.MembershipVectors(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			near(t, "membership", all[:100*k], s.AllPoints)
		})
	}
}
