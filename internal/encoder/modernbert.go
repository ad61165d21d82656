package encoder

import (
	"fmt"
)

// buildModernBERT follows ModernBertModel: normalisation before each half of a
// layer, rotary positions, gated feed-forward, and attention over a window in
// most layers.
func buildModernBERT(g *graph, c *config, w *weights) body {
	s := sizes{
		width: c.int("hidden_size"), inner: c.int("intermediate_size"),
		layers: c.int("num_hidden_layers"), heads: c.int("num_attention_heads"),
		vocab: c.int("vocab_size"), positions: c.int("max_position_embeddings"),
		eps: c.floatOr("norm_eps", 1e-5), pad: int64(c.intOr("pad_token_id", 0)),
	}
	s.head = c.heads(s.width, s.heads)
	activation := c.strOr("hidden_activation", "gelu")
	x := g.embedding(w, "embeddings.tok_embeddings.weight", s.vocab, s.width, InputIDs)
	x = g.flat(g.layerNorm(x, w, "embeddings.norm", s.width, s.eps), s.width)
	for i := range s.layers {
		p := fmt.Sprintf("layers.%d.", i)
		h := x
		if w.has(p + "attn_norm.weight") { // the first layer has none
			h = g.layerNorm(x, w, p+"attn_norm", s.width, s.eps)
		}
		q, k, v := g.packed(h, w, p+"attn.Wqkv", s.width)
		theta, a := modernAttention(g, c, s, i)
		r := rotary{heads: s.heads, width: s.head, positions: s.positions, theta: theta}
		h = g.attend(r.apply(g, q), r.apply(g, k), v, a)
		x = g.add(x, g.linear(h, w, p+"attn.Wo", s.width, s.width))
		h = g.layerNorm(x, w, p+"mlp_norm", s.width, s.eps)
		up, gate := g.halves(h, w, p+"mlp.Wi", s.width, s.inner)
		h = g.mul(g.activate(up, activation), gate)
		x = g.add(x, g.linear(h, w, p+"mlp.Wo", s.inner, s.width))
	}
	x = g.layerNorm(x, w, "final_norm", s.width, s.eps)
	return body{hidden: x, width: s.width, maxTokens: s.positions, padID: s.pad}
}

// modernAttention gives the base of the rotary angles and the attention of a
// layer. Transformers 5 writes layer_types and rope_parameters, 4 the two
// thetas.
func modernAttention(g *graph, c *config, s sizes, layer int) (float64, attention) {
	a := s.attention()
	global := layer%max(c.intOr("global_attn_every_n_layers", 3), 1) == 0
	if types, ok := c.values["layer_types"].([]any); ok && layer < len(types) {
		global = types[layer] == "full_attention"
	}
	rope := c.sub("rope_parameters")
	if global {
		theta := c.floatOr("global_rope_theta", 160000)
		return c.theta(rope.sub("full_attention"), theta), a
	}
	a.bias = g.window(c.intOr("local_attention", 128) / 2)
	theta := c.floatOr("local_rope_theta", 10000)
	return c.theta(rope.sub("sliding_attention"), theta), a
}

// theta reads the base of rotary angles and refuses scaled ones.
func (c *config) theta(rope *config, missing float64) float64 {
	if t := rope.strOr("rope_type", "default"); t != "default" {
		c.fail("rope_type is %q; only \"default\" is built", t)
	}
	theta := rope.floatOr("rope_theta", missing)
	c.errs = append(c.errs, rope.errs...)
	return theta
}

// window is the bias that lets a token see only those at most reach away:
// 1 x 1 x tokens x tokens.
func (g *graph) window(reach int) string {
	return g.once(fmt.Sprint("window ", reach), func() string {
		far := g.op("Greater", []string{g.op("Abs", []string{g.distances()}), g.integer(int64(reach))})
		return g.unsqueeze(g.op("Where", []string{far, g.scalar(g.lowest()), g.scalar(0)}), 0, 1)
	})
}

// packed applies the three parts of a weight that holds query, key and value
// below one another.
func (g *graph) packed(x string, w *weights, name string, width int) (q, k, v string) {
	parts := g.cut(x, w, name, width, width, 3)
	return parts[0], parts[1], parts[2]
}

func (g *graph) halves(x string, w *weights, name string, in, out int) (a, b string) {
	parts := g.cut(x, w, name, in, out, 2)
	return parts[0], parts[1]
}

// cut applies a weight's n blocks of rows one by one: cutting a weight costs
// nothing in a run, cutting its result a copy.
func (g *graph) cut(x string, w *weights, name string, in, out, n int) []string {
	weight := w.values(name+".weight", n*out, in)
	var bias []float32
	if w.has(name + ".bias") {
		bias = w.values(name+".bias", n*out)
	}
	parts := make([]string, n)
	for i := range n {
		var b []float32
		if bias != nil {
			b = bias[i*out : (i+1)*out]
		}
		parts[i] = g.affine(x, fmt.Sprintf("%s.%d", name, i), weight[i*out*in:(i+1)*out*in], b, in, out)
	}
	return parts
}
