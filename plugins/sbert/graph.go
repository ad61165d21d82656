package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bertopic-go/bertopic/internal/encoder"
	"github.com/bertopic-go/bertopic/internal/hub"
	"github.com/bertopic-go/bertopic/internal/session"
)

// graphSpec says which graph of a model is wanted.
type graphSpec struct {
	folder    *folder
	skip      int // tokens of a prompt that pooling leaves out
	precision encoder.Precision
	padded    bool // batches of texts of different lengths, with a mask
}

// key names a graph among all of all models. digest is the model's.
func (s graphSpec) key(digest string) string {
	h := sha256.New()
	fmt.Fprintf(h, "graph %d\n%s\n%q\n%d\n%s\n%t\n", encoder.Version, digest, s.folder.pooling, s.skip, s.precision, s.padded)
	for _, l := range s.folder.head {
		fmt.Fprintf(h, "%s\n", l.kind)
	}
	return hex.EncodeToString(h.Sum(nil))[:32]
}

// source is where the graph is kept, in dir, and how it is made. digest is the
// model's.
func (s graphSpec) source(digest, dir string) session.Source {
	return session.Source{Dir: dir, Key: s.key(digest), Build: func(ctx context.Context) (*encoder.Model, error) {
		m, err := s.build(ctx)
		if err != nil {
			return nil, &optionError{"model", err}
		}
		return m, nil
	}}
}

// build makes the graph from the encoder's configuration and weights, or where
// that can't be, around an ONNX file that the folder brings.
func (s graphSpec) build(ctx context.Context) (*encoder.Model, error) {
	layers, err := layersOf(s.folder, s.skip)
	if err != nil {
		return nil, err
	}
	file := s.folder.onnxFile()
	given := file != "" && !s.folder.hasWeights()
	if !given {
		m, err := encoder.Build(ctx, encoder.Spec{Dir: s.folder.encoder, Head: layers, Precision: s.precision, Unpadded: !s.padded})
		if _, unsupported := errors.AsType[*encoder.UnsupportedError](err); !unsupported || file == "" {
			return m, err
		}
	}
	if s.precision != encoder.FP32 {
		return nil, fmt.Errorf("the encoder of %s is an ONNX file, which is used as it is: precision must be %s", s.folder.dir, precisionFull)
	}
	return encoder.Attach(ctx, file, layers)
}

// onnxFile is the ONNX file that the folder brings, or "".
func (f *folder) onnxFile() string {
	for _, name := range []string{"onnx/model.onnx", "model.onnx"} {
		if path := filepath.Join(f.encoder, filepath.FromSlash(name)); isFile(path) {
			return path
		}
	}
	return ""
}

// hasWeights reports whether the encoder's folder has weights that are read.
func (f *folder) hasWeights() bool {
	paths, err := filepath.Glob(filepath.Join(f.encoder, "*.safetensors"))
	return err == nil && len(paths) > 0
}

// files are all files that a vector depends on, absolute and sorted.
func (f *folder) files() ([]string, error) {
	out := slices.Clone(f.read)
	add := func(dir string, patterns ...string) error {
		for _, p := range patterns {
			found, err := filepath.Glob(filepath.Join(escapeGlob(dir), p))
			if err != nil {
				return err
			}
			out = append(out, found...)
		}
		return nil
	}
	err := add(f.encoder, "config.json", "tokenizer.json", "*.safetensors", "*.safetensors.index.json")
	if file := f.onnxFile(); file != "" && err == nil {
		err = add(filepath.Dir(file), "model.onnx", "model.onnx?data")
	}
	for _, l := range f.head {
		if err == nil && l.kind != "pooler" {
			err = add(l.dir, "config.json", "model.safetensors")
		}
	}
	slices.Sort(out)
	return slices.Compact(out), err
}

// digest is the SHA-256 over the names, in the folder, and contents of the
// model's files.
func (f *folder) digest(ctx context.Context) (string, error) {
	paths, err := f.files()
	if err != nil {
		return "", err
	}
	return hub.Digest(ctx, f.dir, paths)
}

// escapeGlob makes a path a pattern that it alone matches.
func escapeGlob(path string) string {
	return strings.NewReplacer(`*`, `[*]`, `?`, `[?]`, `[`, `[[]`).Replace(path)
}
