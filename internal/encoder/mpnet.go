package encoder

import (
	"fmt"
	"math"
)

// buildMPNet follows MPNetModel: BERT without token types, with positions
// counted behind the padding's, and with a bias on each score that depends on
// how far apart the two tokens are.
func buildMPNet(g *graph, c *config, w *weights) body {
	s := bertSizes(c)
	const pad = 1 // whatever pad_token_id says
	s.pad = pad
	pos := w.values("embeddings.position_embeddings.weight", s.positions, s.width)
	x := g.paddedEmbeddings(w, s, pos, pad)
	l := postNorm{
		query: "attention.attn.q", key: "attention.attn.k", value: "attention.attn.v",
		out: "attention.attn.o", norm1: "attention.LayerNorm",
		up: "intermediate.dense", down: "output.dense", norm2: "output.LayerNorm",
		width: s.width, inner: s.inner, eps: s.eps, activation: c.strOr("hidden_act", "gelu"),
		attention: s.attention(),
	}
	buckets := c.int("relative_attention_num_buckets")
	table := w.values("encoder.relative_attention_bias.weight", buckets, s.heads)
	if buckets < mpnetBuckets {
		c.fail("relative_attention_num_buckets is %d; %d are used", buckets, mpnetBuckets)
		return body{}
	}
	l.attention.bias = g.distanceBias(table, s)
	for i := range s.layers {
		x = l.layer(g, w, fmt.Sprintf("encoder.layer.%d.", i), x)
	}
	return body{hidden: x, width: s.width, maxTokens: s.positions - pad - 1, padID: pad}
}

// distanceBias looks the bias of each pair of tokens up: 1 x heads x tokens x
// tokens. table is buckets x heads.
func (g *graph) distanceBias(table []float32, s sizes) string {
	// By distance key - query, from -(positions-1) to positions-1.
	width := 2*s.positions - 1
	byDistance := make([]float32, s.heads*width)
	for d := range width {
		b := mpnetBucket(d - (s.positions - 1))
		for h := range s.heads {
			byDistance[h*width+d] = table[b*s.heads+h]
		}
	}
	bias := g.weight("distance_bias", byDistance, s.heads, width)
	at := g.add(g.distances(), g.integer(int64(s.positions-1)))
	return g.unsqueeze(g.op("Gather", []string{bias, at}, attr("axis", 1)), 0)
}

// distances is key - query, tokens x tokens.
func (g *graph) distances() string {
	return g.once("distances", func() string {
		return g.op("Sub", []string{g.unsqueeze(g.positions(), 0), g.unsqueeze(g.positions(), 1)})
	})
}

// MPNetEncoder.relative_position_bucket ignores the configuration: 32 buckets,
// the farthest from a distance of 128.
const (
	mpnetBuckets  = 32
	mpnetFarthest = 128
)

// mpnetBucket numbers a distance key - query: half of the buckets for either
// sign, of which half are for one distance each, and the others grow with the
// logarithm, in float32 as there.
func mpnetBucket(distance int) int {
	const half = mpnetBuckets / 2
	const exact = half / 2
	bucket, n := 0, -distance
	if n < 0 {
		bucket, n = half, -n
	}
	if n < exact {
		return bucket + n
	}
	log := float32(math.Log(float64(float32(n) / exact)))
	scale := float32(math.Log(mpnetFarthest / exact))
	return bucket + min(exact+int(log/scale*(half-exact)), half-1)
}
