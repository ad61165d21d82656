package picture

import (
	"image"
	"image/color"
)

// Image is a picture in opaque 8-bit RGB, a plane a channel. Pixel (x, y) is at
// y*Width+x of each plane.
type Image struct {
	Width, Height int
	R, G, B       []uint8
	// Turn is the EXIF orientation in which the picture lies, 2 to 8, or 0: it
	// is upright. Only a Decoder with Lying set makes pictures that are not, and
	// only Preprocessor.Pixels heeds it.
	Turn int
}

var _ image.RGBA64Image = (*Image)(nil)

// ColorModel returns color.RGBAModel.
func (*Image) ColorModel() color.Model { return color.RGBAModel }

// Bounds returns the picture's, which begin at (0, 0).
func (m *Image) Bounds() image.Rectangle { return image.Rect(0, 0, m.Width, m.Height) }

// At returns a color.RGBA; black outside of the picture.
func (m *Image) At(x, y int) color.Color {
	if x < 0 || y < 0 || x >= m.Width || y >= m.Height {
		return color.RGBA{}
	}
	i := y*m.Width + x
	return color.RGBA{m.R[i], m.G[i], m.B[i], 255}
}

// RGBA64At is At without an allocation.
func (m *Image) RGBA64At(x, y int) color.RGBA64 {
	if x < 0 || y < 0 || x >= m.Width || y >= m.Height {
		return color.RGBA64{}
	}
	i := y*m.Width + x
	return color.RGBA64{uint16(m.R[i]) * 257, uint16(m.G[i]) * 257, uint16(m.B[i]) * 257, 65535}
}

// RGBA returns a copy in the form that encoders are quick with.
func (m *Image) RGBA() *image.RGBA {
	out := image.NewRGBA(m.Bounds())
	for i, r := range m.R[:m.Width*m.Height] {
		p := out.Pix[4*i : 4*i+4 : 4*i+4]
		p[0], p[1], p[2], p[3] = r, m.G[i], m.B[i], 255
	}
	return out
}

// resize makes m's planes hold width x height pixels, of any content. Memory is
// kept where it suffices.
func (m *Image) resize(width, height int) {
	n := width * height
	if cap(m.R) < n || cap(m.G) < n || cap(m.B) < n {
		m.R, m.G, m.B = make([]uint8, n), make([]uint8, n), make([]uint8, n)
	}
	m.Width, m.Height = width, height
	m.R, m.G, m.B = m.R[:n], m.G[:n], m.B[:n]
}

func (m *Image) planes() [3][]uint8 { return [3][]uint8{m.R, m.G, m.B} }
