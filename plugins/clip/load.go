package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/bertopic-go/bertopic/internal/encoder"
	"github.com/bertopic-go/bertopic/internal/hub"
	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/picture"
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

	folder *encoder.CLIPFolder
	clip   *encoder.CLIP // without its towers
	digest string        // of the model's files
}

// load finds, reads and loads the model.
func (l *loader) load(ctx context.Context) (*model, error) {
	o, s := l.options, l.settings
	dir, err := hub.Resolve(s.ModelsDir, s.BaseDir, o.Model)
	if err != nil {
		return nil, &optionError{"model", err}
	}
	if l.folder, err = encoder.FindCLIP(dir); err != nil {
		return nil, &optionError{"model", err}
	}
	if l.clip, err = encoder.DescribeCLIP(ctx, l.folder.Dir); err != nil {
		return nil, &optionError{"model", err}
	}
	preprocessor, err := l.preprocessor()
	if err != nil {
		return nil, &optionError{"model", err}
	}
	tokenizer, err := l.tokenizer()
	if err != nil {
		return nil, &optionError{"model", err}
	}
	if l.digest, err = hub.Digest(ctx, dir, slices.Sorted(slices.Values(l.folder.Files))); err != nil {
		return nil, err
	}
	want, err := session.ParseDevice(o.Device)
	if err != nil {
		return nil, &optionError{"device", err}
	}
	towers, on, noGPU, err := session.Place(want, func(on session.Device) (towers, error) { return l.towers(ctx, on) })
	if noGPU != nil {
		l.remarks = append(l.remarks, sdk.Diagnostic{Option: "device", Summary: "the CPU is used, since the GPU can't be", Detail: noGPU.Error()})
	}
	if err != nil {
		if _, ok := errors.AsType[*optionError](err); on.GPU() && !ok {
			err = &optionError{"device", err}
		}
		return nil, err
	}
	m := &model{
		texts: &textReader{
			tokenizer: tokenizer, pool: towers.text, most: l.clip.MaxTokens, padID: l.clip.PadID, threads: s.Threads,
			full: l.clip.Padded, padded: on.GPU(), budget: textBudget,
		},
		pictures: &pictureReader{
			preprocessor: preprocessor, pool: towers.vision, limits: o.limits(),
			decoders: par.Threads(s.Threads), gpu: on.GPU(), batch: pictureBatch, memory: newMemory(par.Threads(s.Threads)),
		},
		average: o.Average, textWeight: o.TextWeight, dimension: l.clip.Dimension,
		info: sdk.Info{
			Dimension: l.clip.Dimension, Metric: sdk.Cosine, UnitLength: o.Average == averageUnit, NeedsFit: o.Center, Words: true,
			MaxTokens: l.clip.MaxTokens, Model: o.Model, ModelSHA256: l.digest, Device: on.String(), BatchInvariant: !on.GPU(),
		},
	}
	if on.GPU() {
		m.texts.budget, m.pictures.batch = textBudgetGPU, pictureBatchGPU
	}
	if o.BatchSize > 0 {
		m.texts.rows, m.pictures.batch = o.BatchSize, o.BatchSize
	}
	if l.clip.Given { // such a file may scale numbers over a whole batch
		m.texts.rows, m.pictures.batch = 1, 1
	}
	return m, nil
}

// preprocessor reads how pictures are made ready, which must end in pictures of
// the model's size.
func (l *loader) preprocessor() (*picture.Preprocessor, error) {
	if l.folder.Preprocessor == "" {
		return nil, fmt.Errorf("read the model folder %s: there is no preprocessor_config.json, which says how pictures are resized and coloured: copy it from where the model is from", l.folder.Dir)
	}
	p, err := picture.ReadPreprocessor(l.folder.Preprocessor)
	if err != nil {
		return nil, err
	}
	if n := l.clip.ImageSize; p.Width != n || p.Height != n {
		return nil, fmt.Errorf("%s makes pictures of %d x %d pixels, and the model takes %d x %d: one of the two files is of another model", l.folder.Preprocessor, p.Width, p.Height, n, n)
	}
	return p, nil
}

// tokenizer reads the tokenizer, which must frame a text by the model's marks.
func (l *loader) tokenizer() (*tokenize.Tokenizer, error) {
	t, err := tokenize.Load(l.folder.Tokenizer)
	if err != nil {
		return nil, err
	}
	var e tokenize.Encoding
	t.Encode(&e, "a", 0)
	ids := e.IDs
	switch {
	case len(ids) == 0 || ids[len(ids)-1] != l.clip.EOS:
		return nil, fmt.Errorf("the tokenizer %s does not end a text by the token %d, as the model wants it: it is of another model", l.folder.Tokenizer, l.clip.EOS)
	case l.clip.BOS >= 0 && ids[0] != l.clip.BOS:
		return nil, fmt.Errorf("the tokenizer %s does not begin a text by the token %d, as the model wants it: it is of another model", l.folder.Tokenizer, l.clip.BOS)
	case l.clip.MaxTokens <= t.SpecialTokens():
		return nil, fmt.Errorf("the model has positions for %d tokens, which leaves no room for a text", l.clip.MaxTokens)
	}
	return t, nil
}

// towers are the two transformers on a device.
type towers struct{ text, vision *session.Pool }

func (l *loader) towers(ctx context.Context, on session.Device) (towers, error) {
	precision := encoder.Precision(l.options.Precision)
	switch {
	case !on.GPU() && precision == encoder.FP16:
		return towers{}, &optionError{"precision", errors.New("precision fp16 is for a GPU, and the CPU is used: use fp32, or int8, which is faster")}
	case on.GPU() && precision == encoder.Int8:
		return towers{}, &optionError{"precision", errors.New(`precision int8 is for the CPU, and a GPU is used: use fp16, or device = "cpu"`)}
	}
	text, err := session.Load(ctx, l.source(encoder.TextTower, precision), on, l.settings.Threads)
	if err != nil {
		return towers{}, classify(err)
	}
	vision, err := session.Load(ctx, l.source(encoder.VisionTower, precision), on, l.settings.Threads)
	if err != nil {
		return towers{}, errors.Join(classify(err), text.Close())
	}
	return towers{text, vision}, nil
}

// source is where the graph of a tower is kept and how it is made.
func (l *loader) source(tower encoder.Tower, p encoder.Precision) session.Source {
	h := sha256.New()
	fmt.Fprintf(h, "clip %d\n%s\n%s\n%s\n", encoder.Version, l.digest, tower, p)
	s := session.Source{Key: hex.EncodeToString(h.Sum(nil))[:32], Build: func(ctx context.Context) (*encoder.Model, error) {
		m, err := encoder.BuildCLIP(ctx, encoder.CLIPSpec{Dir: l.folder.Dir, Precision: p, Only: tower})
		if err != nil {
			return nil, &optionError{"model", err}
		}
		if tower == encoder.TextTower {
			return m.Text, nil
		}
		return m.Vision, nil
	}}
	if l.settings.CacheDir != "" {
		s.Dir = filepath.Join(l.settings.CacheDir, "graphs")
	}
	return s
}

// classify wraps sdk.ErrOutOfMemory where an error of ONNX Runtime says that.
func classify(err error) error {
	if session.OutOfMemory(err) {
		return fmt.Errorf("%w: %w", sdk.ErrOutOfMemory, err)
	}
	return err
}
