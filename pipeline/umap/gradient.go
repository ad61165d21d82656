package umap

// The kernels leave the gradient of point i in row i of l.next: the pull of each
// edge drawn, then that of each of its negative samples. Pair k is added to sum
// k%16; of the sums the upper half is added to the lower one until one is left.
// The squared distance of two points is summed in eight lanes, dimension d in
// lane d%8, which are then added 0+4, 1+5, 2+6, 3+7, and these 0+2, 1+3, 0+1.

const sumLanes = 16

// gradient5 is gradientN for five dimensions.
func gradient5(l *layout, epoch uint32, i int) {
	const stride = 8
	y, f := l.y, l.forces
	self := (*[5]float32)(y[i*stride:])
	s0, s1, s2, s3, s4 := self[0], self[1], self[2], self[3], self[4]
	var sums [sumLanes][5]float32
	var list [listed]int32
	rates, tails := l.rates[l.start[i]:l.start[i+1]], l.tails[l.start[i]:l.start[i+1]]
	k := uint(0)
	for len(rates) > 0 {
		some := min(listed, len(rates))
		for _, tail := range list[:listDrawn(&list, rates[:some], tails, epoch)] {
			t := (*[5]float32)(y[int(tail)*stride:])
			d0, d1, d2, d3, d4 := t[0]-s0, t[1]-s1, t[2]-s2, t[3]-s3, t[4]-s4
			q := ((float32(d0*d0) + float32(d4*d4)) + float32(d2*d2)) + (float32(d1*d1) + float32(d3*d3))
			x := limited(q)
			c := f.edgeForce(x, f.u(x))
			g := &sums[k&(sumLanes-1)]
			if far(c, q) {
				g[0] += float32(c * d0)
				g[1] += float32(c * d1)
				g[2] += float32(c * d2)
				g[3] += float32(c * d3)
				g[4] += float32(c * d4)
			} else {
				g[0] += clip(c * d0)
				g[1] += clip(c * d1)
				g[2] += clip(c * d2)
				g[3] += clip(c * d3)
				g[4] += clip(c * d4)
			}
			k++
		}
		rates, tails = rates[some:], tails[some:]
	}
	state, n := l.stream(epoch, i), uint64(l.n)
	for end := k + k*uint(l.negatives); k < end; k++ {
		state *= streamStep
		t := (*[5]float32)(y[(state>>32)*n>>32*stride:])
		d0, d1, d2, d3, d4 := t[0]-s0, t[1]-s1, t[2]-s2, t[3]-s3, t[4]-s4
		q := ((float32(d0*d0) + float32(d4*d4)) + float32(d2*d2)) + (float32(d1*d1) + float32(d3*d3))
		x := limited(q)
		c := f.sampleForce(x, f.u(x))
		g := &sums[k&(sumLanes-1)]
		if far(c, q) {
			g[0] += float32(c * d0)
			g[1] += float32(c * d1)
			g[2] += float32(c * d2)
			g[3] += float32(c * d3)
			g[4] += float32(c * d4)
		} else {
			g[0] += clip(c * d0)
			g[1] += clip(c * d1)
			g[2] += clip(c * d2)
			g[3] += clip(c * d3)
			g[4] += clip(c * d4)
		}
	}
	for half := sumLanes / 2; half > 0; half /= 2 {
		for k := range half {
			a, b := &sums[k], &sums[k+half]
			a[0] += b[0]
			a[1] += b[1]
			a[2] += b[2]
			a[3] += b[3]
			a[4] += b[4]
		}
	}
	*(*[5]float32)(l.next[i*stride:]) = sums[0]
}

// gradient2 is gradientN for two dimensions.
func gradient2(l *layout, epoch uint32, i int) {
	const stride = 8
	y, f := l.y, l.forces
	self := (*[2]float32)(y[i*stride:])
	s0, s1 := self[0], self[1]
	var sums [sumLanes][2]float32
	var list [listed]int32
	rates, tails := l.rates[l.start[i]:l.start[i+1]], l.tails[l.start[i]:l.start[i+1]]
	k := uint(0)
	for len(rates) > 0 {
		some := min(listed, len(rates))
		for _, tail := range list[:listDrawn(&list, rates[:some], tails, epoch)] {
			t := (*[2]float32)(y[int(tail)*stride:])
			d0, d1 := t[0]-s0, t[1]-s1
			q := float32(d0*d0) + float32(d1*d1)
			x := limited(q)
			c := f.edgeForce(x, f.u(x))
			g := &sums[k&(sumLanes-1)]
			if far(c, q) {
				g[0] += float32(c * d0)
				g[1] += float32(c * d1)
			} else {
				g[0] += clip(c * d0)
				g[1] += clip(c * d1)
			}
			k++
		}
		rates, tails = rates[some:], tails[some:]
	}
	state, n := l.stream(epoch, i), uint64(l.n)
	for end := k + k*uint(l.negatives); k < end; k++ {
		state *= streamStep
		t := (*[2]float32)(y[(state>>32)*n>>32*stride:])
		d0, d1 := t[0]-s0, t[1]-s1
		q := float32(d0*d0) + float32(d1*d1)
		x := limited(q)
		c := f.sampleForce(x, f.u(x))
		g := &sums[k&(sumLanes-1)]
		if far(c, q) {
			g[0] += float32(c * d0)
			g[1] += float32(c * d1)
		} else {
			g[0] += clip(c * d0)
			g[1] += clip(c * d1)
		}
	}
	for half := sumLanes / 2; half > 0; half /= 2 {
		for k := range half {
			a, b := &sums[k], &sums[k+half]
			a[0] += b[0]
			a[1] += b[1]
		}
	}
	*(*[2]float32)(l.next[i*stride:]) = sums[0]
}

// listed is the number of edges that listDrawn looks at.
const listed = 32

// listDrawn writes the tails of the edges drawn to list, and returns how many. A
// branch for each edge would often be guessed wrong.
func listDrawn(list *[listed]int32, rates []uint32, tails []int32, epoch uint32) uint64 {
	tails = tails[:len(rates)]
	n := uint64(0)
	for e, r := range rates {
		list[n%listed] = tails[e]
		n += (uint64(r*epoch) + uint64(r)) >> 32 // 1 if drawn
	}
	return n
}

// gradientN works for any number of dimensions.
func gradientN(l *layout, epoch uint32, i int) {
	self := l.y[i*l.stride : i*l.stride+l.dim]
	var few [16 * sumLanes]float32
	sums := few[:]
	if len(sums) < sumLanes*l.dim {
		sums = make([]float32, sumLanes*l.dim)
	}
	sums = sums[:sumLanes*l.dim]
	sum := func(k int) []float32 { return sums[k%sumLanes*l.dim:][:l.dim] }
	k := 0
	for e := l.start[i]; e < l.start[i+1]; e++ {
		if drawn(l.rates[e], epoch) {
			t := l.y[int(l.tails[e])*l.stride:]
			x := distance2(self, t)
			addPull(sum(k), self, t, l.forces.ofEdge(x), x)
			k++
		}
	}
	state, n := l.stream(epoch, i), uint64(l.n)
	for end := k + k*l.negatives; k < end; k++ {
		state *= streamStep
		t := l.y[int((state>>32)*n>>32)*l.stride:]
		x := distance2(self, t)
		addPull(sum(k), self, t, l.forces.ofSample(x), x)
	}
	for half := len(sums) / 2; half >= l.dim; half /= 2 {
		for k, v := range sums[half : 2*half] {
			sums[k] += v
		}
	}
	copy(l.next[i*l.stride:], sums[:l.dim])
}

// distance2 is the squared distance of the points at s and t.
func distance2(s, t []float32) float32 {
	t = t[:len(s)]
	var lane [8]float32
	for d, v := range s {
		e := t[d] - v
		lane[d%8] += float32(e * e)
	}
	for k := range 4 {
		lane[k] += lane[k+4]
	}
	return (lane[0] + lane[2]) + (lane[1] + lane[3])
}

// addPull adds to g the pull of the point at t on the one at s, c times their
// difference, whose squared length is x.
func addPull(g, s, t []float32, c, x float32) {
	s, t = s[:len(g)], t[:len(g)]
	if far(c, x) {
		for d := range g {
			g[d] += float32(c * (t[d] - s[d]))
		}
		return
	}
	for d := range g {
		g[d] += clip(c * (t[d] - s[d]))
	}
}
