package linalg

// The inner loops. Products are converted to float64 explicitly, which forbids
// the compiler to fuse them into the addition: the bits are then the same on
// every architecture.

// axpy adds a*x to dst. x must be at least as long as dst.
func axpy(dst []float64, a float64, x []float64) {
	x = x[:len(dst)]
	for i, v := range x {
		dst[i] += float64(a * v)
	}
}

// axpy4 is four calls of axpy in one pass, with the same order of additions.
func axpy4(dst []float64, a0, a1, a2, a3 float64, x0, x1, x2, x3 []float64) {
	n := len(dst)
	x0, x1, x2, x3 = x0[:n], x1[:n], x2[:n], x3[:n]
	for i, s := range dst {
		s += float64(a0 * x0[i])
		s += float64(a1 * x1[i])
		s += float64(a2 * x2[i])
		s += float64(a3 * x3[i])
		dst[i] = s
	}
}

// dot returns the inner product of x and y in four fixed lanes.
// y must be at least as long as x.
func dot(x, y []float64) float64 {
	y = y[:len(x)]
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+4 <= len(x); i += 4 {
		a, b := x[i:i+4:i+4], y[i:i+4:i+4]
		s0 += float64(a[0] * b[0])
		s1 += float64(a[1] * b[1])
		s2 += float64(a[2] * b[2])
		s3 += float64(a[3] * b[3])
	}
	for ; i < len(x); i++ {
		s0 += float64(x[i] * y[i])
	}
	return (s0 + s1) + (s2 + s3)
}

// dot2x4 adds the inner products of x0, x1 with y0..y3, each summed in index
// order, to the eight entries of acc (x0's four first).
func dot2x4(acc *[8]float64, x0, x1, y0, y1, y2, y3 []float64) {
	n := len(x0)
	x1, y0, y1, y2, y3 = x1[:n], y0[:n], y1[:n], y2[:n], y3[:n]
	a0, a1, a2, a3 := acc[0], acc[1], acc[2], acc[3]
	b0, b1, b2, b3 := acc[4], acc[5], acc[6], acc[7]
	for i, u := range x0 {
		v := x1[i]
		w := y0[i]
		a0 += float64(u * w)
		b0 += float64(v * w)
		w = y1[i]
		a1 += float64(u * w)
		b1 += float64(v * w)
		w = y2[i]
		a2 += float64(u * w)
		b2 += float64(v * w)
		w = y3[i]
		a3 += float64(u * w)
		b3 += float64(v * w)
	}
	acc[0], acc[1], acc[2], acc[3] = a0, a1, a2, a3
	acc[4], acc[5], acc[6], acc[7] = b0, b1, b2, b3
}

// transpose sets dst (cols x rows) to the transpose of src (rows x cols).
func transpose(dst, src []float64, rows, cols int) {
	const tile = 32
	for i0 := 0; i0 < rows; i0 += tile {
		i1 := min(i0+tile, rows)
		for j0 := 0; j0 < cols; j0 += tile {
			j1 := min(j0+tile, cols)
			for i := i0; i < i1; i++ {
				for j := j0; j < j1; j++ {
					dst[j*rows+i] = src[i*cols+j]
				}
			}
		}
	}
}
