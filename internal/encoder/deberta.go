package encoder

import (
	"fmt"
	"math"
	"strings"

	"github.com/bertopic-go/bertopic/internal/onnx"
)

// disentangled is the attention of DeBERTa: a score is the sum of content by
// content, content by position and position by content, where a position is
// the bucket of the distance between query and key.
type disentangled struct {
	sizes
	span      int  // embeddings of distances: 2*span
	shared    bool // the projections of content project positions as well
	c2p, p2c  bool
	distances string // embeddings, 2*span x width, normalised
	fromQuery string // index into tokens x 2*span by query and bucket, tokens x tokens
	fromKey   string // the same by key
}

// buildDeBERTa follows DebertaV2Model, whose configuration DeBERTa-v3 has too.
func buildDeBERTa(g *graph, c *config, w *weights) body {
	s := bertSizes(c)
	c.only("embedding_size", float64(s.width))
	c.only("conv_kernel_size", 0.0)
	if !c.boolOr("relative_attention", false) {
		c.fail("relative_attention is false; only true is built")
	}
	x := g.debertaEmbeddings(c, w, s)
	d := newDisentangled(g, c, w, s)
	l := bertNames()
	l.width, l.inner, l.eps = s.width, s.inner, s.eps
	l.activation = c.strOr("hidden_act", "gelu")
	for i := range s.layers {
		p := fmt.Sprintf("encoder.layer.%d.", i)
		a := g.linear(d.attend(g, w, p+"attention.self.", x), w, p+l.out, s.width, s.width)
		x = l.feedForward(g, w, p, x, a)
	}
	return body{hidden: x, width: s.width, maxTokens: s.positions, padID: s.pad}
}

// debertaEmbeddings adds positions and token types only where the
// configuration says so, and zeroes the padding.
func (g *graph) debertaEmbeddings(c *config, w *weights, s sizes) string {
	words := w.values("embeddings.word_embeddings.weight", s.vocab, s.width)
	if c.intOr("type_vocab_size", 0) > 0 {
		addTokenType(words, w, c, "embeddings.token_type_embeddings.weight", s.width)
	}
	table := g.weight("embeddings.word_embeddings.weight", words, s.vocab, s.width)
	x := g.op("Gather", []string{table, InputIDs}, attr("axis", 0))
	if c.boolOr("position_biased_input", true) {
		pos := w.values("embeddings.position_embeddings.weight", s.positions, s.width)
		places := g.weight("embeddings.position_embeddings.weight", pos, s.positions, s.width)
		x = g.add(x, g.slice(places, g.ints(0), g.tokens(), 0))
	}
	x = g.layerNorm(x, w, "embeddings.LayerNorm", s.width, s.eps)
	if !g.unpadded {
		x = g.mul(x, g.unsqueeze(g.cast(AttentionMask, g.float), 2))
	}
	return g.flat(x, s.width)
}

func newDisentangled(g *graph, c *config, w *weights, s sizes) disentangled {
	longest := c.intOr("max_relative_positions", -1)
	if longest < 1 {
		longest = s.positions
	}
	buckets := c.intOr("position_buckets", -1)
	d := disentangled{sizes: s, span: longest, shared: c.boolOr("share_att_key", false)}
	if buckets > 0 {
		d.span = buckets
	}
	for _, kind := range c.list("pos_att_type") {
		switch kind {
		case "c2p":
			d.c2p = true
		case "p2c":
			d.p2c = true
		default:
			c.fail("pos_att_type has %q; only c2p and p2c are built", kind)
		}
	}
	table := w.values("encoder.rel_embeddings.weight", 2*d.span, s.width)
	switch norm := c.strOr("norm_rel_ebd", "none"); norm {
	case "none":
	case "layer_norm":
		normalizeRows(table, w.values("encoder.LayerNorm.weight", s.width), w.values("encoder.LayerNorm.bias", s.width), s.eps)
	default:
		c.fail("norm_rel_ebd is %q; only \"none\" and \"layer_norm\" are built", norm)
	}
	d.distances = g.constant("encoder.rel_embeddings.weight", onnx.Float, rawFloat32(table), 2*d.span, s.width)
	d.index(g, buckets, longest)
	return d
}

// normalizeRows is layer norm on a table, in place.
func normalizeRows(table, weight, bias []float32, eps float64) {
	n := len(weight)
	for ; len(table) > 0; table = table[n:] {
		mean, variance := 0.0, 0.0
		for _, v := range table[:n] {
			mean += float64(v) / float64(n)
		}
		for _, v := range table[:n] {
			variance += (float64(v) - mean) * (float64(v) - mean) / float64(n)
		}
		scale := 1 / math.Sqrt(variance+eps)
		for i, v := range table[:n] {
			table[i] = float32((float64(v)-mean)*scale)*weight[i] + bias[i]
		}
	}
}

// list reads a list of names, or one string of names with "|" between them.
func (c *config) list(key string) []string {
	var names []string
	switch v := c.values[key].(type) {
	case []any:
		for _, x := range v {
			names = append(names, fmt.Sprint(x))
		}
	case string:
		names = strings.Split(v, "|")
	}
	return names
}

// index makes the tables of buckets: of each pair of tokens, where the bucket
// of query - key lies among the products of a query, or of a key, with all
// embeddings of distances.
func (d *disentangled) index(g *graph, buckets, longest int) {
	reach := d.positions - 1
	table := make([]int64, 2*reach+1)
	for i := range table {
		b := i - reach
		if buckets > 0 {
			b = debertaBucket(b, buckets, longest)
		}
		table[i] = int64(min(max(b+d.span, 0), 2*d.span-1))
	}
	by := g.constant("distance_bucket", onnx.Int64, rawInt64(table), len(table))
	distance := g.op("Sub", []string{g.integer(int64(reach)), g.distances()}) // query - key + reach
	bucket := g.op("Gather", []string{by, distance}, attr("axis", 0))
	row := g.mul(g.positions(), g.integer(int64(2*d.span)))
	d.fromQuery = g.add(bucket, g.unsqueeze(row, 1))
	d.fromKey = g.add(bucket, g.unsqueeze(row, 0))
}

// debertaBucket numbers a distance: small ones by themselves, larger ones by
// their logarithm, in float32 as make_log_bucket_position computes it.
func debertaBucket(distance, buckets, longest int) int {
	mid := buckets / 2
	n := max(distance, -distance)
	if n < mid {
		n = mid - 1
	}
	if n <= mid {
		return distance
	}
	log := float32(math.Log(float64(float32(n) / float32(mid))))
	scale := float32(math.Log(float64(float32(float64(longest-1) / float64(mid)))))
	bucket := int(math.Ceil(float64(log/scale*float32(mid-1)))) + mid
	if distance < 0 {
		return -bucket
	}
	return bucket
}

func (d *disentangled) attend(g *graph, w *weights, p, x string) string {
	a := attention{heads: d.heads, width: d.head}
	q := g.transpose(g.split(g.linear(x, w, p+"query_proj", d.width, d.width), a), 0, 2, 1, 3)
	k := g.transpose(g.split(g.linear(x, w, p+"key_proj", d.width, d.width), a), 0, 2, 1, 3)
	v := g.transpose(g.split(g.linear(x, w, p+"value_proj", d.width, d.width), a), 0, 2, 1, 3)
	scores := g.matmul(q, g.transpose(k, 0, 1, 3, 2))
	terms := 1
	if d.c2p {
		terms++
		scores = g.add(scores, d.positional(g, w, p, "key_proj", q, d.fromQuery))
	}
	if d.p2c {
		terms++
		scores = g.add(scores, d.positional(g, w, p, "query_proj", k, d.fromKey))
	}
	scale := 1 / math.Sqrt(float64(d.head)*float64(terms))
	return g.weigh(g.mul(scores, g.scalar(float32(scale))), v, a)
}

// positional multiplies content, batch x heads x tokens x width, with the
// embeddings of distances under a projection, and picks the bucket of each
// pair: batch x heads x tokens x tokens.
func (d *disentangled) positional(g *graph, w *weights, p, projection, content, index string) string {
	name := p + projection
	if !d.shared {
		name = p + "pos_" + projection
	}
	pos := g.linearOnce(d.distances, w, name, d.width, d.width)
	pos = g.reshape(pos, g.ints(int64(2*d.span), int64(d.heads), int64(d.head)))
	all := g.matmul(content, g.transpose(pos, 1, 2, 0))
	rows := g.op("Concat", []string{g.batch(), g.ints(int64(d.heads), -1)}, attr("axis", 0))
	return g.op("Gather", []string{g.reshape(all, rows), index}, attr("axis", 2))
}

// linearOnce applies a weight in float32 to a constant of float32: ONNX Runtime
// computes the result when it loads the graph. (In float16, release 1.30
// crashes there on a CPU.)
func (g *graph) linearOnce(x string, w *weights, name string, in, out int) string {
	p, t := g.precision, g.float
	g.precision, g.float = FP32, onnx.Float
	var bias []float32
	if w.has(name + ".bias") {
		bias = w.values(name+".bias", out)
	}
	y := g.affine(x, g.fresh(name), w.values(name+".weight", out, in), bias, in, out)
	g.precision, g.float = p, t
	if t != onnx.Float {
		y = g.cast(y, t)
	}
	return y
}
