package picture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image/png"
	"io"
	"slices"

	"github.com/klauspost/compress/zlib"
)

// pngDecoder decodes PNG files that are not interlaced, straight into planes; the
// decoder of the standard library makes pixels of four or eight bytes first and
// takes about twice as long. It keeps its memory.
type pngDecoder struct {
	width, height int
	depth         int // bits a sample
	kind          byte
	palette       [256][3]uint8
	colors        int
	transparent   [3]uint16 // a colour that is not seen, if keyed
	keyed         bool

	packed    []byte // the compressed data, where it lies in several chunks
	rows      [2][]byte
	unpacking io.ReadCloser // a zlib.Resetter
}

// The kinds of pixels of a PNG file.
const (
	pngGray      = 0
	pngRGB       = 2
	pngPalette   = 3
	pngGrayAlpha = 4
	pngRGBA      = 6
)

// pngSamples are those of a pixel.
var pngSamples = map[byte]int{pngGray: 1, pngRGB: 3, pngPalette: 1, pngGrayAlpha: 2, pngRGBA: 4}

// isInterlaced tells whether a PNG file whose header has been read is.
func isInterlaced(data []byte) bool { return len(data) > 28 && data[28] != 0 }

func damagedPNG(text string) *Error { return fault(Damaged, "the PNG is damaged: %s", text) }

// decode decodes a file, whose header is known to be sound, into m.
func (d *pngDecoder) decode(m *Image, data []byte) error {
	if isInterlaced(data) {
		decoded, err := png.Decode(bytes.NewReader(data))
		if err != nil {
			return err
		}
		b := decoded.Bounds()
		m.resize(b.Dx(), b.Dy())
		return m.take(decoded)
	}
	packed, e := d.chunks(data)
	if e != nil {
		return e
	}
	source := bytes.NewReader(packed)
	var err error
	if d.unpacking == nil {
		d.unpacking, err = zlib.NewReader(source)
	} else {
		err = d.unpacking.(zlib.Resetter).Reset(source, nil)
	}
	if err == nil {
		m.resize(d.width, d.height)
		err = d.pixels(m)
	}
	switch {
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return damagedPNG("it ends too early")
	case err != nil:
		return err
	}
	return nil
}

// chunks reads what stands beside the pixels and returns their compressed bytes.
func (d *pngDecoder) chunks(data []byte) ([]byte, *Error) {
	*d = pngDecoder{packed: d.packed[:0], rows: d.rows, unpacking: d.unpacking}
	var only []byte // of the one chunk of pixels
	parts := 0
	rest := data[8:]
	for len(rest) >= 8 {
		size := int64(binary.BigEndian.Uint32(rest))
		kind := string(rest[4:8])
		if size+12 > int64(len(rest)) {
			return nil, damagedPNG("it ends too early")
		}
		end := size + 8
		content := rest[8:end]
		if crc32.ChecksumIEEE(rest[4:end]) != binary.BigEndian.Uint32(rest[end:]) {
			return nil, damagedPNG("the checksum of its part " + kind + " is wrong")
		}
		switch kind {
		case "IHDR":
			if e := d.header(content); e != nil {
				return nil, e
			}
		case "PLTE":
			d.colors = min(len(content)/3, 256)
			for i := range d.colors {
				copy(d.palette[i][:], content[3*i:])
			}
		case "tRNS":
			d.transparency(content)
		case "IDAT":
			if parts++; parts == 1 {
				only = content
			} else {
				if parts == 2 {
					d.packed = append(d.packed, only...)
				}
				d.packed = append(d.packed, content...)
			}
		}
		if rest = rest[end+4:]; kind == "IEND" {
			break
		}
	}
	switch {
	case parts == 0:
		return nil, damagedPNG("it has no pixels")
	case d.kind == pngPalette && d.colors == 0:
		return nil, damagedPNG("it has no palette")
	case parts == 1:
		return only, nil
	}
	return d.packed, nil
}

func (d *pngDecoder) header(b []byte) *Error {
	if len(b) != 13 || d.width > 0 {
		return damagedPNG("its header makes no sense")
	}
	d.width, d.height = int(binary.BigEndian.Uint32(b)), int(binary.BigEndian.Uint32(b[4:]))
	d.depth, d.kind = int(b[8]), b[9]
	return nil
}

// transparency reads what is not seen: by entry of the palette, or one colour.
func (d *pngDecoder) transparency(b []byte) {
	switch {
	case d.kind == pngPalette:
		for i, a := range b[:min(len(b), 256)] { // also beyond the palette: black
			for c := range 3 {
				d.palette[i][c] = onWhite(d.palette[i][c], a)
			}
		}
	case d.kind == pngGray && len(b) >= 2, d.kind == pngRGB && len(b) >= 6:
		d.keyed = true
		for c := range len(b) / 2 {
			if c < 3 {
				d.transparent[c] = binary.BigEndian.Uint16(b[2*c:])
			}
		}
	}
}

// pixels unpacks the rows, undoes their filters and writes them into m.
func (d *pngDecoder) pixels(m *Image) error {
	samples := pngSamples[d.kind]
	length := 1 + (d.width*samples*d.depth+7)/8
	step := max(1, samples*d.depth/8) // bytes from a pixel to its neighbour's
	for i := range d.rows {
		d.rows[i] = slices.Grow(d.rows[i][:0], length)[:length]
	}
	current, above := d.rows[0], d.rows[1]
	clear(above)
	for y := range d.height {
		if _, err := io.ReadFull(d.unpacking, current); err != nil {
			return err
		}
		if !unfilter(current[0], current[1:], above[1:], step) {
			return damagedPNG("a row has an unknown filter")
		}
		at := y * d.width
		d.take(m.R[at:at+d.width], m.G[at:at+d.width], m.B[at:at+d.width], current[1:])
		current, above = above, current
	}
	// What follows is the checksum over all.
	switch n, err := d.unpacking.Read(current[:1]); {
	case n > 0:
		return damagedPNG("it has more pixels than its header says")
	case err != io.EOF:
		return err
	}
	return nil
}

// unfilter makes samples of the bytes of a row. above is the row before.
func unfilter(filter byte, row, above []byte, step int) bool {
	above = above[:len(row)]
	switch filter {
	case 0:
	case 1:
		for i := step; i < len(row); i++ {
			row[i] += row[i-step]
		}
	case 2:
		for i, b := range above {
			row[i] += b
		}
	case 3:
		for i := range min(step, len(row)) {
			row[i] += above[i] / 2
		}
		for i := step; i < len(row); i++ {
			row[i] += uint8((uint(row[i-step]) + uint(above[i])) / 2)
		}
	case 4:
		paeth(row, above, step)
	default:
		return false
	}
	return true
}

// paeth adds to each byte that of its three neighbours which is nearest to
// left + above - corner. Samples of a pixel go side by side where there are three
// or four, since each waits for the one on its left.
func paeth(row, above []byte, step int) {
	switch step {
	case 3:
		var l, c [3]int
		for i := 0; i+3 <= len(row); i += 3 {
			p, q := row[i:i+3:i+3], above[i:i+3:i+3]
			u0, u1, u2 := int(q[0]), int(q[1]), int(q[2])
			l[0] = (int(p[0]) + nearest(l[0], u0, c[0])) & 255
			l[1] = (int(p[1]) + nearest(l[1], u1, c[1])) & 255
			l[2] = (int(p[2]) + nearest(l[2], u2, c[2])) & 255
			c[0], c[1], c[2] = u0, u1, u2
			p[0], p[1], p[2] = uint8(l[0]), uint8(l[1]), uint8(l[2])
		}
	case 4:
		var l, c [4]int
		for i := 0; i+4 <= len(row); i += 4 {
			p, q := row[i:i+4:i+4], above[i:i+4:i+4]
			u0, u1, u2, u3 := int(q[0]), int(q[1]), int(q[2]), int(q[3])
			l[0] = (int(p[0]) + nearest(l[0], u0, c[0])) & 255
			l[1] = (int(p[1]) + nearest(l[1], u1, c[1])) & 255
			l[2] = (int(p[2]) + nearest(l[2], u2, c[2])) & 255
			l[3] = (int(p[3]) + nearest(l[3], u3, c[3])) & 255
			c[0], c[1], c[2], c[3] = u0, u1, u2, u3
			p[0], p[1], p[2], p[3] = uint8(l[0]), uint8(l[1]), uint8(l[2]), uint8(l[3])
		}
	default:
		for first := range min(step, len(row)) {
			left, corner := 0, 0
			for i := first; i < len(row); i += step {
				up := int(above[i])
				left = (int(row[i]) + nearest(left, up, corner)) & 255
				row[i] = uint8(left)
				corner = up
			}
		}
	}
}

// nearest is the one of left, up and corner that is nearest to left + up -
// corner, the first of equals.
func nearest(left, up, corner int) int {
	toLeft, toUp := up-corner, left-corner
	toCorner := toLeft + toUp
	toLeft, toUp, toCorner = max(toLeft, -toLeft), max(toUp, -toUp), max(toCorner, -toCorner)
	best := left
	if toUp < toLeft {
		best, toLeft = up, toUp
	}
	if toCorner < toLeft {
		best = corner
	}
	return best
}

// take writes the samples of a row.
func (d *pngDecoder) take(r, g, b []uint8, row []byte) {
	switch {
	case d.kind == pngPalette:
		for x := range r {
			c := &d.palette[sample(row, x, d.depth)]
			r[x], g[x], b[x] = c[0], c[1], c[2]
		}
	case d.depth == 16:
		d.takeWide(r, g, b, row)
	case d.kind == pngGray:
		scale := 255 / (1<<d.depth - 1)
		for x := range r {
			v := sample(row, x, d.depth)
			if d.keyed && uint16(v) == d.transparent[0] {
				v = 255 / uint8(scale)
			}
			v *= uint8(scale)
			r[x], g[x], b[x] = v, v, v
		}
	case d.kind == pngGrayAlpha:
		for x := range r {
			v := onWhite(row[2*x], row[2*x+1])
			r[x], g[x], b[x] = v, v, v
		}
	case d.kind == pngRGB:
		for x := range r {
			p := row[3*x : 3*x+3 : 3*x+3]
			r[x], g[x], b[x] = p[0], p[1], p[2]
		}
		if d.keyed {
			t := [3]uint16{d.transparent[0], d.transparent[1], d.transparent[2]}
			for x := range r {
				if t == [3]uint16{uint16(r[x]), uint16(g[x]), uint16(b[x])} {
					r[x], g[x], b[x] = 255, 255, 255
				}
			}
		}
	case d.kind == pngRGBA:
		for x := range r {
			p := row[4*x : 4*x+4 : 4*x+4]
			r[x], g[x], b[x] = onWhite(p[0], p[3]), onWhite(p[1], p[3]), onWhite(p[2], p[3])
		}
	}
}

// takeWide is take for samples of 16 bits.
func (d *pngDecoder) takeWide(r, g, b []uint8, row []byte) {
	samples := pngSamples[d.kind]
	for x := range r {
		p := row[2*samples*x : 2*samples*(x+1)]
		v := [3]uint8{p[0], p[0], p[0]}
		if samples >= 3 {
			v[1], v[2] = p[2], p[4]
		}
		seen := uint8(255)
		if d.kind == pngGrayAlpha || d.kind == pngRGBA {
			seen = p[len(p)-2]
		}
		if d.keyed {
			same := true
			for c := range samples {
				same = same && binary.BigEndian.Uint16(p[2*c:]) == d.transparent[c]
			}
			if same {
				seen = 0
			}
		}
		r[x], g[x], b[x] = onWhite(v[0], seen), onWhite(v[1], seen), onWhite(v[2], seen)
	}
}

// sample is the x-th of a row of samples of up to 8 bits.
func sample(row []byte, x, depth int) uint8 {
	if depth == 8 {
		return row[x]
	}
	each := 8 / depth
	return row[x/each] >> (8 - depth*(x%each+1)) & (1<<depth - 1)
}
