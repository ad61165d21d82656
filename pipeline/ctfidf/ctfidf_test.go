package ctfidf

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/vectorize"
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

// corpus is the test corpus with its classes; class 0 is BERTopic's -1.
func corpus(t *testing.T) (docs []string, class []int32, classes int) {
	t.Helper()
	var in struct {
		Docs   []string
		Topics []int32
	}
	load(t, filepath.Join("..", "..", "internal", "vectorize", "testdata", "docs500.json.gz"), &in)
	for _, topic := range in.Topics {
		class = append(class, topic+1)
		classes = max(classes, int(topic)+2)
	}
	return in.Docs, class, classes
}

var notASCII = regexp.MustCompile(`[^A-Za-z0-9 ]+`)

// clean is BERTopic's cleaning of English text.
func clean(s string) string {
	return notASCII.ReplaceAllString(strings.NewReplacer("\n", " ", "\t", " ").Replace(s), "")
}

type goldenCSR struct {
	Shape   [2]int
	Indptr  []int64
	Indices []int32
	Data    []float64
}

type golden struct {
	Params struct {
		BM25   bool     `json:"bm25_weighting"`
		Reduce bool     `json:"reduce_frequent_words"`
		Seed   []string `json:"seed_words"`
		Times  float64  `json:"seed_multiplier"`
	}
	IDF []float64
	X   *goldenCSR
	Top map[string][][2]any `json:"top_words"`
}

func near(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !(math.Abs(got[i]-want[i]) <= 1e-12) {
			t.Fatalf("%s: value %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

// sameWords compares words by weight; words of equal weight may stand in any
// order, and any of those at the lowest weight may be there.
func sameWords(t *testing.T, w *vectorize.Weights, terms []string, want map[string][][2]any) {
	t.Helper()
	if len(want) != w.Rows {
		t.Fatalf("words of %d topics, want %d", w.Rows, len(want))
	}
	all := TopWords(w, terms, w.Cols, 2)
	for topic, words := range want {
		id, err := strconv.Atoi(topic)
		if err != nil {
			t.Fatal(err)
		}
		got := TopWords(w, terms, len(words), 2)[id+1]
		if len(got) != len(words) {
			t.Fatalf("topic %s has %d words, want %d", topic, len(got), len(words))
		}
		for k, word := range got {
			if want := words[k][1].(float64); math.Abs(word.Weight-want) > 1e-12 {
				t.Fatalf("topic %s: word %d has the weight %v, want %v", topic, k, word.Weight, want)
			}
			if k > 0 && word.Weight == got[k-1].Weight && word.Term <= got[k-1].Term {
				t.Errorf("topic %s: %q and %q weigh the same and are out of order", topic, got[k-1].Term, word.Term)
			}
		}
		for _, pair := range words {
			k := slices.IndexFunc(all[id+1], func(w Word) bool { return w.Term == pair[0] })
			if k < 0 || math.Abs(all[id+1][k].Weight-pair[1].(float64)) > 1e-12 {
				t.Errorf("topic %s: %q has not the weight %v", topic, pair[0], pair[1])
			}
		}
	}
}

func TestBERTopic(t *testing.T) {
	docs, class, classes := corpus(t)
	for i := range docs {
		docs[i] = clean(docs[i])
	}
	v, perDoc, err := vectorize.Fit(context.Background(), vectorize.FromSlice(docs), vectorize.Options{}, 2)
	if err != nil {
		t.Fatal(err)
	}
	counts, err := vectorize.SumRows(perDoc, class, classes, 2)
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]json.RawMessage
	load(t, filepath.Join("testdata", "ctfidf.json.gz"), &raw)
	var vocab []string
	if err := json.Unmarshal(raw["vocab"], &vocab); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(v.Terms, vocab) {
		t.Fatal("vocabulary differs")
	}
	delete(raw, "vocab")
	if len(raw) != 5 {
		t.Fatalf("%d settings, want 5", len(raw))
	}
	for name, text := range raw {
		t.Run(name, func(t *testing.T) {
			var want golden
			if err := json.Unmarshal(text, &want); err != nil {
				t.Fatal(err)
			}
			m, err := Fit(counts, v.Terms, Params{BM25Weighting: want.Params.BM25, ReduceFrequentWords: want.Params.Reduce, SeedWords: want.Params.Seed, SeedMultiplier: want.Params.Times})
			if err != nil {
				t.Fatal(err)
			}
			near(t, "idf", m.IDF, want.IDF)
			w := m.Transform(counts, 2)
			if want.X != nil {
				if !slices.Equal(w.Indptr, want.X.Indptr) || !slices.Equal(w.Indices, want.X.Indices) {
					t.Fatal("the matrix has other places")
				}
				near(t, "weights", w.Data, want.X.Data)
			}
			if name == "bm25_reduce" {
				var data []float64
				load(t, filepath.Join("testdata", "ctfidf_bm25_reduce.json.gz"), &data)
				near(t, "weights", w.Data, data)
			}
			sameWords(t, w, v.Terms, want.Top)
		})
	}
}

// BERTopic joins the documents of a topic, so that its pairs of words reach
// over the end of a document, and min_df counts topics.
func TestBERTopicJoinedPairs(t *testing.T) {
	docs, class, classes := corpus(t)
	joined := make([]string, classes)
	for i, d := range docs {
		if joined[class[i]] != "" {
			joined[class[i]] += " "
		}
		joined[class[i]] += d
	}
	for i := range joined {
		joined[i] = clean(joined[i])
	}
	english, err := vectorize.StopWords("english")
	if err != nil {
		t.Fatal(err)
	}
	v, counts, err := vectorize.Fit(context.Background(), vectorize.FromSlice(joined), vectorize.Options{StopWords: english, MinDF: vectorize.Docs(2), NgramRange: [2]int{1, 2}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Vocab []string
		X     goldenCSR
		Top   map[string][][2]any `json:"top_words"`
	}
	load(t, filepath.Join("testdata", "ctfidf_stop_min2_12.json.gz"), &want)
	if !slices.Equal(v.Terms, want.Vocab) {
		t.Fatal("vocabulary differs")
	}
	m, err := Fit(counts, v.Terms, Params{})
	if err != nil {
		t.Fatal(err)
	}
	w := m.Transform(counts, 1)
	if !slices.Equal(w.Indptr, want.X.Indptr) || !slices.Equal(w.Indices, want.X.Indices) {
		t.Fatal("the matrix has other places")
	}
	near(t, "weights", w.Data, want.X.Data)
	sameWords(t, w, v.Terms, want.Top)
}

func TestMultipliers(t *testing.T) {
	counts := &vectorize.Counts{Rows: 2, Cols: 4, Indptr: []int64{0, 2, 4}, Indices: []int32{0, 1, 1, 2}, Data: []int32{3, 1, 1, 3}}
	terms := []string{"a", "b", "c", "d"}
	plain, err := Fit(counts, terms, Params{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := Fit(counts, terms, Params{SeedWords: []string{"a", "b"}, GuidedWords: []string{"b", "zzz"}})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "idf", m.IDF, []float64{2 * plain.IDF[0], 1.2 * plain.IDF[1], plain.IDF[2], 0})
	if math.Abs(plain.IDF[0]-math.Log(4.0/3+1)) > 1e-15 {
		t.Errorf("idf of a is %v", plain.IDF[0])
	}
	if _, err := Fit(counts, terms, Params{SeedMultiplier: -1}); err == nil {
		t.Error("a negative multiplier is taken")
	}
	if _, err := Fit(&vectorize.Counts{Indptr: []int64{0}}, nil, Params{}); err == nil {
		t.Error("no classes are taken")
	}
}

func TestTopWordsAreFewerRatherThanNone(t *testing.T) {
	w := &vectorize.Weights{Rows: 3, Cols: 4, Indptr: []int64{0, 4, 6, 6}, Indices: []int32{0, 1, 2, 3, 0, 1}, Data: []float64{0.5, 0.7, 0.5, 0.5, -1, 0}}
	got := TopWords(w, []string{"a", "b", "c", "d"}, 3, 1)
	want := []Word{{"b", 0.7}, {"a", 0.5}, {"c", 0.5}}
	if !slices.Equal(got[0], want) {
		t.Errorf("words are %v, want %v", got[0], want)
	}
	if len(got[1]) != 0 || len(got[2]) != 0 {
		t.Errorf("rows without a weight above 0 have words: %v", got[1:])
	}
	if got := TopWords(w, []string{"a", "b", "c", "d"}, 0, 1); len(got[0]) != 0 {
		t.Error("no words asked for, some given")
	}
}
