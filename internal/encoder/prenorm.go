package encoder

// preNorm is a layer that normalises before attention and before feed-forward,
// and adds each to what came in. The fields are names of weights behind the
// layer's own prefix.
type preNorm struct {
	query, key, value, out, norm1, up, down, norm2 string

	width, inner int
	eps          float64
	activation   string
	attention    attention
}

func (l preNorm) layer(g *graph, w *weights, prefix, x string) string {
	return l.one(g, w, prefix, x, nil)
}

// one is the layer for one row of each text, that which pick takes: batch x
// width, not (batch*tokens) x width. Without pick it is for all of them.
func (l preNorm) one(g *graph, w *weights, prefix, x string, pick func(string) string) string {
	h := g.layerNorm(x, w, prefix+l.norm1, l.width, l.eps)
	k := g.linear(h, w, prefix+l.key, l.width, l.width)
	v := g.linear(h, w, prefix+l.value, l.width, l.width)
	a := l.attention
	if pick != nil {
		x, h, a.single = pick(x), pick(h), true
	}
	q := g.linear(h, w, prefix+l.query, l.width, l.width)
	h = g.linear(g.attend(q, k, v, a), w, prefix+l.out, l.width, l.width)
	x = g.add(x, h)
	h = g.layerNorm(x, w, prefix+l.norm2, l.width, l.eps)
	h = g.activate(g.linear(h, w, prefix+l.up, l.width, l.inner), l.activation)
	return g.add(x, g.linear(h, w, prefix+l.down, l.inner, l.width))
}
