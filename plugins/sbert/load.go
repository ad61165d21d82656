package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/bertopic-go/bertopic/internal/encoder"
	"github.com/bertopic-go/bertopic/internal/hub"
	"github.com/bertopic-go/bertopic/internal/session"
	"github.com/bertopic-go/bertopic/internal/tokenize"
	"github.com/bertopic-go/bertopic/sdk"
)

// optionError is a fault that one option can mend.
type optionError struct {
	option string
	err    error
}

func (e *optionError) Error() string { return e.err.Error() }
func (e *optionError) Unwrap() error { return e.err }

// loader makes a model of what the options name.
type loader struct {
	options  options
	settings sdk.Settings
	remarks  sdk.Diagnostics // warnings so far

	folder *folder
	digest string // of the model's files
	reader *reader
}

// load finds, reads and loads the model.
func (l *loader) load(ctx context.Context) (*model, error) {
	o, s := l.options, l.settings
	dir, err := hub.Resolve(s.ModelsDir, s.BaseDir, o.Model)
	if err != nil {
		return nil, &optionError{"model", err}
	}
	f, err := readModelFolder(dir, o.Preset)
	if err != nil {
		return nil, &optionError{"model", err}
	}
	l.folder = f
	if err := f.setPreset(o.Preset); err != nil {
		return nil, &optionError{"preset", err}
	}
	prompt, err := o.promptOf(f)
	if err != nil {
		return nil, &optionError{"prompt_name", err}
	}
	tokenizer, err := f.tokenizer()
	if err != nil {
		return nil, &optionError{"model", err}
	}
	if l.digest, err = f.digest(ctx); err != nil {
		return nil, err
	}
	if f.static {
		f.settleStatic(tokenizer, o.MaxSeqLength)
	}
	l.reader = newReader(tokenizer, f, prompt, o.LongText)
	if o.Preset == presetFlair {
		l.reader.encode = flairEncoder(tokenizer)
	}
	info := sdk.Info{
		Metric: sdk.Cosine, UnitLength: f.unitLength(), Words: true,
		Model: o.Model, ModelSHA256: l.digest, Device: "cpu", BatchInvariant: true,
	}
	var net network
	if f.static {
		net, err = l.table()
	} else {
		net, err = l.transformer(ctx, &info)
	}
	if err != nil {
		return nil, err
	}
	if info.MaxTokens, err = l.limit(net); err != nil {
		return nil, errors.Join(err, net.close())
	}
	info.Dimension = net.dimension()
	return &model{reader: l.reader, network: net, unit: info.UnitLength, threads: s.Threads, info: info}, nil
}

// readModelFolder reads the small files of a model. Folders of model2vec are
// those of sentence-transformers, too, which the preset asks for.
func readModelFolder(dir, preset string) (*folder, error) {
	if preset != presetST {
		if f, err := readStaticFolder(dir); f != nil || err != nil {
			return f, err
		}
	}
	return readFolder(dir)
}

// setPreset replaces what the folder says of pooling by the rule of another
// library, which knows nothing of prompts or of a limit but the tokenizer's.
func (f *folder) setPreset(preset string) error {
	if preset == presetNone || preset == presetST {
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

// limit settles how many tokens a sequence may have and returns how many a text
// may have; 0 is any number.
func (l *loader) limit(n network) (int, error) {
	limit := l.folder.maxTokens
	positions := 0
	if t, ok := n.(*transformer); ok {
		positions = t.Graph().MaxTokens
	}
	wanted := l.options.MaxSeqLength
	if positions > 0 && wanted > positions {
		return 0, &optionError{"max_seq_length", fmt.Errorf("max_seq_length is %d, and the encoder has positions for %d tokens", wanted, positions)}
	}
	if positions > 0 && (limit == 0 || limit > positions) {
		limit = positions
	}
	if wanted > 0 {
		limit = wanted
	}
	if err := l.reader.limit(limit); err != nil {
		return 0, &optionError{"max_seq_length", err}
	}
	if l.reader.chunk {
		return 0, nil
	}
	return limit, nil
}

func (l *loader) table() (network, error) {
	if strings.HasPrefix(l.options.Device, "cuda") {
		return nil, &optionError{"device", fmt.Errorf("device is %s, and a table of token vectors is read on the CPU: use cpu or auto", l.options.Device)}
	}
	if l.options.Precision != precisionFull {
		l.remarks = append(l.remarks, sdk.Diagnostic{Option: "precision", Summary: "precision has no effect on a table of token vectors"})
	}
	path := l.folder.tableFile
	if path == "" {
		path = filepath.Join(l.folder.encoder, "model.safetensors")
	}
	t, err := readTable(path, l.reader.tokenizer.VocabSize(), l.settings.Threads)
	if err != nil {
		return nil, &optionError{"model", err}
	}
	t.single = l.folder.modelToVec != nil
	return t, nil
}

// transformer loads the encoder on the device that is wanted, and tells info
// which that is.
func (l *loader) transformer(ctx context.Context, info *sdk.Info) (network, error) {
	want, err := session.ParseDevice(l.options.Device)
	if err != nil {
		return nil, &optionError{"device", err}
	}
	t, on, noGPU, err := session.Place(want, func(on session.Device) (*transformer, error) { return l.transformerOn(ctx, on) })
	if noGPU != nil {
		l.remarks = append(l.remarks, sdk.Diagnostic{Option: "device", Summary: "the CPU is used, since the GPU can't be", Detail: noGPU.Error()})
	}
	if err != nil {
		if _, ok := errors.AsType[*optionError](err); on.GPU() && !ok {
			err = &optionError{"device", err}
		}
		return nil, err
	}
	info.Device, info.BatchInvariant = on.String(), !on.GPU()
	return t, nil
}

func (l *loader) transformerOn(ctx context.Context, on session.Device) (*transformer, error) {
	o := l.options
	switch {
	case !on.GPU() && o.Precision == precisionHalf:
		return nil, &optionError{"precision", errors.New("precision fp16 is for a GPU, and the CPU is used: use fp32, or int8, which is faster")}
	case on.GPU() && o.Precision == precisionInt8:
		return nil, &optionError{"precision", errors.New(`precision int8 is for the CPU, and a GPU is used: use fp16, or device = "cpu"`)}
	}
	spec := graphSpec{folder: l.folder, precision: encoder.Precision(o.Precision), padded: on.GPU()}
	if l.folder.excludePrompt {
		spec.skip = l.reader.promptEnd()
	}
	dir := l.settings.CacheDir
	if dir != "" {
		dir = filepath.Join(dir, "graphs")
	}
	p, err := session.Load(ctx, spec.source(l.digest, dir), on, l.settings.Threads)
	if err != nil {
		return nil, classify(err)
	}
	return newTransformer(p, spec.padded), nil
}
