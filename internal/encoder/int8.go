package encoder

import (
	"fmt"
	"math"

	"github.com/bertopic-go/bertopic/internal/onnx"
)

// affineInt8 is affine on 8-bit integers. Each row of x is divided by a scale
// of its own and rounded to unsigned bytes; each column of the weight, rounded
// when the graph is built, to signed ones: the pair of types that ONNX Runtime
// has its fastest kernels for. The sums are exact, so that a row's result does
// not depend on the other rows. (On a processor that adds pairs of products in
// 16 bits, x86 without VNNI, large sums saturate.)
func (g *graph) affineInt8(x, name string, weight, bias []float32, in, out int) string {
	q := g.quantize(x)
	levels, scales := quantizeWeight(weight, in, out)
	w := g.constant(name+".weight", onnx.Int8, levels, in, out)
	s := g.weight(name+".scale", scales, out)
	y := g.ms("MatMulIntegerToFloat", []string{q.levels, w, g.scalar(1), s, q.zero})
	y = g.mul(y, q.scale)
	if bias == nil {
		return y
	}
	// Of two dimensions, so that ONNX Runtime does not join a bias and a GELU
	// behind it into one node, which takes twice as long.
	return g.add(y, g.weight(name+".bias", bias, 1, out))
}

// quantized is a matrix as bytes, the byte that stands for 0, and a scale for
// each row: rows x 1.
type quantized struct {
	levels, zero, scale string
}

// quantize rounds rows to bytes, once for all products of the same rows. Where
// an activation bounds the values from below (GELU by -0.17), most bytes go to
// the positive ones.
func (g *graph) quantize(x string) quantized {
	zero, least, bounded := 128, float32(0), false
	if least, bounded = g.least[x]; bounded {
		zero = 32
	}
	var q quantized
	q.zero = g.once(fmt.Sprint("zero ", zero), func() string {
		return g.constant(g.fresh("zero"), onnx.Uint8, []byte{byte(zero)})
	})
	q.scale = g.once("row scale "+x, func() string {
		if bounded {
			top := g.mul(g.reduce("ReduceMax", x, 1), g.scalar(1/float32(255-zero)))
			return g.op("Max", []string{top, g.scalar(-least/float32(zero) + smallest)})
		}
		top := g.mul(g.reduce("ReduceMax", g.op("Abs", []string{x}), 1), g.scalar(1.0/127))
		return g.op("Max", []string{top, g.scalar(smallest)})
	})
	q.levels = g.once("levels "+x, func() string {
		rows := g.squeeze(q.scale, 1)
		zeros := g.op("Expand", []string{q.zero, g.op("Shape", []string{rows})})
		return g.op("QuantizeLinear", []string{x, rows, zeros}, attr("axis", 0))
	})
	return q
}

// smallest is the least scale, so that none is 0.
const smallest = 1e-30

// bounds are the greatest lower bounds of activations, rounded down.
var bounds = map[string]float32{
	"gelu": -0.1701, "gelu_python": -0.1701,
	"gelu_new": -0.1702, "gelu_fast": -0.1702, "gelu_pytorch_tanh": -0.1702, "gelu_accurate": -0.1702,
	"quick_gelu": -0.1637, "relu": 0, "silu": -0.2786, "swish": -0.2786,
}

// quantizeWeight rounds a weight, out x in, to in x out signed bytes and a
// scale for each of out, ties to even.
func quantizeWeight(weight []float32, in, out int) (levels []byte, scales []float32) {
	levels, scales = make([]byte, in*out), make([]float32, out)
	for o := range out {
		row := weight[o*in : (o+1)*in]
		top := 0.0
		for _, v := range row {
			top = max(top, math.Abs(float64(v)))
		}
		scale := max(top/127, smallest)
		scales[o] = float32(scale)
		for i, v := range row {
			levels[i*out+o] = byte(int8(math.RoundToEven(float64(v) / scale)))
		}
	}
	return levels, scales
}
