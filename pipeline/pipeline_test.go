package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/rng"
)

// blobs returns k groups of size rows each, around directions of their own,
// and the group of each row. Rows of the groups alternate.
func blobs(k, size, d int, spread float64) (*Dense, []int) {
	m := matrix.NewDense(k*size, d)
	group := make([]int, k*size)
	for i := range m.Rows {
		g := i % k
		group[i] = g
		for j := range d {
			m.Row(i)[j] = float32(rng.Normal(1, uint64(g), uint64(j)) + spread*rng.Normal(2, uint64(i), uint64(j)))
		}
	}
	return m, group
}

// themes are words that the documents of a group are made of.
var themes = [][]string{
	strings.Fields("orbit rocket launch planet crater moon comet telescope"),
	strings.Fields("flour oven butter dough yeast crust sugar knead"),
	strings.Fields("violin chord rhythm melody tempo concert sonata flute"),
	strings.Fields("harbour anchor sail tide deck mast rudder captain"),
	strings.Fields("pawn bishop knight castle rook queen checkmate gambit"),
}

// texts returns a document of n words for each row, of its group's theme.
func texts(group []int, n int) []string {
	out := make([]string, len(group))
	for i, g := range group {
		words := make([]string, n)
		for j := range words {
			theme := themes[g%len(themes)]
			words[j] = theme[rng.Below(rng.Hash3(3, uint64(i), uint64(j), 0), len(theme))]
		}
		out[i] = strings.Join(words, " ")
	}
	return out
}

func ids(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("row-%d", i)
	}
	return out
}

func rowsOf(m Matrix, texts []string) Rows {
	n, _ := m.Dims()
	return Rows{IDs: ids(n), Texts: texts, Vectors: m}
}

func mustFit(t *testing.T, rows Rows, p Params) (*Model, *Result) {
	t.Helper()
	m, r, err := Fit(context.Background(), rows, p)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rows) != len(rows.IDs) || r.Reduced.Rows != len(rows.IDs) || r.Map.Rows != len(rows.IDs) || len(r.Representative) != len(rows.IDs) {
		t.Fatalf("%d rows in, %d assignments, %d coordinates out", len(rows.IDs), len(r.Rows), r.Reduced.Rows)
	}
	count := map[int]int{}
	for i, a := range r.Rows {
		count[a.Topic]++
		if a.Probability < 0 || a.Probability > 1 || math.IsNaN(a.Probability) {
			t.Fatalf("row %d has the probability %v", i, a.Probability)
		}
		if (a.Topic == Outlier) != math.IsNaN(a.Cosine) {
			t.Fatalf("row %d of topic %d has the cosine %v", i, a.Topic, a.Cosine)
		}
	}
	for k, topic := range m.Topics {
		if topic.Count != count[topic.ID] {
			t.Fatalf("topic %d counts %d rows, has %d", topic.ID, topic.Count, count[topic.ID])
		}
		if topic.ID != Outlier && k > 0 && topic.Count > m.Topics[k-1].Count {
			t.Fatalf("topic %d is larger than the one before", topic.ID)
		}
	}
	return m, r
}

func topicsOf(r []Assignment) []int {
	out := make([]int, len(r))
	for i, a := range r {
		out[i] = a.Topic
	}
	return out
}

// samePartition reports whether two labellings group rows alike.
func samePartition(a, b []int) bool {
	there, back := map[int]int{}, map[int]int{}
	for i := range a {
		if x, ok := there[a[i]]; ok && x != b[i] {
			return false
		}
		if x, ok := back[b[i]]; ok && x != a[i] {
			return false
		}
		there[a[i]], back[b[i]] = b[i], a[i]
	}
	return true
}

func TestGroupsAreFoundAndDescribedByTheirWords(t *testing.T) {
	m, group := blobs(4, 60, 20, 0.25)
	model, r := mustFit(t, rowsOf(m, texts(group, 12)), Params{Seed: 42})
	if model.row(3) != 3 || r.Quality.Topics != 4 {
		t.Fatalf("%d topics, want 4", r.Quality.Topics)
	}
	wrong := 0
	of := map[int]int{}
	for i, a := range r.Rows {
		if a.Topic == Outlier {
			continue
		}
		if g, ok := of[a.Topic]; ok && g != group[i] {
			wrong++
		}
		of[a.Topic] = group[i]
	}
	if wrong > 0 || r.Quality.OutlierShare > 0.1 {
		t.Errorf("%d rows are in a wrong topic, %.0f%% in none", wrong, 100*r.Quality.OutlierShare)
	}
	for _, topic := range model.Topics {
		if topic.ID == Outlier {
			continue
		}
		for _, w := range topic.Words {
			if !slices.Contains(themes[of[topic.ID]], w.Word) && w.Weight > 0.05 {
				t.Errorf("topic %d has the word %s (%v) of another theme", topic.ID, w.Word, w.Weight)
			}
		}
		if len(topic.Representative) != 3 || !strings.HasPrefix(topic.Name, fmt.Sprint(topic.ID, "_")) {
			t.Errorf("topic %d: %+v", topic.ID, topic)
		}
	}
	if r.Quality.NPMI == nil || *r.Quality.NPMI < 0.1 || r.Quality.Diversity == nil || *r.Quality.Diversity < 0.7 {
		t.Errorf("quality %+v", r.Quality)
	}
}

// T1: any number of rows but 0 finishes, with a sentence on what came of it.
func TestFewRowsFinish(t *testing.T) {
	all, _ := blobs(2, 20, 20, 0.5)
	for _, n := range []int{1, 2, 3, 5, 8, 14, 16, 40} {
		model, r := mustFit(t, rowsOf(all.Select(count(n)), nil), Params{Seed: 42})
		for i, a := range r.Rows {
			if a.Topic < Outlier || a.Topic >= len(model.Topics) {
				t.Errorf("n = %d: row %d has topic %d", n, i, a.Topic)
			}
		}
		if n < 20 && !slices.ContainsFunc(r.Warnings, func(w Warning) bool { return w.Code == "few-rows" }) {
			t.Errorf("n = %d: no word on the few rows: %v", n, r.Warnings)
		}
		for i, v := range r.Reduced.Data {
			if r.Rows[i/r.Reduced.Cols].Status.Status == OK && (math.IsNaN(float64(v)) || math.IsInf(float64(v), 0)) {
				t.Errorf("n = %d: coordinate %d is %v", n, i, v)
			}
		}
	}
	if _, _, err := Fit(context.Background(), rowsOf(matrix.NewDense(0, 20), nil), Params{}); err != ErrNoRows {
		t.Errorf("n = 0: %v", err)
	}
}

// T2: rows that are not finite have no topic and change nothing for the rest.
func TestRowsThatAreNotFinite(t *testing.T) {
	clean, group := blobs(4, 50, 20, 0.25)
	docs := texts(group, 12)
	var rest []int
	for i := range clean.Rows {
		if i != 5 && i != 9 {
			rest = append(rest, i)
		}
	}
	broken := clean.Select(count(clean.Rows))
	broken.Row(5)[3] = float32(math.NaN())
	broken.Row(9)[0] = float32(math.Inf(1))
	_, without := mustFit(t, rowsOf(clean.Select(rest), nil), Params{Seed: 42})
	_, with := mustFit(t, rowsOf(broken, docs), Params{Seed: 42})
	for k, i := range rest {
		if with.Rows[i].Topic != without.Rows[k].Topic {
			t.Errorf("row %d: topic %d, without the broken rows %d", i, with.Rows[i].Topic, without.Rows[k].Topic)
		}
	}
	for _, i := range []int{5, 9} {
		a := with.Rows[i]
		if a.Topic != Outlier || a.Status.String() != "failed(its vector is not finite)" {
			t.Errorf("row %d: %+v", i, a)
		}
	}
}

// Rows whose vectors are all zeros have no direction: they are no topic,
// though they are equal.
func TestRowsOfZerosAreInNoTopic(t *testing.T) {
	m, _ := blobs(3, 30, 20, 0.25)
	for i := range 20 {
		clear(m.Row(4 * i))
	}
	for _, layout := range []Matrix{m, matrix.Sparse(m)} {
		model, r := mustFit(t, rowsOf(layout, nil), Params{Seed: 42, Metric: "cosine"})
		again, err := model.Transform(context.Background(), layout, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			for _, a := range []Assignment{r.Rows[4*i], again[4*i]} {
				if a.Topic != Outlier || a.Status.String() != "failed(its vector is all zeros)" {
					t.Fatalf("row %d: %+v", 4*i, a)
				}
			}
		}
		if len(model.Topics) != 4 {
			t.Errorf("%d topics, want 3 and the outliers", len(model.Topics))
		}
	}
	if _, r := mustFit(t, rowsOf(m, nil), Params{Seed: 42, Metric: "euclidean"}); r.Rows[0].Status.Status != OK {
		t.Errorf("euclidean: %+v", r.Rows[0])
	}
}

// One row, or copies of one, have no other to be far from.
func TestASingleRowIsNotDisconnected(t *testing.T) {
	for _, n := range []int{1, 5} {
		m := matrix.NewDense(n, 3)
		for i := range m.Data {
			m.Data[i] = 1
		}
		model, r := mustFit(t, rowsOf(m, nil), Params{Seed: 42})
		again, err := model.Transform(context.Background(), m, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range []Assignment{r.Rows[0], again[n-1]} {
			if a.Topic != Outlier || a.Status.Status != OK {
				t.Errorf("%d rows: %+v", n, a)
			}
		}
		if r.Warnings[0].Code != "few-rows" {
			t.Errorf("%d rows: warnings %v", n, r.Warnings)
		}
	}
}

// The Python library fails on a topic whose list of words is empty.
func TestTopicsWithoutWordsForPython(t *testing.T) {
	m, _ := blobs(2, 30, 20, 0.25)
	model, _ := mustFit(t, rowsOf(m, nil), Params{Seed: 42})
	dir := filepath.Join(t.TempDir(), "model")
	if err := model.Save(dir); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "topics.json"))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Words map[string][][2]any `json:"topic_representations"`
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string][][2]any{"0": {{"", 1e-05}}, "1": {{"", 1e-05}}}
	if diff := cmp.Diff(want, got.Words); diff != "" {
		t.Errorf("words (-want +got):\n%s", diff)
	}
}

// bagOfWords returns a row a document: the documents of 4 groups of size rows
// share the words of their group, each of alone documents has words of its own.
func bagOfWords(size, alone int) *CSR {
	const vocabulary = 30
	m := &CSR{Indptr: []int64{0}, Cols: 4*vocabulary + 3*alone}
	row := func(words []int32) {
		slices.Sort(words)
		words = slices.Compact(words)
		for _, w := range words {
			m.Indices = append(m.Indices, w)
			m.Data = append(m.Data, 1/float32(len(words)))
		}
		m.Indptr = append(m.Indptr, int64(len(m.Indices)))
		m.Rows++
	}
	for i := range 4 * size {
		var words []int32
		for j := range 8 {
			words = append(words, int32(i%4*vocabulary+rng.Below(rng.Hash3(5, uint64(i), uint64(j), 0), vocabulary)))
		}
		row(words)
	}
	for i := range alone {
		first := int32(4*vocabulary + 3*i)
		row([]int32{first, first + 1, first + 2})
	}
	return m
}

// T4: documents that share no word with any other are in no topic.
func TestRowsThatShareNothingAreInNoTopic(t *testing.T) {
	m := bagOfWords(75, 30)
	model, r := mustFit(t, rowsOf(m, nil), Params{Seed: 42, Metric: "hellinger"})
	for i, a := range r.Rows {
		switch {
		case i < 300 && a.Topic == Outlier:
			t.Errorf("row %d of a group is an outlier", i)
		case i >= 300 && (a.Topic != Outlier || a.Status.Status != Disconnected):
			t.Errorf("row %d, alone: topic %d, status %s", i, a.Topic, a.Status)
		}
	}
	if len(model.Topics) != 5 || model.Topics[0].Count != 75 || model.Topics[3].Count != 75 || model.Topics[4].Count != 30 {
		t.Errorf("topics %+v", model.Topics)
	}
}

// T8: threads never change a result.
func TestThreadsNeverChangeAResult(t *testing.T) {
	m, group := blobs(5, 80, 16, 0.4)
	docs := texts(group, 12)
	var want *Result
	var topics []Topic
	for _, threads := range []int{1, 2, 3, 8} {
		model, r := mustFit(t, rowsOf(m, docs), Params{Seed: 7, Threads: threads})
		r.Steps = nil
		if want == nil {
			want, topics = r, model.Topics
			continue
		}
		if !slices.EqualFunc(want.Rows, r.Rows, func(a, b Assignment) bool {
			return math.Float64bits(a.Cosine) == math.Float64bits(b.Cosine) && a.Topic == b.Topic && a.Probability == b.Probability && a.Status == b.Status
		}) || !slices.Equal(want.Reduced.Data, r.Reduced.Data) || !slices.Equal(want.Map.Data, r.Map.Data) {
			t.Errorf("%d threads: another result than 1 thread", threads)
		}
		if diff := cmp.Diff(topics, model.Topics); diff != "" {
			t.Errorf("%d threads: %s", threads, diff)
		}
	}
}

// T10: a model gives the rows of its fit the topics they had, after it was
// saved and loaded, whatever the methods.
func TestTransformOfTheFittedRowsIsTheFit(t *testing.T) {
	dense, group := blobs(4, 50, 12, 0.6)
	for i := range 60 { // noise between the groups
		for j := range dense.Cols {
			dense.Row(3 * i)[j] = float32(2 * rng.Normal(9, uint64(i), uint64(j)))
		}
	}
	for _, c := range []struct {
		name string
		rows Rows
		p    Params
	}{
		{"umap hdbscan", rowsOf(dense, texts(group, 10)), Params{Seed: 42}},
		{"sparse", rowsOf(bagOfWords(40, 10), texts(make([]int, 170), 5)), Params{Seed: 42, Metric: "hellinger"}},
		{"pca kmeans", rowsOf(dense, nil), Params{Reduce: ReduceParams{Method: "pca", NComponents: 3}, Cluster: ClusterParams{Method: "kmeans", K: 4}}},
		{"svd agglomerative", rowsOf(bagOfWords(40, 0), nil), Params{Reduce: ReduceParams{Method: "svd", NComponents: 4}, Cluster: ClusterParams{Method: "agglomerative", K: 4}}},
		{"incremental-pca minibatch-kmeans", rowsOf(dense, nil), Params{Reduce: ReduceParams{Method: "incremental-pca"}, Cluster: ClusterParams{Method: "minibatch-kmeans", K: 4}}},
		{"none dbscan", rowsOf(dense, nil), Params{Reduce: ReduceParams{Method: "none"}, Cluster: ClusterParams{Method: "dbscan", Eps: 3}}},
		{"merged", rowsOf(dense, texts(group, 10)), Params{Seed: 42, NrTopics: 2}},
		{"one row", rowsOf(dense.Select([]int{1}), nil), Params{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			model, r := mustFit(t, c.rows, c.p)
			if c.p.NrTopics > 0 && r.Quality.Topics != c.p.NrTopics {
				t.Errorf("%d topics, want %d", r.Quality.Topics, c.p.NrTopics)
			}
			dir := filepath.Join(t.TempDir(), "model")
			if err := model.Save(dir); err != nil {
				t.Fatal(err)
			}
			loaded, err := Load(dir)
			if err != nil {
				t.Fatal(err)
			}
			for name, m := range map[string]*Model{"fitted": model, "loaded": loaded} {
				got, err := m.Transform(context.Background(), c.rows.Vectors, c.rows.Statuses)
				if err != nil {
					t.Fatal(err)
				}
				for i, a := range got {
					if w := r.Rows[i]; a.Topic != w.Topic || a.Probability != w.Probability || a.Status != w.Status || math.Float64bits(a.Cosine) != math.Float64bits(w.Cosine) {
						t.Fatalf("%s model: row %d is %+v, in the fit %+v", name, i, a, w)
					}
				}
			}
			if diff := cmp.Diff(model.Topics, loaded.Topics); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// A new row's topic depends on the row alone.
func TestTransformOfNewRowsIsAFunctionOfTheRow(t *testing.T) {
	all, group := blobs(4, 80, 12, 0.3)
	var old, fresh []int
	for i := range all.Rows {
		if i%4 == (i/4)%4 {
			fresh = append(fresh, i)
		} else {
			old = append(old, i)
		}
	}
	model, r := mustFit(t, rowsOf(all.Select(old), nil), Params{Seed: 42})
	new := all.Select(fresh)
	together, err := model.Transform(context.Background(), new, nil)
	if err != nil {
		t.Fatal(err)
	}
	groupOf := map[int]int{}
	for k, i := range old {
		groupOf[r.Rows[k].Topic] = group[i]
	}
	wrong := 0
	for k, i := range fresh {
		alone, err := model.Transform(context.Background(), new.Select([]int{k}), nil)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := alone[0], together[k]; a.Topic != b.Topic || a.Probability != b.Probability {
			t.Errorf("row %d: %+v alone, %+v among others", k, a, b)
		}
		if a := together[k]; a.Topic == Outlier || groupOf[a.Topic] != group[i] {
			wrong++
		}
	}
	if wrong > len(fresh)/20 {
		t.Errorf("%d of %d new rows are not in their group's topic", wrong, len(fresh))
	}
}

// T11: a copy of every row changes nothing but the sizes.
func TestCopiesShareTheirTopic(t *testing.T) {
	m, group := blobs(4, 50, 12, 0.4)
	docs := texts(group, 10)
	double := make([]int, 0, 2*m.Rows)
	for i := range m.Rows {
		double = append(double, i, i)
	}
	doubleDocs := make([]string, 0, len(double))
	for _, i := range double {
		doubleDocs = append(doubleDocs, docs[i])
	}
	_, once := mustFit(t, rowsOf(m, docs), Params{Seed: 42})
	_, twice := mustFit(t, rowsOf(m.Select(double), doubleDocs), Params{Seed: 42})
	first := make([]int, m.Rows)
	for i := range m.Rows {
		first[i] = twice.Rows[2*i].Topic
		if twice.Rows[2*i].Topic != twice.Rows[2*i+1].Topic {
			t.Errorf("the copies of row %d are in topics %d and %d", i, twice.Rows[2*i].Topic, twice.Rows[2*i+1].Topic)
		}
	}
	if !samePartition(first, topicsOf(once.Rows)) {
		t.Error("copies changed the topics")
	}
}

func TestEqualRowsAloneAreOneTopic(t *testing.T) {
	m := matrix.NewDense(60, 8)
	for i := range m.Data {
		m.Data[i] = float32(i%8) + 1
	}
	model, r := mustFit(t, rowsOf(m, texts(make([]int, 60), 6)), Params{Seed: 42})
	if len(model.Topics) != 1 || model.Topics[0].Count != 60 || r.Rows[0].Topic != 0 {
		t.Errorf("60 equal rows: %+v", model.Topics)
	}
	_, few := mustFit(t, rowsOf(m.Select(count(9)), nil), Params{Seed: 42})
	if few.Rows[0].Topic != Outlier {
		t.Error("9 equal rows are a topic of at least 10")
	}
}

func TestRowsWithoutAVectorAreNotLookedAt(t *testing.T) {
	m, group := blobs(3, 40, 10, 0.3)
	rows := rowsOf(m, texts(group, 8))
	rows.Statuses = make([]RowStatus, m.Rows)
	rows.Statuses[4] = RowStatus{Status: Empty}
	rows.Statuses[7] = RowStatus{Status: OOV}
	rows.Statuses[8] = RowStatus{Status: Failed, Reason: "no such file"}
	rows.Statuses[9] = RowStatus{Status: Truncated, TokensLost: 12}
	_, r := mustFit(t, rows, Params{Seed: 42})
	for i, want := range map[int]string{4: "empty", 7: "oov", 8: "failed(no such file)", 9: "truncated(12)", 10: "ok"} {
		if got := r.Rows[i].Status.String(); got != want {
			t.Errorf("row %d: status %s, want %s", i, got, want)
		}
		if out := r.Rows[i].Topic == Outlier; out != (i < 9) {
			t.Errorf("row %d (%s): topic %d", i, want, r.Rows[i].Topic)
		}
	}
	codes := map[string]bool{}
	for _, w := range r.Warnings {
		codes[w.Code] = true
	}
	for _, code := range []string{"rows-empty", "rows-oov", "rows-failed", "rows-truncated"} {
		if !codes[code] {
			t.Errorf("no warning %s", code)
		}
	}
}

func TestTopicsWithoutWordsKeepTheirRows(t *testing.T) {
	m, _ := blobs(3, 40, 10, 0.3)
	docs := make([]string, m.Rows)
	for i := range docs {
		docs[i] = "a I"
	}
	model, r := mustFit(t, rowsOf(m, docs), Params{Seed: 42})
	if r.Quality.Topics != 3 || len(model.Topics[0].Words) != 0 || model.Topics[0].Name != "0" {
		t.Errorf("topics %+v", model.Topics)
	}
	if !slices.ContainsFunc(r.Warnings, func(w Warning) bool { return w.Code == "no-words" }) {
		t.Errorf("warnings %v", r.Warnings)
	}
}

func TestWrongInputIsNamed(t *testing.T) {
	m, _ := blobs(2, 20, 5, 0.3)
	rows := rowsOf(m, nil)
	rows.IDs = rows.IDs[:39]
	if _, _, err := Fit(context.Background(), rows, Params{}); err == nil || !strings.Contains(err.Error(), "40 vectors but 39 ids") {
		t.Error(err)
	}
	if _, _, err := Fit(context.Background(), rowsOf(m, nil), Params{Cluster: ClusterParams{Method: "x"}, Reduce: ReduceParams{Method: "y"}}); err == nil ||
		!strings.Contains(err.Error(), `cluster method "x"`) || !strings.Contains(err.Error(), `reduce method "y"`) {
		t.Error(err)
	}
	model, _ := mustFit(t, rowsOf(m, nil), Params{})
	if _, err := model.Transform(context.Background(), matrix.NewDense(1, 4), nil); err == nil || !strings.Contains(err.Error(), "4 dimensions, those of the model 5") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := Fit(ctx, rowsOf(m, nil), Params{}); err != context.Canceled {
		t.Error(err)
	}
}
