package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bertopic-go/bertopic/internal/atomicfile"
	"github.com/bertopic-go/bertopic/internal/encoder"
)

// graph is an encoder's ONNX model, ready to be loaded.
type graph struct {
	Arch      string   `json:"arch"`
	Inputs    []string `json:"inputs"`
	Output    string   `json:"output"`
	Dimension int      `json:"dimension"`
	MaxTokens int      `json:"max_tokens"`
	PadID     int64    `json:"pad_id"`
	External  string   `json:"external,omitempty"` // folder of weights that are not in the file
	Foreign   bool     `json:"foreign,omitempty"`  // made of an ONNX file that the folder brings

	path  string // of the file, or
	bytes []byte // its content
}

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

// openGraph takes the graph from dir, or makes it and leaves it there for the
// next time. Without dir it is held in memory.
func openGraph(ctx context.Context, s graphSpec, digest, dir string) (*graph, error) {
	if dir == "" {
		m, g, err := s.build(ctx)
		if err != nil {
			return nil, err
		}
		g.bytes, err = m.Bytes()
		return g, err
	}
	base := filepath.Join(dir, s.key(digest))
	if g, err := readGraph(base); err == nil {
		return g, nil
	}
	m, g, err := s.build(ctx)
	if err != nil {
		return nil, err
	}
	g.path = base + ".onnx"
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fmt.Errorf("keep the graph: %w", err)
	}
	if err := writeGraph(base, g, m); err != nil {
		return nil, fmt.Errorf("keep the graph: %w", err)
	}
	return g, nil
}

// build makes the graph from the encoder's configuration and weights, or where
// that can't be, around an ONNX file that the folder brings.
func (s graphSpec) build(ctx context.Context) (*encoder.Model, *graph, error) {
	layers, err := layersOf(s.folder, s.skip)
	if err != nil {
		return nil, nil, err
	}
	file := s.folder.onnxFile()
	foreign := file != "" && !s.folder.hasWeights()
	var m *encoder.Model
	if !foreign {
		m, err = encoder.Build(ctx, encoder.Spec{Dir: s.folder.encoder, Head: layers, Precision: s.precision, Unpadded: !s.padded})
		if _, unsupported := errors.AsType[*encoder.UnsupportedError](err); unsupported {
			foreign = file != ""
		}
	}
	if foreign {
		if s.precision != encoder.FP32 {
			return nil, nil, fmt.Errorf("the encoder of %s is an ONNX file, which is used as it is: precision must be %s", s.folder.dir, precisionFull)
		}
		m, err = encoder.Attach(ctx, file, layers)
	}
	if err != nil {
		return nil, nil, err
	}
	return m, &graph{
		Arch: m.Arch, Inputs: m.InputNames, Output: m.OutputName, Dimension: m.Dimension,
		MaxTokens: m.MaxTokens, PadID: m.PadID, External: m.ExternalDir, Foreign: foreign,
	}, nil
}

// readGraph reads what writeGraph has left.
func readGraph(base string) (*graph, error) {
	text, err := os.ReadFile(base + ".json")
	if err != nil {
		return nil, err
	}
	g := &graph{path: base + ".onnx"}
	if err := json.Unmarshal(text, g); err != nil {
		return nil, err
	}
	for _, suffix := range []string{".onnx", ".weights"} {
		if !isFile(base + suffix) {
			return nil, fmt.Errorf("%s is missing", base+suffix)
		}
	}
	return g, nil
}

// writeGraph writes base.weights, base.onnx and, when both are whole,
// base.json. Programs that do so at once write the same.
func writeGraph(base string, g *graph, m *encoder.Model) error {
	weights, err := atomicfile.Create(base + ".weights")
	if err != nil {
		return err
	}
	defer weights.Abort()
	nodes, err := atomicfile.Create(base + ".onnx")
	if err != nil {
		return err
	}
	defer nodes.Abort()
	if err := m.WriteTwo(nodes, weights, filepath.Base(base)+".weights"); err != nil {
		return err
	}
	if err := weights.Commit(); err != nil {
		return err
	}
	if err := nodes.Commit(); err != nil {
		return err
	}
	return atomicfile.WriteFile(base+".json", func(w io.Writer) error {
		return json.NewEncoder(w).Encode(g)
	})
}

// removeGraph removes what writeGraph has left.
func removeGraph(g *graph) {
	if g.path == "" {
		return
	}
	base := g.path[:len(g.path)-len(".onnx")]
	for _, suffix := range []string{".json", ".onnx", ".weights"} {
		_ = os.Remove(base + suffix) // a file that stays is replaced
	}
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
	whole := sha256.New()
	for _, path := range paths {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		name, err := filepath.Rel(f.dir, path)
		if err != nil {
			return "", err
		}
		sum, err := fileDigest(path)
		if err != nil {
			return "", fmt.Errorf("hash the model: %w", err)
		}
		fmt.Fprintf(whole, "%x  %s\n", sum, filepath.ToSlash(name))
	}
	return hex.EncodeToString(whole.Sum(nil)), nil
}

func fileDigest(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return nil, err
	}
	return h.Sum(nil), nil
}

// escapeGlob makes a path a pattern that it alone matches.
func escapeGlob(path string) string {
	return strings.NewReplacer(`*`, `[*]`, `?`, `[?]`, `[`, `[[]`).Replace(path)
}
