package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"github.com/bertopic-go/bertopic/internal/linalg"
	"github.com/bertopic-go/bertopic/internal/vectorize"
	"github.com/bertopic-go/bertopic/sdk"
)

// options are the options as the user names them, which are scikit-learn's
// names.
type options struct {
	Mode         string          `json:"mode"`
	Analyzer     string          `json:"analyzer"`
	Tokenizer    string          `json:"tokenizer"`
	TokenPattern string          `json:"token_pattern"`
	Lowercase    bool            `json:"lowercase"`
	StripAccents string          `json:"strip_accents"`
	StopWords    json.RawMessage `json:"stop_words"`
	NgramRange   []int           `json:"ngram_range"`
	MinDF        float64         `json:"min_df"`
	MaxDF        float64         `json:"max_df"`
	MaxFeatures  int             `json:"max_features"`
	Vocabulary   []string        `json:"vocabulary"`
	Binary       bool            `json:"binary"`
	SublinearTF  bool            `json:"sublinear_tf"`
	UseIDF       bool            `json:"use_idf"`
	SmoothIDF    bool            `json:"smooth_idf"`
	Norm         string          `json:"norm"`
	SVD          int             `json:"svd"`
	SVDAlgorithm string          `json:"svd_algorithm"`
}

// schema describes the options. min_df and max_df are numbers for which TOML's
// 1 and 1.0 are the same, so 1 is read as the one of both that makes sense.
var schema = []sdk.Option{
	{Name: "mode", Type: sdk.String, Default: "tfidf", Choices: []string{"tfidf", "count"}, Help: "values of a row: tf-idf weights, or counts"},
	{Name: "analyzer", Type: sdk.String, Default: vectorize.Word, Choices: []string{vectorize.Word, vectorize.Char, vectorize.CharWB}, Help: "a term is made of words, of characters, or of characters within a word"},
	{Name: "tokenizer", Type: sdk.String, Default: vectorize.Sklearn, Choices: []string{vectorize.Sklearn, vectorize.Unicode}, Help: "words are runs of 2 or more letters and digits, or those of Unicode, with Chinese, Japanese and Thai cut into pairs"},
	{Name: "token_pattern", Type: sdk.String, Default: "", Help: "a regular expression for words in Python's syntax, in place of tokenizer"},
	{Name: "lowercase", Type: sdk.Boolean, Default: true, Help: "lower-case the text"},
	{Name: "strip_accents", Type: sdk.String, Default: "none", Choices: []string{"none", "ascii", "unicode"}, Help: "take accents off letters; ascii drops what is not ASCII then"},
	{Name: "stop_words", Type: sdk.Any, Default: "none", Help: "words to leave out: a language, a list, a file with one or more words a line, or none"},
	{Name: "ngram_range", Type: sdk.IntegerList, Default: []int64{1, 1}, Help: "shortest and longest n-gram"},
	{Name: "min_df", Type: sdk.Number, Default: 1.0, Help: "documents a term must occur in: a number from 1, or a share below 1"},
	{Name: "max_df", Type: sdk.Number, Default: 1.0, Help: "documents a term may occur in: a share up to 1 (all documents), or a number from 2"},
	{Name: "max_features", Type: sdk.Integer, Default: int64(0), Help: "keep this many of the most frequent terms; 0: all"},
	{Name: "vocabulary", Type: sdk.StringList, Default: []string{}, Help: "count these terms alone; empty: learn them from the corpus"},
	{Name: "binary", Type: sdk.Boolean, Default: false, Help: "every count is 1"},
	{Name: "sublinear_tf", Type: sdk.Boolean, Default: false, Help: "tf-idf: 1 + ln(count) in place of the count"},
	{Name: "use_idf", Type: sdk.Boolean, Default: true, Help: "tf-idf: weigh terms by inverse document frequency"},
	{Name: "smooth_idf", Type: sdk.Boolean, Default: true, Help: "tf-idf: add one document that holds every term"},
	{Name: "norm", Type: sdk.String, Default: "l2", Choices: []string{"l1", "l2", "none"}, Help: "tf-idf: norm that a row is divided by"},
	{Name: "svd", Type: sdk.Integer, Default: int64(0), Help: "reduce to this many dense columns by truncated SVD; 0: no"},
	{Name: "svd_algorithm", Type: sdk.String, Default: "exact", Choices: []string{"exact", "randomized"}, Help: "exact, or the faster approximation that scikit-learn takes by default"},
}

// config is what options mean.
type config struct {
	Mode   string
	Count  vectorize.Options
	Weigh  vectorize.TFIDF
	SVD    int
	Method linalg.Method
}

// configOf reads the options. Every fault is a diagnostic.
func configOf(s sdk.Settings) (config, sdk.Diagnostics, error) {
	var o options
	if err := s.Decode(&o); err != nil {
		return config{}, nil, err
	}
	var out sdk.Diagnostics
	fault := func(option, format string, args ...any) {
		out = append(out, sdk.Diagnostic{Error: true, Option: option, Summary: fmt.Sprintf(format, args...)})
	}
	c := config{
		Mode: o.Mode,
		Count: vectorize.Options{
			Analyzer: o.Analyzer, Tokenizer: o.Tokenizer, TokenPattern: o.TokenPattern, KeepCase: !o.Lowercase,
			MaxFeatures: o.MaxFeatures, Binary: o.Binary,
		},
		Weigh:  vectorize.TFIDF{Norm: o.Norm, NoIDF: !o.UseIDF, RawIDF: !o.SmoothIDF, SublinearTF: o.SublinearTF},
		SVD:    o.SVD,
		Method: linalg.Method(o.SVDAlgorithm),
	}
	if o.StripAccents != "none" {
		c.Count.StripAccents = o.StripAccents
	}
	if len(o.Vocabulary) > 0 {
		c.Count.Vocabulary = o.Vocabulary
	}
	if len(o.NgramRange) == 2 {
		c.Count.NgramRange = [2]int(o.NgramRange)
	} else {
		fault("ngram_range", "ngram_range has %d numbers: it must have two, the shortest and the longest n-gram", len(o.NgramRange))
	}
	if o.SVD < 0 {
		fault("svd", "svd is %d: it must be 1 or more columns, or 0 for none", o.SVD)
	}
	var err error
	if c.Count.StopWords, err = stopWords(o.StopWords, s.BaseDir); err != nil {
		fault("stop_words", "%v", err)
	}
	if c.Count.MinDF, err = bound("min_df", o.MinDF, true); err != nil {
		fault("min_df", "%v", err)
	}
	if c.Count.MaxDF, err = bound("max_df", o.MaxDF, false); err != nil {
		fault("max_df", "%v", err)
	}
	if err := c.Count.Validate(); err != nil && !out.Refused() {
		for _, line := range strings.Split(err.Error(), "\n") {
			fault("", "%s", line)
		}
	}
	if out.Refused() {
		return config{}, out, nil
	}
	warn := func(option, text string) {
		out = append(out, sdk.Diagnostic{Option: option, Summary: text})
	}
	for _, w := range c.Count.Warnings() {
		warn("", w)
	}
	if c.Mode == "count" {
		if c.Weigh != (vectorize.TFIDF{Norm: "l2"}) {
			warn("mode", `sublinear_tf, use_idf, smooth_idf and norm have no effect with mode = "count"`)
		}
		c.Weigh = vectorize.TFIDF{Norm: "none", NoIDF: true}
	}
	return c, out, nil
}

// bound reads min_df or max_df. 1 is one document as a lower bound and all
// documents as an upper one.
func bound(name string, v float64, lower bool) (vectorize.Bound, error) {
	switch {
	case !(v >= 0):
		return vectorize.Bound{}, fmt.Errorf("%s is %v: it must be 0 or more", name, v)
	case v < 1 || v == 1 && !lower:
		return vectorize.Fraction(v), nil
	case v != math.Trunc(v) || v > math.MaxInt32:
		return vectorize.Bound{}, fmt.Errorf("%s is %v: above 1 it must be a whole number of documents", name, v)
	}
	return vectorize.Docs(int(v)), nil
}

// stopWords reads the option: a language, a list, a file, or "none".
func stopWords(raw json.RawMessage, base string) ([]string, error) {
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return list, nil
	}
	var name string
	if err := json.Unmarshal(raw, &name); err != nil {
		return nil, errors.New(`stop_words must be a string or a list of strings`)
	}
	if name == "" || name == "none" {
		return nil, nil
	}
	list, unknown := vectorize.StopWords(name)
	if unknown == nil {
		return list, nil
	}
	path := name
	if !filepath.IsAbs(path) {
		path = filepath.Join(base, path)
	}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, fmt.Errorf("%w; and there is no file %s", unknown, path)
	case err != nil:
		return nil, fmt.Errorf("stop_words: %w", err)
	}
	return strings.Fields(string(text)), nil
}
