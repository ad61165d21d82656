package main

import (
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/sdktest"
)

type goldenCSR struct {
	Shape   [2]int
	Indptr  []uint32
	Indices []uint32
	Data    []float64
}

type setting struct {
	Params   map[string]any
	Features []string
	X, Q     goldenCSR
}

type golden struct {
	Docs, Queries []string
	Count, TFIDF  map[string]setting
	Errors        map[string]string
	SVD           struct {
		ArpackFit [][]float64 `json:"arpack_fit_transform"`
	}
}

func load(t *testing.T) golden {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "internal", "vectorize", "testdata", "sklearn_expected.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.NewDecoder(z).Decode(&g); err != nil {
		t.Fatal(err)
	}
	return g
}

func same(t *testing.T, v sdk.Vectors, want goldenCSR) {
	t.Helper()
	s := v.Sparse
	if s == nil || s.Rows != want.Shape[0] || s.Columns != want.Shape[1] {
		t.Fatalf("the answer is not sparse of shape %v", want.Shape)
	}
	if !slices.Equal(s.Indptr, want.Indptr) || !slices.Equal(s.Indices, want.Indices) {
		t.Fatal("the matrix has other places")
	}
	for i, x := range s.Data {
		if x != float32(want.Data[i]) && math.Abs(float64(x)-want.Data[i]) > 1e-7*math.Abs(want.Data[i]) {
			t.Fatalf("value %d is %v, want %v", i, x, want.Data[i])
		}
	}
	var empty []int
	for i := range s.Rows {
		if s.Indptr[i] == s.Indptr[i+1] {
			empty = append(empty, i)
		}
	}
	var told []int
	for _, st := range v.Statuses {
		told = append(told, st.Row)
	}
	if !slices.Equal(told, empty) {
		t.Errorf("statuses are of the rows %v, empty are %v", told, empty)
	}
}

// TestScikitLearn runs all settings of the golden file through the protocol.
func TestScikitLearn(t *testing.T) {
	g := load(t)
	for mode, settings := range map[string]map[string]setting{"count": g.Count, "tfidf": g.TFIDF} {
		for name, s := range settings {
			if strings.Contains(name, "feat") {
				continue // which terms tie at max_features is free: internal/vectorize compares them
			}
			t.Run(mode+"/"+name, func(t *testing.T) {
				options := map[string]any{"mode": mode}
				for k, v := range s.Params {
					if k == "norm" && v == nil {
						v = "none"
					}
					options[k] = v
				}
				p := sdktest.Start(t, &embedder{})
				p.Configure(options)
				p.Fit(sdktest.Texts(g.Docs...)...)
				if p.Info.Dimension != len(s.Features) {
					t.Fatalf("dimension %d, want %d", p.Info.Dimension, len(s.Features))
				}
				same(t, p.Embed(sdktest.Texts(g.Docs...)...), s.X)
				same(t, p.Embed(sdktest.Texts(g.Queries...)...), s.Q)

				restored := sdktest.Start(t, &embedder{})
				restored.Configure(options)
				restored.LoadState(p.State())
				if restored.Info != p.Info {
					t.Errorf("a restored program promises %+v, want %+v", restored.Info, p.Info)
				}
				same(t, restored.Embed(sdktest.Texts(g.Queries...)...), s.Q)
			})
		}
	}
}

func TestScikitLearnSVD(t *testing.T) {
	g := load(t)
	options := map[string]any{"svd": 10}
	p := sdktest.Start(t, &embedder{})
	p.Configure(options)
	p.Fit(sdktest.Texts(g.Docs...)...)
	v := p.Embed(sdktest.Texts(g.Docs...)...)
	if p.Info.Sparse || p.Info.Metric != sdk.Cosine || p.Info.UnitLength || v.Dense == nil || v.Dense.Columns != 10 {
		t.Fatalf("the answer is not dense with 10 columns: %+v", p.Info)
	}
	for i, row := range g.SVD.ArpackFit {
		for j, want := range row {
			if got := float64(v.Dense.Data[10*i+j]); math.Abs(got-want) > 1e-6 {
				t.Fatalf("row %d, column %d: %v, want %v", i, j, got, want)
			}
		}
	}
	restored := sdktest.Start(t, &embedder{})
	restored.Configure(options)
	restored.LoadState(p.State())
	if again := restored.Embed(sdktest.Texts(g.Docs...)...); !reflect.DeepEqual(again, v) {
		t.Error("a restored program gives other vectors")
	}
	words := p.EmbedWords("river", "zzz")
	if want := []sdk.RowStatus{{Row: 1, Status: sdk.OOV}}; !slices.Equal(words.Statuses, want) {
		t.Errorf("statuses of words: %v, want %v", words.Statuses, want)
	}
}

func TestSVDOfFewDocuments(t *testing.T) {
	e := &embedder{}
	if _, _, err := e.Configure(context.Background(), settings(t, map[string]any{"svd": 100})); err != nil {
		t.Fatal(err)
	}
	info, remarks, err := e.Fit(context.Background(), rows("one cat", "two cats", "three cats"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Dimension != 3 || len(remarks) != 1 || remarks[0].Option != "svd" {
		t.Errorf("dimension %d with the remarks %v, want 3 and one about svd", info.Dimension, remarks)
	}
}

// settings are checked options, as a host sends them.
func settings(t *testing.T, options map[string]any) sdk.Settings {
	t.Helper()
	checked, faults := sdk.CheckOptions((&embedder{}).Describe(), options)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	return sdk.Settings{Options: checked, Seed: 42}
}

func rows(texts ...string) func(func(sdk.Row, error) bool) {
	return func(yield func(sdk.Row, error) bool) {
		for _, s := range texts {
			if !yield(sdk.Row{Text: s, HasText: true}, nil) {
				return
			}
		}
	}
}

func TestErrors(t *testing.T) {
	g := load(t)
	for _, c := range []struct {
		name    string
		options map[string]any
		docs    []string
		want    string
	}{
		{"min_gt_max", map[string]any{"min_df": 5, "max_df": 2}, g.Docs, "max_df asks for fewer documents than min_df"},
		{"nothing_left", map[string]any{"min_df": 0.9, "max_df": 0.95}, g.Docs, "no term is within min_df and max_df"},
		{"unknown_term", map[string]any{"vocabulary": []string{"river", "zzz"}, "smooth_idf": false}, g.Docs, "idf is infinite"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := &embedder{}
			if _, remarks, err := e.Configure(context.Background(), settings(t, c.options)); err != nil || remarks.Refused() {
				t.Fatal(err, remarks)
			}
			_, _, err := e.Fit(context.Background(), rows(c.docs...))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want one with %q", err, c.want)
			}
		})
	}
}

// A corpus without a term has rows without vectors, and a state like any other.
func TestNoTerms(t *testing.T) {
	for _, c := range []struct {
		name    string
		options map[string]any
		docs    []string
	}{
		{"all_stop", map[string]any{"stop_words": "english"}, []string{"the of and", ""}},
		{"empty_docs", nil, []string{"", " "}},
		{"one_letter_words", nil, []string{"a b c", "\n"}},
		{"with_svd", map[string]any{"svd": 2}, []string{"a b c", ""}},
		{"svd_of_nothing", map[string]any{"vocabulary": []string{"zzz"}, "svd": 2}, []string{"one", ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := context.Background()
			e, other := &embedder{}, &embedder{}
			for _, e := range []*embedder{e, other} {
				if _, remarks, err := e.Configure(ctx, settings(t, c.options)); err != nil || remarks.Refused() {
					t.Fatal(err, remarks)
				}
			}
			info, remarks, err := e.Fit(ctx, rows(c.docs...))
			if err != nil || info.Dimension != 1 || len(remarks) != 1 || !strings.Contains(remarks[0].Summary, "no document holds a term") {
				t.Fatal(info, remarks, err)
			}
			state, err := e.SaveState(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if info, err := other.LoadState(ctx, state); err != nil || info.Dimension != 1 {
				t.Fatal(info, err)
			}
			for _, e := range []*embedder{e, other} {
				v, err := e.Embed(ctx, []sdk.Row{{Text: "zzz words", HasText: true}, {Text: " ", HasText: true}})
				if err != nil {
					t.Fatal(err)
				}
				if want := []sdk.RowStatus{{Row: 0, Status: sdk.OOV}, {Row: 1, Status: sdk.Empty}}; !slices.Equal(v.Statuses, want) {
					t.Errorf("statuses %v, want %v", v.Statuses, want)
				}
				if info.Sparse && (v.Sparse.Rows != 2 || v.Sparse.Columns != 1) || !info.Sparse && len(v.Dense.Data) != 2 {
					t.Errorf("vectors %+v %+v, want 2 x 1", v.Sparse, v.Dense)
				}
			}
		})
	}
}

func TestOptions(t *testing.T) {
	e := &embedder{}
	for _, c := range []struct {
		options map[string]any
		option  string
		want    string
	}{
		{map[string]any{"ngram_range": []int64{2, 1}}, "", "ngram_range is [2, 1]"},
		{map[string]any{"ngram_range": []int64{1}}, "ngram_range", "it must have two"},
		{map[string]any{"min_df": 2.5}, "min_df", "whole number"},
		{map[string]any{"max_df": -1}, "max_df", "0 or more"},
		{map[string]any{"svd": -1}, "svd", "svd is -1"},
		{map[string]any{"stop_words": "klingon"}, "stop_words", "no list of stop words for \"klingon\""},
		{map[string]any{"stop_words": 3}, "stop_words", "a string or a list"},
		{map[string]any{"token_pattern": "(?<=a)b"}, "", "look-around"},
		{map[string]any{"token_pattern": "(a)(b)"}, "", "has 2 groups"},
		{map[string]any{"vocabulary": []string{"a", "a"}}, "", "twice"},
	} {
		_, remarks, err := e.Configure(context.Background(), settings(t, c.options))
		if err != nil {
			t.Fatal(err)
		}
		if !remarks.Refused() || remarks[0].Option != c.option || !strings.Contains(remarks[0].Summary, c.want) {
			t.Errorf("%v: the remarks are %v, want a refusal with %q", c.options, remarks, c.want)
		}
	}
	if _, remarks, err := e.Configure(context.Background(), settings(t, map[string]any{"mode": "count", "sublinear_tf": true, "analyzer": "char", "stop_words": []string{"a"}})); err != nil || remarks.Refused() || len(remarks) != 2 {
		t.Errorf("settings without effect: %v, %v, want two warnings", remarks, err)
	}
}

func TestStopWordsFromFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "stop.txt"), []byte("cat\nthe dog\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := settings(t, map[string]any{"stop_words": "stop.txt"})
	s.BaseDir = dir
	e := &embedder{}
	if _, remarks, err := e.Configure(context.Background(), s); err != nil || len(remarks) > 0 {
		t.Fatal(err, remarks)
	}
	info, _, err := e.Fit(context.Background(), rows("the cat saw the dog", "a fox"))
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"fox", "saw"}; info.Dimension != 2 || !slices.Equal(e.fitted.vocabulary.Terms, want) {
		t.Errorf("terms are %q, want %q", e.fitted.vocabulary.Terms, want)
	}
}

func TestStatuses(t *testing.T) {
	p := sdktest.Start(t, &embedder{})
	p.Configure(map[string]any{})
	if !p.Info.Sparse || p.Info.Metric != sdk.Hellinger || !p.Info.UnitLength || !p.Info.NeedsFit || p.Info.Words {
		t.Errorf("it promises %+v", p.Info)
	}
	p.Fit(sdktest.Texts("the river runs", "a lamp by the river")...)
	v := p.Embed(sdktest.Texts("river", "", " \n", "unknown words", "!!!")...)
	want := []sdk.RowStatus{{Row: 1, Status: sdk.Empty}, {Row: 2, Status: sdk.Empty}, {Row: 3, Status: sdk.OOV}, {Row: 4, Status: sdk.OOV}}
	if !slices.Equal(v.Statuses, want) {
		t.Errorf("statuses are %v, want %v", v.Statuses, want)
	}
	if _, err := sdktest.Start(t, &embedder{}).TryEmbed(t.Context(), sdktest.Texts("x")...); err == nil {
		t.Error("a program that has learned nothing embeds")
	}
}

func TestThreadsAndBatches(t *testing.T) {
	g := load(t)
	var first sdk.Vectors
	for _, threads := range []int{1, 2, 5} {
		for _, svd := range []int{0, 5} {
			s := settings(t, map[string]any{"ngram_range": []int64{1, 2}, "stop_words": "english", "svd": svd})
			s.Threads = threads
			e := &embedder{}
			if _, _, err := e.Configure(context.Background(), s); err != nil {
				t.Fatal(err)
			}
			if _, _, err := e.Fit(context.Background(), rows(g.Docs...)); err != nil {
				t.Fatal(err)
			}
			whole, err := e.Embed(context.Background(), sdktest.Texts(g.Docs...))
			if err != nil {
				t.Fatal(err)
			}
			if svd == 0 {
				if first.Sparse == nil {
					first = whole
				} else if !reflect.DeepEqual(whole, first) {
					t.Errorf("%d threads give other bits", threads)
				}
				continue
			}
			for i, text := range g.Docs {
				one, err := e.Embed(context.Background(), sdktest.Texts(text))
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(one.Dense.Data, whole.Dense.Data[5*i:5*i+5]) {
					t.Errorf("row %d alone has another vector", i)
				}
			}
		}
	}
}

func state(t testing.TB) []byte {
	t.Helper()
	checked, _ := sdk.CheckOptions((&embedder{}).Describe(), map[string]any{"svd": 2, "stop_words": "english"})
	e := &embedder{}
	if _, _, err := e.Configure(context.Background(), sdk.Settings{Options: checked}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := e.Fit(context.Background(), rows("small river", "old lamp river", "lamp")); err != nil {
		t.Fatal(err)
	}
	s, err := e.SaveState(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sealed gives a state a right checksum.
func sealed(s []byte) []byte {
	binary.LittleEndian.PutUint32(s[len(s)-4:], crc32.ChecksumIEEE(s[:len(s)-4]))
	return s
}

func TestStateIsRefused(t *testing.T) {
	good := state(t)
	for name, c := range map[string]struct {
		change func(s []byte) []byte
		want   string
	}{
		"nothing":  {func(s []byte) []byte { return nil }, "no such state"},
		"magic":    {func(s []byte) []byte { s[0]++; return s }, "no such state"},
		"version":  {func(s []byte) []byte { s[8] = 2; return sealed(s) }, "version 2"},
		"flip":     {func(s []byte) []byte { s[len(s)/2]++; return s }, "checksum"},
		"cut":      {func(s []byte) []byte { return sealed(s[:len(s)-8]) }, "damaged"},
		"long":     {func(s []byte) []byte { return sealed(append(s, make([]byte, 8)...)) }, "damaged"},
		"header":   {func(s []byte) []byte { s[15] = 0xff; return sealed(s) }, "header ends behind"},
		"infinite": {func(s []byte) []byte { copy(s[len(s)-12:], "\x00\x00\x00\x00\x00\x00\xf0\x7f"); return sealed(s) }, "not finite"},
	} {
		t.Run(name, func(t *testing.T) {
			e := &embedder{config: config{SVD: 2}}
			if _, err := e.LoadState(context.Background(), c.change(slices.Clone(good))); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want one with %q", err, c.want)
			}
		})
	}
	for _, c := range []struct {
		options map[string]any
		want    string
	}{
		{map[string]any{"svd": 2}, "another stop_words"},
		{map[string]any{"svd": 2, "stop_words": "english", "lowercase": false}, "another lowercase"},
		{map[string]any{"stop_words": "english"}, "svd = 2, not 0"},
	} {
		e := &embedder{}
		if _, _, err := e.Configure(context.Background(), settings(t, c.options)); err != nil {
			t.Fatal(err)
		}
		if _, err := e.LoadState(context.Background(), good); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: the error is %v, want one with %q", c.options, err, c.want)
		}
	}
}

func FuzzParseState(f *testing.F) {
	f.Add(state(f))
	f.Fuzz(func(t *testing.T, s []byte) {
		if len(s) >= 20 {
			s = sealed(slices.Clone(s))
		}
		h, fit, err := parseState(s)
		if err != nil {
			return
		}
		if h.Terms != fit.vocabulary.Len() {
			t.Errorf("%d terms, the header says %d", fit.vocabulary.Len(), h.Terms)
		}
	})
}

func Example() {
	checked, _ := sdk.CheckOptions((&embedder{}).Describe(), map[string]any{"mode": "count", "ngram_range": []int64{1, 2}})
	e := &embedder{}
	ctx := context.Background()
	if _, _, err := e.Configure(ctx, sdk.Settings{Options: checked}); err != nil {
		fmt.Println(err)
		return
	}
	if _, _, err := e.Fit(ctx, rows("red lamp", "red river")); err != nil {
		fmt.Println(err)
		return
	}
	v, err := e.Embed(ctx, []sdk.Row{{Text: "red red lamp", HasText: true}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for k, j := range v.Sparse.Indices {
		fmt.Println(e.fitted.vocabulary.Terms[j], v.Sparse.Data[k])
	}
	// Output:
	// lamp 1
	// red 2
	// red lamp 1
}
