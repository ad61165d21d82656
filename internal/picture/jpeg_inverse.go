package picture

// Constants of the inverse transform, with 13 binary digits behind the point.
const (
	c0298 = 2446
	c0390 = 3196
	c0541 = 4433
	c0765 = 6270
	c0899 = 7373
	c1175 = 9633
	c1501 = 12299
	c1847 = 15137
	c1961 = 16069
	c2053 = 16819
	c2562 = 20995
	c3072 = 25172
)

// inverse writes the samples of a block, 8 x 8, into dst, whose rows are stride
// apart. most is the largest place of a coefficient, in zigzag order, that is not
// zero.
func inverse(dst []uint8, stride int, b *[64]int16, quant *[64]int32, most int) {
	if most == 0 {
		v := level((int32(b[0])*quant[0]*4 + 16) >> 5)
		for y := range 8 {
			row := dst[y*stride : y*stride+8]
			for x := range row {
				row[x] = v
			}
		}
		return
	}
	_ = dst[7*stride+7]
	inverseBlock(dst, stride, b, quant)
}

// inverseBlockGo is the inverse cosine transform of Loeffler, Ligtenberg and
// Moschytz ("Practical fast 1-D DCT algorithms with 11 multiplications", 1989)
// in the fixed-point numbers of the Independent JPEG Group: columns first, which
// are kept with two binary digits, then rows.
func inverseBlockGo(dst []uint8, stride int, b *[64]int16, quant *[64]int32) {
	var t [64]int32
	for i := range 64 {
		t[i] = int32(b[i]) * quant[i]
	}
	for x := range 8 {
		inverseLine(&t, x, 8, 11)
	}
	for y := range 8 {
		inverseLine(&t, 8*y, 1, 18)
		for x, v := range t[8*y : 8*y+8] {
			dst[y*stride+x] = level(v)
		}
	}
}

// inverseLine transforms eight values, step apart from at on, and drops digits.
func inverseLine(t *[64]int32, at, step int, digits uint) {
	v := func(i int) *int32 { return &t[(at+i*step)&63] }
	z := (*v(2) + *v(6)) * c0541
	t2, t3 := z-*v(6)*c1847, z+*v(2)*c0765
	round := int32(1) << (digits - 1)
	t0, t1 := (*v(0)+*v(4))<<13+round, (*v(0)-*v(4))<<13+round
	e0, e3, e1, e2 := t0+t3, t0-t3, t1+t2, t1-t2

	o0, o1, o2, o3 := *v(7), *v(5), *v(3), *v(1)
	z1, z2, z3, z4 := o0+o3, o1+o2, o0+o2, o1+o3
	z5 := (z3 + z4) * c1175
	z1, z2, z3, z4 = -z1*c0899, -z2*c2562, z5-z3*c1961, z5-z4*c0390
	o0 = o0*c0298 + z1 + z3
	o1 = o1*c2053 + z2 + z4
	o2 = o2*c3072 + z2 + z3
	o3 = o3*c1501 + z1 + z4

	*v(0), *v(7) = (e0+o3)>>digits, (e0-o3)>>digits
	*v(1), *v(6) = (e1+o2)>>digits, (e1-o2)>>digits
	*v(2), *v(5) = (e2+o1)>>digits, (e2-o1)>>digits
	*v(3), *v(4) = (e3+o0)>>digits, (e3-o0)>>digits
}

// level makes a sample of a value around 0.
func level(v int32) uint8 { return uint8(min(max(v+128, 0), 255)) }
