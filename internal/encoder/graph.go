package encoder

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/bertopic-go/bertopic/internal/onnx"
)

// opset is the version of ONNX's operators that graphs are written for, the
// first with QuantizeLinear to a given type.
const opset = 21

// graph collects nodes and constants. Its methods add a node and return the
// name of its result, so that a graph is written as an expression. The first
// fault is kept in err.
type graph struct {
	precision Precision
	unpadded  bool
	float     onnx.Type
	version   int64 // of the opset
	prefix    string
	fixed     int // tokens of every row, in a graph that takes no token ids

	nodes   []onnx.Node
	consts  []onnx.Tensor
	inputs  []onnx.Value
	outputs []onnx.Value
	memo    map[string]string  // name of a shared result or constant
	least   map[string]float32 // lower bounds of results, where known
	count   int
	err     error
}

func newGraph(precision Precision, unpadded bool) *graph {
	g := &graph{
		precision: precision,
		unpadded:  unpadded,
		float:     onnx.Float,
		version:   opset,
		memo:      map[string]string{},
		least:     map[string]float32{},
	}
	if precision == FP16 {
		g.float = onnx.Float16
	}
	return g
}

// newTextGraph begins a graph of token ids.
func newTextGraph(precision Precision, unpadded bool) *graph {
	g := newGraph(precision, unpadded)
	batch := []onnx.Dim{{Param: "batch"}, {Param: "tokens"}}
	g.inputs = []onnx.Value{{Name: InputIDs, Type: onnx.Int64, Dims: batch}}
	if !unpadded {
		g.inputs = append(g.inputs, onnx.Value{Name: AttentionMask, Type: onnx.Int64, Dims: batch})
	}
	return g
}

func (g *graph) fail(format string, args ...any) {
	if g.err == nil {
		g.err = fmt.Errorf(format, args...)
	}
}

// model wraps what was collected.
func (g *graph) model(name string) *onnx.Model {
	return &onnx.Model{
		IRVersion: 10,
		Opsets:    []onnx.Opset{{Version: g.version}, {Domain: onnx.Microsoft, Version: 1}},
		Producer:  "bertopic-go",
		Graph:     onnx.Graph{Name: name, Nodes: g.nodes, Initializers: g.consts, Inputs: g.inputs, Outputs: g.outputs},
	}
}

func (g *graph) fresh(op string) string {
	g.count++
	return fmt.Sprintf("%s%s_%d", g.prefix, op, g.count)
}

// attr makes an attribute.
func attr(name string, value any) onnx.Attr {
	if i, ok := value.(int); ok {
		value = int64(i)
	}
	return onnx.Attr{Name: name, Value: value}
}

// op adds a node of one result.
func (g *graph) op(op string, inputs []string, attrs ...onnx.Attr) string {
	return g.node("", op, inputs, 1, attrs...)[0]
}

// ms adds a node of ONNX Runtime's own domain.
func (g *graph) ms(op string, inputs []string, attrs ...onnx.Attr) string {
	return g.node(onnx.Microsoft, op, inputs, 1, attrs...)[0]
}

func (g *graph) node(domain, op string, inputs []string, results int, attrs ...onnx.Attr) []string {
	name := g.fresh(op)
	outs := []string{name}
	for i := 1; i < results; i++ {
		outs = append(outs, fmt.Sprintf("%s_%d", name, i))
	}
	g.nodes = append(g.nodes, onnx.Node{Op: op, Domain: domain, Name: name, Inputs: inputs, Outputs: outs, Attrs: attrs})
	return outs
}

// once builds a shared result the first time it is asked for.
func (g *graph) once(key string, build func() string) string {
	if name, ok := g.memo[key]; ok {
		return name
	}
	name := build()
	g.memo[key] = name
	return name
}

func (g *graph) constant(name string, t onnx.Type, raw []byte, dims ...int) string {
	d := make([]int64, len(dims))
	for i, n := range dims {
		d[i] = int64(n)
	}
	g.consts = append(g.consts, onnx.Tensor{Name: name, Type: t, Dims: d, Raw: raw})
	return name
}

// weight adds a constant in the precision of the graph.
func (g *graph) weight(name string, v []float32, dims ...int) string {
	if g.float == onnx.Float16 {
		raw := make([]byte, 2*len(v))
		for i, x := range v {
			binary.LittleEndian.PutUint16(raw[2*i:], half(x))
		}
		return g.constant(name, onnx.Float16, raw, dims...)
	}
	return g.constant(name, onnx.Float, rawFloat32(v), dims...)
}

// scalar is a constant of no dimension, in the precision of the graph.
func (g *graph) scalar(v float32) string {
	return g.once(fmt.Sprintf("scalar %v %d", v, g.float), func() string {
		return g.weight(g.fresh("scalar"), []float32{v})
	})
}

// ints is a constant list of whole numbers.
func (g *graph) ints(v ...int64) string {
	return g.once(fmt.Sprint("ints ", v), func() string {
		return g.constant(g.fresh("ints"), onnx.Int64, rawInt64(v), len(v))
	})
}

// integer is a whole number of no dimension.
func (g *graph) integer(v int64) string {
	return g.once(fmt.Sprint("int ", v), func() string {
		return g.constant(g.fresh("int"), onnx.Int64, rawInt64([]int64{v}))
	})
}

func (g *graph) add(a, b string) string    { return g.op("Add", []string{a, b}) }
func (g *graph) mul(a, b string) string    { return g.op("Mul", []string{a, b}) }
func (g *graph) matmul(a, b string) string { return g.op("MatMul", []string{a, b}) }

func (g *graph) cast(x string, t onnx.Type) string {
	return g.op("Cast", []string{x}, attr("to", int64(t)))
}

func (g *graph) reshape(x string, shape string) string {
	return g.op("Reshape", []string{x, shape})
}

func (g *graph) transpose(x string, perm ...int64) string {
	return g.op("Transpose", []string{x}, attr("perm", perm))
}

func (g *graph) unsqueeze(x string, axes ...int64) string {
	if g.version < 13 {
		return g.op("Unsqueeze", []string{x}, attr("axes", axes))
	}
	return g.op("Unsqueeze", []string{x, g.ints(axes...)})
}

func (g *graph) squeeze(x string, axes ...int64) string {
	if g.version < 13 {
		return g.op("Squeeze", []string{x}, attr("axes", axes))
	}
	return g.op("Squeeze", []string{x, g.ints(axes...)})
}

// reduce applies an operator of the Reduce family, whose axes were an attribute
// before version 18 (13 for ReduceSum).
func (g *graph) reduce(op, x string, axis int64) string {
	if g.version < 18 && (op != "ReduceSum" || g.version < 13) {
		return g.op(op, []string{x}, attr("axes", []int64{axis}), attr("keepdims", 1))
	}
	return g.op(op, []string{x, g.ints(axis)}, attr("keepdims", 1))
}

// slice takes x[from:to] of an axis; the bounds are lists of one.
func (g *graph) slice(x, from, to string, axis int64) string {
	return g.op("Slice", []string{x, from, to, g.ints(axis)})
}

// tokens is the number of tokens of a row, as a list of one.
func (g *graph) tokens() string {
	return g.once("tokens", func() string {
		shape := g.op("Shape", []string{InputIDs})
		return g.slice(shape, g.ints(1), g.ints(2), 0)
	})
}

// batch is the number of rows, as a list of one.
func (g *graph) batch() string {
	return g.once("batch", func() string { return g.rows(InputIDs) })
}

// rows is the first dimension of x, as a list of one.
func (g *graph) rows(x string) string {
	return g.slice(g.op("Shape", []string{x}), g.ints(0), g.ints(1), 0)
}

// positions counts 0, 1, ... to the number of tokens.
func (g *graph) positions() string {
	return g.once("positions", func() string {
		n := g.squeeze(g.tokens(), 0)
		return g.op("Range", []string{g.integer(0), n, g.integer(1)})
	})
}

// flat lays the rows of all texts below one another: batch x tokens x width to
// (batch*tokens) x width.
func (g *graph) flat(x string, width int) string {
	return g.reshape(x, g.ints(-1, int64(width)))
}

// textShape is the shape batch x tokens, then dims.
func (g *graph) textShape(dims ...int64) string {
	if g.fixed > 0 {
		return g.ints(append([]int64{-1, int64(g.fixed)}, dims...)...)
	}
	return g.once(fmt.Sprint("shape ", dims), func() string {
		return g.op("Concat", []string{g.batch(), g.tokens(), g.ints(dims...)}, attr("axis", 0))
	})
}

// layerNorm scales each row to mean 0 and variance 1. A missing bias is zero.
func (g *graph) layerNorm(x string, w *weights, name string, width int, eps float64) string {
	in := []string{x, g.weight(name+".weight", w.values(name+".weight", width), width)}
	if w.has(name + ".bias") {
		in = append(in, g.weight(name+".bias", w.values(name+".bias", width), width))
	}
	return g.op("LayerNormalization", in, attr("axis", -1), attr("epsilon", float32(eps)))
}

// embedding looks rows of a table up.
func (g *graph) embedding(w *weights, name string, rows, width int, ids string) string {
	table := g.weight(name, w.values(name, rows, width), rows, width)
	return g.op("Gather", []string{table, ids}, attr("axis", 0))
}

// linear multiplies rows by a weight, out x in as PyTorch keeps it, and adds
// the bias where there is one.
func (g *graph) linear(x string, w *weights, name string, in, out int) string {
	var bias []float32
	if w.has(name + ".bias") {
		bias = w.values(name+".bias", out)
	}
	return g.affine(x, name, w.values(name+".weight", out, in), bias, in, out)
}

// affine is linear on given values.
func (g *graph) affine(x, name string, weight, bias []float32, in, out int) string {
	if g.precision == Int8 {
		return g.affineInt8(x, name, weight, bias, in, out)
	}
	return g.product(x, name, weight, bias, in, out)
}

// product is affine in the type of number of the graph.
func (g *graph) product(x, name string, weight, bias []float32, in, out int) string {
	inputs := []string{x, g.weight(name+".weight", weight, out, in)}
	if bias != nil {
		inputs = append(inputs, g.weight(name+".bias", bias, out))
	}
	return g.op("Gemm", inputs, attr("transB", 1))
}

// activate applies an activation by its name in transformers' ACT2FN.
func (g *graph) activate(x, name string) string {
	y := g.activation(x, name)
	if b, ok := bounds[name]; ok && g.least != nil {
		g.least[y] = b
	}
	return y
}

func (g *graph) activation(x, name string) string {
	switch name {
	case "gelu", "gelu_python":
		return g.gelu(x)
	case "gelu_new", "gelu_fast", "gelu_pytorch_tanh", "gelu_accurate":
		return g.op("Gelu", []string{x}, attr("approximate", "tanh"))
	case "relu":
		return g.op("Relu", []string{x})
	case "silu", "swish":
		return g.mul(x, g.op("Sigmoid", []string{x}))
	case "quick_gelu":
		return g.ms("QuickGelu", []string{x}, attr("alpha", float32(1.702)))
	case "tanh":
		return g.op("Tanh", []string{x})
	case "sigmoid":
		return g.op("Sigmoid", []string{x})
	case "linear", "identity":
		return x
	}
	g.fail("activation %q is not built: put an ONNX export of the model into the folder as onnx/model.onnx", name)
	return x
}

// gelu is x times the normal distribution function of x.
func (g *graph) gelu(x string) string {
	if g.version >= 20 {
		return g.op("Gelu", []string{x})
	}
	erf := g.op("Erf", []string{g.mul(x, g.scalar(math.Sqrt2/2))})
	return g.mul(g.mul(x, g.scalar(0.5)), g.add(erf, g.scalar(1)))
}

// lowest is what is added to a score that may not count.
func (g *graph) lowest() float32 {
	if g.float == onnx.Float16 {
		return -65504
	}
	return -math.MaxFloat32
}

// half rounds to float16, ties to even.
func half(f float32) uint16 {
	b := math.Float32bits(f)
	sign := uint16(b >> 16 & 0x8000)
	exp := int(b>>23&0xff) - 127 + 15
	frac := b & 0x7fffff
	switch {
	case b&0x7fffffff > 0x7f800000:
		return sign | 0x7e00 // not a number
	case exp >= 31:
		return sign | 0x7c00 // infinite
	case exp <= 0:
		if exp < -10 {
			return sign
		}
		frac |= 0x800000
		return sign | roundShift(frac, uint(14-exp))
	}
	return sign + roundShift(uint32(exp)<<23|frac, 13)
}

// roundShift shifts right, rounding to the nearest and ties to even.
func roundShift(v uint32, shift uint) uint16 {
	rest, tie := v&(1<<shift-1), uint32(1)<<(shift-1)
	v >>= shift
	if rest > tie || rest == tie && v&1 == 1 {
		v++
	}
	return uint16(v)
}
