package represent

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/vectorize"
	"github.com/bertopic-go/bertopic/pipeline/ctfidf"
)

// Word is a word of a topic with its weight, which is the c-TF-IDF weight or,
// after KeyBERT and ZeroShot, a cosine.
type Word = ctfidf.Word

// WordEmbedder embeds words and short phrases into the space of the documents.
type WordEmbedder interface {
	// EmbedWords returns one row a word, in order. A word without a vector is
	// a row of zeros.
	EmbedWords(ctx context.Context, words []string) (*matrix.Dense, error)
}

// Topics is what is known of the topics when their words are refined.
type Topics struct {
	Terms   []string           // of the columns of Weights
	Weights *vectorize.Weights // topics x terms, c-TF-IDF
	// Documents are the documents that stand for each topic, and Vectors the
	// vectors of all documents, by row. KeyBERT needs both.
	Documents [][]Document
	Vectors   *matrix.Dense
	Means     matrix.Matrix // topics x d, the vector of each topic; ZeroShot needs it
	Threads   int
}

// Step refines the words of topics. words has one list for each topic, best
// first, and is not changed.
type Step interface {
	Refine(ctx context.Context, t *Topics, words [][]Word) ([][]Word, error)
}

// Chain takes its steps in order.
type Chain []Step

var (
	_ Step = Chain(nil)
	_ Step = CTFIDF{}
	_ Step = MMR{}
	_ Step = KeyBERT{}
)

// Refine passes words through each step. The error says which step failed.
func (c Chain) Refine(ctx context.Context, t *Topics, words [][]Word) ([][]Word, error) {
	for i, step := range c {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		refined, err := step.Refine(ctx, t, words)
		if err != nil {
			return nil, fmt.Errorf("representation %d: %w", i+1, err)
		}
		if len(refined) != len(words) {
			return nil, fmt.Errorf("representation %d returned words of %d topics, not %d", i+1, len(refined), len(words))
		}
		words = refined
	}
	return words, nil
}

const (
	defaultTopN = 10
	// BaseWords is how many words a topic has before the first step, at least.
	BaseWords = 30
)

func orDefault(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

// Base returns the words that representation begins with: the topN heaviest of
// each topic, and BaseWords at least.
func Base(t *Topics, topN int) [][]Word {
	return ctfidf.TopWords(t.Weights, t.Terms, max(topN, BaseWords), t.Threads)
}

// CTFIDF keeps the first words of each topic. With the words that Base returns
// these are the heaviest.
type CTFIDF struct {
	TopN int // 0: 10
}

// Refine cuts each list of words.
func (s CTFIDF) Refine(_ context.Context, _ *Topics, words [][]Word) ([][]Word, error) {
	out := make([][]Word, len(words))
	for i, list := range words {
		out[i] = slices.Clone(list[:min(len(list), orDefault(s.TopN, defaultTopN))])
	}
	return out, nil
}

// Label returns the name of a topic by its number and its first four words,
// as in 3_space_nasa_orbit_moon. A topic without words is named by its number.
func Label(id int, words []Word) string {
	parts := []string{strconv.Itoa(id)}
	for _, w := range words[:min(4, len(words))] {
		parts = append(parts, w.Term)
	}
	return strings.Join(parts, "_")
}

// embedOnce asks for the vectors of texts, each but once, and returns which row
// is whose.
func embedOnce(ctx context.Context, e WordEmbedder, texts []string) (*matrix.Dense, map[string]int, error) {
	unique := slices.Clone(texts)
	slices.Sort(unique)
	unique = slices.Compact(unique)
	row := make(map[string]int, len(unique))
	for i, text := range unique {
		row[text] = i
	}
	if len(unique) == 0 {
		return matrix.NewDense(0, 0), row, nil
	}
	v, err := e.EmbedWords(ctx, unique)
	if err != nil {
		return nil, nil, fmt.Errorf("embed %d words: %w", len(unique), err)
	}
	if v.Rows != len(unique) {
		return nil, nil, fmt.Errorf("embed %d words: %d vectors came back", len(unique), v.Rows)
	}
	for i := range v.Rows {
		if !matrix.Finite(v, i) {
			return nil, nil, fmt.Errorf("embed %d words: the vector of %q has a value that is not finite", len(unique), unique[i])
		}
	}
	return v, row, nil
}
