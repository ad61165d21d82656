package encoder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/bertopic-go/bertopic/internal/onnx"
)

// Version changes whenever Build gives other bytes for the same folder and
// Spec. A cache of built models belongs to one version.
const Version = 1

// The names of a built graph's inputs and outputs.
const (
	InputIDs           = "input_ids"
	AttentionMask      = "attention_mask"
	TokenEmbeddings    = "token_embeddings"
	SentenceEmbeddings = "sentence_embedding"
)

// Precision is the type of number that a graph computes in.
type Precision string

// The precisions.
const (
	// FP32 computes in float32.
	FP32 Precision = "fp32"
	// FP16 holds the weights and computes in float16, for graphics
	// processors. Inputs and outputs are as for FP32.
	FP16 Precision = "fp16"
	// Int8 multiplies matrices of 8-bit integers, with one scale an output
	// channel for weights and one a token for activations, and computes the
	// rest in float32. A token's scale is a function of that token alone, so
	// that a row does not depend on its batch mates.
	Int8 Precision = "int8"
)

// check returns p, FP32 if it is empty, and an error if it is no precision.
func (p Precision) check() (Precision, error) {
	switch p {
	case "":
		return FP32, nil
	case FP32, FP16, Int8:
		return p, nil
	}
	return "", fmt.Errorf("precision %q is not one of fp32, fp16, int8", p)
}

// Spec says what to build.
type Spec struct {
	// Dir is the folder of config.json and the weights.
	Dir string
	// Head is applied to the token embeddings, in order. It begins with a
	// Pooling. Without any, the output is the token embeddings.
	Head []Layer
	// Precision is FP32 if empty.
	Precision Precision
	// Unpadded builds a graph for batches of rows of one length, without an
	// attention mask.
	Unpadded bool
}

// Model is a built graph.
type Model struct {
	// Arch is the model_type of the configuration.
	Arch string
	// InputNames are the graph's inputs, each int64 of shape batch x tokens:
	// input_ids, then attention_mask (1 at tokens, 0 at padding) unless the
	// graph is unpadded. A model of Attach can have token_type_ids as well. For
	// those of CLIP, see there.
	InputNames []string
	// OutputName is the graph's output, float32: sentence_embedding of shape
	// batch x Dimension, or token_embeddings of batch x tokens x Dimension.
	OutputName string
	// Dimension is the length of a vector.
	Dimension int
	// MaxTokens is how many tokens a row can have, special ones included. 0:
	// not known.
	MaxTokens int
	// PadID is the id that padding has. The embedding of padding never
	// reaches a vector, but RoBERTa and MPNet count positions by it.
	PadID int64
	// ExternalDir is the folder that the graph's files of values lie in, for
	// a model of Attach that has such. ONNX Runtime takes it as the session
	// entry "session.model_external_initializers_file_folder_path".
	ExternalDir string
	// Given is set for a model around an ONNX file that the folder brings. A
	// row's bits may depend on its batch mates in such a file.
	Given bool

	graph *onnx.Model
}

// Bytes returns the model as one ONNX file. It fails for one of 2 GiB or more;
// see WriteTwo.
func (m *Model) Bytes() ([]byte, error) { return m.graph.Bytes() }

// WriteTwo writes the model as two files: the nodes to w, and to values the
// weights, under the name that the second file will have beside the first.
// ONNX Runtime maps such weights into memory, so that a session starts faster
// and takes less memory than with Bytes.
func (m *Model) WriteTwo(w, values io.Writer, name string) error {
	return m.graph.WriteTwo(w, values, name)
}

// UnsupportedError is the error for a folder whose architecture Build does not
// know.
type UnsupportedError struct {
	Arch string
	Dir  string

	pair bool // of a text and a picture tower
}

func (e *UnsupportedError) Error() string {
	if _, text := builders[e.Arch]; text && e.pair {
		return fmt.Sprintf("model folder %s: architecture %q embeds texts alone: use the sbert embedder for it", e.Dir, e.Arch)
	}
	if _, pair := pairs[e.Arch]; pair && !e.pair {
		return fmt.Sprintf("model folder %s: architecture %q embeds texts and pictures: use the clip embedder for it", e.Dir, e.Arch)
	}
	if e.pair {
		return fmt.Sprintf("model folder %s: architecture %q is not built here (built are: %v); put an ONNX export of it into the folder as onnx/text_model.onnx and onnx/vision_model.onnx", e.Dir, e.Arch, slices.Sorted(maps.Keys(pairs)))
	}
	return fmt.Sprintf("model folder %s: architecture %q is not built here (built are: %s); put an ONNX export of it into the folder as onnx/model.onnx", e.Dir, e.Arch, architectures())
}

// Build reads a folder and returns its graph. The same folder and Spec give
// the same bytes. Weights are held in memory once, until the Model is dropped.
//
// It fails where a file is missing or damaged, where a weight is missing or
// has another shape than the configuration says, and with an UnsupportedError
// for an unknown architecture.
func Build(ctx context.Context, spec Spec) (*Model, error) {
	m, err := build(ctx, spec)
	if err != nil {
		var unsupported *UnsupportedError
		if errors.As(err, &unsupported) || ctx.Err() != nil {
			return nil, err
		}
		return nil, fmt.Errorf("model folder %s: %w", spec.Dir, err)
	}
	return m, nil
}

func build(ctx context.Context, spec Spec) (m *Model, err error) {
	precision, err := spec.Precision.check()
	if err != nil {
		return nil, err
	}
	if err := checkHead(spec.Head); err != nil {
		return nil, err
	}
	c, err := readConfig(filepath.Join(spec.Dir, "config.json"))
	if err != nil {
		return nil, err
	}
	arch := c.str("model_type")
	known, ok := builders[arch]
	if !ok {
		return nil, &UnsupportedError{Arch: arch, Dir: spec.Dir}
	}
	w, err := openWeights(ctx, spec.Dir)
	if err != nil {
		return nil, err
	}
	defer w.close()
	w.strip(known.probe)
	defer w.stopped(func(fault error) { m, err = nil, errors.Join(c.err(), fault) })

	g := newTextGraph(precision, spec.Unpadded)
	body := known.build(g, c, w)
	if err := errors.Join(c.err(), g.err); err != nil {
		return nil, err
	}
	m = &Model{
		Arch:       arch,
		InputNames: []string{InputIDs},
		MaxTokens:  body.maxTokens,
		PadID:      body.padID,
	}
	if !spec.Unpadded {
		m.InputNames = append(m.InputNames, AttentionMask)
	}
	out, dim := g.head(body.hidden, body.width, g.poolMask(AttentionMask), spec.Head)
	if g.err != nil {
		return nil, g.err
	}
	m.Dimension = dim
	m.OutputName = g.finish(out, dim, len(spec.Head) > 0)
	m.graph = g.model(m.Arch)
	return m, nil
}

// body is what the builder of an architecture returns.
type body struct {
	hidden    string // tokens x width, rows of all texts below one another
	width     int
	maxTokens int
	padID     int64
}

// builder builds an architecture's nodes. probe is the name of a weight that
// every such model has; what stands before it in the file is a prefix.
type builder struct {
	probe string
	build func(g *graph, c *config, w *weights) body
}

var builders = map[string]builder{
	"bert":        {"embeddings.word_embeddings.weight", buildBERT},
	"camembert":   {"embeddings.word_embeddings.weight", buildRoBERTa},
	"deberta-v2":  {"embeddings.word_embeddings.weight", buildDeBERTa},
	"distilbert":  {"embeddings.word_embeddings.weight", buildDistilBERT},
	"modernbert":  {"embeddings.tok_embeddings.weight", buildModernBERT},
	"mpnet":       {"embeddings.word_embeddings.weight", buildMPNet},
	"nomic_bert":  {"embeddings.word_embeddings.weight", buildNomicBERT},
	"roberta":     {"embeddings.word_embeddings.weight", buildRoBERTa},
	"xlm-roberta": {"embeddings.word_embeddings.weight", buildRoBERTa},
}

func architectures() string {
	var names []string
	for name := range builders {
		names = append(names, name)
	}
	slices.Sort(names)
	return fmt.Sprint(names)
}

// exists tells whether a file can be opened.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
