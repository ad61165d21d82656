package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"sync/atomic"

	"github.com/bertopic-go/bertopic/internal/encoder"
	"github.com/bertopic-go/bertopic/internal/hub"
	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/tokenize"
	"github.com/bertopic-go/bertopic/sdk"
)

// embedder is the program. Configure, which writes its field, runs alone.
type embedder struct {
	model *model // nil before Configure
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
	m, remarks, err := load(ctx, o, s)
	if err != nil {
		if fault, ok := errors.AsType[*optionError](err); ok {
			return sdk.Info{}, append(remarks, sdk.Diagnostic{Error: true, Option: fault.option, Summary: fault.Error()}), nil
		}
		return sdk.Info{}, remarks, err
	}
	e.model = m
	return m.info, remarks, nil
}

// Close puts the model away.
func (e *embedder) Close() error {
	m := e.model
	if m == nil {
		return nil
	}
	e.model = nil
	return m.network.close()
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
	if e.model == nil {
		return sdk.Vectors{}, errors.New("sbert has no model yet: configure it first")
	}
	return e.model.embed(ctx, words)
}

// optionError is a fault that one option can mend.
type optionError struct {
	option string
	err    error
}

func (e *optionError) Error() string { return e.err.Error() }
func (e *optionError) Unwrap() error { return e.err }

// network makes vectors of tokens.
type network interface {
	dimension() int
	// forward writes the vector of each sequence into out, n x dimension. It
	// tells done how many more are finished, from any goroutine.
	forward(ctx context.Context, sequences []sequence, out []float32, done func(n int)) error
	close() error
}

var (
	_ network = (*session)(nil)
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

// load finds, reads and loads the model that the options name.
func load(ctx context.Context, o options, s sdk.Settings) (*model, sdk.Diagnostics, error) {
	dir, err := hub.Resolve(s.ModelsDir, s.BaseDir, o.Model)
	if err != nil {
		return nil, nil, &optionError{"model", err}
	}
	f, err := readFolder(dir)
	if err != nil {
		return nil, nil, &optionError{"model", err}
	}
	if err := f.setPreset(o.Preset); err != nil {
		return nil, nil, &optionError{"preset", err}
	}
	prompt, err := o.promptOf(f)
	if err != nil {
		return nil, nil, &optionError{"prompt_name", err}
	}
	tokenizer, err := f.tokenizer()
	if err != nil {
		return nil, nil, &optionError{"model", err}
	}
	digest, err := f.digest(ctx)
	if err != nil {
		return nil, nil, err
	}
	m := &model{threads: s.Threads, info: sdk.Info{
		Metric: sdk.Cosine, UnitLength: f.unitLength(), Words: true,
		Model: o.Model, ModelSHA256: digest, Device: "cpu", BatchInvariant: true,
	}}
	m.reader = newReader(tokenizer, f, prompt, o.LongText)
	if o.Preset == presetFlair {
		m.reader.encode = flairEncoder(tokenizer)
	}
	limit := f.maxTokens
	var remarks sdk.Diagnostics
	if f.static {
		if t := tokenizer.Truncation(); t != nil { // sentence-transformers leaves it on
			limit = t.MaxLength
		}
		if remarks, err = m.loadTable(o, f, s.Threads); err != nil {
			return nil, nil, err
		}
	} else {
		g, r, err := m.loadSession(ctx, o, f, s, digest)
		if err != nil {
			return nil, nil, err
		}
		remarks = r
		if g.MaxTokens > 0 && o.MaxSeqLength > g.MaxTokens {
			return nil, nil, errors.Join(&optionError{"max_seq_length", fmt.Errorf("max_seq_length is %d, and the encoder has positions for %d tokens", o.MaxSeqLength, g.MaxTokens)}, m.network.close())
		}
		if g.MaxTokens > 0 && (limit == 0 || limit > g.MaxTokens) {
			limit = g.MaxTokens
		}
	}
	if o.MaxSeqLength > 0 {
		limit = o.MaxSeqLength
	}
	if err := m.reader.limit(limit); err != nil {
		return nil, nil, errors.Join(&optionError{"max_seq_length", err}, m.network.close())
	}
	m.unit = m.info.UnitLength
	m.info.Dimension = m.network.dimension()
	if m.info.MaxTokens = limit; m.reader.chunk {
		m.info.MaxTokens = 0
	}
	return m, remarks, nil
}

// setPreset replaces what the folder says of pooling by the rule of another
// library, which knows nothing of prompts or of a limit but the tokenizer's.
func (f *folder) setPreset(preset string) error {
	if preset == presetNone {
		return nil
	}
	if f.static {
		return fmt.Errorf("the preset %s is for transformers, and %s is a table of token vectors: leave preset out", preset, f.dir)
	}
	f.head, f.prompts, f.defaultPrompt, f.excludePrompt, f.lowerCase = nil, nil, "", false, false
	switch preset {
	case presetHF:
		f.pooling, f.head = []string{encoder.Mean}, []layer{{kind: "Normalize"}}
	case presetFlair:
		f.pooling = []string{encoder.CLS}
	case presetSpacy:
		f.pooling, f.head = []string{encoder.CLS}, []layer{{kind: "pooler", dir: f.encoder}}
	}
	return f.readTokenizerLimit()
}

func (f *folder) tokenizer() (*tokenize.Tokenizer, error) {
	path := filepath.Join(f.encoder, "tokenizer.json")
	if !isFile(path) {
		return nil, fmt.Errorf("read the model folder %s: there is no tokenizer.json: write it with Python's transformers (AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER))", f.encoder)
	}
	return tokenize.Load(path)
}

func (m *model) loadTable(o options, f *folder, threads int) (sdk.Diagnostics, error) {
	if strings.HasPrefix(o.Device, "cuda") {
		return nil, &optionError{"device", fmt.Errorf("device is %s, and a table of token vectors is read on the CPU: use cpu or auto", o.Device)}
	}
	var remarks sdk.Diagnostics
	if o.Precision != precisionFull {
		remarks = append(remarks, sdk.Diagnostic{Option: "precision", Summary: "precision has no effect on a table of token vectors"})
	}
	t, err := readTable(f.encoder, m.reader.tokenizer.VocabSize(), threads)
	if err != nil {
		return nil, &optionError{"model", err}
	}
	m.network = t
	return remarks, nil
}

// loadSession loads the encoder on the device that is wanted. auto is the GPU
// where that works.
func (m *model) loadSession(ctx context.Context, o options, f *folder, s sdk.Settings, digest string) (*graph, sdk.Diagnostics, error) {
	if err := startRuntime(); err != nil {
		return nil, nil, err
	}
	kind, id, err := parseDevice(o.Device)
	if err != nil {
		return nil, nil, &optionError{"device", err}
	}
	var remarks sdk.Diagnostics
	if kind == "cuda" || kind == "auto" && gpuIsThere() {
		g, err := m.tryDevice(ctx, o, f, s, digest, "cuda", id)
		if err == nil {
			m.info.Device, m.info.BatchInvariant = fmt.Sprintf("cuda:%d", id), false
			return g, nil, nil
		}
		if kind == "cuda" {
			if fault, ok := errors.AsType[*optionError](err); ok {
				return nil, nil, fault
			}
			return nil, nil, &optionError{"device", err}
		}
		remarks = append(remarks, sdk.Diagnostic{Option: "device", Summary: "the CPU is used, since the GPU can't be", Detail: err.Error()})
	}
	g, err := m.tryDevice(ctx, o, f, s, digest, "cpu", 0)
	return g, remarks, err
}

func (m *model) tryDevice(ctx context.Context, o options, f *folder, s sdk.Settings, digest, device string, id int) (*graph, error) {
	switch {
	case device == "cpu" && o.Precision == precisionHalf:
		return nil, &optionError{"precision", errors.New("precision fp16 is for a GPU, and the CPU is used: use fp32, or int8, which is faster")}
	case device == "cuda" && o.Precision == precisionInt8:
		return nil, &optionError{"precision", errors.New("precision int8 is for the CPU, and a GPU is used: use fp16, or device = \"cpu\"")}
	}
	spec := graphSpec{folder: f, precision: encoder.Precision(o.Precision), padded: device == "cuda"}
	if f.excludePrompt {
		spec.skip = m.reader.promptEnd()
	}
	dir := s.CacheDir
	if dir != "" {
		dir = filepath.Join(dir, "graphs")
	}
	var failed error
	for range 2 {
		g, err := openGraph(ctx, spec, digest, dir)
		if err != nil {
			return nil, &optionError{"model", err}
		}
		m.network, err = newSession(g, device, id, s.Threads, spec.padded)
		if err == nil {
			return g, nil
		}
		failed = errors.Join(failed, err)
		removeGraph(g) // it may be damaged: once more from the model itself
	}
	return nil, failed
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

// escapeGlob makes a path a pattern that it alone matches.
func escapeGlob(path string) string {
	return strings.NewReplacer(`*`, `[*]`, `?`, `[?]`, `[`, `[[]`).Replace(path)
}
