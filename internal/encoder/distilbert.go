package encoder

import (
	"fmt"
	"math"
)

// buildDistilBERT follows DistilBertModel: BERT without token types, with
// names of its own. Sinusoidal positions are stored among the weights.
func buildDistilBERT(g *graph, c *config, w *weights) body {
	s := sizes{
		width: c.int("dim"), inner: c.int("hidden_dim"), layers: c.int("n_layers"), heads: c.int("n_heads"),
		vocab: c.int("vocab_size"), positions: c.int("max_position_embeddings"),
		eps: 1e-12, pad: int64(c.intOr("pad_token_id", 0)),
	}
	s.head = c.heads(s.width, s.heads)
	pos := w.values("embeddings.position_embeddings.weight", s.positions, s.width)
	x := g.placedEmbeddings(w, s, pos)
	l := postNorm{
		query: "attention.q_lin", key: "attention.k_lin", value: "attention.v_lin",
		out: "attention.out_lin", norm1: "sa_layer_norm", up: "ffn.lin1", down: "ffn.lin2", norm2: "output_layer_norm",
		width: s.width, inner: s.inner, eps: s.eps, activation: c.strOr("activation", "gelu"),
		attention: attention{heads: s.heads, width: s.head, scale: 1 / math.Sqrt(float64(s.head))},
	}
	for i := range s.layers {
		x = l.layer(g, w, fmt.Sprintf("transformer.layer.%d.", i), x)
	}
	return body{hidden: x, width: s.width, maxTokens: s.positions, padID: s.pad}
}
