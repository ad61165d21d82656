package main

import (
	"context"
	"math"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/bertopic-go/bertopic/internal/hub"
	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/spacy"
	"github.com/bertopic-go/bertopic/internal/spacy/pyregex"
	"github.com/bertopic-go/bertopic/sdk"
)

// model is a pipeline ready for use.
type model struct {
	pipeline *spacy.Pipeline
	options  options
	threads  int
	info     sdk.Info
	workers  sync.Pool // of *worker
}

func newModel(ctx context.Context, p *spacy.Pipeline, o options, threads int) (*model, error) {
	sum, err := hub.Digest(ctx, p.Dir, p.Files)
	if err != nil {
		return nil, err
	}
	m := &model{pipeline: p, options: o, threads: threads, info: sdk.Info{
		Dimension: p.Width(), Metric: sdk.Cosine, Words: true, Model: o.Model, ModelSHA256: sum, Device: "cpu", BatchInvariant: true,
	}}
	m.workers.New = func() any {
		return &worker{tokenizer: p.NewTokenizer(), buf: make([]float32, p.Width()), made: map[string][]float32{}}
	}
	return m, nil
}

// worker is what one goroutine needs to embed texts.
type worker struct {
	tokenizer *spacy.Tokenizer
	tokens    []spacy.Token
	buf       []float32
	made      map[string][]float32 // vectors that took time to make
}

// embed embeds texts. A row's bits depend on its text alone.
func (m *model) embed(ctx context.Context, texts []string) (sdk.Vectors, error) {
	d := m.pipeline.Width()
	out := sdk.Vectors{Dense: &sdk.Dense{Rows: len(texts), Columns: d, Data: make([]float32, len(texts)*d)}}
	statuses := make([]sdk.RowStatus, len(texts))
	var done atomic.Int64
	par.Blocks(m.threads, len(texts), 8, func(_, lo, hi int) {
		w := m.workers.Get().(*worker)
		defer m.workers.Put(w)
		for i := lo; i < hi && ctx.Err() == nil; i++ {
			statuses[i] = m.row(w, out.Dense.Data[i*d:(i+1)*d], texts[i])
		}
		sdk.Progress(ctx, int(done.Add(int64(hi-lo))))
	})
	if err := ctx.Err(); err != nil {
		return sdk.Vectors{}, err
	}
	for i, st := range statuses {
		if st.Row = i; st.Status != sdk.OK {
			out.Statuses = append(out.Statuses, st)
		}
	}
	return out, nil
}

// row embeds a text into dst, which is zeros. It adds in the order and the
// precision in which spaCy does.
func (m *model) row(w *worker, dst []float32, text string) sdk.RowStatus {
	if strings.IndexFunc(text, func(r rune) bool { return !pyregex.Space(r) }) < 0 {
		return sdk.RowStatus{Status: sdk.Empty}
	}
	if m.options.Lowercase {
		text = spacy.Lower(text)
	}
	w.tokens = w.tokenizer.Tokens(w.tokens[:0], text)
	count, known := 0, 0
	for _, token := range w.tokens {
		v := m.vector(w, token.Text)
		if v == nil && m.options.OOV == oovSkip {
			continue
		}
		if v != nil {
			known++
		}
		m.add(dst, v, count == 0)
		count++
	}
	if known == 0 {
		clear(dst)
		return sdk.RowStatus{Status: sdk.OOV}
	}
	sum := 0.0
	for j := range dst {
		if m.options.Pooling == poolSpacy {
			dst[j] /= float32(count)
		}
		sum += math.Abs(float64(dst[j]))
	}
	switch {
	case sum == 0:
		return sdk.RowStatus{Status: sdk.Failed, Reason: "the vectors of its words come to zeros"}
	case math.IsInf(sum, 0) || math.IsNaN(sum):
		clear(dst)
		return sdk.RowStatus{Status: sdk.Failed, Reason: "the vectors of its words come to more than a float32 holds"}
	}
	return sdk.RowStatus{}
}

// add pools the vector of a token, nil for zeros, into dst.
func (m *model) add(dst, v []float32, first bool) {
	if m.options.Pooling == poolSpacy {
		for j, x := range v {
			dst[j] += x
		}
		return
	}
	for j := range dst {
		var x float32
		if v != nil {
			x = v[j]
		}
		if first || x > dst[j] {
			dst[j] = x
		}
	}
}

// The words that a worker keeps the made vectors of.
const keptWords = 1 << 14

// vector returns the vector of a token, nil where there is none.
func (m *model) vector(w *worker, token string) []float32 {
	if !m.pipeline.Floret() {
		return m.pipeline.Vector(w.buf, token)
	}
	if v, ok := w.made[token]; ok {
		return v
	}
	v := append([]float32(nil), m.pipeline.Vector(w.buf, token)...)
	if len(w.made) >= keptWords {
		clear(w.made)
	}
	if len(token) <= 64 {
		w.made[strings.Clone(token)] = v
	}
	return v
}
