package dbscan

import (
	"context"
	"slices"

	"github.com/bertopic-go/bertopic/internal/par"
)

// leafSize is the number of points below which a node is not split.
const leafSize = 24

// tree is a kd-tree: each node is a run of order with a bounding box.
type tree struct {
	n, d   int
	points []float64
	order  []int32
	nodes  []node
	boxes  []float64 // 2d a node: lower bounds, upper bounds
}

// node holds the points order[lo:hi]. Its left child follows it, its right
// child is right; 0 in a leaf.
type node struct{ lo, hi, right int32 }

func newTree(points []float64, n, d int) *tree {
	t := &tree{n: n, d: d, points: points, order: make([]int32, n)}
	for i := range t.order {
		t.order[i] = int32(i)
	}
	if n > 0 {
		t.build(0, n)
	}
	return t
}

func (t *tree) row(i int) []float64 { return t.points[i*t.d : (i+1)*t.d : (i+1)*t.d] }

func (t *tree) build(lo, hi int) int32 {
	at := int32(len(t.nodes))
	t.nodes = append(t.nodes, node{int32(lo), int32(hi), 0})
	d := t.d
	first := t.row(int(t.order[lo]))
	t.boxes = append(t.boxes, first...)
	t.boxes = append(t.boxes, first...)
	box := t.boxes[int(at)*2*d:]
	for _, i := range t.order[lo:hi] {
		for c, v := range t.row(int(i)) {
			box[c], box[d+c] = min(box[c], v), max(box[d+c], v)
		}
	}
	axis, width := 0, 0.0
	for c := range d {
		if w := box[d+c] - box[c]; w > width {
			axis, width = c, w
		}
	}
	if hi-lo <= leafSize || width == 0 {
		return at
	}
	run := t.order[lo:hi]
	slices.SortFunc(run, func(a, b int32) int {
		x, y := t.points[int(a)*d+axis], t.points[int(b)*d+axis]
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return int(a - b)
	})
	mid := (lo + hi) / 2
	t.build(lo, mid)
	right := t.build(mid, hi)
	t.nodes[at].right = right
	return at
}

// each calls f for every point, with a search of the calling goroutine's own.
func (t *tree) each(ctx context.Context, threads int, f func(s *search, i int)) error {
	par.Blocks(threads, t.n, grain, func(_, lo, hi int) {
		s := search{t: t}
		for i := lo; i < hi && ctx.Err() == nil; i++ {
			f(&s, i)
		}
	})
	return ctx.Err()
}

// search walks a tree with a stack of its own.
type search struct {
	t     *tree
	stack []int32
}

// reach returns the squared distances from q to the nearest and to the
// farthest point of a node's box.
func (t *tree) reach(at int32, q []float64) (near, far float64) {
	d := len(q)
	box := t.boxes[int(at)*2*d : int(at+1)*2*d]
	lower, upper := box[:d], box[d:2*d]
	for c, v := range q {
		a, b := lower[c]-v, v-upper[c]
		if a > 0 {
			near += float64(a * a)
		} else if b > 0 {
			near += float64(b * b)
		}
		f := max(v-lower[c], upper[c]-v)
		far += float64(f * f)
	}
	return near, far
}

// count reports whether points of a summed weight of at least want lie within
// the squared radius r.
func (s *search) count(q []float64, r float64, weight []int32, want int) bool {
	t := s.t
	found := 0
	s.stack = append(s.stack[:0], 0)
	for len(s.stack) > 0 && found < want {
		at := s.stack[len(s.stack)-1]
		s.stack = s.stack[:len(s.stack)-1]
		near, far := t.reach(at, q)
		if near > r {
			continue
		}
		nd := t.nodes[at]
		switch {
		case far <= r:
			// Monotone rounding: no point of the box is farther than far.
			for _, i := range t.order[nd.lo:nd.hi] {
				found += int(weight[i])
			}
		case nd.right == 0:
			for _, i := range t.order[nd.lo:nd.hi] {
				if square(q, t.row(int(i))) <= r {
					found += int(weight[i])
				}
			}
		default:
			s.stack = append(s.stack, nd.right, at+1)
		}
	}
	return found >= want
}

// visit calls f with each point within the squared radius r of q and its
// squared distance, in an order that depends on the points alone.
func (s *search) visit(q []float64, r float64, f func(j int32, square float64)) {
	t := s.t
	if t.n == 0 {
		return
	}
	s.stack = append(s.stack[:0], 0)
	for len(s.stack) > 0 {
		at := s.stack[len(s.stack)-1]
		s.stack = s.stack[:len(s.stack)-1]
		if near, _ := t.reach(at, q); near > r {
			continue
		}
		nd := t.nodes[at]
		if nd.right != 0 {
			s.stack = append(s.stack, nd.right, at+1)
			continue
		}
		for _, i := range t.order[nd.lo:nd.hi] {
			if v := square(q, t.row(int(i))); v <= r {
				f(i, v)
			}
		}
	}
}

// square returns the squared distance of p and q, summed in index order.
func square(p, q []float64) float64 {
	q = q[:len(p)]
	var s float64
	for i, v := range p {
		t := v - q[i]
		s += float64(t * t)
	}
	return s
}
