package knn

import "unsafe"

// dotTileGo fills the mr x nr tile at dst, whose rows lie blockRows apart,
// with the products of a packed k x mr panel and a packed k x nr panel, in
// sub-tiles of 2 x 4, whose sums fit the registers. The conversions to float32
// forbid fusing a multiplication with an addition, which would change the bits
// on machines that can.
func dotTileGo(dst *float32, a, b *float32, k int) {
	out := unsafe.Slice(dst, (mr-1)*blockRows+nr)
	pa, pb := unsafe.Slice(a, k*mr), unsafe.Slice(b, k*nr)
	for j := 0; j < nr; j += 4 {
		for i := 0; i < mr; i += 2 {
			dot2x4(out[i*blockRows+j:], pa[i:], pb[j:], k)
		}
	}
}

func dot2x4(out, a, b []float32, k int) {
	var c0, c1, c2, c3, d0, d1, d2, d3 float32
	_, _ = a[(k-1)*mr+1], b[(k-1)*nr+3]
	pa, pb := unsafe.Pointer(&a[0]), unsafe.Pointer(&b[0])
	for i := 0; ; {
		x, y := (*[2]float32)(pa), (*[4]float32)(pb)
		b0, b1, b2, b3 := y[0], y[1], y[2], y[3]
		v, w := x[0], x[1]
		c0 += float32(v * b0)
		c1 += float32(v * b1)
		c2 += float32(v * b2)
		c3 += float32(v * b3)
		d0 += float32(w * b0)
		d1 += float32(w * b1)
		d2 += float32(w * b2)
		d3 += float32(w * b3)
		if i++; i == k {
			break // before the pointers leave the panels
		}
		pa, pb = unsafe.Add(pa, 4*mr), unsafe.Add(pb, 4*nr)
	}
	o := out[:4]
	o[0], o[1], o[2], o[3] = c0, c1, c2, c3
	o = out[blockRows : blockRows+4]
	o[0], o[1], o[2], o[3] = d0, d1, d2, d3
}
