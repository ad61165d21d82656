package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/bertopic-go/bertopic/internal/hub"
	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/wordvectors"
	"github.com/bertopic-go/bertopic/sdk"
)

// embedder is the program. The calls that write its fields run alone, but for
// Close.
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
		Name:       "gensim",
		Version:    "0.1.0",
		Summary:    "word vectors (word2vec, GloVe, fastText, gensim), averaged as BERTopic or Flair does, or by tf-idf",
		Modalities: []sdk.Modality{sdk.Text},
		Options:    schema,
	}
}

// Configure opens the vectors.
func (e *embedder) Configure(ctx context.Context, s sdk.Settings) (sdk.Info, sdk.Diagnostics, error) {
	var o options
	if err := s.Decode(&o); err != nil {
		return sdk.Info{}, nil, err
	}
	if faults := o.settle(); faults.Refused() {
		return sdk.Info{}, faults, nil
	}
	if err := e.Close(); err != nil {
		return sdk.Info{}, nil, err
	}
	path, err := hub.ResolveVectors(s.ModelsDir, s.BaseDir, o.Model)
	if err != nil {
		return sdk.Info{}, refuse("model", err), nil
	}
	words := o.Words
	if words != "" && !filepath.IsAbs(words) {
		words = filepath.Join(s.BaseDir, words)
	}
	t, err := wordvectors.Open(ctx, path, wordvectors.Options{
		CacheDir: s.CacheDir, Words: words, Encoding: o.Encoding, Threads: s.Threads,
		Making: making,
	})
	if ctx.Err() != nil {
		return sdk.Info{}, nil, ctx.Err()
	}
	if err != nil {
		return sdk.Info{}, refuse("model", err), nil
	}
	m := &model{options: o, table: t, threads: s.Threads, memo: newMemo(t.Info.Dim)}
	if o.OOV == oovSubword && !t.Info.Subwords {
		return sdk.Info{}, refuse("oov", errors.Join(fmt.Errorf("oov is subword, and %s has no subwords (%s): use a .bin file of fastText, or skip or zero", path, t.Info.Format), t.Close())), nil
	}
	e.swap(m)
	return m.info(), m.remarks(), nil
}

// making tells of a file that takes its time. A fault in a small one is not to
// stand below a line about it.
func making(path string) {
	const large = 100 << 20
	if info, err := os.Stat(path); err == nil && info.Size() >= large {
		slog.Info("reading word vectors for the first time", "file", path, "bytes", info.Size())
	}
}

func refuse(option string, err error) sdk.Diagnostics {
	return sdk.Diagnostics{{Error: true, Option: option, Summary: strings.ReplaceAll(err.Error(), "\n", "; ")}}
}

// Close puts the vectors away and tells how many words had none.
func (e *embedder) Close() error {
	m := e.swap(nil)
	if m == nil {
		return nil
	}
	m.count.log(true)
	m.using.Lock() // waits for batches that are under way
	defer m.using.Unlock()
	m.closed = true
	return m.table.Close()
}

func (e *embedder) swap(m *model) (old *model) {
	e.mu.Lock()
	defer e.mu.Unlock()
	old, e.model = e.model, m
	return old
}

// Fit learns how many texts hold each word.
func (e *embedder) Fit(ctx context.Context, rows iter.Seq2[sdk.Row, error]) (sdk.Info, sdk.Diagnostics, error) {
	m, err := e.current()
	if err != nil {
		return sdk.Info{}, nil, err
	}
	f, err := m.learn(ctx, rows)
	if err != nil {
		return sdk.Info{}, nil, err
	}
	m.fitted = f
	var remarks sdk.Diagnostics
	if f.documents > 0 && len(f.in) == 0 {
		remarks = append(remarks, sdk.Diagnostic{Option: "model", Summary: "no word of the corpus is known: every row will be oov"})
	}
	return m.info(), remarks, nil
}

// SaveState returns what Fit learned.
func (e *embedder) SaveState(context.Context) ([]byte, error) {
	m, err := e.current()
	if err != nil {
		return nil, err
	}
	return m.saveState()
}

// LoadState restores what SaveState saved.
func (e *embedder) LoadState(_ context.Context, state []byte) (sdk.Info, error) {
	m, err := e.current()
	if err != nil {
		return sdk.Info{}, err
	}
	f, err := m.loadState(state)
	if err != nil {
		return sdk.Info{}, fmt.Errorf("load the state of gensim: %w", err)
	}
	m.fitted = f
	return m.info(), nil
}

func (e *embedder) current() (*model, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.model == nil {
		return nil, errors.New("gensim has no word vectors: configure it first")
	}
	return e.model, nil
}

// Embed returns the means of rows' words. White space alone is empty; a text
// without a known word, or with too large a share of unknown ones, is oov.
func (e *embedder) Embed(ctx context.Context, rows []sdk.Row) (sdk.Vectors, error) {
	texts := make([]string, len(rows))
	for i, row := range rows {
		texts[i] = row.Text
	}
	return e.embed(ctx, texts, true)
}

// EmbedWords embeds words as texts.
func (e *embedder) EmbedWords(ctx context.Context, words []string) (sdk.Vectors, error) {
	return e.embed(ctx, words, false)
}

func (e *embedder) embed(ctx context.Context, texts []string, count bool) (sdk.Vectors, error) {
	m, err := e.current()
	if err != nil {
		return sdk.Vectors{}, err
	}
	return m.embed(ctx, texts, count)
}

// model is an open file of vectors and how its words are pooled.
type model struct {
	options options
	table   *wordvectors.Table
	threads int
	fitted  *fitted // of pooling tfidf
	memo    *memo
	pools   sync.Pool
	count   counts

	using  sync.RWMutex
	closed bool
}

func (m *model) info() sdk.Info {
	return sdk.Info{
		Dimension: m.table.Info.Dim, Metric: sdk.Cosine, NeedsFit: m.options.Pooling == poolTFIDF, Words: true,
		Model: m.options.Model, ModelSHA256: m.table.Info.SHA256, Device: "cpu", BatchInvariant: true,
	}
}

// remarks are what the user should know of the file.
func (m *model) remarks() (out sdk.Diagnostics) {
	i := m.table.Info
	if i.Duplicates > 0 {
		out = append(out, sdk.Diagnostic{Option: "model", Summary: fmt.Sprintf("%d of %d rows have a word of an earlier row: the first of each word counts, as in gensim", i.Duplicates, i.Rows)})
	}
	if i.Invalid > 0 {
		out = append(out, sdk.Diagnostic{Option: "encoding", Summary: fmt.Sprintf("%d of %d words are not in UTF-8, so that no text holds them: if it is many, the file is in another encoding", i.Invalid, i.Rows)})
	}
	return out
}

// rowGrain is how many rows a goroutine takes at a time.
const rowGrain = 8

func (m *model) embed(ctx context.Context, texts []string, count bool) (v sdk.Vectors, err error) {
	m.using.RLock()
	defer m.using.RUnlock()
	defer func() { // a mapped file that got shorter has no memory any more
		p := recover()
		if _, ok := p.(interface{ Addr() uintptr }); ok {
			err = fmt.Errorf("the file of word vectors %s was changed while it was in use: put new files in place by a rename", m.options.Model)
		} else if p != nil {
			panic(p)
		}
	}()
	if m.closed {
		return sdk.Vectors{}, errors.New("gensim's word vectors have been closed")
	}
	d := m.table.Info.Dim
	out := sdk.Vectors{Dense: &sdk.Dense{Rows: len(texts), Columns: d, Data: make([]float32, len(texts)*d)}}
	statuses := make([]sdk.RowStatus, len(texts))
	var finished atomic.Int64
	par.Blocks(m.threads, len(texts), rowGrain, func(_, lo, hi int) {
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		p := m.pool()
		defer m.pools.Put(p)
		for i := lo; i < hi && ctx.Err() == nil; i++ {
			statuses[i] = p.row(out.Dense.Data[i*d:(i+1)*d], texts[i])
			statuses[i].Row = i
			if count {
				m.count.add(p, statuses[i].Status, texts[i])
			}
		}
		sdk.Progress(ctx, int(finished.Add(int64(hi-lo))))
	})
	if err := ctx.Err(); err != nil {
		return sdk.Vectors{}, err
	}
	for _, st := range statuses {
		if st.Status != sdk.OK {
			out.Statuses = append(out.Statuses, st)
		}
	}
	if count {
		m.count.log(false)
	}
	return out, nil
}
