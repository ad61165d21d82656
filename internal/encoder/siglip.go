package encoder

import (
	"slices"
)

// readSigLIP reads a SiglipConfig. Values that a folder leaves out are those of
// SiglipTextConfig and SiglipVisionConfig. (SigLIP 2 has the same name, but for
// the models that take pictures of any shape.)
func readSigLIP(c *config) clipSizes {
	text, vision := c.tower("text_config", "gelu_pytorch_tanh", 1e-6), c.tower("vision_config", "gelu_pytorch_tanh", 1e-6)
	s := clipSizes{
		text: textSizes{
			towerSizes: text.towerSizes(768, 3072, 12, 12),
			vocab:      text.countOr("vocab_size", 32000),
			positions:  text.countOr("max_position_embeddings", 64),
			bos:        -1, // its texts have no begin mark
			eos:        1,  // of its tokenizers, whatever the configuration says
			pad:        int64(text.intOr("pad_token_id", 1)),
		},
		vision: visionSizes{
			towerSizes: vision.towerSizes(768, 3072, 12, 12),
			image:      vision.countOr("image_size", 224),
			patch:      vision.countOr("patch_size", 16),
		},
		padded: true, // there is no mask: the model has learned with padding
	}
	vision.only("vision_use_head", true)
	s.vision.check()
	s.dimension = text.countOr("projection_size", s.text.width)
	if s.dimension != s.vision.width {
		vision.fail("pictures have vectors of %d and texts of %d", s.vision.width, s.dimension)
	}
	return s
}

// siglipText follows SiglipTextModel: every token sees every other, and the
// vector is that of the last.
func (g *graph) siglipText(w *weights, s textSizes, dimension int) string {
	const p = "text_model"
	x := g.placedTokens(w, p, s)
	pick := func(x string) string {
		return g.op("Gather", []string{g.reshape(x, g.textShape(int64(s.width))), g.integer(-1)}, attr("axis", 1))
	}
	x = s.encode(g, w, p, x, false, pick, nil)
	x = g.layerNorm(x, w, p+".final_layer_norm", s.width, s.eps)
	return g.project(x, w, p+".head", s.width, dimension)
}

// siglipVision follows SiglipVisionModel, whose vector is what a learned query
// finds among the patches.
func (g *graph) siglipVision(w *weights, s visionSizes, dimension int) string {
	const p = "vision_model"
	name := p + ".embeddings.position_embedding.weight"
	places := g.weight(name, w.values(name, s.tokens(), s.width), s.tokens(), s.width)
	x := g.flat(g.add(g.patches(w, p+".embeddings.patch_embedding", s), places), s.width)
	x = s.encode(g, w, p, x, false, nil, nil)
	x = g.layerNorm(x, w, p+".post_layernorm", s.width, s.eps)

	h := p + ".head."
	q, k, v := g.probe(w, h, s, x)
	l := s.layer()
	l.attention.single = true
	x = g.linear(g.attend(q, k, v, l.attention), w, h+"attention.out_proj", s.width, s.width)
	y := g.layerNorm(x, w, h+"layernorm", s.width, s.eps)
	y = g.activate(g.linear(y, w, h+"mlp.fc1", s.width, s.inner), s.activation)
	return g.toFloat(g.add(x, g.linear(y, w, h+"mlp.fc2", s.inner, s.width)))
}

// probe is the learned query, batch x width, with the keys and values of x. The
// query is the same for every picture: its product is made here.
func (g *graph) probe(w *weights, prefix string, s visionSizes, x string) (q, k, v string) {
	n := s.width
	weight := w.values(prefix+"attention.in_proj_weight", 3*n, n)
	bias := w.values(prefix+"attention.in_proj_bias", 3*n)
	query := slices.Clone(bias[:n])
	for o, probe := 0, w.values(prefix+"probe", 1, 1, n); o < n; o++ {
		var sum float64
		for i, p := range probe {
			sum += float64(p) * float64(weight[o*n+i])
		}
		query[o] = float32(sum + float64(query[o]))
	}
	one := g.weight(prefix+"query", query, 1, n)
	q = g.op("Expand", []string{one, g.op("Concat", []string{g.rows(PixelValues), g.ints(int64(n))}, attr("axis", 0))})
	k = g.affine(x, prefix+"key", weight[n*n:2*n*n], bias[n:2*n], n, n)
	v = g.affine(x, prefix+"value", weight[2*n*n:], bias[2*n:], n, n)
	return q, k, v
}
