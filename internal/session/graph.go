package session

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/bertopic-go/bertopic/internal/atomicfile"
	"github.com/bertopic-go/bertopic/internal/encoder"
)

// Graph is an ONNX model that is ready to be loaded.
type Graph struct {
	Arch      string   `json:"arch"`
	Inputs    []string `json:"inputs"`
	Output    string   `json:"output"`
	Dimension int      `json:"dimension"`
	MaxTokens int      `json:"max_tokens"`
	PadID     int64    `json:"pad_id"`
	External  string   `json:"external,omitempty"` // folder of weights that are not in the file
	Given     bool     `json:"foreign,omitempty"`  // made of an ONNX file that the folder brings

	path  string // of the file, or
	bytes []byte // its content
}

func graphOf(m *encoder.Model) *Graph {
	return &Graph{
		Arch: m.Arch, Inputs: m.InputNames, Output: m.OutputName, Dimension: m.Dimension,
		MaxTokens: m.MaxTokens, PadID: m.PadID, External: m.ExternalDir, Given: m.Given,
	}
}

// Source is where a graph comes from.
type Source struct {
	// Dir is the folder that graphs are kept in. Without one it is held in
	// memory.
	Dir string
	// Key is a file name that names the graph among all of all models: a hash
	// of the model's files, of what is built of them and of encoder.Version.
	Key string
	// Build makes the graph.
	Build func(context.Context) (*encoder.Model, error)
}

// Graph takes the graph from the folder, or makes it and leaves it there for the
// next time. Errors of Build come back as they are.
func (s Source) Graph(ctx context.Context) (*Graph, error) {
	base := filepath.Join(s.Dir, s.Key)
	if s.Dir != "" {
		if g, err := readGraph(base); err == nil {
			return g, nil
		}
	}
	m, err := s.Build(ctx)
	if err != nil {
		return nil, err
	}
	g := graphOf(m)
	if s.Dir == "" {
		g.bytes, err = m.Bytes()
		return g, err
	}
	g.path = base + ".onnx"
	if err := os.MkdirAll(s.Dir, 0o777); err != nil {
		return nil, fmt.Errorf("keep the graph: %w", err)
	}
	if err := writeGraph(base, g, m); err != nil {
		return nil, fmt.Errorf("keep the graph: %w", err)
	}
	return g, nil
}

// readGraph reads what writeGraph has left.
func readGraph(base string) (*Graph, error) {
	text, err := os.ReadFile(base + ".json")
	if err != nil {
		return nil, err
	}
	g := &Graph{path: base + ".onnx"}
	if err := json.Unmarshal(text, g); err != nil {
		return nil, err
	}
	if len(g.Inputs) == 0 || g.Output == "" || g.Dimension < 1 {
		return nil, fmt.Errorf("%s does not describe a graph", base+".json")
	}
	for _, suffix := range []string{".onnx", ".weights"} {
		if info, err := os.Stat(base + suffix); err != nil || !info.Mode().IsRegular() {
			return nil, fmt.Errorf("%s is missing", base+suffix)
		}
	}
	return g, nil
}

// writeGraph writes base.weights, base.onnx and, when both are whole,
// base.json. Programs that do so at once write the same.
func writeGraph(base string, g *Graph, m *encoder.Model) error {
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

// remove removes what writeGraph has left.
func (g *Graph) remove() {
	if g.path == "" {
		return
	}
	base := g.path[:len(g.path)-len(".onnx")]
	for _, suffix := range []string{".json", ".onnx", ".weights"} {
		_ = os.Remove(base + suffix) // a file that stays is replaced
	}
}
