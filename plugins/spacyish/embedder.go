package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/bertopic-go/bertopic/internal/hub"
	"github.com/bertopic-go/bertopic/internal/spacy"
	"github.com/bertopic-go/bertopic/sdk"
)

// embedder is the program. Embedding reads memory that Close gives back, so
// Close waits for it.
type embedder struct {
	mu    sync.RWMutex
	model *model // nil before Configure and after Close
}

var (
	_ sdk.WordEmbedder = (*embedder)(nil)
	_ sdk.Closer       = (*embedder)(nil)
)

// Describe tells what the program is.
func (*embedder) Describe() sdk.Description {
	return sdk.Description{
		Name:       "spacyish",
		Version:    "0.1.0",
		Summary:    "word vectors of spaCy pipelines, averaged as Doc.vector is, over spaCy's tokens",
		Modalities: []sdk.Modality{sdk.Text},
		Options:    schema,
	}
}

// Configure opens the pipeline.
func (e *embedder) Configure(ctx context.Context, s sdk.Settings) (sdk.Info, sdk.Diagnostics, error) {
	var o options
	if err := s.Decode(&o); err != nil {
		return sdk.Info{}, nil, err
	}
	refuse := func(format string, args ...any) (sdk.Info, sdk.Diagnostics, error) {
		return sdk.Info{}, sdk.Diagnostics{{Error: true, Option: "model", Summary: fmt.Sprintf(format, args...)}}, nil
	}
	if strings.TrimSpace(o.Model) == "" {
		return refuse("model is empty: name the folder of a spaCy pipeline")
	}
	dir, err := hub.Resolve(s.ModelsDir, s.BaseDir, o.Model)
	if missing, ok := errors.AsType[*hub.NotFoundError](err); ok {
		return refuse("%s", whereFrom(missing.Msg, o.Model))
	}
	if err != nil {
		return refuse("%v", err)
	}
	p, err := spacy.Open(ctx, dir)
	if ctx.Err() != nil {
		return sdk.Info{}, nil, ctx.Err()
	}
	if err != nil {
		return refuse("%v", err)
	}
	m, err := newModel(ctx, p, o, s.Threads)
	if err != nil {
		return sdk.Info{}, nil, errors.Join(err, p.Close())
	}
	var remarks sdk.Diagnostics
	for _, r := range p.Remarks {
		remarks = append(remarks, sdk.Diagnostic{Option: "model", Summary: r})
	}
	return m.info, remarks, e.swap(m)
}

// whereFrom makes of a missing model's message one that says how spaCy's come.
func whereFrom(msg, name string) string {
	msg, _, _ = strings.Cut(msg, "; `bertopic models get")
	if !hub.ValidName(name) || strings.Contains(name, "/") {
		return msg
	}
	return fmt.Sprintf("%s; `python -m spacy download %s` brings a pipeline of spaCy's, and `python -c \"import %s; print(%s.__path__[0])\"` prints its folder: name that", msg, name, name, name)
}

// Close puts the pipeline away when no text is being embedded any more.
func (e *embedder) Close() error { return e.swap(nil) }

func (e *embedder) swap(m *model) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	old := e.model
	if e.model = m; old == nil {
		return nil
	}
	return old.pipeline.Close()
}

// Embed returns the vectors of rows. White space alone is empty; a text none of
// whose tokens has a vector is oov.
func (e *embedder) Embed(ctx context.Context, rows []sdk.Row) (sdk.Vectors, error) {
	texts := make([]string, len(rows))
	for i, row := range rows {
		texts[i] = row.Text
	}
	return e.EmbedWords(ctx, texts)
}

// EmbedWords embeds words as texts.
func (e *embedder) EmbedWords(ctx context.Context, words []string) (sdk.Vectors, error) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	if e.model == nil {
		return sdk.Vectors{}, errors.New("spacyish has no model: configure it first")
	}
	return e.model.embed(ctx, words)
}
