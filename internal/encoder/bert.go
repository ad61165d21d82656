package encoder

import (
	"fmt"
	"math"
)

// postNorm is a layer of the original transformer: attention and feed-forward,
// each added to its input and normalised behind. The fields are names of
// weights behind the layer's own prefix.
type postNorm struct {
	query, key, value, out, norm1, up, down, norm2 string

	width, inner int
	eps          float64
	activation   string
	attention    attention
}

func (l postNorm) layer(g *graph, w *weights, prefix, x string) string {
	q := g.linear(x, w, prefix+l.query, l.width, l.width)
	k := g.linear(x, w, prefix+l.key, l.width, l.width)
	v := g.linear(x, w, prefix+l.value, l.width, l.width)
	a := g.linear(g.attend(q, k, v, l.attention), w, prefix+l.out, l.width, l.width)
	return l.feedForward(g, w, prefix, x, a)
}

// feedForward adds the result of attention to the layer's input and does the
// second half of the layer.
func (l postNorm) feedForward(g *graph, w *weights, prefix, x, a string) string {
	x = g.addNorm(a, x, w, prefix+l.norm1, l.width, l.eps)
	h := g.activate(g.linear(x, w, prefix+l.up, l.width, l.inner), l.activation)
	h = g.linear(h, w, prefix+l.down, l.inner, l.width)
	return g.addNorm(h, x, w, prefix+l.norm2, l.width, l.eps)
}

// addNorm normalises a sum.
func (g *graph) addNorm(a, b string, w *weights, name string, width int, eps float64) string {
	return g.layerNorm(g.add(a, b), w, name, width, eps)
}

// bertNames are the weights of a layer of BERT and those that keep its names.
func bertNames() postNorm {
	return postNorm{
		query: "attention.self.query", key: "attention.self.key", value: "attention.self.value",
		out: "attention.output.dense", norm1: "attention.output.LayerNorm",
		up: "intermediate.dense", down: "output.dense", norm2: "output.LayerNorm",
	}
}

// sizes are the numbers that BERT and its kin name alike.
type sizes struct {
	width, inner, layers, heads, head, vocab, positions int
	eps                                                 float64
	pad                                                 int64
}

func bertSizes(c *config) sizes {
	s := sizes{
		width: c.int("hidden_size"), inner: c.int("intermediate_size"),
		layers: c.int("num_hidden_layers"), heads: c.int("num_attention_heads"),
		vocab: c.int("vocab_size"), positions: c.int("max_position_embeddings"),
		eps: c.floatOr("layer_norm_eps", 1e-12), pad: int64(c.intOr("pad_token_id", 0)),
	}
	s.head = c.heads(s.width, s.heads)
	return s
}

func (s sizes) attention() attention {
	return attention{heads: s.heads, width: s.head, scale: 1 / math.Sqrt(float64(s.head))}
}

// buildBERT follows BertModel: learned positions, and the embedding of token
// type 0, which is the type of every token of a single text.
func buildBERT(g *graph, c *config, w *weights) body {
	s := bertSizes(c)
	c.only("position_embedding_type", "absolute")
	c.only("is_decoder", false)
	pos := w.values("embeddings.position_embeddings.weight", s.positions, s.width)
	addTokenType(pos, w, c, "embeddings.token_type_embeddings.weight", s.width)
	x := g.placedEmbeddings(w, s, pos)
	return body{hidden: bertLayers(g, c, w, s, x), width: s.width, maxTokens: s.positions, padID: s.pad}
}

// placedEmbeddings adds the embeddings of words and of the positions 0, 1, ...
// and normalises them.
func (g *graph) placedEmbeddings(w *weights, s sizes, pos []float32) string {
	table := g.weight("embeddings.position_embeddings.weight", pos, s.positions, s.width)
	places := g.slice(table, g.ints(0), g.tokens(), 0)
	x := g.add(g.embedding(w, "embeddings.word_embeddings.weight", s.vocab, s.width, InputIDs), places)
	return g.flat(g.layerNorm(x, w, "embeddings.LayerNorm", s.width, s.eps), s.width)
}

// addTokenType adds the embedding of token type 0 to each position's.
func addTokenType(pos []float32, w *weights, c *config, name string, width int) {
	types := w.values(name, c.int("type_vocab_size"), width)
	for i := range pos {
		pos[i] += types[i%width]
	}
}

func bertLayers(g *graph, c *config, w *weights, s sizes, x string) string {
	l := bertNames()
	l.width, l.inner, l.eps = s.width, s.inner, s.eps
	l.activation = c.strOr("hidden_act", "gelu")
	l.attention = s.attention()
	for i := range s.layers {
		x = l.layer(g, w, fmt.Sprintf("encoder.layer.%d.", i), x)
	}
	return x
}
