package knn

import "unsafe"

// dotTileGo fills the mr x nr tile at dst, whose rows lie blockRows apart,
// with the products of a panel of steps x mr pairs and a panel of steps x nr
// pairs, in sub-tiles of 2 x 4, whose sums fit the registers.
func dotTileGo(dst, a, b *int32, steps int) {
	out := unsafe.Slice(dst, (mr-1)*blockRows+nr)
	pa, pb := unsafe.Slice(a, steps*mr), unsafe.Slice(b, steps*nr)
	for j := 0; j < nr; j += 4 {
		for i := 0; i < mr; i += 2 {
			dot2x4(out[i*blockRows+j:], pa[i:], pb[j:], steps)
		}
	}
}

func dot2x4(out, a, b []int32, steps int) {
	var c0, c1, c2, c3, d0, d1, d2, d3 int32
	_, _ = a[(steps-1)*mr+1], b[(steps-1)*nr+3]
	pa, pb := unsafe.Pointer(&a[0]), unsafe.Pointer(&b[0])
	for i := 0; ; {
		x, y := (*[2]int32)(pa), (*[4]int32)(pb)
		v, w := int32(int16(x[0])), int32(int16(x[1]))
		v2, w2 := x[0]>>16, x[1]>>16
		p, p2 := int32(int16(y[0])), y[0]>>16
		c0 += v*p + v2*p2
		d0 += w*p + w2*p2
		p, p2 = int32(int16(y[1])), y[1]>>16
		c1 += v*p + v2*p2
		d1 += w*p + w2*p2
		p, p2 = int32(int16(y[2])), y[2]>>16
		c2 += v*p + v2*p2
		d2 += w*p + w2*p2
		p, p2 = int32(int16(y[3])), y[3]>>16
		c3 += v*p + v2*p2
		d3 += w*p + w2*p2
		if i++; i == steps {
			break // before the pointers leave the panels
		}
		pa, pb = unsafe.Add(pa, 4*mr), unsafe.Add(pb, 4*nr)
	}
	o := out[:4]
	o[0], o[1], o[2], o[3] = c0, c1, c2, c3
	o = out[blockRows : blockRows+4]
	o[0], o[1], o[2], o[3] = d0, d1, d2, d3
}

// scanGo sets a bit of out for each entry (r, c) of t that is greater than
// min(rowFloor[r], colFloor[c]). It is the twin of the vector version.
func scanGo(t *tile, rowFloor, colFloor *[blockRows]int32, out *hits) {
	for r := range blockRows {
		row := t[r*blockRows : (r+1)*blockRows]
		floor := rowFloor[r]
		for w := range blockRows / 32 {
			vals, cols := row[w*32:w*32+32], colFloor[w*32:w*32+32]
			var bits uint32
			for c, v := range vals {
				if v > floor || v > cols[c] {
					bits |= 1 << c
				}
			}
			out[r*(blockRows/32)+w] = bits
		}
	}
}

// sumProductsGo adds the products of rounds x lanes values to the lanes of sum.
func sumProductsGo(sum *[lanes]float64, x, y *float32, rounds int) {
	a, b := unsafe.Slice(x, rounds*lanes), unsafe.Slice(y, rounds*lanes)
	for len(a) > 0 {
		for l, v := range (*[lanes]float32)(a) {
			sum[l] += float64(v) * float64(b[l])
		}
		a, b = a[lanes:], b[lanes:]
	}
}

// sumSquaresGo adds the squared differences of rounds x lanes values to the
// lanes of sum. The conversion forbids fusing the square with the addition.
func sumSquaresGo(sum *[lanes]float64, x, y *float32, rounds int) {
	a, b := unsafe.Slice(x, rounds*lanes), unsafe.Slice(y, rounds*lanes)
	for len(a) > 0 {
		for l, v := range (*[lanes]float32)(a) {
			e := float64(v) - float64(b[l])
			sum[l] += float64(e * e)
		}
		a, b = a[lanes:], b[lanes:]
	}
}

// threeProductsGo makes sums the products of x with three rows.
func threeProductsGo(sums *[3]float64, x, y *float64, width int) {
	a, b := unsafe.Slice(x, width), unsafe.Slice(y, 3*width)
	for p := range sums {
		row := b[p*width : (p+1)*width]
		var sum [lanes]float64
		for j := 0; j < width; j += lanes {
			for l, v := range (*[lanes]float64)(a[j:]) {
				sum[l] += float64(v * row[j+l])
			}
		}
		sums[p] = total(&sum)
	}
}
