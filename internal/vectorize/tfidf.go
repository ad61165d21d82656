package vectorize

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/bertopic-go/bertopic/internal/par"
)

// TFIDF says how counts become weights. The zero value is scikit-learn's
// TfidfTransformer(): weight = count * (ln((1+n)/(1+df)) + 1), rows of unit
// length.
type TFIDF struct {
	Norm        string // "": "l2"; "l1", or "none"
	NoIDF       bool   // every term counts the same
	RawIDF      bool   // ln(n/df) + 1, as if no document with all terms were added (smooth_idf = false)
	SublinearTF bool   // 1 + ln(count) stands for the count
}

// Validate reports a norm that is not known.
func (t TFIDF) Validate() error {
	switch t.Norm {
	case "", "l1", "l2", "none":
		return nil
	}
	return fmt.Errorf(`norm %q is not known: use "l1", "l2" or "none"`, t.Norm)
}

// IDF returns the inverse document frequency of each term, or nil with NoIDF,
// from the number of documents that hold each term and of all documents. With RawIDF a term that is in no document is an error, since its weight
// would be infinite.
func (t TFIDF) IDF(df []int64, documents int) ([]float64, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	if t.NoIDF {
		return nil, nil
	}
	n := float64(documents)
	idf := make([]float64, len(df))
	if t.RawIDF {
		if j := slices.Index(df, 0); j >= 0 {
			return nil, fmt.Errorf("term %d of the vocabulary is in no document, so that its idf is infinite with smooth_idf = false: leave the term out or set smooth_idf = true", j)
		}
		for j, d := range df {
			idf[j] = math.Log(n/float64(d)) + 1
		}
		return idf, nil
	}
	for j, d := range df {
		idf[j] = math.Log((n+1)/(float64(d)+1)) + 1
	}
	return idf, nil
}

// Transform returns the weights of counts. idf is what IDF returned. Columns
// and row pointers alias those of counts. A row without terms stays empty.
func (t TFIDF) Transform(counts *Counts, idf []float64, threads int) (*Weights, error) {
	if err := t.Validate(); err != nil {
		return nil, err
	}
	if !t.NoIDF && len(idf) != counts.Cols {
		return nil, errors.New("tf-idf: the counts have another number of terms than the idf")
	}
	out := &Weights{Rows: counts.Rows, Cols: counts.Cols, Indptr: counts.Indptr, Indices: counts.Indices, Data: make([]float64, len(counts.Data))}
	par.Blocks(threads, counts.Rows, 1024, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			cols, tally := counts.Row(i)
			_, row := out.Row(i)
			for k, c := range tally {
				row[k] = float64(c)
			}
			if t.SublinearTF {
				for k, w := range row {
					row[k] = math.Log(w) + 1
				}
			}
			if !t.NoIDF {
				for k, j := range cols {
					row[k] *= idf[j]
				}
			}
			t.normalise(row)
		}
	})
	return out, nil
}

// normalise divides row by its norm, if that is not 0.
func (t TFIDF) normalise(row []float64) {
	norm := 0.0
	switch t.Norm {
	case "none":
		return
	case "l1":
		for _, w := range row {
			norm += math.Abs(w)
		}
	default:
		for _, w := range row {
			norm += float64(w * w)
		}
		norm = math.Sqrt(norm)
	}
	if norm == 0 {
		return
	}
	for k := range row {
		row[k] /= norm
	}
}
