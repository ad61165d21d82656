package encoder

import (
	"fmt"
	"math"
)

// rotary turns pairs of values of each head by an angle that grows with the
// position (rotary position embedding): value i of the first half of a head
// with value i of the second.
type rotary struct {
	heads, width int // of a head
	positions    int
	theta        float64
}

// apply turns x, (batch*tokens) x (heads*width).
func (r rotary) apply(g *graph, x string) string {
	key := fmt.Sprintf("rotary %v %d", r.theta, r.width)
	cos := g.once(key+" cos", func() string { return r.table(g, math.Cos) })
	sin := g.once(key+" sin", func() string { return r.table(g, math.Sin) })
	x = g.reshape(x, g.textShape(int64(r.heads*r.width)))
	x = g.ms("RotaryEmbedding", []string{x, g.ints(0), cos, sin}, attr("num_heads", r.heads), attr("interleaved", 0))
	return g.flat(x, r.heads*r.width)
}

// table is a function of the angle by position and pair: positions x width/2.
// Angles are float32 as in transformers.
func (r rotary) table(g *graph, f func(float64) float64) string {
	half := r.width / 2
	v := make([]float32, 0, r.positions*half)
	for p := range r.positions {
		for i := range half {
			frequency := 1 / float32(math.Pow(r.theta, float64(2*i)/float64(r.width)))
			v = append(v, float32(f(float64(float32(p)*frequency))))
		}
	}
	return g.weight(g.fresh("rotary"), v, r.positions, half)
}
