package represent

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/bertopic-go/bertopic/internal/matrix"
)

// ZeroShot names topics by the labels of a list that are nearest to them: by
// the cosine between the vector of a label and that of a topic, which must
// share one space (as in zero-shot classification by CLIP, Radford et al.
// 2021). It needs no words of the topic, so that it names topics of pictures
// too.
//
// A topic gets the labels that are nearer to its best one than to the average
// label of the list, TopN at most, and none below MinSimilarity. A topic
// without such a label keeps its words, as BERTopic's ZeroShotClassification
// has it.
type ZeroShot struct {
	Embedder WordEmbedder
	Labels   []string
	// Prompt is what is embedded in place of a label, which takes the place of
	// "{}" in it, as in "a photo of {}"; "": the label alone.
	Prompt        string
	MinSimilarity float64
	TopN          int // 0: 10
}

var _ Step = ZeroShot{}

// Refine returns the labels of each topic with their cosines.
func (s ZeroShot) Refine(ctx context.Context, t *Topics, words [][]Word) ([][]Word, error) {
	if s.Embedder == nil {
		return nil, errors.New("zero-shot: the labels have no vectors, since no embedder of words was given: use one, or leave zero-shot out")
	}
	if len(s.Labels) == 0 {
		return nil, errors.New("zero-shot: there are no labels to choose from")
	}
	if t.Means == nil {
		return nil, errors.New("zero-shot: it needs the vectors of the topics")
	}
	rows, d := t.Means.Dims()
	if rows != len(words) {
		return nil, fmt.Errorf("zero-shot: there are vectors of %d topics, and words of %d", rows, len(words))
	}
	texts := make([]string, len(s.Labels))
	for i, label := range s.Labels {
		texts[i] = label
		if s.Prompt != "" {
			texts[i] = strings.ReplaceAll(s.Prompt, "{}", label)
		}
	}
	vectors, row, err := embedOnce(ctx, s.Embedder, texts)
	if err != nil {
		return nil, fmt.Errorf("zero-shot: %w", err)
	}
	if vectors.Cols != d {
		return nil, fmt.Errorf("zero-shot: labels have %d dimensions and topics %d: they must share one space", vectors.Cols, d)
	}
	units := make([][]float64, vectors.Rows)
	for i := range units {
		units[i] = unit(vectors.Row(i))
	}
	out := make([][]Word, len(words))
	for i := range out {
		mean := unit(spread(t.Means, i))
		if zero(mean) {
			out[i] = slices.Clone(words[i])
			continue
		}
		ranked := make([]Word, len(s.Labels))
		for k, label := range s.Labels {
			ranked[k] = Word{Term: label, Weight: dot(units[row[texts[k]]], mean)}
		}
		if out[i] = s.choose(ranked); len(out[i]) == 0 {
			out[i] = slices.Clone(words[i])
		}
	}
	return out, nil
}

// choose returns the labels of a topic, best first, the first in the list of
// equals. It sorts ranked.
func (s ZeroShot) choose(ranked []Word) []Word {
	average := 0.0
	for _, w := range ranked {
		average += w.Weight / float64(len(ranked))
	}
	slices.SortStableFunc(ranked, func(a, b Word) int { return cmp.Compare(b.Weight, a.Weight) })
	least := max(s.MinSimilarity, (ranked[0].Weight+min(average, ranked[0].Weight))/2)
	var chosen []Word
	for _, w := range ranked {
		if len(chosen) == orDefault(s.TopN, defaultTopN) || w.Weight < least {
			break
		}
		chosen = append(chosen, w)
	}
	return chosen
}

// spread returns row i of m with its zeros.
func spread(m matrix.Matrix, i int) []float32 {
	sparse, ok := m.(*matrix.CSR)
	if !ok {
		return m.(*matrix.Dense).Row(i)
	}
	out := make([]float32, sparse.Cols)
	cols, values := sparse.Row(i)
	for k, c := range cols {
		out[c] = values[k]
	}
	return out
}

func zero(v []float64) bool {
	return !slices.ContainsFunc(v, func(x float64) bool { return x != 0 })
}
