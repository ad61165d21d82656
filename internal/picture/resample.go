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
// x1-x0 pixels. As in Pillow (13), pixels are resized across first and rounded
// in between, unless a picture grows in width and shrinks in height; a direction
// whose size stays is left alone.
func (r *resampler) plane(dst []uint8, src []uint8, width int) {
	columns := r.across.high - r.across.low
	top, bottom := r.down.inputs()
	if r.across.out > r.across.in && r.down.out < r.down.in {
		left, right := r.across.inputs()
		n := len(r.down.first) * (right - left)
		r.middle = slices.Grow(r.middle[:0], n)[:n]
		r.rows(r.middle, right-left, src[left:], width, 0)
		r.across.shifted(left, func() { resizeAcross(dst, r.middle, right-left, &r.across) })
		return
	}
	middle, step := src[top*width:], width
	if r.across.in != r.across.out {
		n := (bottom - top) * columns
		r.middle = slices.Grow(r.middle[:0], n)[:n]
		resizeAcross(r.middle, src[top*width:bottom*width], width, &r.across)
		middle, step = r.middle, columns
	} else {
		middle = middle[r.across.low:]
	}
	if r.down.in == r.down.out {
		for y := range r.down.high - r.down.low {
			copy(dst[y*columns:(y+1)*columns], middle[y*step:])
		}
		return
	}
	r.rows(dst, columns, middle, step, top)
}

// rows writes the rows of dst, columns long, from those of src, which lie step
// apart and begin with row top of the picture.
func (r *resampler) rows(dst []uint8, columns int, src []uint8, step, top int) {
	for y, first := range r.down.first {
		weights := r.down.weights[y*r.down.size : (y+1)*r.down.size]
		resizeDown(dst[y*columns:(y+1)*columns], src[(int(first)-top)*step:], step, weights)
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
