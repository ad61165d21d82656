package encoder

import "github.com/bertopic-go/bertopic/internal/onnx"

// buildRoBERTa follows RobertaModel, and XLMRobertaModel and CamembertModel,
// which compute the same: BERT with positions counted from behind pad_token_id.
func buildRoBERTa(g *graph, c *config, w *weights) body {
	s := bertSizes(c)
	c.only("position_embedding_type", "absolute")
	c.only("is_decoder", false)
	pos := w.values("embeddings.position_embeddings.weight", s.positions, s.width)
	addTokenType(pos, w, c, "embeddings.token_type_embeddings.weight", s.width)
	x := g.paddedEmbeddings(w, s, pos, s.pad)
	return body{hidden: bertLayers(g, c, w, s, x), width: s.width, maxTokens: s.positions - int(s.pad) - 1, padID: s.pad}
}

// paddedEmbeddings adds the embeddings of words and positions and normalises
// them. A position counts the ids up to it that are not pad, from pad+1; an id
// of pad has position pad.
func (g *graph) paddedEmbeddings(w *weights, s sizes, pos []float32, pad int64) string {
	if int(pad)+1 >= s.positions {
		g.fail("config.json: %d positions leave none behind pad_token_id %d", s.positions, pad)
		return InputIDs
	}
	table := g.weight("embeddings.position_embeddings.weight", pos, s.positions, s.width)
	word := g.op("Not", []string{g.op("Equal", []string{InputIDs, g.integer(pad)})})
	word = g.cast(word, onnx.Int64)
	at := g.mul(g.op("CumSum", []string{word, g.integer(1)}), word)
	at = g.add(at, g.integer(pad))
	places := g.op("Gather", []string{table, at}, attr("axis", 0))
	x := g.add(g.embedding(w, "embeddings.word_embeddings.weight", s.vocab, s.width, InputIDs), places)
	return g.flat(g.layerNorm(x, w, "embeddings.LayerNorm", s.width, s.eps), s.width)
}
