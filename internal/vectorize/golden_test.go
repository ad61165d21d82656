package vectorize

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// load reads a gzip'd JSON file of testdata, or of the golden folder beside
// the repository where it is too large to be kept here.
func load(t testing.TB, name string, into any) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if _, err := os.Stat(path); err != nil {
		path = filepath.Join("..", "..", "..", "shared", "golden", name)
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("%s is in neither testdata nor the golden folder beside the repository", name)
	}
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

// goldenCSR is a matrix of the golden files.
type goldenCSR struct {
	Shape   [2]int    `json:"shape"`
	Indptr  []int64   `json:"indptr"`
	Indices []int32   `json:"indices"`
	Data    []float64 `json:"data"`
}

func sameMatrix[T int32 | float64](t *testing.T, got *Sparse[T], want goldenCSR, tolerance float64) {
	t.Helper()
	if got.Rows != want.Shape[0] || got.Cols != want.Shape[1] {
		t.Fatalf("shape %d x %d, want %v", got.Rows, got.Cols, want.Shape)
	}
	if !slices.Equal(got.Indptr, want.Indptr) {
		t.Fatalf("row pointers differ")
	}
	if !slices.Equal(got.Indices, want.Indices) {
		t.Fatalf("columns differ")
	}
	for i, v := range got.Data {
		if math.Abs(float64(v)-want.Data[i]) > tolerance {
			t.Fatalf("value %d is %v, want %v", i, v, want.Data[i])
		}
	}
}

// params are the keyword arguments of the Python call.
type params struct {
	NgramRange   []int           `json:"ngram_range"`
	MinDF        json.RawMessage `json:"min_df"`
	MaxDF        json.RawMessage `json:"max_df"`
	MaxFeatures  int             `json:"max_features"`
	TokenPattern string          `json:"token_pattern"`
	StripAccents string          `json:"strip_accents"`
	Lowercase    *bool           `json:"lowercase"`
	Analyzer     string          `json:"analyzer"`
	StopWords    json.RawMessage `json:"stop_words"`
	Binary       bool            `json:"binary"`
	Vocabulary   []string        `json:"vocabulary"`
	SublinearTF  bool            `json:"sublinear_tf"`
	UseIDF       *bool           `json:"use_idf"`
	SmoothIDF    *bool           `json:"smooth_idf"`
	Norm         json.RawMessage `json:"norm"`
}

func bound(t *testing.T, raw json.RawMessage) Bound {
	t.Helper()
	if raw == nil {
		return Bound{}
	}
	var f float64
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(string(raw), ".e") {
		return Fraction(f)
	}
	return Docs(int(f))
}

func (p params) options(t *testing.T) (Options, TFIDF) {
	t.Helper()
	o := Options{
		Analyzer: p.Analyzer, TokenPattern: p.TokenPattern, StripAccents: p.StripAccents, KeepCase: p.Lowercase != nil && !*p.Lowercase,
		MinDF: bound(t, p.MinDF), MaxDF: bound(t, p.MaxDF), MaxFeatures: p.MaxFeatures, Vocabulary: p.Vocabulary, Binary: p.Binary,
	}
	if p.NgramRange != nil {
		o.NgramRange = [2]int(p.NgramRange)
	}
	if p.StopWords != nil {
		if json.Unmarshal(p.StopWords, &o.StopWords) != nil {
			var err error
			if o.StopWords, err = StopWords("english"); err != nil {
				t.Fatal(err)
			}
		}
	}
	f := TFIDF{SublinearTF: p.SublinearTF, NoIDF: p.UseIDF != nil && !*p.UseIDF, RawIDF: p.SmoothIDF != nil && !*p.SmoothIDF}
	if p.Norm != nil {
		var norm *string
		if err := json.Unmarshal(p.Norm, &norm); err != nil {
			t.Fatal(err)
		}
		f.Norm = "none"
		if norm != nil {
			f.Norm = *norm
		}
	}
	return o, f
}

type setting struct {
	Params   params    `json:"params"`
	Features []string  `json:"features"`
	IDF      []float64 `json:"idf"`
	X        goldenCSR `json:"X"`
	Q        goldenCSR `json:"Q"`
}

func TestScikitLearnSettings(t *testing.T) {
	var want struct {
		Docs, Queries []string
		Count, TFIDF  map[string]setting
	}
	load(t, "sklearn_expected.json.gz", &want)
	ctx := context.Background()
	for name, s := range want.Count {
		t.Run("count/"+name, func(t *testing.T) {
			opt, _ := s.Params.options(t)
			v, counts, err := Fit(ctx, FromSlice(want.Docs), opt, 2)
			if err != nil {
				t.Fatal(err)
			}
			if opt.MaxFeatures > 0 {
				sameUpToTies(t, ctx, want.Docs, opt, v.Terms, s.Features)
				return
			}
			if !slices.Equal(v.Terms, s.Features) {
				t.Fatalf("terms are\n%q, want\n%q", v.Terms, s.Features)
			}
			sameMatrix(t, counts, s.X, 0)
			q, err := v.Transform(ctx, FromSlice(want.Queries), 1)
			if err != nil {
				t.Fatal(err)
			}
			sameMatrix(t, q, s.Q, 0)
		})
	}
	for name, s := range want.TFIDF {
		t.Run("tfidf/"+name, func(t *testing.T) {
			opt, weigh := s.Params.options(t)
			v, counts, err := Fit(ctx, FromSlice(want.Docs), opt, 2)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(v.Terms, s.Features) {
				t.Fatalf("terms are\n%q, want\n%q", v.Terms, s.Features)
			}
			checkWeights(t, counts, weigh, s)
			q, err := v.Transform(ctx, FromSlice(want.Queries), 1)
			if err != nil {
				t.Fatal(err)
			}
			idf, _ := weigh.IDF(DocumentFrequency(counts), counts.Rows)
			w, err := weigh.Transform(q, idf, 1)
			if err != nil {
				t.Fatal(err)
			}
			sameMatrix(t, w, s.Q, 1e-12)
		})
	}
	if n := len(want.Count) + len(want.TFIDF); n != 26 {
		t.Errorf("%d settings, want 26", n)
	}
}

// sameUpToTies checks terms chosen by MaxFeatures: those that are not in both
// sets have the same frequency, that of the last place.
func sameUpToTies(t *testing.T, ctx context.Context, docs []string, opt Options, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d terms, want %d", len(got), len(want))
	}
	opt.MaxFeatures = 0
	v, counts, err := Fit(ctx, FromSlice(docs), opt, 1)
	if err != nil {
		t.Fatal(err)
	}
	tf := TermFrequency(counts)
	least := int64(math.MaxInt64)
	for _, term := range want {
		j, known := v.Index(term)
		if !known {
			t.Fatalf("%q is not a term", term)
		}
		least = min(least, tf[j])
	}
	for _, pair := range [][2][]string{{got, want}, {want, got}} {
		for _, term := range pair[0] {
			j, _ := v.Index(term)
			if !slices.Contains(pair[1], term) && tf[j] != least {
				t.Errorf("%q, which occurs %d times, is in one set alone; ties are at %d", term, tf[j], least)
			}
		}
	}
	if !slices.IsSorted(got) {
		t.Error("the terms are not sorted")
	}
}

func checkWeights(t *testing.T, counts *Counts, weigh TFIDF, s setting) {
	t.Helper()
	idf, err := weigh.IDF(DocumentFrequency(counts), counts.Rows)
	if err != nil {
		t.Fatal(err)
	}
	if len(idf) != len(s.IDF) {
		t.Fatalf("%d idf values, want %d", len(idf), len(s.IDF))
	}
	for j := range idf {
		if math.Abs(idf[j]-s.IDF[j]) > 1e-12 {
			t.Fatalf("idf %d is %v, want %v", j, idf[j], s.IDF[j])
		}
	}
	w, err := weigh.Transform(counts, idf, 2)
	if err != nil {
		t.Fatal(err)
	}
	sameMatrix(t, w, s.X, 1e-12)
}

func TestScikitLearnTFIDFOfNewsgroups(t *testing.T) {
	var docs struct{ Docs []string }
	load(t, "docs500.json.gz", &docs)
	for _, name := range []string{"tfidf_default", "tfidf_min5", "tfidf_min5_stop_sub_12"} {
		t.Run(name, func(t *testing.T) {
			var s struct {
				Params params    `json:"params"`
				Vocab  []string  `json:"vocab"`
				IDF    []float64 `json:"idf"`
				X      goldenCSR `json:"X"`
			}
			load(t, name+".json.gz", &s)
			opt, weigh := s.Params.options(t)
			v, counts, err := Fit(context.Background(), FromSlice(docs.Docs), opt, 3)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(v.Terms, s.Vocab) {
				t.Fatal("terms differ")
			}
			checkWeights(t, counts, weigh, setting{IDF: s.IDF, X: s.X})
		})
	}
}

func TestScikitLearnErrors(t *testing.T) {
	var want struct{ Docs []string }
	load(t, "sklearn_expected.json.gz", &want)
	english, err := StopWords("english")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		opt  Options
		docs []string
		want error
	}{
		{"all_stop", Options{StopWords: english}, []string{"the of and"}, ErrEmptyVocabulary},
		{"empty_docs", Options{}, []string{"", " "}, ErrEmptyVocabulary},
		{"no_docs", Options{}, nil, ErrEmptyVocabulary},
		{"min_gt_max", Options{MinDF: Docs(5), MaxDF: Docs(2)}, want.Docs, ErrBounds},
		{"nothing_left", Options{MinDF: Fraction(0.9), MaxDF: Fraction(0.95)}, want.Docs, ErrNoTermsLeft},
		{"one_letter_words", Options{}, []string{"a b c"}, ErrEmptyVocabulary},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, _, err := Fit(context.Background(), FromSlice(c.docs), c.opt, 2); !errors.Is(err, c.want) {
				t.Errorf("the error is %v, want %v", err, c.want)
			} else {
				t.Log(err)
			}
		})
	}
}

func TestScikitLearnTokens(t *testing.T) {
	var want struct {
		Texts          []string   `json:"texts"`
		Default        [][]string `json:"default"`
		Ngram          [][]string `json:"ngram12_stop_strip"`
		EnglishStopped []string   `json:"english_stop_words"`
	}
	load(t, "tokenize_sklearn.json.gz", &want)
	english, err := StopWords("english")
	if err != nil {
		t.Fatal(err)
	}
	plain := slices.DeleteFunc(slices.Clone(english), func(w string) bool { return strings.Contains(w, "'") })
	slices.Sort(plain)
	if !slices.Equal(plain, want.EnglishStopped) {
		t.Errorf("%d stop words without an apostrophe, want %d", len(plain), len(want.EnglishStopped))
	}
	for i, text := range want.Texts {
		analyzed(t, text, Options{}, want.Default[i])
		analyzed(t, text, Options{NgramRange: [2]int{1, 2}, StopWords: english, StripAccents: "unicode"}, want.Ngram[i])
	}
}

func analyzed(t *testing.T, text string, opt Options, want []string) {
	t.Helper()
	got, err := Analyze(text, opt)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q gives %q, want %q", text, got, want)
	}
}

func TestPythonWords(t *testing.T) {
	var want struct {
		Texts        []string   `json:"texts"`
		Lower        []string   `json:"lower"`
		Words        [][]string `json:"words"`
		WordsKeep    [][]string `json:"words_keep"`
		UnicodeStrip []string   `json:"unicode_strip"`
		ASCIIStrip   []string   `json:"ascii_strip"`
		Split        [][]string `json:"split"`
		Patterns     []string   `json:"patterns"`
		Subjects     []string   `json:"subjects"`
		Found        [][][]string
	}
	load(t, "words.json.gz", &want)
	for i, text := range want.Texts {
		if got := lowerString(text); got != want.Lower[i] {
			t.Errorf("%q in lower case is %q, want %q", text, got, want.Lower[i])
		}
		analyzed(t, text, Options{}, want.Words[i])
		analyzed(t, text, Options{KeepCase: true}, want.WordsKeep[i])
		analyzed(t, text, Options{TokenPattern: `(?u)\b\w\w+\b`}, want.Words[i])
		if got := string(appendStripped(nil, want.Lower[i], false)); got != want.UnicodeStrip[i] {
			t.Errorf("%q without accents is %q, want %q", text, got, want.UnicodeStrip[i])
		}
		if got := string(appendStripped(nil, want.Lower[i], true)); got != want.ASCIIStrip[i] {
			t.Errorf("%q as ASCII is %q, want %q", text, got, want.ASCIIStrip[i])
		}
		if got := strings.FieldsFunc(text, isSpace); !slices.Equal(got, want.Split[i]) {
			t.Errorf("%q splits into %q, want %q", text, got, want.Split[i])
		}
	}
	for i, p := range want.Patterns {
		for j, s := range want.Subjects {
			got, err := Analyze(s, Options{TokenPattern: p, KeepCase: true})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, want.Found[i][j]) {
				t.Errorf("%q finds %q in %q, want %q", p, got, s, want.Found[i][j])
			}
		}
	}
}
