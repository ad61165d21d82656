package hdbscan

import (
	"math"

	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/rng"
)

// metric is a distance that is compared in a reduced form: squared for
// Euclidean, as it is for Manhattan. All searching happens on reduced values.
type metric uint8

const (
	euclidean metric = iota
	manhattan
)

func metricOf(name string) metric {
	if name == "manhattan" {
		return manhattan
	}
	return euclidean
}

// distance undoes the reduction.
func (m metric) distance(reduced float64) float64 {
	if m == euclidean {
		return math.Sqrt(reduced)
	}
	return reduced
}

// scale is the factor on reduced distances that divides distances by alpha.
func (m metric) scale(alpha float64) float64 {
	if m == euclidean {
		return 1 / (alpha * alpha)
	}
	return 1 / alpha
}

// leafSize is the most points in a leaf.
const leafSize = 16

// kdTree is a balanced tree over n points of d dimensions. Nodes lie as in a
// heap: the children of node i are 2i+1 and 2i+2, all leaves on one level.
// Points are stored in leaf order; position p holds the point ids[p].
//
// Bounding boxes are tight. The reduced distance to a box adds the same terms
// in the same order as that to a point, each term no larger, and rounding is
// monotone: so it never exceeds that of a point inside, not even in the last
// bit, and pruning on it is exact.
type kdTree struct {
	n, d   int
	metric metric
	x      []float64 // n x d in leaf order
	ids    []int32   // position -> point
	lo, hi []int32   // node -> positions lo..hi-1
	box    []float64 // node -> d minima, d maxima
	leaf0  int       // the first leaf; nodes from here on are leaves
}

// newKDTree builds a tree over the n x d matrix x, which is only read.
func newKDTree(x []float64, n, d int, m metric, threads int) *kdTree {
	levels := 0
	for (n+(1<<levels)-1)>>levels > leafSize {
		levels++
	}
	nodes := 1<<(levels+1) - 1
	t := &kdTree{
		n: n, d: d, metric: m, leaf0: 1<<levels - 1,
		x: make([]float64, n*d), ids: make([]int32, n),
		lo: make([]int32, nodes), hi: make([]int32, nodes), box: make([]float64, nodes*2*d),
	}
	for i := range t.ids {
		t.ids[i] = int32(i)
	}
	t.hi[0] = int32(n)
	// Level by level: a node's halves are disjoint, so nodes run in parallel.
	for level := 0; level <= levels; level++ {
		first := 1<<level - 1
		par.Blocks(threads, 1<<level, 1, func(_, k, _ int) { t.split(first+k, x) })
	}
	par.Blocks(threads, n, 4096, func(_, lo, hi int) {
		for p := lo; p < hi; p++ {
			copy(t.x[p*d:(p+1)*d], x[int(t.ids[p])*d:])
		}
	})
	return t
}

// split computes the box of a node and, unless it is a leaf, orders its points
// around the median of the widest dimension.
func (t *kdTree) split(node int, x []float64) {
	d := t.d
	lo, hi := int(t.lo[node]), int(t.hi[node])
	mins, maxs := t.box[node*2*d:node*2*d+d], t.box[node*2*d+d:(node+1)*2*d]
	first := int(t.ids[lo]) * d
	copy(mins, x[first:first+d])
	copy(maxs, x[first:first+d])
	for _, id := range t.ids[lo+1 : hi] {
		for j, v := range x[int(id)*d : (int(id)+1)*d] {
			if v < mins[j] {
				mins[j] = v
			}
			if v > maxs[j] {
				maxs[j] = v
			}
		}
	}
	if node >= t.leaf0 {
		return
	}
	dim, width := 0, -1.0
	for j := range mins {
		if w := maxs[j] - mins[j]; w > width {
			dim, width = j, w
		}
	}
	mid := (lo + hi) / 2
	selectNth(t.ids[lo:hi], mid-lo, x, d, dim)
	l, r := 2*node+1, 2*node+2
	t.lo[l], t.hi[l] = int32(lo), int32(mid)
	t.lo[r], t.hi[r] = int32(mid), int32(hi)
}

// selectNth partitions ids such that those before k come before the rest in
// the order (coordinate dim, id). Pivots are drawn by a hash, so no input
// order is slow.
func selectNth(ids []int32, k int, x []float64, d, dim int) {
	for step := uint64(0); len(ids) > 1; step++ {
		p := ids[rng.Below(rng.Hash2(uint64(k), uint64(len(ids)), step), len(ids))]
		pv := x[int(p)*d+dim]
		i, j := 0, len(ids)-1
		for i <= j {
			for v := x[int(ids[i])*d+dim]; v < pv || v == pv && ids[i] < p; v = x[int(ids[i])*d+dim] {
				i++
			}
			for v := x[int(ids[j])*d+dim]; v > pv || v == pv && ids[j] > p; v = x[int(ids[j])*d+dim] {
				j--
			}
			if i <= j {
				ids[i], ids[j] = ids[j], ids[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			ids = ids[:j+1]
		case k >= i:
			ids, k = ids[i:], k-i
		default:
			return
		}
	}
}

// boxDistance is the reduced distance from q to the box of a node, 0 inside.
// Once the sum exceeds limit it may stop short: the result is then too small,
// but above limit.
func (t *kdTree) boxDistance(q []float64, node int, limit float64) float64 {
	const stride = 8 // dimensions between looks at limit
	d := len(q)
	mins := t.box[node*2*d:][:d]
	maxs := t.box[node*2*d+d:][:d]
	s := 0.0
	for len(q) > stride {
		s = addGaps(s, q[:stride], mins[:stride], maxs[:stride], t.metric)
		if s > limit {
			return s
		}
		q, mins, maxs = q[stride:], mins[stride:], maxs[stride:]
	}
	return addGaps(s, q, mins, maxs, t.metric)
}

// childDistances are the reduced distances from q to the boxes of the children
// of a node, as boxDistance gives them.
func (t *kdTree) childDistances(q []float64, node int, limit float64) (left, right float64) {
	if t.d == 5 && t.metric == euclidean {
		p, b := (*[5]float64)(q), t.box[(2*node+1)*10:]
		return boxDistance5(p, (*[10]float64)(b)), boxDistance5(p, (*[10]float64)(b[10:]))
	}
	return t.boxDistance(q, 2*node+1, limit), t.boxDistance(q, 2*node+2, limit)
}

// boxDistance5 is boxDistance for the squared Euclidean case in five
// dimensions; the same values in the same order.
func boxDistance5(q *[5]float64, box *[10]float64) float64 {
	g0, g1, g2, g3, g4 := gap(q[0], box[0], box[5]), gap(q[1], box[1], box[6]), gap(q[2], box[2], box[7]), gap(q[3], box[3], box[8]), gap(q[4], box[4], box[9])
	s := float64(g0 * g0)
	s += float64(g1 * g1)
	s += float64(g2 * g2)
	s += float64(g3 * g3)
	s += float64(g4 * g4)
	return s
}

// gap is max(lo-v, v-hi, 0) without a comparison: x+|x| is 2x or 0, exactly,
// and one of the two always is 0.
func gap(v, lo, hi float64) float64 {
	a, b := lo-v, v-hi
	return 0.5 * ((a + math.Abs(a)) + (b + math.Abs(b)))
}

// addGaps adds to s how far q is outside of the box in each dimension. max has
// no branch, where the outcome of a comparison would be a coin toss.
func addGaps(s float64, q, mins, maxs []float64, m metric) float64 {
	mins, maxs = mins[:len(q)], maxs[:len(q)]
	if m == euclidean {
		for j, v := range q {
			g := max(mins[j]-v, v-maxs[j], 0)
			s += float64(g * g)
		}
		return s
	}
	for j, v := range q {
		s += max(mins[j]-v, v-maxs[j], 0)
	}
	return s
}

// reducedDistances fills dst[i] with the reduced distance from q to row i of
// x, len(dst) x len(q) row-major. float64(...) keeps the compiler from fusing
// multiply and add, so that every machine gives the same bits.
func reducedDistances(dst, q, x []float64, m metric) {
	d := len(q)
	if m == euclidean && d == 5 {
		reducedDistances5(dst, q, x)
		return
	}
	x = x[:len(dst)*d]
	for i := range dst {
		row := x[i*d:][:len(q)]
		s := 0.0
		if m == euclidean {
			for j, v := range q {
				g := row[j] - v
				s += float64(g * g)
			}
		} else {
			for j, v := range q {
				s += math.Abs(row[j] - v)
			}
		}
		dst[i] = s
	}
}

// reducedDistances5 is the squared Euclidean case in five dimensions, what
// UMAP hands over by default; the same operations in the same order.
func reducedDistances5(dst, q, x []float64) {
	q0, q1, q2, q3, q4 := q[0], q[1], q[2], q[3], q[4]
	for i := range dst {
		r := x[i*5:][:5]
		g0, g1, g2, g3, g4 := r[0]-q0, r[1]-q1, r[2]-q2, r[3]-q3, r[4]-q4
		s := float64(g0 * g0)
		s += float64(g1 * g1)
		s += float64(g2 * g2)
		s += float64(g3 * g3)
		s += float64(g4 * g4)
		dst[i] = s
	}
}

// neighbor is a point, by id, at a reduced distance.
type neighbor struct {
	dist float64
	id   int32
	pos  int32
}

// after is the order of neighbours: by distance, then by id.
func (a neighbor) after(b neighbor) bool {
	return a.dist > b.dist || a.dist == b.dist && a.id > b.id
}

// knnSearch holds the scratch of one goroutine's nearest neighbour queries.
type knnSearch struct {
	t    *kdTree
	k    int
	q    []float64
	heap []neighbor // the k best so far, the worst on top
	buf  [leafSize]float64
}

func newKNNSearch(t *kdTree, k int) *knnSearch {
	k = min(k, t.n)
	return &knnSearch{t: t, k: k, heap: make([]neighbor, 0, k)}
}

// query returns the min(k, n) nearest points to q in the order (distance, id).
// The slice is valid until the next query.
func (s *knnSearch) query(q []float64) []neighbor {
	s.q = q
	s.heap = s.heap[:0]
	s.visit(0)
	h := s.heap
	for n := len(h) - 1; n > 0; n-- { // heap sort, the rest of it
		h[0], h[n] = h[n], h[0]
		siftDown(h[:n])
	}
	return h
}

// limit is the distance beyond which no point is wanted.
func (s *knnSearch) limit() float64 {
	if len(s.heap) < s.k {
		return math.Inf(1)
	}
	return s.heap[0].dist
}

func (s *knnSearch) visit(node int) {
	t := s.t
	if node >= t.leaf0 {
		s.scan(int(t.lo[node]), int(t.hi[node]))
		return
	}
	near, far := 2*node+1, 2*node+2
	limit := s.limit()
	dn, df := t.childDistances(s.q, node, limit)
	if df < dn {
		near, far, dn, df = far, near, df, dn
	}
	if dn <= limit {
		s.visit(near)
	}
	if df <= s.limit() {
		s.visit(far)
	}
}

func (s *knnSearch) scan(lo, hi int) {
	t := s.t
	dst := s.buf[:hi-lo]
	reducedDistances(dst, s.q, t.x[lo*t.d:hi*t.d], t.metric)
	for i, dist := range dst {
		if len(s.heap) == s.k && dist > s.heap[0].dist {
			continue
		}
		e := neighbor{dist, t.ids[lo+i], int32(lo + i)}
		if len(s.heap) < s.k {
			s.heap = append(s.heap, e)
			siftUp(s.heap)
		} else if s.heap[0].after(e) {
			s.heap[0] = e
			siftDown(s.heap)
		}
	}
}

func siftUp(h []neighbor) {
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if !h[i].after(h[up]) {
			return
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
}

func siftDown(h []neighbor) {
	if len(h) == 0 {
		return
	}
	e := h[0]
	i := 0
	for {
		c := 2*i + 1
		if c >= len(h) {
			break
		}
		if c+1 < len(h) && h[c+1].after(h[c]) {
			c++
		}
		if !h[c].after(e) {
			break
		}
		h[i] = h[c]
		i = c
	}
	h[i] = e
}
