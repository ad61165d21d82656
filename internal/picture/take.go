package picture

import (
	"image"
	"image/color"
	"image/draw"
)

// fill sets all values.
func (m *Image) fill(v uint8) {
	for _, p := range m.planes() {
		for i := range p {
			p[i] = v
		}
	}
}

// take copies src into m, at the place that src's bounds say (m begins at 0, 0).
// It is put on white where it is transparent; of 16-bit values the high byte is
// taken.
func (m *Image) take(src image.Image) error {
	b := src.Bounds()
	if b.Min.X == 0 && b.Min.Y == 0 && b.Max.X == m.Width && b.Max.Y == m.Height {
		m.takeAt(src, 0, 0)
		return nil
	}
	inside := b.Intersect(m.Bounds())
	if inside.Empty() {
		return fault(Damaged, "its first frame lies outside of the picture")
	}
	if p, ok := src.(*image.Paletted); ok {
		m.takeAt(p.SubImage(inside), inside.Min.X, inside.Min.Y)
		return nil
	}
	part := image.NewNRGBA(image.Rect(0, 0, inside.Dx(), inside.Dy()))
	draw.Draw(part, part.Rect, src, inside.Min, draw.Src)
	m.takeAt(part, inside.Min.X, inside.Min.Y)
	return nil
}

// takeAt copies all of src to (x0, y0), where it fits.
func (m *Image) takeAt(src image.Image, x0, y0 int) {
	b := src.Bounds()
	w := b.Dx()
	for y := range b.Dy() {
		at := (y0+y)*m.Width + x0
		r, g, b := m.R[at:at+w], m.G[at:at+w], m.B[at:at+w]
		takeRow(r, g, b, src, y)
	}
}

// takeRow writes row y of src, counted from the top, into three rows of the same
// length.
func takeRow(r, g, b []uint8, src image.Image, y int) {
	w := len(r)
	switch s := src.(type) {
	case *image.Gray:
		row := s.Pix[y*s.Stride:][:w]
		copy(r, row)
		copy(g, row)
		copy(b, row)
	case *image.Gray16:
		row := s.Pix[y*s.Stride:][:2*w]
		for x := range r {
			v := row[2*x]
			r[x], g[x], b[x] = v, v, v
		}
	case *image.RGBA: // opaque, or from a format whose alpha is multiplied in
		row := s.Pix[y*s.Stride:][:4*w]
		for x := range r {
			p := row[4*x : 4*x+4 : 4*x+4]
			a := 255 - p[3]
			r[x], g[x], b[x] = p[0]+a, p[1]+a, p[2]+a
		}
	case *image.NRGBA:
		row := s.Pix[y*s.Stride:][:4*w]
		for x := range r {
			p := row[4*x : 4*x+4 : 4*x+4]
			if p[3] == 255 {
				r[x], g[x], b[x] = p[0], p[1], p[2]
				continue
			}
			r[x], g[x], b[x] = onWhite(p[0], p[3]), onWhite(p[1], p[3]), onWhite(p[2], p[3])
		}
	case *image.RGBA64:
		row := s.Pix[y*s.Stride:][:8*w]
		for x := range r {
			p := row[8*x : 8*x+8 : 8*x+8]
			a := 255 - p[6]
			r[x], g[x], b[x] = p[0]+a, p[2]+a, p[4]+a
		}
	case *image.NRGBA64:
		row := s.Pix[y*s.Stride:][:8*w]
		for x := range r {
			p := row[8*x : 8*x+8 : 8*x+8]
			r[x], g[x], b[x] = onWhite(p[0], p[6]), onWhite(p[2], p[6]), onWhite(p[4], p[6])
		}
	case *image.Paletted:
		colors := paletteOnWhite(s.Palette)
		for x, v := range s.Pix[y*s.Stride:][:w] {
			c := &colors[v]
			r[x], g[x], b[x] = c[0], c[1], c[2]
		}
	case *image.CMYK:
		row := s.Pix[y*s.Stride:][:4*w]
		for x := range r {
			p := row[4*x : 4*x+4 : 4*x+4]
			k := 255 - p[3]
			r[x], g[x], b[x] = k-scale255(p[0], k), k-scale255(p[1], k), k-scale255(p[2], k)
		}
	case *image.YCbCr:
		for x := range r {
			c := s.YCbCrAt(s.Rect.Min.X+x, s.Rect.Min.Y+y)
			r[x], g[x], b[x] = color.YCbCrToRGB(c.Y, c.Cb, c.Cr)
		}
	default:
		at := src.Bounds().Min
		for x := range r {
			c := color.NRGBAModel.Convert(src.At(at.X+x, at.Y+y)).(color.NRGBA)
			r[x], g[x], b[x] = onWhite(c.R, c.A), onWhite(c.G, c.A), onWhite(c.B, c.A)
		}
	}
}

// paletteOnWhite returns the colours of a palette; black for numbers beyond it.
func paletteOnWhite(p color.Palette) *[256][3]uint8 {
	var out [256][3]uint8
	for i, c := range p[:min(len(p), 256)] {
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		out[i] = [3]uint8{onWhite(n.R, n.A), onWhite(n.G, n.A), onWhite(n.B, n.A)}
	}
	return &out
}

// onWhite puts a value of opacity a over white, rounded as Pillow's
// alpha_composite does.
func onWhite(v, a uint8) uint8 {
	n := uint32(v)*uint32(a) + 255*uint32(255-a) + 128
	return uint8((n + n>>8) >> 8)
}

// scale255 is a*b/255, rounded.
func scale255(a, b uint8) uint8 {
	n := uint32(a)*uint32(b) + 128
	return uint8((n + n>>8) >> 8)
}
