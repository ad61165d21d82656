package main

import (
	"fmt"
	"strings"

	"github.com/bertopic-go/bertopic/sdk"
)

// options are the options as the user names them.
type options struct {
	Model     string  `json:"model"`
	Words     string  `json:"words"`
	Encoding  string  `json:"encoding"`
	Pooling   string  `json:"pooling"`
	Tokenizer string  `json:"tokenizer"`
	Lowercase bool    `json:"lowercase"`
	OOV       string  `json:"oov"`
	MaxOOV    float64 `json:"max_oov"`
}

// Values of options.
const (
	poolGensim = "gensim"
	poolFlair  = "flair"
	poolTFIDF  = "tfidf"

	auto = "auto"

	cutSpace = "space"
	cutWords = "words"
	cutFlair = "flair"

	oovSkip    = "skip"
	oovZero    = "zero"
	oovSubword = "subword"
)

var schema = []sdk.Option{
	{Name: "model", Type: sdk.String, Default: "glove-wiki-gigaword-50", Help: "a file of word vectors, a folder of one, or the name of one that `bertopic models get` has brought"},
	{Name: "words", Type: sdk.String, Default: "", Help: "list of words that goes with a .npy file, row by row: Parquet, or a word a line; empty: the one beside it"},
	{Name: "encoding", Type: sdk.String, Default: "utf-8", Help: "encoding of the words in the file, by its IANA name"},
	{Name: "pooling", Type: sdk.String, Default: poolGensim, Choices: []string{poolGensim, poolFlair, poolTFIDF}, Help: "gensim: mean of the known words; flair: mean of all words, unknown ones are zeros; tfidf: mean weighted by tf-idf, learned from the corpus"},
	{Name: "tokenizer", Type: sdk.String, Default: auto, Choices: []string{auto, cutSpace, cutWords, cutFlair}, Help: "space: cut at white space; words: the words of Unicode, no punctuation; flair: as Flair cuts; auto: flair with pooling flair, else space"},
	{Name: "lowercase", Type: sdk.Boolean, Default: false, Help: "lower-case the text before words are looked up"},
	{Name: "oov", Type: sdk.String, Default: auto, Choices: []string{auto, oovSkip, oovZero, oovSubword}, Help: "an unknown word: skip it, count it as zeros, or make its vector of fastText's subwords; auto: zero with pooling flair, else skip"},
	{Name: "max_oov", Type: sdk.Number, Default: 1.0, Help: "a text with a larger share of unknown words has no vector (status oov)"},
}

// settle replaces auto by what it stands for and tells what is wrong.
func (o *options) settle() sdk.Diagnostics {
	var out sdk.Diagnostics
	fault := func(option, format string, args ...any) {
		out = append(out, sdk.Diagnostic{Error: true, Option: option, Summary: fmt.Sprintf(format, args...)})
	}
	if strings.TrimSpace(o.Model) == "" {
		fault("model", "model is empty: name a file of word vectors, or a model that `bertopic models list` shows")
	}
	if !(o.MaxOOV >= 0 && o.MaxOOV <= 1) {
		fault("max_oov", "max_oov is %v: it is a share from 0 to 1", o.MaxOOV)
	}
	if o.Tokenizer == auto {
		o.Tokenizer = cutSpace
		if o.Pooling == poolFlair {
			o.Tokenizer = cutFlair
		}
	}
	if o.OOV == auto {
		o.OOV = oovSkip
		if o.Pooling == poolFlair {
			o.OOV = oovZero
		}
	}
	return out
}
