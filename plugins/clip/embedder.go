package main

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"github.com/bertopic-go/bertopic/sdk"
)

// embedder is the program.
type embedder struct {
	mu    sync.Mutex
	model *model // nil before Configure and after Close
}

var (
	_ sdk.Fitter       = (*embedder)(nil)
	_ sdk.WordEmbedder = (*embedder)(nil)
	_ sdk.Closer       = (*embedder)(nil)
)

// Describe tells what the program is.
func (*embedder) Describe() sdk.Description {
	return sdk.Description{
		Name:       "clip",
		Version:    "0.1.0",
		Summary:    "texts, pictures and rows of both in one space, by CLIP models and ONNX Runtime",
		Modalities: []sdk.Modality{sdk.Text, sdk.Image},
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
	m.seed = s.Seed
	e.swap(m)
	debug.FreeOSMemory() // what a graph was built in is several times what follows takes
	return m.info, l.remarks, nil
}

// Close puts the model away. It waits for runs that are under way.
func (e *embedder) Close() error {
	if m := e.swap(nil); m != nil {
		return errors.Join(m.texts.pool.Close(), m.pictures.pool.Close())
	}
	return nil
}

func (e *embedder) swap(m *model) (old *model) {
	e.mu.Lock()
	defer e.mu.Unlock()
	old, e.model = e.model, m
	return old
}

func (e *embedder) loaded() (*model, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.model == nil {
		return nil, errors.New("clip has no model: configure it first")
	}
	return e.model, nil
}

// Embed returns the vectors of rows. A row without pictures whose text is white
// space alone is empty; one of whose pictures can't be read has failed, whatever
// else it holds; one whose text is too long is truncated.
func (e *embedder) Embed(ctx context.Context, rows []sdk.Row) (sdk.Vectors, error) {
	m, err := e.loaded()
	if err != nil {
		return sdk.Vectors{}, err
	}
	return m.embed(ctx, rows)
}

// EmbedWords embeds words as texts.
func (e *embedder) EmbedWords(ctx context.Context, words []string) (sdk.Vectors, error) {
	rows := make([]sdk.Row, len(words))
	for i, w := range words {
		rows[i] = sdk.Row{Text: w, HasText: true}
	}
	return e.Embed(ctx, rows)
}

// model is a loaded model.
type model struct {
	texts      *textReader
	pictures   *pictureReader
	average    string
	textWeight float64
	dimension  int
	seed       uint64
	info       sdk.Info
	centers    *centers // nil unless fitted
}

// sides are what rows hold, embedded.
type sides struct {
	texts      []textSide
	textOf     []int // of a row: its text, or -1
	pictures   []pictureSide
	picturesOf [][2]int // of a row: its pictures, from and to
}

// read embeds what rows hold.
func (m *model) read(ctx context.Context, rows []sdk.Row) (*sides, error) {
	s := &sides{textOf: make([]int, len(rows)), picturesOf: make([][2]int, len(rows))}
	var texts []string
	var pictures []sdk.ImageSource
	for i, row := range rows {
		s.textOf[i] = -1
		if row.HasText {
			s.textOf[i] = len(texts)
			texts = append(texts, row.Text)
		}
		from := len(pictures)
		pictures = append(pictures, row.Images...)
		s.picturesOf[i] = [2]int{from, len(pictures)}
	}
	var finished atomic.Int64
	done := func(n int) {
		// A row counts when all that it holds is done: this is a lower bound.
		sdk.Progress(ctx, int(finished.Add(int64(n)))*len(rows)/(len(texts)+len(pictures)))
	}
	var err error
	if s.texts, err = m.texts.read(ctx, texts, m.dimension, done); err != nil {
		return nil, err
	}
	if s.pictures, err = m.pictures.read(ctx, pictures, m.dimension, done); err != nil {
		return nil, err
	}
	return s, nil
}

// embed embeds rows.
func (m *model) embed(ctx context.Context, rows []sdk.Row) (sdk.Vectors, error) {
	d := m.dimension
	out := sdk.Vectors{Dense: &sdk.Dense{Rows: len(rows), Columns: d, Data: make([]float32, len(rows)*d)}}
	s, err := m.read(ctx, rows)
	if err != nil {
		return sdk.Vectors{}, err
	}
	for i := range rows {
		if st := m.join(out.Dense.Data[i*d:(i+1)*d], s, i); st.Status != sdk.OK {
			st.Row = i
			out.Statuses = append(out.Statuses, st)
		}
	}
	return out, nil
}
