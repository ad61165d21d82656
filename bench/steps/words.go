package main

import (
	"bufio"
	"context"
	"encoding/json"
	"os"

	"github.com/bertopic-go/bertopic/internal/vectorfile"
	"github.com/bertopic-go/bertopic/internal/vectorize"
)

// words is what scikit-learn's TfidfVectorizer(min_df) does, fit and transform;
// the matrix goes to o.out (.npz), its terms beside it.
func words(ctx context.Context, o options) (any, error) {
	texts, size, err := corpusTexts(o.in)
	if err != nil {
		return nil, err
	}
	var v *vectorize.Vocabulary
	var w *vectorize.Weights
	weigh := func(counts *vectorize.Counts, idf []float64) (err error) {
		w, err = vectorize.TFIDF{}.Transform(counts, idf, o.threads)
		return err
	}
	var idf []float64
	fit, err := o.measure(func() error {
		var counts *vectorize.Counts
		var err error
		v, counts, err = vectorize.Fit(ctx, vectorize.FromSlice(texts), vectorize.Options{MinDF: vectorize.Docs(o.minDF)}, o.threads)
		if err != nil {
			return err
		}
		if idf, err = (vectorize.TFIDF{}).IDF(vectorize.DocumentFrequency(counts), counts.Rows); err != nil {
			return err
		}
		return weigh(counts, idf)
	})
	if err != nil {
		return nil, err
	}
	again, err := o.measure(func() error {
		counts, err := v.Transform(ctx, vectorize.FromSlice(texts), o.threads)
		if err != nil {
			return err
		}
		return weigh(counts, idf)
	})
	if err != nil {
		return nil, err
	}
	terms, err := json.Marshal(v.Terms)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(o.out+".terms.json", terms, 0o666); err != nil {
		return nil, err
	}
	return map[string]any{"fit": fit, "transform": again, "rows": w.Rows, "terms": w.Cols, "values": w.NNZ(), "bytes": size},
		vectorfile.WriteCSR(o.out, vectorize.Float32(w))
}

func corpusTexts(path string) (texts []string, size int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<26)
	for lines.Scan() {
		var row struct{ Text string }
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			return nil, 0, err
		}
		texts = append(texts, row.Text)
		size += int64(len(row.Text))
	}
	return texts, size, lines.Err()
}
