package picture

import "slices"

// upsampled makes rows of a component at the size of the picture.
type upsampled struct {
	row []uint8
	sum []uint16 // one value in front, one behind
}

// at returns row y of the picture for a component. As in libjpeg, a sample lies
// in the middle of those that it stands for, and the nearer one counts three
// quarters in each direction; at factors other than 2 it is repeated.
func (u *upsampled) at(c *component, y, width, hMax, vMax int) []uint8 {
	h, v := hMax/c.h, vMax/c.v
	line := func(y int) []uint8 { return c.plane[y*c.stride:][:c.width] }
	if h == 1 && v == 1 {
		return line(y)[:width]
	}
	n := c.width * h
	u.row = slices.Grow(u.row[:0], n+lanes)[:n]
	u.sum = slices.Grow(u.sum[:0], c.width+2)[:c.width+2]
	near, far := y/v, 0
	if v == 2 {
		far = min(max(near-1+y%2*2, 0), c.height-1)
	}
	switch smooth := c.width > 2; {
	case h == 1 && v == 2:
		bias := uint16(1 + y%2)
		a, b := line(near), line(far)
		for x := range u.row {
			u.row[x] = uint8((3*uint16(a[x]) + uint16(b[x]) + bias) >> 2)
		}
	case h == 2 && v == 2 && smooth:
		blend(u.sum[1:], line(near), line(far))
		u.spread(8, 7, 4)
	case h == 2 && v == 1 && smooth:
		for x, s := range line(near) {
			u.sum[x+1] = uint16(s)
		}
		u.spread(1, 2, 2)
	default:
		for x, s := range line(near) {
			for i := range h {
				u.row[x*h+i] = s
			}
		}
	}
	return u.row[:width]
}

// spread doubles the sums.
func (u *upsampled) spread(even, odd, shift uint16) {
	n := len(u.sum)
	u.sum[0], u.sum[n-1] = u.sum[1], u.sum[n-2]
	double(u.row, u.sum, even, odd, shift)
}

// blendGo sets sum to 3*near + far.
func blendGo(sum []uint16, near, far []uint8) {
	for x, s := range near {
		sum[x] = 3*uint16(s) + uint16(far[x])
	}
}

// doubleGo makes two samples of each sum but the first and the last: three
// quarters of it and one of the neighbour's, before the shift.
func doubleGo(dst []uint8, sum []uint16, even, odd, shift uint16) {
	for i := 0; i < len(dst)/2; i++ {
		s := 3 * sum[i+1]
		dst[2*i] = uint8((s + sum[i] + even) >> shift)
		dst[2*i+1] = uint8((s + sum[i+2] + odd) >> shift)
	}
}

// color makes the colours of the decoded components.
func (d *jpegDecoder) color(m *Image) *Error {
	w := d.width
	at := func(u *upsampled, i, y int) []uint8 {
		return u.at(&d.components[i], y, w, d.hMax, d.vMax)
	}
	var first, fourth upsampled
	for y := range d.height {
		r, g, b := m.R[y*w:][:w], m.G[y*w:][:w], m.B[y*w:][:w]
		luma := at(&first, 0, y)
		if len(d.components) == 1 {
			copy(r, luma)
			copy(g, luma)
			copy(b, luma)
			continue
		}
		cb, cr := at(&d.rows[0], 1, y), at(&d.rows[1], 2, y)
		if d.isYCC() {
			toRGB(r, g, b, luma, cb, cr)
		} else {
			copy(r, luma)
			copy(g, cb)
			copy(b, cr)
		}
		if len(d.components) == 4 {
			d.takeBlack(r, g, b, at(&fourth, 3, y))
		}
	}
	return nil
}

// isYCC tells whether the first three components are luma and colour
// differences.
func (d *jpegDecoder) isYCC() bool {
	if len(d.components) == 4 {
		return d.adobe && d.transform == 2
	}
	switch {
	case d.jfif:
		return true
	case d.adobe:
		return d.transform != 0
	}
	c := d.components
	return c[0].id != 'R' || c[1].id != 'G' || c[2].id != 'B'
}

// takeBlack makes red, green and blue of cyan, magenta, yellow and black, as
// Pillow does. Adobe's programs write all four inverted; where they write luma
// and differences, r, g and b are inverted once more.
func (d *jpegDecoder) takeBlack(r, g, b, black []uint8) {
	for x, k := range black {
		c, m, y := r[x], g[x], b[x]
		if d.isYCC() {
			c, m, y = 255-c, 255-m, 255-y
		}
		if d.adobe {
			c, m, y, k = 255-c, 255-m, 255-y, 255-k
		}
		k = 255 - k
		r[x], g[x], b[x] = k-scale255(c, k), k-scale255(m, k), k-scale255(y, k)
	}
}

// toRGBGo converts luma and colour differences, rounded as libjpeg does.
func toRGBGo(r, g, b, luma, cb, cr []uint8) {
	for x, v := range luma {
		y, u, w := int32(v), int32(cb[x])-128, int32(cr[x])-128
		r[x] = limit(y + (91881*w+32768)>>16)
		g[x] = limit(y + (32768-22554*u-46802*w)>>16)
		b[x] = limit(y + (116130*u+32768)>>16)
	}
}

func limit(v int32) uint8 { return uint8(min(max(v, 0), 255)) }
