package represent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/bertopic-go/bertopic/pipeline/ctfidf"
)

// KeyBERT ranks words by the cosine of their vector to the mean vector of the
// documents that stand for the topic (after KeyBERT, Grootendorst 2020). The
// candidates are the heaviest words of c-TF-IDF, whatever words came before.
type KeyBERT struct {
	Embedder   WordEmbedder
	TopN       int // 0: 10
	Candidates int // words looked at for each topic; 0: 100
	Documents  int // of those that stand for the topic, take this many; 0: 5
}

// Refine returns the TopN words of each topic with their cosines. A topic
// without candidates or documents keeps the words it has.
func (s KeyBERT) Refine(ctx context.Context, t *Topics, words [][]Word) ([][]Word, error) {
	if s.Embedder == nil {
		return nil, errors.New("keybert: the words have no vectors, since no embedder of words was given: use one, or leave keybert out")
	}
	if t.Vectors == nil || len(t.Documents) != len(words) {
		return nil, errors.New("keybert: it needs the vectors of the documents, dense, and the documents that stand for each topic")
	}
	candidates := ctfidf.TopWords(t.Weights, t.Terms, orDefault(s.Candidates, 100), t.Threads)
	if len(candidates) != len(words) {
		return nil, fmt.Errorf("keybert: c-TF-IDF has %d topics, the words %d", len(candidates), len(words))
	}
	var texts []string
	for _, list := range candidates {
		for _, w := range list {
			texts = append(texts, w.Term)
		}
	}
	vectors, row, err := embedOnce(ctx, s.Embedder, texts)
	if err != nil {
		return nil, fmt.Errorf("keybert: %w", err)
	}
	if len(texts) > 0 && vectors.Cols != t.Vectors.Cols {
		return nil, fmt.Errorf("keybert: words have %d dimensions and documents %d: they must share one space", vectors.Cols, t.Vectors.Cols)
	}
	units := make([][]float64, vectors.Rows)
	for i := range units {
		units[i] = unit(vectors.Row(i))
	}
	out := make([][]Word, len(words))
	for i, list := range candidates {
		docs := t.Documents[i]
		docs = docs[:min(len(docs), orDefault(s.Documents, 5))]
		if len(list) == 0 || len(docs) == 0 {
			out[i] = slices.Clone(words[i])
			continue
		}
		mean := make([]float64, t.Vectors.Cols)
		for _, d := range docs {
			for k, v := range t.Vectors.Row(d.Row) {
				mean[k] += float64(v)
			}
		}
		mean = unit(mean)
		ranked := make([]Word, len(list))
		for k, w := range list {
			ranked[k] = Word{Term: w.Term, Weight: dot(units[row[w.Term]], mean)}
		}
		slices.SortStableFunc(ranked, func(a, b Word) int { return cmp.Compare(b.Weight, a.Weight) })
		out[i] = slices.Clip(ranked[:min(len(ranked), orDefault(s.TopN, defaultTopN))])
	}
	return out, nil
}
