package encoder

import (
	"math"

	"github.com/bertopic-go/bertopic/internal/onnx"
)

// attention is multi-head attention with what an architecture adds to it.
type attention struct {
	heads, width int     // of a head
	scale        float64 // of the scores, before the softmax
	// bias is added to the scores, shape 1 x heads x tokens x tokens, or with
	// one for heads. Empty: nothing is.
	bias string
	// causal: a token sees itself and those before it.
	causal bool
	// single: q is one row a text, batch x (heads*width).
	single bool
}

// keyMask is what is added to the scores for the padding: batch x 1 x 1 x
// tokens, 0 or the lowest number. Empty in an unpadded graph.
func (g *graph) keyMask() string {
	if g.unpadded {
		return ""
	}
	return g.once("key mask", func() string {
		mask := g.cast(AttentionMask, g.float)
		off := g.op("Sub", []string{g.scalar(1), mask})
		return g.unsqueeze(g.mul(off, g.scalar(g.lowest())), 1, 2)
	})
}

// split cuts rows into heads: batch x tokens x heads x width.
func (g *graph) split(x string, a attention) string {
	return g.reshape(x, g.textShape(int64(a.heads), int64(a.width)))
}

// weigh masks the scores, batch x heads x tokens x tokens, and sums the rows of
// v, batch x heads x tokens x width, by their softmax.
func (g *graph) weigh(scores, v string, a attention) string {
	if mask := g.keyMask(); mask != "" {
		scores = g.add(scores, mask)
	}
	weights := g.op("Softmax", []string{scores}, attr("axis", -1))
	out := g.transpose(g.matmul(weights, v), 0, 2, 1, 3)
	return g.flat(out, a.heads*a.width)
}

// attend computes softmax(q k^T scale + bias) v for each head. k and v are
// (batch*tokens) x (heads*width), and q is of the shape of the result. ONNX Runtime has one
// node for it, which does not keep the scores in an unpadded graph without a
// bias.
func (g *graph) attend(q, k, v string, a attention) string {
	shape := g.textShape(int64(a.heads * a.width))
	queries := shape
	if a.single {
		queries = g.ints(-1, 1, int64(a.heads*a.width))
	}
	in := []string{g.reshape(q, queries), g.reshape(k, shape), g.reshape(v, shape)}
	var mask string
	if !g.unpadded {
		mask = g.once("key padding mask", func() string { return g.cast(AttentionMask, onnx.Int32) })
	}
	if mask != "" || a.bias != "" {
		in = append(in, "", mask)
	}
	if a.bias != "" {
		in = append(in, a.bias)
	}
	attrs := []onnx.Attr{attr("num_heads", a.heads), attr("mask_filter_value", g.lowest())}
	if a.causal {
		attrs = append(attrs, attr("unidirectional", 1))
	}
	if a.scale != 1/math.Sqrt(float64(a.width)) {
		attrs = append(attrs, attr("scale", float32(a.scale)))
	}
	return g.flat(g.ms("MultiHeadAttention", in, attrs...), a.heads*a.width)
}
