package encoder

import (
	"fmt"
)

// buildNomicBERT follows NomicBertModel: BERT with rotary positions and a gated
// feed-forward, without biases. The original configuration has GPT-2's names.
func buildNomicBERT(g *graph, c *config, w *weights) body {
	s := sizes{
		width: c.int(c.first("hidden_size", "n_embd")), inner: c.int(c.first("intermediate_size", "n_inner")),
		layers: c.int(c.first("num_hidden_layers", "n_layer")), heads: c.int(c.first("num_attention_heads", "n_head")),
		vocab: c.int("vocab_size"), positions: c.int(c.first("max_position_embeddings", "n_positions")),
		eps: c.floatOr(c.first("layer_norm_eps", "layer_norm_epsilon"), 1e-12), pad: int64(c.intOr("pad_token_id", 0)),
	}
	s.head = c.heads(s.width, s.heads)
	c.only("head_dim", float64(s.head))
	c.only("prenorm", false)
	c.only("use_rms_norm", false)
	c.only("rotary_emb_fraction", 1.0)
	c.only("rotary_emb_interleaved", false)
	c.only("rotary_scaling_factor", nil)
	c.only("parallel_block", false)
	activation := c.strOr(c.first("hidden_act", "activation_function"), "silu")
	if activation == "swiglu" {
		activation = "silu"
	}
	words := w.values("embeddings.word_embeddings.weight", s.vocab, s.width)
	addTokenType(words, w, c, "embeddings.token_type_embeddings.weight", s.width)
	table := g.weight("embeddings.word_embeddings.weight", words, s.vocab, s.width)
	x := g.op("Gather", []string{table, InputIDs}, attr("axis", 0))
	x = g.flat(g.layerNorm(x, w, "emb_ln", s.width, s.eps), s.width)

	theta := c.theta(c.sub("rope_parameters"), c.floatOr("rotary_emb_base", 10000))
	r := rotary{heads: s.heads, width: s.head, positions: s.positions, theta: theta}
	for i := range s.layers {
		p := fmt.Sprintf("encoder.layers.%d.", i)
		q, k, v := g.packed(x, w, p+"attn.Wqkv", s.width)
		h := g.attend(r.apply(g, q), r.apply(g, k), v, s.attention())
		h = g.linear(h, w, p+"attn.out_proj", s.width, s.width)
		x = g.addNorm(h, x, w, p+"norm1", s.width, s.eps)
		up := g.linear(x, w, p+"mlp.fc11", s.width, s.inner)
		gate := g.activate(g.linear(x, w, p+"mlp.fc12", s.width, s.inner), activation)
		h = g.linear(g.mul(up, gate), w, p+"mlp.fc2", s.inner, s.width)
		x = g.addNorm(h, x, w, p+"norm2", s.width, s.eps)
	}
	return body{hidden: x, width: s.width, maxTokens: s.positions, padID: s.pad}
}
