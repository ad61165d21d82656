package quality

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/linalg"
	"github.com/bertopic-go/bertopic/internal/matrix"
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

func dense(rows [][]float64, cols int) *linalg.Dense {
	m := linalg.NewDense(len(rows), cols)
	for i, r := range rows {
		copy(m.Row(i), r[:cols])
	}
	return m
}

func near(t testing.TB, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol) {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

type agreementCase struct {
	A, B          []int32
	ARI, NMI, AMI float64
}

type golden struct {
	X         [][]float64
	Labels    []int32
	Agreement []agreementCase
	Trust     []struct {
		K      int
		Metric Metric
		Value  float64
	}
	KNN []struct {
		K      int
		Metric Metric
		Folds  []float64
	}
	FoldsLabels []int32 `json:"folds_labels"`
	Folds       []int32
	Uneven      []float64 `json:"knn_uneven"`
	DBCV        []struct {
		Name       string
		Labels     []int32
		Value      float64
		PerCluster []float64 `json:"per_cluster"`
	}
}

func mean(v []float64) (m float64) {
	for _, x := range v {
		m += x / float64(len(v))
	}
	return m
}

func TestGoldenAgreement(t *testing.T) {
	var g golden
	load(t, "quality.json.gz", &g)
	if len(g.Agreement) < 12 || len(g.Trust) < 8 || len(g.KNN) < 6 || len(g.DBCV) < 4 {
		t.Fatal("the fixture lacks cases")
	}
	var s agreementCase
	load(t, "scores.json.gz", &s)
	for _, c := range append(g.Agreement, s) {
		got, err := Compare(c.A, c.B)
		if err != nil {
			t.Fatal(err)
		}
		// Sums of some thousand terms in another order.
		near(t, "ari", got.ARI, c.ARI, 1e-12)
		near(t, "nmi", got.NMI, c.NMI, 1e-12)
		near(t, "ami", got.AMI, c.AMI, 1e-11)
		if t.Failed() {
			t.Fatalf("labels %v against %v", c.A, c.B)
		}
	}
}

func TestGoldenTrustworthiness(t *testing.T) {
	var g golden
	load(t, "quality.json.gz", &g)
	x, y := dense(g.X, 4), dense(g.X, 2)
	for _, c := range g.Trust {
		got, err := Trustworthiness(background, x, y, TrustOptions{K: c.K, Metric: c.Metric})
		if err != nil {
			t.Fatal(err)
		}
		near(t, "trustworthiness", got, c.Value, 1e-14)
	}
	var s struct {
		Trust  float64 `json:"trustworthiness"`
		Cosine float64 `json:"trust_cosine"`
	}
	var p struct {
		X   [][]float64
		PCA struct{ Out [][]float64 }
	}
	load(t, "scores.json.gz", &s)
	load(t, "pca_svd.json.gz", &p)
	for metric, want := range map[Metric]float64{Euclidean: s.Trust, Cosine: s.Cosine} {
		got, err := Trustworthiness(background, dense(p.X, 30), dense(p.PCA.Out, 2), TrustOptions{K: 5, Metric: metric})
		if err != nil {
			t.Fatal(err)
		}
		near(t, "trustworthiness", got, want, 1e-14)
	}
}

func TestGoldenKNNAccuracy(t *testing.T) {
	var g golden
	load(t, "quality.json.gz", &g)
	x := dense(g.X, 4)
	for _, c := range g.KNN {
		got, err := KNNAccuracy(background, x, g.Labels, KNNOptions{K: c.K, Metric: c.Metric})
		if err != nil {
			t.Fatal(err)
		}
		near(t, "accuracy", got, mean(c.Folds), 1e-14)
	}
	index, counts := number(g.FoldsLabels)
	if got := stratify(index, counts, 5); !reflect.DeepEqual(got, g.Folds) {
		t.Errorf("folds %v, want %v", got, g.Folds)
	}
	got, err := KNNAccuracy(background, x, g.FoldsLabels, KNNOptions{})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "accuracy of uneven classes", got, mean(g.Uneven), 1e-14)
}

func TestGoldenDBCV(t *testing.T) {
	var g golden
	load(t, "quality.json.gz", &g)
	x := dense(g.X, 4)
	for _, c := range g.DBCV {
		for threads := 1; threads <= 3; threads++ {
			got, err := DBCV(background, x.Data, 120, 4, c.Labels, threads)
			if err != nil {
				t.Fatal(err)
			}
			near(t, c.Name, got.Score, c.Value, 1e-12)
			for i, v := range c.PerCluster {
				near(t, c.Name+" cluster", got.Clusters[i], v, 1e-12)
			}
		}
	}
}

type goldenCoherence struct {
	PerTopic []float64 `json:"per_topic"`
	Value    float64
}

func TestGoldenNPMI(t *testing.T) {
	var g struct {
		Docs, Topics [][]string
		NPMI         goldenCoherence `json:"c_npmi"`
		Short        goldenCoherence `json:"c_npmi_4_top5"`
		Doc          goldenCoherence `json:"c_npmi_doc"`
	}
	load(t, "npmi.json.gz", &g)
	ids := map[string]int32{}
	encode := func(lists [][]string) (out [][]int32) {
		for _, l := range lists {
			row := make([]int32, 0, len(l))
			for _, w := range l {
				if _, ok := ids[w]; !ok {
					ids[w] = int32(len(ids))
				}
				row = append(row, ids[w])
			}
			out = append(out, row)
		}
		return out
	}
	docs := encode(g.Docs)
	topics := encode(g.Topics)
	check := func(name string, got Coherence, want goldenCoherence) {
		t.Helper()
		if len(want.PerTopic) != 6 {
			t.Fatalf("%s: the fixture has %d topics", name, len(want.PerTopic))
		}
		near(t, name, got.Mean, want.Value, 1e-12)
		for i, v := range want.PerTopic {
			near(t, name+" topic", got.Topics[i], v, 1e-12)
		}
	}
	gensim := NPMIOptions{Epsilon: GensimEpsilon, GensimSlide: true}
	check("c_npmi", NPMIWindows(topics, slices.Values(docs), gensim), g.NPMI)
	short := gensim
	short.TopN, short.Window = 5, 4
	check("window 4, top 5", NPMIWindows(topics, slices.Values(docs), short), g.Short)
	whole := gensim
	whole.Window = 1000
	check("whole documents as windows", NPMIWindows(topics, slices.Values(docs), whole), g.Doc)

	postings := make([][]int32, len(ids))
	for d, doc := range docs {
		for _, w := range doc {
			if p := postings[w]; len(p) == 0 || p[len(p)-1] != int32(d) {
				postings[w] = append(p, int32(d))
			}
		}
	}
	at := func(term int32) []int32 { return postings[term] }
	check("documents", NPMIDocuments(topics, len(docs), at, NPMIOptions{Epsilon: GensimEpsilon}), g.Doc)
}

// TestNPMILimits works three small cases by hand.
func TestNPMILimits(t *testing.T) {
	lists := [][]int32{{0, 1, 2, 3}, {0, 1}, {2}, {0, 1, 2, 3}, {}}
	at := func(term int32) []int32 { return lists[term] }
	c := NPMIDocuments([][]int32{{0, 3}, {1, 2}, {0, 1}, {0}, {0, 4}, {-1, 0, 1}}, 4, at, NPMIOptions{})
	// Both everywhere; never together; P = 1, 1/2, joint 1/2: ln 1 = 0.
	for i, want := range []float64{1, -1, 0, math.NaN(), math.NaN(), 0} {
		if got := c.Topics[i]; got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
			t.Errorf("topic %d: %v, want %v", i, got, want)
		}
	}
	if c.Scored != 4 || c.Mean != 0 {
		t.Errorf("%v, want mean 0 of 4 topics", c)
	}
	if none := NPMIDocuments(nil, 4, at, NPMIOptions{}); !math.IsNaN(none.Mean) || none.Scored != 0 {
		t.Errorf("no topics: %v", none)
	}
}

// TestWindowKeepsRepeatedWords: without GensimSlide a word that occurs twice in
// a window stays in it when its first occurrence leaves.
func TestWindowKeepsRepeatedWords(t *testing.T) {
	doc := []int32{7, 7, 8, 9}
	for _, gensim := range []bool{false, true} {
		c := newWindowCounts([][]int32{{7, 8}}, NPMIOptions{TopN: 10, Window: 2, GensimSlide: gensim})
		c.add(doc) // windows 77, 78, 89
		seven, together := int64(2), int64(1)
		if gensim {
			seven, together = 1, 0
		}
		if c.windows != 3 || c.single[0] != seven || c.single[1] != 2 || c.joint[0] != together {
			t.Errorf("gensim %v: %d windows, counts %v, together %v", gensim, c.windows, c.single, c.joint)
		}
		c.add(nil)
		c.add([]int32{8})
		if c.windows != 5 || c.single[1] != 3 || c.single[0] != seven {
			t.Errorf("gensim %v: after a short and an empty document: %d windows, counts %v", gensim, c.windows, c.single)
		}
	}
}

func TestDiversity(t *testing.T) {
	for _, c := range []struct {
		topics [][]string
		n      int
		want   float64
	}{
		{[][]string{{"a", "b"}, {"c", "d"}}, 2, 1},
		{[][]string{{"a", "b"}, {"a", "b"}}, 2, 0.5},
		{[][]string{{"a", "b"}, {"a", "c"}}, 1, 0.5},
		{[][]string{{"a", "b"}, {"a"}}, 0, 2.0 / 3},
		{nil, 0, 0},
	} {
		if got := Diversity(c.topics, c.n); got != c.want {
			t.Errorf("diversity of %v = %v, want %v", c.topics, got, c.want)
		}
	}
}

func TestCompareClustered(t *testing.T) {
	classes := []int32{0, 0, 1, 1, 2, 2}
	c, err := CompareClustered(classes, []int32{5, 5, 3, 3, -1, -1})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "ari", c.ARI, 1, 0)
	near(t, "coverage", c.Coverage, 2.0/3, 1e-15)
	near(t, "score", c.Score, math.Cbrt(2.0/3), 1e-15)
	if c, err := CompareClustered(nil, nil); err != nil || c.ARI != 1 || c.Coverage != 0 || c.Score != 0 {
		t.Errorf("no rows: %+v, %v", c, err)
	}
}

func cloud(n, d int, seed uint64) *matrix.Dense {
	x := matrix.NewDense(n, d)
	for i := range x.Data {
		x.Data[i] = float32(math.Abs(rng.Normal(seed, 0, uint64(i))))
		if i%3 == 0 {
			x.Data[i] = 0
		}
	}
	return x
}

func sparse(x *matrix.Dense) *matrix.CSR {
	s := &matrix.CSR{Rows: x.Rows, Cols: x.Cols, Indptr: []int64{0}}
	for i := range x.Rows {
		for j, v := range x.Row(i) {
			if v != 0 {
				s.Indices, s.Data = append(s.Indices, int32(j)), append(s.Data, v)
			}
		}
		s.Indptr = append(s.Indptr, int64(len(s.Data)))
	}
	return s
}

// TestLayoutsAndThreads: dense and sparse rows, and any number of threads, give
// the same figures.
func TestLayoutsAndThreads(t *testing.T) {
	x, y := cloud(203, 17, 1), cloud(203, 2, 2)
	labels := make([]int32, x.Rows)
	for i := range labels {
		labels[i] = int32(i % 3)
	}
	for _, metric := range []Metric{Euclidean, Cosine, Hellinger} {
		var trust, acc float64
		for threads := 1; threads <= 3; threads++ {
			for _, m := range []matrix.Matrix{x, sparse(x)} {
				a, err := Trustworthiness(background, m, y, TrustOptions{Metric: metric, Threads: threads})
				if err != nil {
					t.Fatal(err)
				}
				b, err := KNNAccuracy(background, m, labels, KNNOptions{Metric: metric, Threads: threads})
				if err != nil {
					t.Fatal(err)
				}
				if trust == 0 {
					trust, acc = a, b
				} else if a != trust || b != acc {
					t.Errorf("%s, %T, %d threads: %v and %v, want %v and %v", metric, m, threads, a, b, trust, acc)
				}
			}
		}
	}
}

func TestSampledTrustworthiness(t *testing.T) {
	x, y := cloud(600, 10, 3), cloud(600, 2, 4)
	for i := range y.Data { // the layout keeps two of the ten directions
		y.Data[i] = x.Data[i/2*10+i%2]
	}
	full, err := Trustworthiness(background, x, y, TrustOptions{})
	if err != nil {
		t.Fatal(err)
	}
	part, err := Trustworthiness(background, x, y, TrustOptions{Sample: 300})
	if err != nil {
		t.Fatal(err)
	}
	// The cost of a row has a spread of about 0.1, over 300 rows 0.006.
	near(t, "sampled trustworthiness", part, full, 0.02)
	same, err := Trustworthiness(background, x, y, TrustOptions{Sample: 600})
	if err != nil || same != full {
		t.Errorf("a sample of all rows gives %v (%v), want %v", same, err, full)
	}
	if perfect, err := Trustworthiness(background, x, x, TrustOptions{}); err != nil || perfect != 1 {
		t.Errorf("trustworthiness of the vectors themselves is %v (%v), want 1", perfect, err)
	}
}

// TestOverRank holds the counting of ranks against sorting.
func TestOverRank(t *testing.T) {
	for seed := range uint64(50) {
		n, k := 30, 6
		keys := make([]float64, n)
		for i := range keys {
			keys[i] = math.Floor(8 * rng.Unit(rng.Hash2(seed, uint64(i), 0))) // many ties
		}
		order := make([]int, 0, n)
		for i := range n {
			if i != 3 {
				order = append(order, i)
			}
		}
		slices.SortStableFunc(order, func(a, b int) int { return int(keys[a] - keys[b]) })
		var neighbours []int32
		var want int64
		for _, p := range sample(n-1, k, seed) {
			neighbours = append(neighbours, int32(order[p]))
			want += max(0, int64(p+1-k))
		}
		if got := overRank(keys, 3, neighbours); got != want {
			t.Fatalf("seed %d: %d, want %d", seed, got, want)
		}
	}
}

func TestLeaveOneOutAndSample(t *testing.T) {
	x := &matrix.Dense{Rows: 6, Cols: 1, Data: []float32{0, 1, 2, 10, 11, 12}}
	labels := []int32{0, 0, 1, 1, 1, 1}
	got, err := KNNAccuracy(background, x, labels, KNNOptions{K: 1, LeaveOneOut: true})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "leave one out", got, 5.0/6, 1e-15) // row 2 is nearest to row 1
	big := cloud(400, 4, 9)
	l := make([]int32, 400)
	for i := range l {
		l[i] = int32(i % 2)
		big.Row(i)[0] += 9 * float32(l[i])
	}
	got, err = KNNAccuracy(background, big, l, KNNOptions{Sample: 50})
	if err != nil || got != 1 {
		t.Errorf("sampled accuracy of two far groups is %v (%v), want 1", got, err)
	}
}

func TestDBCVOdd(t *testing.T) {
	// Three equal points, a single point, and noise; high dimension.
	d := 400
	x := make([]float64, 8*d)
	for i := range d {
		x[3*d+i] = 5
		for r := 4; r < 7; r++ {
			x[r*d+i] = 10 + rng.Normal(1, uint64(r), uint64(i))
		}
		x[7*d+i] = 30
	}
	v, err := DBCV(background, x, 8, d, []int32{0, 0, 0, 1, 2, 2, 2, -1}, 1)
	if err != nil {
		t.Fatal(err)
	}
	if v.Clusters[0] != 1 || v.Clusters[1] != 0 || !(v.Clusters[2] > 0.5) {
		t.Errorf("clusters score %v", v.Clusters)
	}
	near(t, "score", v.Score, (3+3*v.Clusters[2])/8, 1e-15)
}

func TestErrors(t *testing.T) {
	x := cloud(9, 3, 1)
	bad := cloud(9, 3, 1)
	bad.Data[4] = float32(math.NaN())
	negative := cloud(9, 3, 1)
	negative.Data[5] = -1
	labels := make([]int32, 9)
	trust := func(a, b matrix.Matrix, o TrustOptions) error {
		_, err := Trustworthiness(background, a, b, o)
		return err
	}
	knn := func(a matrix.Matrix, l []int32, o KNNOptions) error {
		_, err := KNNAccuracy(background, a, l, o)
		return err
	}
	dbcv := func(n int, l ...int32) error { _, err := DBCV(background, make([]float64, n), n, 1, l, 1); return err }
	ctx, stop := context.WithCancel(background)
	stop()
	_, cancelled := Trustworthiness(ctx, x, x, TrustOptions{K: 2})
	_, lengths := Compare(labels, labels[:3])
	_, lengths2 := CompareClustered(labels, labels[:3])
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"k":           {trust(x, x, TrustOptions{}), "less than half"},
		"rows":        {trust(x, cloud(8, 2, 1), TrustOptions{K: 2}), "8 reduced rows"},
		"metric":      {trust(x, x, TrustOptions{Metric: "l1"}), `"l1"`},
		"nan":         {trust(bad, x, TrustOptions{K: 2}), "row 1, column 1"},
		"negative":    {trust(negative, x, TrustOptions{K: 2, Metric: Hellinger}), "negative"},
		"sparse sign": {trust(sparse(negative), x, TrustOptions{K: 2, Metric: Hellinger}), "negative"},
		"nil":         {trust(nil, x, TrustOptions{K: 2}), "no matrix"},
		"labels":      {knn(x, labels[:2], KNNOptions{}), "2 labels"},
		"folds":       {knn(x, labels, KNNOptions{Folds: 10}), "use 2 to 9"},
		"one cluster": {dbcv(3, 0, 0, -1), "two are needed"},
		"label":       {dbcv(3, 0, 9, 1), "label 9"},
		"shape":       {dbcv(3, 0, 1), "2 labels"},
		"interrupted": {cancelled, "canceled"},
		"lengths":     {lengths, "9 rows against 3"},
		"lengths 2":   {lengths2, "9 classes against 3"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: error %v does not say %q", name, c.err, c.want)
		}
	}
}

func BenchmarkTrustworthiness(b *testing.B) {
	x, y := cloud(20000, 384, 1), cloud(20000, 5, 2)
	for b.Loop() {
		if _, err := Trustworthiness(background, x, y, TrustOptions{Metric: Cosine, Sample: 500}); err != nil {
			b.Fatal(err)
		}
	}
}
