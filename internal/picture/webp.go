package picture

import (
	"bytes"
	"encoding/binary"
	"image"

	"golang.org/x/image/webp"
)

// webpDimensions reads the sides of a WebP picture.
func webpDimensions(data []byte) (width, height int, err error) {
	still, _, err := firstFrame(data)
	if err != nil {
		return 0, 0, err
	}
	c, err := webp.DecodeConfig(bytes.NewReader(still))
	return c.Width, c.Height, err
}

// firstFrame returns a WebP file without an animation: data itself, or one that
// is made of its first frame.
func firstFrame(data []byte) (still []byte, animated bool, err error) {
	const animationBit, alphaBit = 1 << 1, 1 << 4
	if len(data) < 30 || string(data[12:16]) != "VP8X" || data[20]&animationBit == 0 {
		return data, false, nil
	}
	for at := 12; at+8 <= len(data); {
		size := int64(binary.LittleEndian.Uint32(data[at+4:]))
		if int64(at)+8+size > int64(len(data)) {
			break
		}
		content := data[at+8 : at+8+int(size)]
		if string(data[at:at+4]) == "ANMF" && len(content) > 16 {
			frame := content[16:]
			out := append([]byte("RIFF\x00\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00\x00\x00\x00\x00"), content[6:12]...)
			if string(frame[:min(4, len(frame))]) == "ALPH" {
				out[20] = alphaBit
			}
			out = append(out, frame...)
			binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
			return out, true, nil
		}
		at += 8 + int(size+size&1)
	}
	return nil, true, fault(Damaged, "the WebP is damaged: it has no frame")
}

// decodeWebP decodes a picture of width x height pixels into m. Of an animation
// it is the first frame, which nearly always fills the picture.
func decodeWebP(m *Image, data []byte, width, height int) error {
	still, _, err := firstFrame(data)
	if err != nil {
		return err
	}
	decoded, err := webp.Decode(bytes.NewReader(still))
	if err != nil {
		return err
	}
	if b := decoded.Bounds(); b.Dx() != width || b.Dy() != height {
		return fault(Damaged, "the WebP is damaged: its header says %d x %d pixels, and there are %d x %d", width, height, b.Dx(), b.Dy())
	}
	m.resize(width, height)
	switch s := decoded.(type) {
	case *image.YCbCr:
		m.takeVP8(s)
	case *image.NYCbCrA:
		m.takeVP8(&s.YCbCr)
		for y := range height {
			alpha := s.A[y*s.AStride:][:width]
			for _, p := range m.planes() {
				row := p[y*width:][:width]
				for x, a := range alpha {
					row[x] = onWhite(row[x], a)
				}
			}
		}
	default:
		return m.take(decoded)
	}
	return nil
}

// takeVP8 converts the planes of a lossy WebP picture, whose luma goes from 16
// to 235 and whose colours lie between those of four pixels. As libwebp does,
// the four nearest colours count 9, 3, 3 and 1 sixteenths.
func (m *Image) takeVP8(s *image.YCbCr) {
	w, h := m.Width, m.Height
	cw, ch := (w+1)/2, (h+1)/2
	u, v := make([]uint8, w), make([]uint8, w)
	for y := range h {
		near := y / 2
		far := near + 1
		if y%2 == 0 {
			far = near - 1
		}
		far = min(max(far, 0), ch-1)
		upsample(u, s.Cb[near*s.CStride:][:cw], s.Cb[far*s.CStride:][:cw])
		upsample(v, s.Cr[near*s.CStride:][:cw], s.Cr[far*s.CStride:][:cw])
		at := y * w
		r, g, b := m.R[at:at+w], m.G[at:at+w], m.B[at:at+w]
		for x, luma := range s.Y[y*s.YStride:][:w] {
			yy, uu, vv := int(luma)*19077>>8, int(u[x]), int(v[x])
			r[x] = clip6(yy + vv*26149>>8 - 14234)
			g[x] = clip6(yy - uu*6419>>8 - vv*13320>>8 + 8708)
			b[x] = clip6(yy + uu*33050>>8 - 17685)
		}
	}
}

// clip6 drops 6 bits of fraction.
func clip6(v int) uint8 { return uint8(min(max(v>>6, 0), 255)) }

// upsample doubles a row of colours, with its neighbour above or below.
func upsample(dst, near, far []uint8) {
	for x := range dst {
		i := x / 2
		j := i + 1
		if x%2 == 0 {
			j = i - 1
		}
		j = min(max(j, 0), len(near)-1)
		a, b, c, d := int(near[i]), int(near[j]), int(far[i]), int(far[j])
		dst[x] = vp8Mix(a, b, c, d)
	}
}

// vp8Mix is (9a + 3b + 3c + d + 8)/16 in the steps in which libwebp takes it.
func vp8Mix(a, b, c, d int) uint8 {
	sum := a + b + c + d + 8
	diagonal := (sum + 2*(b+c)) >> 3
	return uint8((diagonal + a) >> 1)
}
