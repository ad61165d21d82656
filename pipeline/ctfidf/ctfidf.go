package ctfidf

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/vectorize"
)

// Params are the settings of c-TF-IDF. The zero value is BERTopic's default.
type Params struct {
	// BM25Weighting takes ln(1 + (A-f+0.5)/(f+0.5)) for the idf, which is
	// negative for a term that is more frequent than an average class is long.
	BM25Weighting bool
	// ReduceFrequentWords takes the square root of the term's share of its
	// class.
	ReduceFrequentWords bool
	// SeedWords have their idf multiplied by SeedMultiplier.
	SeedWords      []string
	SeedMultiplier float64 // 0: 2
	// GuidedWords, those of the seed topics of guided modelling, have their
	// idf multiplied by 1.2, in place of SeedMultiplier.
	GuidedWords []string
}

const (
	defaultSeedMultiplier = 2
	guidedMultiplier      = 1.2
)

// Validate reports a multiplier that is negative or not finite.
func (p Params) Validate() error {
	if m := p.SeedMultiplier; m < 0 || math.IsNaN(m) || math.IsInf(m, 0) {
		return fmt.Errorf("seed_multiplier is %v: it must be a number above 0", m)
	}
	return nil
}

// Model is a fitted c-TF-IDF: the weight of each term, by which the counts of
// any row, be it a class or a document, become weights.
type Model struct {
	Params Params
	IDF    []float64 // by term
}

// Fit learns the idf of each term from the counts of classes x terms. The
// class of outliers, if there is one, is a class like others. terms names the
// columns and is looked at for seed words alone.
//
// idf = ln(1 + A/f), where A is the mean number of words of a class, cut to a
// whole number, and f how often the term occurs in all classes. A term that no
// class holds gets 0 (BERTopic: infinity).
func Fit(counts *vectorize.Counts, terms []string, p Params) (*Model, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if counts.Rows == 0 {
		return nil, errors.New("c-tf-idf: there are no classes")
	}
	seeded := len(p.SeedWords) > 0 || len(p.GuidedWords) > 0
	if seeded && len(terms) != counts.Cols {
		return nil, fmt.Errorf("c-tf-idf: there are %d terms for %d columns", len(terms), counts.Cols)
	}
	frequency := vectorize.TermFrequency(counts)
	total := int64(0)
	for _, f := range frequency {
		total += f
	}
	a := math.Trunc(float64(total) / float64(counts.Rows))

	idf := make([]float64, len(frequency))
	for j, f := range frequency {
		switch f := float64(f); {
		case f == 0:
		case p.BM25Weighting:
			idf[j] = math.Log(1 + (a-f+0.5)/(f+0.5))
		default:
			idf[j] = math.Log(a/f + 1)
		}
	}
	if seeded {
		multiplier := p.SeedMultiplier
		if multiplier == 0 {
			multiplier = defaultSeedMultiplier
		}
		by := make(map[string]float64)
		for _, w := range p.SeedWords {
			by[w] = multiplier
		}
		for _, w := range p.GuidedWords {
			by[w] = guidedMultiplier
		}
		for j, term := range terms {
			if m, ok := by[term]; ok {
				idf[j] *= m
			}
		}
	}
	return &Model{Params: p, IDF: idf}, nil
}

// Transform returns the weights of counts, rows x terms: a term's share of its
// row (its square root with ReduceFrequentWords) times its idf. Rows are not
// made unit length; a row without terms stays empty. Row pointers and columns
// alias those of counts. It panics if counts has not as many terms as m.
func (m *Model) Transform(counts *vectorize.Counts, threads int) *vectorize.Weights {
	if counts.Cols != len(m.IDF) {
		panic("ctfidf: the counts have another number of terms than the model")
	}
	out := &vectorize.Weights{Rows: counts.Rows, Cols: counts.Cols, Indptr: counts.Indptr, Indices: counts.Indices, Data: make([]float64, len(counts.Data))}
	par.Blocks(threads, counts.Rows, 256, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			cols, tally := counts.Row(i)
			_, row := out.Row(i)
			words := int64(0)
			for _, c := range tally {
				words += int64(c)
			}
			for k, c := range tally {
				tf := float64(c) / float64(words)
				if m.Params.ReduceFrequentWords {
					tf = math.Sqrt(tf)
				}
				row[k] = tf * m.IDF[cols[k]]
			}
		}
	})
	return out
}

// Word is a term of a class and its weight.
type Word struct {
	Term   string
	Weight float64
}

// TopWords returns for each row of w its n heaviest terms, by falling weight,
// equal weights in the order of terms. Only weights above 0 count, so that a
// row may have fewer than n words (BERTopic fills up with empty ones).
func TopWords(w *vectorize.Weights, terms []string, n, threads int) [][]Word {
	if len(terms) != w.Cols {
		panic("ctfidf: there must be one term for each column")
	}
	out := make([][]Word, w.Rows)
	par.Blocks(threads, w.Rows, 1, func(i, _, _ int) {
		for _, j := range top(w, i, n) {
			cols, values := w.Row(i)
			out[i] = append(out[i], Word{terms[cols[j]], values[j]})
		}
	})
	return out
}

// top returns the places in row i of its n heaviest terms, in order.
func top(w *vectorize.Weights, i, n int) []int32 {
	_, values := w.Row(i)
	var heap []int32 // of places, the lightest on top
	lighter := func(a, b int32) bool {
		return values[a] < values[b] || values[a] == values[b] && a > b
	}
	for k, v := range values {
		place := int32(k)
		switch {
		case !(v > 0) || n <= 0:
		case len(heap) < n:
			heap = append(heap, place)
			for c := len(heap) - 1; c > 0 && lighter(heap[c], heap[(c-1)/2]); c = (c - 1) / 2 {
				heap[c], heap[(c-1)/2] = heap[(c-1)/2], heap[c]
			}
		case lighter(heap[0], place):
			heap[0] = place
			for p := 0; ; {
				c := 2*p + 1
				if c+1 < n && lighter(heap[c+1], heap[c]) {
					c++
				}
				if c >= n || !lighter(heap[c], heap[p]) {
					break
				}
				heap[c], heap[p] = heap[p], heap[c]
				p = c
			}
		}
	}
	slices.SortFunc(heap, func(a, b int32) int {
		return cmp.Or(cmp.Compare(values[b], values[a]), cmp.Compare(a, b))
	})
	return heap
}
