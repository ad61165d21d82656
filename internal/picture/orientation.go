package picture

import (
	"bytes"

	"github.com/bep/imagemeta"
)

// upright is the EXIF orientation of a picture that lies in its file as it is to
// be seen.
const upright = 1

// metaFormats are the formats that carry EXIF, for package imagemeta.
var metaFormats = map[Format]imagemeta.ImageFormat{
	JPEG: imagemeta.JPEG, PNG: imagemeta.PNG, WebP: imagemeta.WebP, TIFF: imagemeta.TIFF,
}

// orientation returns the EXIF orientation, 1 to 8. Without one, or where the
// metadata is damaged, a picture counts as upright.
func orientation(f Format, data []byte) int {
	format, ok := metaFormats[f]
	if !ok {
		return upright
	}
	found := upright
	isOrientation := func(t imagemeta.TagInfo) bool { return t.Tag == "Orientation" && t.Namespace == "IFD0" }
	// What it says of damaged metadata changes nothing.
	_, _ = imagemeta.Decode(imagemeta.Options{
		R: bytes.NewReader(data), ImageFormat: format, Sources: imagemeta.EXIF,
		ShouldHandleTag: isOrientation,
		HandleTag: func(t imagemeta.TagInfo) error {
			if n := integer(t.Value); isOrientation(t) && n >= 1 && n <= 8 {
				found = n
			}
			return imagemeta.ErrStopWalking
		},
	})
	return found
}

func integer(v any) int {
	switch n := v.(type) {
	case uint8:
		return int(n)
	case uint16:
		return int(n)
	case uint32:
		return int(n)
	case int:
		return n
	}
	return 0
}

// lie tells how a picture that is not upright lies: rows are columns, and then
// columns and rows of the upright picture count from the other end.
func (m *Image) lie() (transposed, left, up bool) {
	switch m.Turn {
	case 2:
		return false, true, false
	case 3:
		return false, true, true
	case 4:
		return false, false, true
	case 5:
		return true, false, false
	case 6:
		return true, true, false
	case 7:
		return true, true, true
	case 8:
		return true, false, true
	}
	return false, false, false
}

// upright are the sides of the upright picture.
func (m *Image) upright() (width, height int) {
	if m.Turn >= 5 {
		return m.Height, m.Width
	}
	return m.Width, m.Height
}

// turn makes m the picture src as it is to be seen, by its EXIF orientation.
func (m *Image) turn(src *Image, orientation int) {
	w, h := src.Width, src.Height
	if orientation >= 5 {
		m.resize(h, w)
	} else {
		m.resize(w, h)
	}
	from, to := src.planes(), m.planes()
	for c := range to {
		turnPlane(to[c], from[c], w, h, orientation)
	}
}

// turnPlane writes src, w x h, upright into dst. It goes by squares, which keeps
// both sides in the cache.
func turnPlane(dst, src []uint8, w, h, orientation int) {
	// A pixel (x, y) of src goes to start + x*dx + y*dy of dst.
	var start, dx, dy int
	switch orientation {
	case 2: // mirrored
		start, dx, dy = w-1, -1, w
	case 3: // by 180 degrees
		start, dx, dy = w*h-1, -1, -w
	case 4: // upside down, mirrored
		start, dx, dy = w*(h-1), 1, -w
	case 5: // over the diagonal
		start, dx, dy = 0, h, 1
	case 6: // by 90 degrees, clockwise
		start, dx, dy = h-1, h, -1
	case 7: // over the other diagonal
		start, dx, dy = w*h-1, -h, -1
	case 8: // by 90 degrees, counter-clockwise
		start, dx, dy = h*(w-1), -h, 1
	default:
		copy(dst, src)
		return
	}
	const square = 32
	for y0 := 0; y0 < h; y0 += square {
		y1 := min(h, y0+square)
		for x0 := 0; x0 < w; x0 += square {
			x1 := min(w, x0+square)
			for y := y0; y < y1; y++ {
				at := start + x0*dx + y*dy
				for _, v := range src[y*w+x0 : y*w+x1] {
					dst[at] = v
					at += dx
				}
			}
		}
	}
}
