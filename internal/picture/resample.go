package picture

import "slices"

// half rounds a sum of weights.
const half = 1 << (fraction - 1)

// resampler resizes planes and keeps its memory.
type resampler struct {
	across, down taps
	downFirst    bool
	middle       []uint8 // one plane, resized in one direction
}

// plan prepares a resizing of the planes of m to outW x outH, of which the
// rectangle from (x0, y0) to (x1, y1) is wanted: sides and rectangle are those of
// the upright picture. As in Pillow (13), pixels are resized across first and
// rounded in between, unless a picture grows in width and shrinks in height.
// transposed tells that rows and columns of what plane makes change places.
func (r *resampler) plan(m *Image, outW, outH, x0, y0, x1, y1 int, f Filter) (transposed bool) {
	width, height := m.upright()
	transposed, left, up := m.lie()
	r.downFirst = outW > width && outH < height
	if !transposed {
		r.across.plan(width, outW, x0, x1, f, left)
		r.down.plan(height, outH, y0, y1, f, up)
		return false
	}
	// What is across in the upright picture is down in the planes.
	r.downFirst = !r.downFirst
	r.down.plan(width, outW, x0, x1, f, left)
	r.across.plan(height, outH, y0, y1, f, up)
	return true
}

// plane resizes src, whose rows are width long, into dst, as planned.
func (r *resampler) plane(dst []uint8, src []uint8, width int) {
	columns := len(r.across.first)
	left, right := r.across.inputs()
	top, bottom := r.down.inputs()
	switch {
	case r.downFirst && !r.down.same() && !r.across.same():
		n := len(r.down.first) * (right - left)
		r.middle = slices.Grow(r.middle[:0], n)[:n]
		r.rows(r.middle, right-left, src[left:], width, 0)
		for i := range r.across.first {
			r.across.first[i] -= int32(left)
		}
		resizeAcross(dst, r.middle, right-left, &r.across)
		for i := range r.across.first {
			r.across.first[i] += int32(left)
		}
	case r.down.same():
		rows := src[r.down.low*width : r.down.high*width]
		if !r.across.same() {
			resizeAcross(dst, rows, width, &r.across)
			return
		}
		for len(dst) >= columns && len(rows) > 0 {
			copy(dst[:columns], rows[r.across.low:])
			dst, rows = dst[columns:], rows[width:]
		}
	case r.across.same():
		r.rows(dst, columns, src[r.across.low:], width, 0)
	default:
		n := (bottom - top) * columns
		r.middle = slices.Grow(r.middle[:0], n)[:n]
		resizeAcross(r.middle, src[top*width:bottom*width], width, &r.across)
		r.rows(dst, columns, r.middle, columns, top)
	}
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
