package umap

import "math"

// The kernels leave the gradient of point i in row i of l.next: first, for each
// edge drawn, its attraction, then its negative samples. The squared distance
// of two points is summed in eight lanes, dimension d in lane d%8, which are
// then added 0+4, 1+5, 2+6, 3+7, and these 0+2, 1+3, 0+1.

// gradient5 is gradientN for five dimensions.
func gradient5(l *layout, epoch uint32, i int) {
	const stride = 8
	y := l.y
	self := (*[5]float32)(y[i*stride:])
	s0, s1, s2, s3, s4 := self[0], self[1], self[2], self[3], self[4]
	var g0, g1, g2, g3, g4 float32
	lo, hi := l.start[i], l.start[i+1]
	rates, tails := l.rates[lo:hi], l.tails[lo:hi]
	tails = tails[:len(rates)]
	state, n := l.stream(epoch, i), uint64(l.n)
	repel, first := l.repel.safe, l.repel.first
	for e, r := range rates {
		if !drawn(r, epoch) {
			continue
		}
		t := (*[5]float32)(y[int(tails[e])*stride:])
		d0, d1, d2, d3, d4 := s0-t[0], s1-t[1], s2-t[2], s3-t[3], s4-t[4]
		q := ((float32(d0*d0) + float32(d4*d4)) + float32(d2*d2)) + (float32(d1*d1) + float32(d3*d3))
		if k := math.Float32bits(q)>>segShift - l.attract.first; k < uint32(len(l.attract.safe)) {
			c := l.attract.safe[k].c0 + float32(l.attract.safe[k].c1*q)
			g0 += float32(c * d0)
			g1 += float32(c * d1)
			g2 += float32(c * d2)
			g3 += float32(c * d3)
			g4 += float32(c * d4)
		} else {
			c := l.attract.slow(q)
			g0 += clip(c * d0)
			g1 += clip(c * d1)
			g2 += clip(c * d2)
			g3 += clip(c * d3)
			g4 += clip(c * d4)
		}
		for range l.negatives {
			state *= streamStep
			t := (*[5]float32)(y[(state>>32)*n>>32*stride:])
			d0, d1, d2, d3, d4 := s0-t[0], s1-t[1], s2-t[2], s3-t[3], s4-t[4]
			q := ((float32(d0*d0) + float32(d4*d4)) + float32(d2*d2)) + (float32(d1*d1) + float32(d3*d3))
			if k := math.Float32bits(q)>>segShift - first; k < uint32(len(repel)) {
				c := repel[k].c0 + float32(repel[k].c1*q)
				g0 += float32(c * d0)
				g1 += float32(c * d1)
				g2 += float32(c * d2)
				g3 += float32(c * d3)
				g4 += float32(c * d4)
			} else {
				c := l.repel.slow(q)
				g0 += clip(c * d0)
				g1 += clip(c * d1)
				g2 += clip(c * d2)
				g3 += clip(c * d3)
				g4 += clip(c * d4)
			}
		}
	}
	out := (*[5]float32)(l.next[i*stride:])
	out[0], out[1], out[2], out[3], out[4] = g0, g1, g2, g3, g4
}

// gradient2 is gradientN for two dimensions.
func gradient2(l *layout, epoch uint32, i int) {
	const stride = 8
	y := l.y
	self := (*[2]float32)(y[i*stride:])
	s0, s1 := self[0], self[1]
	var g0, g1 float32
	lo, hi := l.start[i], l.start[i+1]
	rates, tails := l.rates[lo:hi], l.tails[lo:hi]
	tails = tails[:len(rates)]
	state, n := l.stream(epoch, i), uint64(l.n)
	repel, first := l.repel.safe, l.repel.first
	for e, r := range rates {
		if !drawn(r, epoch) {
			continue
		}
		t := (*[2]float32)(y[int(tails[e])*stride:])
		d0, d1 := s0-t[0], s1-t[1]
		q := float32(d0*d0) + float32(d1*d1)
		if k := math.Float32bits(q)>>segShift - l.attract.first; k < uint32(len(l.attract.safe)) {
			c := l.attract.safe[k].c0 + float32(l.attract.safe[k].c1*q)
			g0 += float32(c * d0)
			g1 += float32(c * d1)
		} else {
			c := l.attract.slow(q)
			g0 += clip(c * d0)
			g1 += clip(c * d1)
		}
		for range l.negatives {
			state *= streamStep
			t := (*[2]float32)(y[(state>>32)*n>>32*stride:])
			d0, d1 := s0-t[0], s1-t[1]
			q := float32(d0*d0) + float32(d1*d1)
			if k := math.Float32bits(q)>>segShift - first; k < uint32(len(repel)) {
				c := repel[k].c0 + float32(repel[k].c1*q)
				g0 += float32(c * d0)
				g1 += float32(c * d1)
			} else {
				c := l.repel.slow(q)
				g0 += clip(c * d0)
				g1 += clip(c * d1)
			}
		}
	}
	out := (*[2]float32)(l.next[i*stride:])
	out[0], out[1] = g0, g1
}

// gradientN works for any number of dimensions.
func gradientN(l *layout, epoch uint32, i int) {
	self := l.y[i*l.stride : i*l.stride+l.dim]
	g := l.next[i*l.stride : i*l.stride+l.dim]
	clear(g)
	state, n := l.stream(epoch, i), uint64(l.n)
	for e := l.start[i]; e < l.start[i+1]; e++ {
		if !drawn(l.rates[e], epoch) {
			continue
		}
		l.attract.add(g, self, l.y[int(l.tails[e])*l.stride:])
		for range l.negatives {
			state *= streamStep
			l.repel.add(g, self, l.y[int((state>>32)*n>>32)*l.stride:])
		}
	}
}

// add adds to g the pull of the point at t on the point at s.
func (f *force) add(g, s, t []float32) {
	s, t = s[:len(g)], t[:len(g)]
	var lane [8]float32
	for d := range g {
		e := s[d] - t[d]
		lane[d%8] += float32(e * e)
	}
	for k := range 4 {
		lane[k] += lane[k+4]
	}
	q := (lane[0] + lane[2]) + (lane[1] + lane[3])
	if k := math.Float32bits(q)>>segShift - f.first; k < uint32(len(f.safe)) {
		c := f.safe[k].c0 + float32(f.safe[k].c1*q)
		for d := range g {
			g[d] += float32(c * (s[d] - t[d]))
		}
		return
	}
	c := f.slow(q)
	for d := range g {
		g[d] += clip(c * (s[d] - t[d]))
	}
}
