package represent

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// MMR chooses words that are near the topic and unlike each other, by maximal
// marginal relevance (Carbonell and Goldstein, 1998). The topic's vector is
// that of its words joined by spaces. Words stay in their order and keep their
// weights.
type MMR struct {
	Embedder WordEmbedder
	// Diversity, 0 to 1, is the weight of being unlike the words chosen before;
	// BERTopic's own default is 0.1.
	Diversity float64
	TopN      int // 0: 10
}

// Refine chooses TopN of the words of each topic; of fewer it keeps all.
func (s MMR) Refine(ctx context.Context, _ *Topics, words [][]Word) ([][]Word, error) {
	if s.Embedder == nil {
		return nil, errors.New("mmr: the words have no vectors, since no embedder of words was given: use one, or leave mmr out")
	}
	if !(s.Diversity >= 0 && s.Diversity <= 1) {
		return nil, fmt.Errorf("mmr: diversity is %v: it must be between 0 and 1", s.Diversity)
	}
	var texts []string
	phrases := make([]string, len(words))
	for i, list := range words {
		terms := make([]string, len(list))
		for k, w := range list {
			terms[k] = w.Term
		}
		if len(list) > 0 {
			phrases[i] = strings.Join(terms, " ")
			texts = append(append(texts, terms...), phrases[i])
		}
	}
	vectors, row, err := embedOnce(ctx, s.Embedder, texts)
	if err != nil {
		return nil, fmt.Errorf("mmr: %w", err)
	}
	out := make([][]Word, len(words))
	for i, list := range words {
		if len(list) == 0 {
			continue
		}
		units := make([][]float64, len(list))
		for k, w := range list {
			units[k] = unit(vectors.Row(row[w.Term]))
		}
		chosen := maximalMarginalRelevance(unit(vectors.Row(row[phrases[i]])), units, s.Diversity, orDefault(s.TopN, defaultTopN))
		slices.Sort(chosen)
		for _, k := range chosen {
			out[i] = append(out[i], list[k])
		}
	}
	return out, nil
}

// maximalMarginalRelevance returns up to n places of words in the order in
// which they are chosen: the one nearest to topic, then always the one with the
// greatest (1-diversity)*cosine to topic - diversity*(greatest cosine to a
// chosen one), the first of equals. All vectors have unit length.
func maximalMarginalRelevance(topic []float64, words [][]float64, diversity float64, n int) []int {
	near := make([]float64, len(words))
	for k, w := range words {
		near[k] = dot(w, topic)
	}
	closest := make([]float64, len(words)) // to a chosen one
	taken := make([]bool, len(words))
	var chosen []int
	for len(chosen) < min(n, len(words)) {
		best, bestScore := -1, math.Inf(-1)
		for k := range words {
			score := near[k]
			if len(chosen) > 0 {
				score = float64((1-diversity)*near[k]) - float64(diversity*closest[k])
			}
			if !taken[k] && (best < 0 || score > bestScore) {
				best, bestScore = k, score
			}
		}
		for k, w := range words {
			if c := dot(w, words[best]); len(chosen) == 0 || c > closest[k] {
				closest[k] = c
			}
		}
		taken[best] = true
		chosen = append(chosen, best)
	}
	return chosen
}
