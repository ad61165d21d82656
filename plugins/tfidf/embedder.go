package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"

	"github.com/bertopic-go/bertopic/internal/linalg"
	"github.com/bertopic-go/bertopic/internal/vectorize"
	"github.com/bertopic-go/bertopic/sdk"
)

// embedder is the program. The calls that write its fields run alone.
type embedder struct {
	config  config
	seed    uint64
	threads int
	fitted  *fitted
}

// fitted is what Fit learned.
type fitted struct {
	vocabulary *vectorize.Vocabulary
	idf        []float64   // by term; nil without idf
	svd        *linalg.SVD // nil without svd, and where there was nothing to reduce
}

var (
	_ sdk.Fitter       = (*embedder)(nil)
	_ sdk.WordEmbedder = (*embedder)(nil)
)

// Describe tells what the program is.
func (*embedder) Describe() sdk.Description {
	return sdk.Description{
		Name:       "tfidf",
		Version:    "0.1.0",
		Summary:    "tf-idf and counts of words or characters, as scikit-learn has them; no model needed",
		Modalities: []sdk.Modality{sdk.Text},
		Options:    schema,
	}
}

// Configure reads the options.
func (e *embedder) Configure(_ context.Context, s sdk.Settings) (sdk.Info, sdk.Diagnostics, error) {
	c, remarks, err := configOf(s)
	if err != nil || remarks.Refused() {
		return sdk.Info{}, remarks, err
	}
	*e = embedder{config: c, seed: s.Seed, threads: s.Threads}
	return e.info(), remarks, nil
}

func (e *embedder) info() sdk.Info {
	info := sdk.Info{
		Sparse:         e.config.SVD == 0,
		Metric:         sdk.Hellinger,
		UnitLength:     e.config.SVD == 0 && e.config.Weigh.Norm == "l2",
		NeedsFit:       true,
		Words:          e.config.SVD > 0, // a sparse row has as many columns as there are words
		Device:         "cpu",
		BatchInvariant: true,
	}
	if e.config.SVD > 0 {
		info.Metric = sdk.Cosine
	}
	if e.fitted != nil {
		info.Dimension = e.fitted.dimension()
	}
	return info
}

func (f *fitted) dimension() int {
	if f.svd != nil {
		return f.svd.Components.Rows
	}
	return max(1, f.vocabulary.Len())
}

// blank reports whether no row can have a vector, for want of terms. Vectors
// are one column of zeros then.
func (e *embedder) blank() bool {
	return e.fitted.vocabulary.Len() == 0 || e.config.SVD > 0 && e.fitted.svd == nil
}

// Fit learns the terms, their idf and, with svd, the components. Without svd
// the counts of the corpus are not kept. A corpus without a term is no error:
// each of its rows will be empty or oov.
func (e *embedder) Fit(ctx context.Context, rows iter.Seq2[sdk.Row, error]) (sdk.Info, sdk.Diagnostics, error) {
	f, remarks, err := e.fit(ctx, texts(rows))
	if errors.Is(err, vectorize.ErrEmptyVocabulary) {
		remarks = sdk.Diagnostics{{Summary: vectorize.ErrEmptyVocabulary.Error()}}
		f = &fitted{}
		f.vocabulary, err = vectorize.NewVocabulary(nil, e.config.Count)
	}
	if err != nil {
		return sdk.Info{}, nil, err
	}
	e.fitted = f
	return e.info(), remarks, nil
}

func (e *embedder) fit(ctx context.Context, docs iter.Seq2[string, error]) (*fitted, sdk.Diagnostics, error) {
	c := e.config
	f := &fitted{}
	var df []int64
	var n int
	var counts *vectorize.Counts
	var err error
	if c.SVD == 0 {
		f.vocabulary, df, n, err = vectorize.Learn(ctx, docs, c.Count, e.threads)
	} else if f.vocabulary, counts, err = vectorize.Fit(ctx, docs, c.Count, e.threads); err == nil {
		df, n = vectorize.DocumentFrequency(counts), counts.Rows
	}
	if err != nil {
		return nil, nil, err
	}
	if f.idf, err = c.Weigh.IDF(df, n); err != nil {
		return nil, nil, err
	}
	if c.SVD == 0 {
		return f, nil, nil
	}
	x, err := c.Weigh.Transform(counts, f.idf, e.threads)
	if err != nil {
		return nil, nil, err
	}
	if x.NNZ() == 0 {
		return nil, nil, fmt.Errorf("fit the svd: %w", vectorize.ErrEmptyVocabulary)
	}
	f.svd, err = linalg.TruncatedSVD(ctx, csr(x), linalg.SVDOptions{Components: c.SVD, Method: c.Method, Seed: e.seed, Threads: e.threads})
	if err != nil {
		return nil, nil, err
	}
	var remarks sdk.Diagnostics
	if k := f.svd.Components.Rows; k < c.SVD {
		remarks = append(remarks, sdk.Diagnostic{
			Option:  "svd",
			Summary: fmt.Sprintf("svd = %d gives %d columns, since there are %d documents and %d terms", c.SVD, k, x.Rows, x.Cols),
		})
	}
	return f, remarks, nil
}

func csr(x *vectorize.Weights) *linalg.CSR {
	return &linalg.CSR{Rows: x.Rows, Cols: x.Cols, Indptr: x.Indptr, Indices: x.Indices, Data: x.Data}
}

// texts are the rows that hold text.
func texts(rows iter.Seq2[sdk.Row, error]) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for row, err := range rows {
			if (err != nil || row.HasText) && !yield(row.Text, err) {
				return
			}
		}
	}
}

// Embed returns the rows' weights. A row that is white space alone is empty,
// one without a known term oov.
func (e *embedder) Embed(ctx context.Context, rows []sdk.Row) (sdk.Vectors, error) {
	docs := make([]string, len(rows))
	for i, row := range rows {
		docs[i] = row.Text
	}
	return e.embed(ctx, docs)
}

// EmbedWords embeds words as documents of one word.
func (e *embedder) EmbedWords(ctx context.Context, words []string) (sdk.Vectors, error) {
	return e.embed(ctx, words)
}

func (e *embedder) embed(ctx context.Context, docs []string) (sdk.Vectors, error) {
	f := e.fitted
	if f == nil {
		return sdk.Vectors{}, errors.New("tfidf has learned no terms yet: fit it or load a state first")
	}
	counts, err := f.vocabulary.Transform(ctx, vectorize.FromSlice(docs), e.threads)
	if err != nil {
		return sdk.Vectors{}, err
	}
	x, err := e.config.Weigh.Transform(counts, f.idf, e.threads)
	if err != nil {
		return sdk.Vectors{}, err
	}
	var out sdk.Vectors
	for i, text := range docs {
		if x.Indptr[i] == x.Indptr[i+1] || e.blank() {
			status := sdk.OOV
			if strings.TrimSpace(text) == "" {
				status = sdk.Empty
			}
			out.Statuses = append(out.Statuses, sdk.RowStatus{Row: i, Status: status})
		}
	}
	if e.blank() {
		if e.config.SVD > 0 {
			out.Dense = &sdk.Dense{Rows: len(docs), Columns: 1, Data: make([]float32, len(docs))}
		} else {
			out.Sparse = &sdk.Sparse{Rows: len(docs), Columns: 1, Indptr: make([]uint32, len(docs)+1)}
		}
		return out, nil
	}
	if f.svd != nil {
		reduced, err := f.svd.Transform(csr(x), e.threads)
		if err != nil {
			return sdk.Vectors{}, err
		}
		out.Dense = &sdk.Dense{Rows: reduced.Rows, Columns: reduced.Cols, Data: reduced.Float32().Data}
		return out, nil
	}
	out.Sparse, err = sparse(x)
	return out, err
}

// sparse rounds weights to the wire's form.
func sparse(x *vectorize.Weights) (*sdk.Sparse, error) {
	if int64(x.NNZ()) > 1<<32-1 {
		return nil, fmt.Errorf("%w: %d values in one batch", sdk.ErrOutOfMemory, x.NNZ())
	}
	out := &sdk.Sparse{Rows: x.Rows, Columns: x.Cols, Indptr: make([]uint32, len(x.Indptr)), Indices: make([]uint32, len(x.Indices)), Data: make([]float32, len(x.Data))}
	for i, p := range x.Indptr {
		out.Indptr[i] = uint32(p)
	}
	for i, j := range x.Indices {
		out.Indices[i], out.Data[i] = uint32(j), float32(x.Data[i])
	}
	return out, nil
}
