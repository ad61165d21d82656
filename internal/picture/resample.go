package picture

import "slices"

// half rounds a sum of weights.
const half = 1 << (fraction - 1)

// resampler resizes planes and keeps its memory.
type resampler struct {
	across, down taps
	middle       []uint8 // one plane, resized across alone
}

// plan prepares a resizing of planes of w x h pixels to outW x outH, of which
// the rectangle from (x0, y0) to (x1, y1) is wanted.
func (r *resampler) plan(w, h, outW, outH, x0, y0, x1, y1 int, f Filter) {
	r.across.plan(w, outW, x0, x1, f)
	r.down.plan(h, outH, y0, y1, f)
}

// plane resizes src, whose rows are width long, into dst, as planned: rows of
// x1-x0 pixels, stride apart. As in Pillow, a row is resized across and rounded
// first; a direction whose size stays is left alone.
func (r *resampler) plane(dst []uint8, stride int, src []uint8, width int) {
	columns, rows := len(r.across.first), len(r.down.first)
	from, to := r.down.inputs()
	if r.down.in == r.down.out {
		from, to = r.down.low, r.down.high
	}
	middle, step := src[from*width:], width
	if r.across.in != r.across.out {
		n := (to - from) * columns
		r.middle = slices.Grow(r.middle[:0], n)[:n]
		resizeAcross(r.middle, src[from*width:to*width], width, &r.across)
		middle, step = r.middle, columns
	} else {
		middle = middle[r.across.low:]
	}
	for y := range rows {
		out := dst[y*stride : y*stride+columns]
		if r.down.in == r.down.out {
			copy(out, middle[y*step:])
			continue
		}
		first := int(r.down.first[y]) - from
		resizeDown(out, middle[first*step:], step, r.down.weights[y*r.down.size:(y+1)*r.down.size])
	}
}

// resizeAcrossGo resizes the rows of src, width long, into rows of len(t.first).
func resizeAcrossGo(dst, src []uint8, width int, t *taps) {
	columns := len(t.first)
	for len(src) >= width && len(src) > 0 {
		row := src[:width]
		for i, first := range t.first {
			weights := t.weights[i*t.size : (i+1)*t.size]
			pixels := row[first:][:len(weights)]
			sum := int32(half)
			for j, w := range weights {
				sum += int32(pixels[j]) * w
			}
			dst[i] = clip(sum)
		}
		src, dst = src[width:], dst[columns:]
	}
}

// resizeDownGo makes one row of the rows of src, which begin stride apart.
func resizeDownGo(dst, src []uint8, stride int, weights []int32) {
	for x := range dst {
		sum := int32(half)
		for j, w := range weights {
			sum += int32(src[j*stride+x]) * w
		}
		dst[x] = clip(sum)
	}
}

// clip drops the fraction.
func clip(sum int32) uint8 { return uint8(min(max(sum>>fraction, 0), 255)) }
