package umap

import "math"

// The kernels leave the gradient of point i in row i of l.next: the attraction of
// each edge drawn, then of each of its negative samples the repulsion. Both are
// added up in the order of the pairs, even pairs and odd pairs apart; the two
// sums are added at the end. The squared distance of two points is summed in
// eight lanes, dimension d in lane d%8, which are then added 0+4, 1+5, 2+6, 3+7,
// and these 0+2, 1+3, 0+1.

// gradient5 is gradientN for five dimensions.
func gradient5(l *layout, epoch uint32, i int) {
	const stride = 8
	y := l.y
	self := (*[5]float32)(y[i*stride:])
	s0, s1, s2, s3, s4 := self[0], self[1], self[2], self[3], self[4]
	var sums [2][5]float32
	lo, hi := l.start[i], l.start[i+1]
	rates, tails := l.rates[lo:hi], l.tails[lo:hi]
	tails = tails[:len(rates)]
	attract, first := l.attract.safe, l.attract.first
	k := 0
	for e, r := range rates {
		if !drawn(r, epoch) {
			continue
		}
		t := (*[5]float32)(y[int(tails[e])*stride:])
		d0, d1, d2, d3, d4 := s0-t[0], s1-t[1], s2-t[2], s3-t[3], s4-t[4]
		q := ((float32(d0*d0) + float32(d4*d4)) + float32(d2*d2)) + (float32(d1*d1) + float32(d3*d3))
		g := &sums[k&1]
		if k := math.Float32bits(q)>>segShift - first; k < uint32(len(attract)) {
			c := attract[k].c0 + float32(attract[k].c1*q)
			g[0] += float32(c * d0)
			g[1] += float32(c * d1)
			g[2] += float32(c * d2)
			g[3] += float32(c * d3)
			g[4] += float32(c * d4)
		} else {
			c := l.attract.slow(q)
			g[0] += clip(c * d0)
			g[1] += clip(c * d1)
			g[2] += clip(c * d2)
			g[3] += clip(c * d3)
			g[4] += clip(c * d4)
		}
		k++
	}
	state, n := l.stream(epoch, i), uint64(l.n)
	repel, first := l.repel.safe, l.repel.first
	for k := range k * l.negatives {
		state *= streamStep
		t := (*[5]float32)(y[(state>>32)*n>>32*stride:])
		d0, d1, d2, d3, d4 := s0-t[0], s1-t[1], s2-t[2], s3-t[3], s4-t[4]
		q := ((float32(d0*d0) + float32(d4*d4)) + float32(d2*d2)) + (float32(d1*d1) + float32(d3*d3))
		g := &sums[k&1]
		if k := math.Float32bits(q)>>segShift - first; k < uint32(len(repel)) {
			c := repel[k].c0 + float32(repel[k].c1*q)
			g[0] += float32(c * d0)
			g[1] += float32(c * d1)
			g[2] += float32(c * d2)
			g[3] += float32(c * d3)
			g[4] += float32(c * d4)
		} else {
			c := l.repel.slow(q)
			g[0] += clip(c * d0)
			g[1] += clip(c * d1)
			g[2] += clip(c * d2)
			g[3] += clip(c * d3)
			g[4] += clip(c * d4)
		}
	}
	out := (*[5]float32)(l.next[i*stride:])
	for d := range out {
		out[d] = sums[0][d] + sums[1][d]
	}
}

// gradient2 is gradientN for two dimensions.
func gradient2(l *layout, epoch uint32, i int) {
	const stride = 8
	y := l.y
	self := (*[2]float32)(y[i*stride:])
	s0, s1 := self[0], self[1]
	var sums [2][2]float32
	lo, hi := l.start[i], l.start[i+1]
	rates, tails := l.rates[lo:hi], l.tails[lo:hi]
	tails = tails[:len(rates)]
	attract, first := l.attract.safe, l.attract.first
	k := 0
	for e, r := range rates {
		if !drawn(r, epoch) {
			continue
		}
		t := (*[2]float32)(y[int(tails[e])*stride:])
		d0, d1 := s0-t[0], s1-t[1]
		q := float32(d0*d0) + float32(d1*d1)
		g := &sums[k&1]
		if k := math.Float32bits(q)>>segShift - first; k < uint32(len(attract)) {
			c := attract[k].c0 + float32(attract[k].c1*q)
			g[0] += float32(c * d0)
			g[1] += float32(c * d1)
		} else {
			c := l.attract.slow(q)
			g[0] += clip(c * d0)
			g[1] += clip(c * d1)
		}
		k++
	}
	state, n := l.stream(epoch, i), uint64(l.n)
	repel, first := l.repel.safe, l.repel.first
	for k := range k * l.negatives {
		state *= streamStep
		t := (*[2]float32)(y[(state>>32)*n>>32*stride:])
		d0, d1 := s0-t[0], s1-t[1]
		q := float32(d0*d0) + float32(d1*d1)
		g := &sums[k&1]
		if k := math.Float32bits(q)>>segShift - first; k < uint32(len(repel)) {
			c := repel[k].c0 + float32(repel[k].c1*q)
			g[0] += float32(c * d0)
			g[1] += float32(c * d1)
		} else {
			c := l.repel.slow(q)
			g[0] += clip(c * d0)
			g[1] += clip(c * d1)
		}
	}
	out := (*[2]float32)(l.next[i*stride:])
	for d := range out {
		out[d] = sums[0][d] + sums[1][d]
	}
}

// gradientN works for any number of dimensions.
func gradientN(l *layout, epoch uint32, i int) {
	self := l.y[i*l.stride : i*l.stride+l.dim]
	even := l.next[i*l.stride : i*l.stride+l.dim]
	odd := make([]float32, l.dim)
	clear(even)
	sums := [2][]float32{even, odd}
	k := 0
	for e := l.start[i]; e < l.start[i+1]; e++ {
		if drawn(l.rates[e], epoch) {
			l.attract.add(sums[k&1], self, l.y[int(l.tails[e])*l.stride:])
			k++
		}
	}
	state, n := l.stream(epoch, i), uint64(l.n)
	for k := range k * l.negatives {
		state *= streamStep
		l.repel.add(sums[k&1], self, l.y[int((state>>32)*n>>32)*l.stride:])
	}
	for d, x := range odd {
		even[d] += x
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
