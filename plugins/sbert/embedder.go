package main

import (
	"context"
	"errors"
	"math"
	"sync"
	"sync/atomic"

	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/tokenize"
	"github.com/bertopic-go/bertopic/sdk"
)

// embedder is the program.
type embedder struct {
	mu    sync.Mutex
	model *model // nil before Configure and after Close
}

var (
	_ sdk.WordEmbedder = (*embedder)(nil)
	_ sdk.Closer       = (*embedder)(nil)
)

// Describe tells what the program is.
func (*embedder) Describe() sdk.Description {
	return sdk.Description{
		Name:       "sbert",
		Version:    "0.1.0",
		Summary:    "transformers as sentence-transformers runs them, by ONNX Runtime; static token vectors too",
		Modalities: []sdk.Modality{sdk.Text},
		Options:    schema,
		Env:        []string{"XDG_CACHE_HOME"}, // ONNX Runtime lies there
	}
}

// Configure loads the model.
func (e *embedder) Configure(ctx context.Context, s sdk.Settings) (sdk.Info, sdk.Diagnostics, error) {
	var o options
	if err := s.Decode(&o); err != nil {
		return sdk.Info{}, nil, err
	}
	if faults := o.check(); faults.Refused() {
		return sdk.Info{}, faults, nil
	}
	if err := e.Close(); err != nil {
		return sdk.Info{}, nil, err
	}
	l := loader{options: o, settings: s}
	m, err := l.load(ctx)
	if fault, ok := errors.AsType[*optionError](err); ok {
		return sdk.Info{}, append(l.remarks, sdk.Diagnostic{Error: true, Option: fault.option, Summary: fault.Error()}), nil
	}
	if err != nil {
		return sdk.Info{}, l.remarks, err
	}
	e.swap(m)
	return m.info, l.remarks, nil
}

// Close puts the model away. It waits for runs of the encoder that are under
// way.
func (e *embedder) Close() error {
	if m := e.swap(nil); m != nil {
		return m.network.close()
	}
	return nil
}

func (e *embedder) swap(m *model) (old *model) {
	e.mu.Lock()
	defer e.mu.Unlock()
	old, e.model = e.model, m
	return old
}

// Embed returns the vectors of rows. White space alone is empty; a text none of
// whose characters makes a token is oov; one that is too long is truncated,
// unless long_text is chunk.
func (e *embedder) Embed(ctx context.Context, rows []sdk.Row) (sdk.Vectors, error) {
	texts := make([]string, len(rows))
	for i, row := range rows {
		texts[i] = row.Text
	}
	return e.EmbedWords(ctx, texts)
}

// EmbedWords embeds words as texts, which is what the Python library does.
func (e *embedder) EmbedWords(ctx context.Context, words []string) (sdk.Vectors, error) {
	e.mu.Lock()
	m := e.model
	e.mu.Unlock()
	if m == nil {
		return sdk.Vectors{}, errors.New("sbert has no model: configure it first")
	}
	return m.embed(ctx, words)
}

// network makes vectors of tokens.
type network interface {
	dimension() int
	// forward writes the vector of each sequence into out, n x dimension. It
	// tells done how many more are finished, from any goroutine.
	forward(ctx context.Context, sequences []sequence, out []float32, done func(n int)) error
	close() error
}

var (
	_ network = (*transformer)(nil)
	_ network = (*table)(nil)
)

// model is a loaded model.
type model struct {
	reader  *reader
	network network
	unit    bool // vectors are made unit length here: of parts, and of a table
	threads int
	info    sdk.Info
}

// embed embeds texts.
func (m *model) embed(ctx context.Context, texts []string) (sdk.Vectors, error) {
	d := m.network.dimension()
	out := sdk.Vectors{Dense: &sdk.Dense{Rows: len(texts), Columns: d, Data: make([]float32, len(texts)*d)}}
	read := make([]reading, len(texts))
	par.Blocks(m.threads, len(texts), 8, func(_, lo, hi int) {
		var e tokenize.Encoding
		for i := lo; i < hi && ctx.Err() == nil; i++ {
			read[i].sequences, read[i].lost, read[i].err = m.reader.read(&e, i, texts[i])
		}
	})
	if err := ctx.Err(); err != nil {
		return sdk.Vectors{}, err
	}
	var sequences []sequence
	for _, r := range read {
		sequences = append(sequences, r.sequences...)
	}
	vectors := make([]float32, len(sequences)*d)
	var finished atomic.Int64
	err := m.network.forward(ctx, sequences, vectors, func(n int) {
		// A row of many parts counts when all are done: this is a lower bound.
		sdk.Progress(ctx, int(finished.Add(int64(n)))*len(texts)/len(sequences))
	})
	if err != nil {
		return sdk.Vectors{}, err
	}
	for i, r := range read {
		n := len(r.sequences)
		row := out.Dense.Data[i*d : (i+1)*d]
		m.join(row, vectors[:n*d], r.sequences)
		vectors = vectors[n*d:]
		if st := r.status(i, row); st.Status != sdk.OK {
			out.Statuses = append(out.Statuses, st)
		}
	}
	return out, nil
}

// reading is what became of a text before the network.
type reading struct {
	sequences []sequence
	lost      int
	err       error
}

// join makes the row's vector out of those of its parts: their mean, weighted by
// length, and unit length again where the model's vectors are.
func (m *model) join(row, vectors []float32, parts []sequence) {
	d := len(row)
	if len(parts) == 0 {
		return
	}
	if len(parts) == 1 {
		copy(row, vectors)
	} else {
		var total float64
		for _, q := range parts {
			total += float64(q.weight)
		}
		for j := range row {
			var sum float64
			for i, q := range parts {
				sum += float64(q.weight) * float64(vectors[i*d+j])
			}
			row[j] = float32(sum / total)
		}
	}
	if _, static := m.network.(*table); m.unit && (static || len(parts) > 1) {
		normalize(row)
	}
}

// status is the row's. A vector that is not finite, or zeros, is taken back.
func (r reading) status(i int, row []float32) sdk.RowStatus {
	switch {
	case errors.Is(r.err, errEmpty):
		return sdk.RowStatus{Row: i, Status: sdk.Empty}
	case errors.Is(r.err, errOOV):
		return sdk.RowStatus{Row: i, Status: sdk.OOV}
	case r.err != nil:
		return sdk.RowStatus{Row: i, Status: sdk.Failed, Reason: r.err.Error()}
	}
	var sum float64
	for _, v := range row {
		sum += math.Abs(float64(v))
	}
	switch {
	case math.IsNaN(sum) || math.IsInf(sum, 0):
		clear(row)
		return sdk.RowStatus{Row: i, Status: sdk.Failed, Reason: "the model gives a vector that is not finite"}
	case sum == 0:
		return sdk.RowStatus{Row: i, Status: sdk.Failed, Reason: "the model gives a vector of zeros"}
	case r.lost > 0:
		return sdk.RowStatus{Row: i, Status: sdk.Truncated, TokensLost: r.lost}
	}
	return sdk.RowStatus{}
}
