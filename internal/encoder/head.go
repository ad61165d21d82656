package encoder

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bertopic-go/bertopic/internal/onnx"
	"github.com/bertopic-go/bertopic/internal/safetensors"
)

// Layer is a layer behind the token embeddings, after the modules of
// sentence-transformers: Pooling, Dense, LayerNorm or Normalize.
type Layer interface {
	check(first bool) error
	build(g *graph, x string, width int, mask string) (string, int)
}

// The ways of pooling, with the names of sentence-transformers.
const (
	CLS          = "cls"
	Max          = "max"
	Mean         = "mean"
	MeanSqrtLen  = "mean_sqrt_len_tokens"
	WeightedMean = "weightedmean"
	LastToken    = "lasttoken"
)

var modes = []string{CLS, Max, Mean, MeanSqrtLen, WeightedMean, LastToken}

// Pooling makes one vector of a text's token embeddings. More than one mode
// gives their vectors one behind the other, in the order of Modes.
type Pooling struct {
	Modes []string
	// Skip is how many tokens at the beginning of a row are left out of the
	// sums and the maximum: those of a prompt, with include_prompt false.
	// CLS takes the first token all the same.
	Skip int
}

// Dense multiplies a vector by a weight, adds a bias and applies an activation.
type Dense struct {
	In, Out    int
	Weight     []float32 // Out x In
	Bias       []float32 // Out, nil for none
	Activation string    // as in transformers: "identity", "tanh", "relu", "gelu", "silu", "sigmoid"
}

// LayerNorm scales a vector to mean 0 and variance 1, with a weight and a bias.
type LayerNorm struct {
	Weight, Bias []float32
	Epsilon      float64
}

// Normalize scales a vector to length 1. One of length below 1e-12 is divided
// by 1e-12, as PyTorch's normalize does.
type Normalize struct{}

var (
	_ Layer = Pooling{}
	_ Layer = Dense{}
	_ Layer = LayerNorm{}
	_ Layer = Normalize{}
)

func checkHead(head []Layer) error {
	for i, l := range head {
		if err := l.check(i == 0); err != nil {
			return err
		}
	}
	return nil
}

func (p Pooling) check(first bool) error {
	if !first {
		return errors.New("pooling stands behind another layer: only the token embeddings can be pooled")
	}
	if len(p.Modes) == 0 {
		return errors.New("pooling has no mode")
	}
	for _, m := range p.Modes {
		if !slices.Contains(modes, m) {
			return fmt.Errorf("pooling mode %q is not one of %s", m, strings.Join(modes, ", "))
		}
	}
	if p.Skip < 0 {
		return fmt.Errorf("pooling leaves %d tokens out", p.Skip)
	}
	return nil
}

var errNotPooled = errors.New("the first layer behind the token embeddings is not a pooling")

func (d Dense) check(first bool) error {
	if first {
		return errNotPooled
	}
	if d.In < 1 || d.Out < 1 || len(d.Weight) != d.In*d.Out || d.Bias != nil && len(d.Bias) != d.Out {
		return fmt.Errorf("dense layer: %d weights and %d biases do not make a layer of %d x %d", len(d.Weight), len(d.Bias), d.Out, d.In)
	}
	return nil
}

func (l LayerNorm) check(first bool) error {
	if first {
		return errNotPooled
	}
	if len(l.Weight) == 0 || len(l.Weight) != len(l.Bias) {
		return fmt.Errorf("layer norm: %d weights and %d biases", len(l.Weight), len(l.Bias))
	}
	return nil
}

func (Normalize) check(first bool) error {
	if first {
		return errNotPooled
	}
	return nil
}

// poolMask is 1 at the tokens of a text and 0 at padding: batch x tokens,
// float32. Empty where every token counts.
func (g *graph) poolMask(name string) string {
	if g.unpadded {
		return ""
	}
	return g.cast(name, onnx.Float)
}

// head appends layers to the token embeddings, (batch*tokens) x width. mask is
// that of poolMask. It returns the result, batch x its width, in float32.
func (g *graph) head(x string, width int, mask string, layers []Layer) (string, int) {
	x = g.toFloat(g.reshape(x, g.textShape(int64(width))))
	for _, l := range layers {
		if g.err == nil {
			x, width = l.build(g, x, width, mask)
		}
	}
	return x, width
}

// toFloat goes on in float32: a row is a text from here on, and layers cost
// nothing.
func (g *graph) toFloat(x string) string {
	if g.float != onnx.Float {
		x = g.cast(x, onnx.Float)
		g.float = onnx.Float
	}
	if g.precision == Int8 {
		g.precision = FP32
	}
	return x
}

// finish makes x the graph's output and returns its name.
func (g *graph) finish(x string, width int, pooled bool) string {
	name := TokenEmbeddings
	dims := []onnx.Dim{{Param: "batch"}, {Param: "tokens"}, {Value: int64(width)}}
	if pooled {
		name = SentenceEmbeddings
		dims = slices.Delete(dims, 1, 2)
	}
	g.result(name, x, dims...)
	return name
}

// result makes x the graph's output under a name of its own.
func (g *graph) result(name, x string, dims ...onnx.Dim) {
	g.nodes = append(g.nodes, onnx.Node{Op: "Identity", Name: name, Inputs: []string{x}, Outputs: []string{name}})
	g.outputs = []onnx.Value{{Name: name, Type: onnx.Float, Dims: dims}}
}

func (p Pooling) build(g *graph, x string, width int, mask string) (string, int) {
	in := pooled{g: g, x: x, mask: p.mask(g, mask)}
	var parts []string
	for _, mode := range p.Modes {
		parts = append(parts, in.pool(mode))
	}
	out := parts[0]
	if len(parts) > 1 {
		out = g.op("Concat", parts, attr("axis", -1))
	}
	return out, width * len(parts)
}

// mask puts zeros at the tokens left out. Its shape is batch x tokens, or 1 x
// tokens where all rows have the same.
func (p Pooling) mask(g *graph, mask string) string {
	if p.Skip > 0 {
		in := g.op("Greater", []string{g.positions(), g.integer(int64(p.Skip - 1))})
		in = g.unsqueeze(g.cast(in, onnx.Float), 0)
		if mask == "" {
			return in
		}
		return g.mul(mask, in)
	}
	if mask == "" {
		return g.op("Expand", []string{g.scalar(1), g.op("Concat", []string{g.ints(1), g.tokens()}, attr("axis", 0))})
	}
	return mask
}

// pooled pools the token embeddings x by the modes of sentence-transformers'
// Pooling. Sums over tokens are products of a row of weights and the matrix of
// a text, which add in the order of the tokens, so that padding of weight zero
// does not change them.
type pooled struct {
	g       *graph
	x, mask string
}

func (p pooled) pool(mode string) string {
	g := p.g
	switch mode {
	case CLS:
		return g.op("Gather", []string{p.x, g.integer(0)}, attr("axis", 1))
	case Max:
		in := g.unsqueeze(g.op("Greater", []string{p.mask, g.scalar(0)}), 2)
		return g.squeeze(g.reduce("ReduceMax", g.op("Where", []string{in, p.x, g.scalar(-1e9)}), 1), 1)
	case Mean:
		return g.op("Div", []string{p.sum(p.mask), p.total(p.mask)})
	case MeanSqrtLen:
		return g.op("Div", []string{p.sum(p.mask), g.op("Sqrt", []string{p.total(p.mask)})})
	case WeightedMean:
		weights := g.mul(p.mask, g.cast(g.add(g.positions(), g.integer(1)), onnx.Float))
		return g.op("Div", []string{p.sum(weights), p.total(weights)})
	}
	at := g.mul(p.mask, g.cast(g.add(g.positions(), g.integer(1)), onnx.Float)) // LastToken
	last := g.op("Equal", []string{at, g.reduce("ReduceMax", at, 1)})
	return p.sum(g.mul(p.mask, g.cast(last, onnx.Float)))
}

// sum adds a text's token embeddings by weights of the shape of the mask.
func (p pooled) sum(weights string) string {
	return p.g.squeeze(p.g.matmul(p.g.unsqueeze(weights, 1), p.x), 1)
}

// total is the sum of the weights, 1e-9 at least.
func (p pooled) total(weights string) string {
	return p.g.op("Max", []string{p.g.reduce("ReduceSum", weights, 1), p.g.scalar(1e-9)})
}

func (d Dense) build(g *graph, x string, width int, _ string) (string, int) {
	if d.In != width {
		g.fail("dense layer takes vectors of %d, but gets %d", d.In, width)
		return x, width
	}
	weight := g.weight(g.fresh("dense.weight"), d.Weight, d.Out, d.In)
	x = g.op("Gemm", []string{x, weight}, attr("transB", 1))
	if d.Bias != nil {
		x = g.add(x, g.weight(g.fresh("dense.bias"), d.Bias, d.Out))
	}
	return g.activate(x, d.Activation), d.Out
}

func (l LayerNorm) build(g *graph, x string, width int, _ string) (string, int) {
	if g.version < 17 {
		g.fail("the ONNX file is written for version %d of the operators; layer norm needs 17", g.version)
	}
	if len(l.Weight) != width {
		g.fail("layer norm takes vectors of %d, but gets %d", len(l.Weight), width)
		return x, width
	}
	in := []string{x, g.weight(g.fresh("norm.weight"), l.Weight, width), g.weight(g.fresh("norm.bias"), l.Bias, width)}
	return g.op("LayerNormalization", in, attr("axis", -1), attr("epsilon", float32(l.Epsilon))), width
}

func (Normalize) build(g *graph, x string, width int, _ string) (string, int) {
	length := g.op("Max", []string{g.reduce("ReduceL2", x, 1), g.scalar(1e-12)})
	return g.op("Div", []string{x, length}), width
}

// activations maps the class of PyTorch that a Dense layer of
// sentence-transformers names to the name in Dense.
var activations = map[string]string{
	"Identity": "identity", "Tanh": "tanh", "ReLU": "relu", "GELU": "gelu", "SiLU": "silu", "Sigmoid": "sigmoid",
}

// ReadDense reads the folder of a sentence-transformers Dense layer:
// config.json and model.safetensors.
func ReadDense(dir string) (Dense, error) {
	d, err := readDense(dir)
	if err != nil {
		return Dense{}, fmt.Errorf("dense layer %s: %w", dir, err)
	}
	return d, nil
}

func readDense(dir string) (Dense, error) {
	var c struct {
		In         int    `json:"in_features"`
		Out        int    `json:"out_features"`
		Bias       *bool  `json:"bias"`
		Activation string `json:"activation_function"`
	}
	raw, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		return Dense{}, fmt.Errorf("read configuration: %w", err)
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return Dense{}, fmt.Errorf("read config.json: %w", err)
	}
	class := c.Activation[strings.LastIndexByte(c.Activation, '.')+1:]
	name, ok := activations[class]
	if c.Activation == "" {
		name, ok = "tanh", true // the class's default
	}
	if !ok {
		return Dense{}, fmt.Errorf("activation %q is not built", c.Activation)
	}
	if c.In < 1 || c.Out < 1 || c.In > math.MaxInt32/c.Out {
		return Dense{}, fmt.Errorf("in_features %d and out_features %d make no layer", c.In, c.Out)
	}
	path := filepath.Join(dir, "model.safetensors")
	if !exists(path) && exists(filepath.Join(dir, "pytorch_model.bin")) {
		return Dense{}, errors.New("the weights are in pytorch_model.bin, which runs code when it is read: save the model as safetensors")
	}
	f, err := safetensors.Open(path)
	if err != nil {
		return Dense{}, err
	}
	defer f.Close()
	d := Dense{In: c.In, Out: c.Out, Activation: name}
	if d.Weight, err = readShape(f, "linear.weight", c.Out, c.In); err != nil {
		return Dense{}, err
	}
	if c.Bias == nil || *c.Bias {
		if d.Bias, err = readShape(f, "linear.bias", c.Out); err != nil {
			return Dense{}, err
		}
	}
	return d, nil
}

func readShape(f *safetensors.File, name string, dims ...int) ([]float32, error) {
	v, info, err := f.Float32(name)
	if err != nil {
		return nil, err
	}
	if err := checkShape(info.Shape, dims); err != nil {
		return nil, fmt.Errorf("weight %q: %w", name, err)
	}
	return v, nil
}
