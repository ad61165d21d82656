package represent

import (
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/vectorize"
	"github.com/bertopic-go/bertopic/pipeline/ctfidf"
)

func load(t *testing.T, path string, into any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(into); err != nil {
		t.Fatal(err)
	}
}

// hashes is the embedder of the golden files.
type hashes struct{ calls int }

func (h *hashes) EmbedWords(_ context.Context, words []string) (*matrix.Dense, error) {
	h.calls++
	out := matrix.NewDense(len(words), 16)
	for i, w := range words {
		sum := sha256.Sum256([]byte(w))
		row := out.Row(i)
		for k := range row {
			row[k] = float32(float64(sum[k])/255 - 0.5)
		}
	}
	return out, nil
}

func TestMMRAgainstBERTopic(t *testing.T) {
	var want struct {
		Doc         [][]float64
		WordVectors [][]float64 `json:"word_vectors"`
		Words       []string
		Out         map[string][]string
	}
	load(t, filepath.Join("testdata", "mmr.json.gz"), &want)
	units := make([][]float64, len(want.Words))
	for i, v := range want.WordVectors {
		units[i] = unit(v)
	}
	if len(want.Out) != 5 {
		t.Fatalf("%d diversities, want 5", len(want.Out))
	}
	for d, words := range want.Out {
		var diversity float64
		if _, err := fmt.Sscan(d, &diversity); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, k := range maximalMarginalRelevance(unit(want.Doc[0]), units, diversity, 10) {
			got = append(got, want.Words[k])
		}
		if !slices.Equal(got, words) {
			t.Errorf("diversity %s: %v, want %v", d, got, words)
		}
	}
}

type goldenKeyBERT struct {
	Candidates  map[string][]string
	DocumentIDs [][]int             `json:"representative_doc_ids_no_sampling"`
	KeyBERT     map[string][][2]any `json:"keybert_no_sampling"`
	MMR         map[string][][2]any `json:"mmr03_on_top10"`
}

var notASCII = regexp.MustCompile(`[^A-Za-z0-9 ]+`)

// topics makes the topics of the golden file: the words of topics are counted
// in cleaned texts, those of documents in raw ones, as BERTopic does.
func topics(t *testing.T) (want goldenKeyBERT, in *Topics, counts *vectorize.Counts, group []int32, model *ctfidf.Model) {
	t.Helper()
	ctx := context.Background()
	load(t, filepath.Join("testdata", "keybert.json.gz"), &want)
	var corpus struct {
		Docs   []string
		Topics []int32
	}
	load(t, filepath.Join("..", "..", "internal", "vectorize", "testdata", "docs500.json.gz"), &corpus)
	english, err := vectorize.StopWords("english")
	if err != nil {
		t.Fatal(err)
	}
	clean := make([]string, len(corpus.Docs))
	for i, d := range corpus.Docs {
		clean[i] = notASCII.ReplaceAllString(strings.NewReplacer("\n", " ", "\t", " ").Replace(d), "")
	}
	v, perDoc, err := vectorize.Fit(ctx, vectorize.FromSlice(clean), vectorize.Options{StopWords: english}, 2)
	if err != nil {
		t.Fatal(err)
	}
	classes := 0
	for _, topic := range corpus.Topics {
		group = append(group, topic+1)
		classes = max(classes, int(topic)+2)
	}
	perTopic, err := vectorize.SumRows(perDoc, group, classes, 2)
	if err != nil {
		t.Fatal(err)
	}
	if model, err = ctfidf.Fit(perTopic, v.Terms, ctfidf.Params{}); err != nil {
		t.Fatal(err)
	}
	if counts, err = v.Transform(ctx, vectorize.FromSlice(corpus.Docs), 2); err != nil {
		t.Fatal(err)
	}
	in = &Topics{Terms: v.Terms, Weights: model.Transform(perTopic, 2), Threads: 2}
	in.Vectors, err = (&hashes{}).EmbedWords(ctx, corpus.Docs)
	if err != nil {
		t.Fatal(err)
	}
	return want, in, counts, group, model
}

func TestKeyBERTAgainstBERTopic(t *testing.T) {
	want, in, counts, group, model := topics(t)
	var err error
	in.Documents, err = Representative(counts, group, model, in.Weights, Selection{Documents: 5, Samples: -1, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	for i, docs := range in.Documents {
		var got []int
		for k, d := range docs {
			got = append(got, d.Row)
			if k > 0 && d.Similarity > docs[k-1].Similarity {
				t.Errorf("topic %d: documents are not by falling similarity", i-1)
			}
		}
		ids := slices.Clone(want.DocumentIDs[i])
		slices.Sort(ids)
		slices.Sort(got)
		if !slices.Equal(got, ids) {
			t.Errorf("topic %d: documents %v, want %v", i-1, got, ids)
		}
	}

	// Which words of the weight at the end of the candidates are in is free, so
	// the golden file's candidates are ranked.
	all := ctfidf.TopWords(in.Weights, in.Terms, in.Weights.Cols, 1)
	only := &vectorize.Weights{Rows: in.Weights.Rows, Cols: in.Weights.Cols, Indptr: []int64{0}}
	for i := range all {
		topic := fmt.Sprint(i - 1)
		checkCandidates(t, topic, all[i], want.Candidates[topic])
		cols, values := in.Weights.Row(i)
		for k, j := range cols {
			if slices.Contains(want.Candidates[topic], in.Terms[j]) {
				only.Indices = append(only.Indices, j)
				only.Data = append(only.Data, values[k])
			}
		}
		only.Indptr = append(only.Indptr, int64(len(only.Indices)))
	}
	in.Weights = only
	words, err := KeyBERT{Embedder: &hashes{}}.Refine(context.Background(), in, Base(in, 10))
	if err != nil {
		t.Fatal(err)
	}
	for i := range words {
		golden := want.KeyBERT[fmt.Sprint(i-1)]
		if len(words[i]) != 10 || len(golden) != 10 {
			t.Fatalf("topic %d has %d words, the golden file %d, want 10", i-1, len(words[i]), len(golden))
		}
		for k, w := range words[i] {
			if w.Term != golden[k][0] || math.Abs(w.Weight-golden[k][1].(float64)) > 1e-6 { // vectors are float32 here
				t.Errorf("topic %d: word %d is %v, want %v", i-1, k, w, golden[k])
			}
		}
	}
}

// checkCandidates compares a set of candidates with c-TF-IDF up to ties at its
// end.
func checkCandidates(t *testing.T, topic string, all []Word, want []string) {
	t.Helper()
	last := all[len(want)-1].Weight
	for _, w := range all {
		if in := slices.Contains(want, w.Term); in != (w.Weight > last) && math.Abs(w.Weight-last) > 1e-12 {
			t.Errorf("topic %s: %q of weight %v is a candidate: %v; the last one weighs %v", topic, w.Term, w.Weight, in, last)
		}
	}
}

func TestMMRKeepsOrderAndWeights(t *testing.T) {
	want, in, _, _, _ := topics(t)
	h := &hashes{}
	base, err := CTFIDF{}.Refine(context.Background(), in, Base(in, 10))
	if err != nil {
		t.Fatal(err)
	}
	words, err := MMR{Embedder: h, Diversity: 0.3}.Refine(context.Background(), in, base)
	if err != nil {
		t.Fatal(err)
	}
	if h.calls != 1 {
		t.Errorf("the embedder was called %d times, want once", h.calls)
	}
	for i, list := range words {
		for k, pair := range want.MMR[fmt.Sprint(i-1)] {
			if math.Abs(list[k].Weight-pair[1].(float64)) > 1e-12 {
				t.Errorf("topic %d: word %d weighs %v, want %v", i-1, k, list[k].Weight, pair[1])
			}
		}
	}
}

func TestMMRChoosesFromFew(t *testing.T) {
	one := [][]Word{{{Term: "one", Weight: 1}}, nil}
	got, err := MMR{Embedder: &hashes{}, Diversity: 0.5}.Refine(context.Background(), nil, one)
	if err != nil {
		t.Fatal(err)
	}
	if len(got[0]) != 1 || len(got[1]) != 0 {
		t.Errorf("words are %v, want the one and none", got)
	}
}

func TestChain(t *testing.T) {
	_, in, counts, group, model := topics(t)
	var err error
	if in.Documents, err = Representative(counts, group, model, in.Weights, Selection{}); err != nil {
		t.Fatal(err)
	}
	h := &hashes{}
	c := Chain{KeyBERT{Embedder: h, TopN: 30}, MMR{Embedder: h, Diversity: 0.7, TopN: 5}, CTFIDF{TopN: 3}}
	words, err := c.Refine(context.Background(), in, Base(in, 10))
	if err != nil {
		t.Fatal(err)
	}
	for i, list := range words {
		if len(list) != 3 {
			t.Errorf("topic %d has %d words, want 3", i, len(list))
		}
	}
	if _, err := (Chain{CTFIDF{}, MMR{}}).Refine(context.Background(), in, Base(in, 10)); err == nil || !strings.Contains(err.Error(), "representation 2: mmr") {
		t.Errorf("the error of a step without an embedder is %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := c.Refine(ctx, in, words); !errors.Is(err, context.Canceled) {
		t.Errorf("the error of a cancelled chain is %v", err)
	}
}

func TestRepresentativeDocuments(t *testing.T) {
	_, in, counts, group, model := topics(t)
	var all [][][]Document
	for _, threads := range []int{1, 2, 7} {
		docs, err := Representative(counts, group, model, in.Weights, Selection{Samples: 10, Seed: 5, Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, docs)
		for g, list := range docs {
			if len(list) != 3 {
				t.Errorf("topic %d has %d documents, want 3", g, len(list))
			}
			for _, d := range list {
				if int(group[d.Row]) != g {
					t.Errorf("document %d stands for topic %d and is in %d", d.Row, g, group[d.Row])
				}
			}
		}
		for g := range docs {
			if !slices.Equal(docs[g], all[0][g]) {
				t.Errorf("topic %d differs with %d threads", g, threads)
			}
		}
	}
	other, err := Representative(counts, group, model, in.Weights, Selection{Samples: 10, Seed: 6})
	if err != nil {
		t.Fatal(err)
	}
	if slices.EqualFunc(other, all[0], slices.Equal) {
		t.Error("another seed draws the same documents of all topics")
	}
}

func TestRepresentativeDocumentsDiffer(t *testing.T) {
	docs := []string{"apple pear", "apple pear", "apple pear", "apple apple plum", "", "moon star"}
	group := []int32{0, 0, 0, 0, 0, -1}
	v, counts, err := vectorize.Fit(context.Background(), vectorize.FromSlice(docs), vectorize.Options{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := vectorize.SumRows(counts, group, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	model, err := ctfidf.Fit(sum, v.Terms, ctfidf.Params{})
	if err != nil {
		t.Fatal(err)
	}
	w := model.Transform(sum, 1)
	for _, c := range []struct {
		n    int
		want []int
	}{{2, []int{0, 3}}, {3, []int{0, 3, 4}}, {4, []int{0, 1, 3, 4}}, {9, []int{0, 1, 2, 3, 4}}} {
		got, err := Representative(counts, group, model, w, Selection{Documents: c.n})
		if err != nil {
			t.Fatal(err)
		}
		var rows []int
		for _, d := range got[0] {
			rows = append(rows, d.Row)
		}
		if slices.Sort(rows); !slices.Equal(rows, c.want) {
			t.Errorf("%d documents: %v, want %v", c.n, rows, c.want)
		}
	}
}

func TestLabel(t *testing.T) {
	words := []Word{{Term: "space"}, {Term: "nasa"}, {Term: "orbit"}, {Term: "moon"}, {Term: "sun"}}
	for want, got := range map[string]string{
		"3_space_nasa_orbit_moon": Label(3, words), "-1_space": Label(-1, words[:1]), "7": Label(7, nil),
	} {
		if got != want {
			t.Errorf("the label is %q, want %q", got, want)
		}
	}
}
