package hdbscan

import (
	"context"
	"math"
	"sync/atomic"

	"github.com/bertopic-go/bertopic/internal/par"
)

// span is an edge between two points, a < b by id. weight is the reduced
// mutual reachability distance max(core(a), core(b), dist/alpha), dist the
// reduced distance.
type span struct {
	weight, dist float64
	a, b         int32
}

// before is a strict total order on edges. Mutual reachability ties often: all
// edges from a point to neighbours closer than its core distance weigh the
// same. The distance breaks those ties by geometry rather than by row number,
// so the tree does not depend on the order of the rows; ids break the rest.
// With a strict order the minimum spanning tree is unique, whatever algorithm,
// pruning or number of threads finds it.
func (e span) before(f span) bool {
	switch {
	case e.weight != f.weight:
		return e.weight < f.weight
	case e.dist != f.dist:
		return e.dist < f.dist
	case e.a != f.a:
		return e.a < f.a
	default:
		return e.b < f.b
	}
}

// compareSpans is before for sorting; no two edges are equal.
func compareSpans(a, b span) int {
	if a.before(b) {
		return -1
	}
	return 1
}

func newSpan(weight, dist float64, a, b int32) span {
	return span{weight, dist, min(a, b), max(a, b)}
}

// primDims is the number of dimensions beyond which boxes prune so little that
// one pass over all pairs is cheaper. hdbscan switches at the same number.
const primDims = 60

// spanningTree returns the n-1 edges of the minimum spanning tree under the
// order of span, not sorted.
func spanningTree(ctx context.Context, t *kdTree, c *cores, p Params) ([]span, error) {
	if t.d > primDims {
		return prim(ctx, t, c.fit, p.Alpha, p.Threads)
	}
	return boruvka(ctx, t, c, p.Alpha, p.Threads)
}

// forest is the state of Boruvka's algorithm: every round each component finds
// its least edge to another one, and all of these are joined. Arrays are
// indexed by position in the tree unless said otherwise.
type forest struct {
	t     *kdTree
	c     *cores
	scale float64   // reduced distance -> that of distance/alpha
	core  []float64 // reduced core distances

	comp     []int32   // component: a position that stands for it
	parent   []int32   // union-find over positions
	nodeComp []int32   // tree node -> the component of all its points, or -1
	nodeCore []float64 // tree node -> least core distance

	best  []int32   // the other end of the least edge known to leave, or -1
	bestD []float64 // its distance
	bestW []float64 // its weight
	exact []bool    // best is the least of all edges that leave, not only of those seen
	floor []float64 // no edge of this point that leaves weighs less

	bound []atomic.Uint64 // component -> float64 bits of the least weight seen this round
}

// boruvka finds the spanning tree over the kd-tree. A point is searched only
// if its lower bound does not exceed what its component already has. The
// bounds are shared by goroutines while they fall, so how much work is saved
// depends on timing; the edge found does not, since only what is strictly
// worse than an edge in hand is ever skipped.
func boruvka(ctx context.Context, t *kdTree, c *cores, alpha float64, threads int) ([]span, error) {
	f := newForest(t, c, alpha)
	edges := make([]span, 0, t.n-1)
	for len(edges) < t.n-1 {
		f.markComponents()
		par.Blocks(threads, t.n, 1024, func(_, lo, hi int) {
			for p := lo; p < hi; p++ {
				f.fromList(p)
			}
		})
		par.Blocks(threads, t.n, queryBlock, func(_, lo, hi int) {
			if ctx.Err() != nil {
				return
			}
			s := nearestForeign{f: f}
			for p := lo; p < hi; p++ {
				s.search(p)
			}
		})
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		edges = f.join(edges)
	}
	return edges, nil
}

func newForest(t *kdTree, c *cores, alpha float64) *forest {
	n, nodes := t.n, len(t.lo)
	f := &forest{
		t: t, c: c, scale: t.metric.scale(alpha), core: make([]float64, n),
		comp: make([]int32, n), parent: make([]int32, n),
		nodeComp: make([]int32, nodes), nodeCore: make([]float64, nodes),
		best: make([]int32, n), bestD: make([]float64, n), bestW: make([]float64, n),
		exact: make([]bool, n), floor: make([]float64, n), bound: make([]atomic.Uint64, n),
	}
	for p := range n {
		f.core[p] = c.fit[t.ids[p]]
		f.floor[p] = f.core[p]
		f.parent[p] = int32(p)
		f.best[p] = -1
	}
	for node := nodes - 1; node >= 0; node-- {
		if node >= t.leaf0 {
			least := math.Inf(1)
			for _, v := range f.core[t.lo[node]:t.hi[node]] {
				least = min(least, v)
			}
			f.nodeCore[node] = least
		} else {
			f.nodeCore[node] = min(f.nodeCore[2*node+1], f.nodeCore[2*node+2])
		}
	}
	return f
}

func (f *forest) find(p int32) int32 {
	for f.parent[p] != p {
		f.parent[p] = f.parent[f.parent[p]]
		p = f.parent[p]
	}
	return p
}

// markComponents brings comp, nodeComp and bound up to date for a round.
func (f *forest) markComponents() {
	t := f.t
	inf := math.Float64bits(math.Inf(1))
	for p := range f.comp {
		f.comp[p] = f.find(int32(p))
		f.bound[p].Store(inf)
	}
	for node := len(f.nodeComp) - 1; node >= 0; node-- {
		if node < t.leaf0 {
			f.nodeComp[node] = f.nodeComp[2*node+1]
			if f.nodeComp[2*node+1] != f.nodeComp[2*node+2] {
				f.nodeComp[node] = -1
			}
			continue
		}
		members := f.comp[t.lo[node]:t.hi[node]]
		f.nodeComp[node] = members[0]
		for _, m := range members {
			if m != members[0] {
				f.nodeComp[node] = -1
				break
			}
		}
	}
}

// offer lowers the bound of a component. Weights are not negative, so their
// bits order as they do.
func (f *forest) offer(comp int32, weight float64) {
	b := &f.bound[comp]
	bits := math.Float64bits(weight)
	for {
		old := b.Load()
		if bits >= old || b.CompareAndSwap(old, bits) {
			return
		}
	}
}

// fromList looks for the least edge of a point among what is known without a
// search: the edge of the last round if it still leaves, else its list of
// nearest neighbours. Whatever is not in the list is at least as far as its
// last entry, so an edge strictly before that is the least of all.
func (f *forest) fromList(p int) {
	own := f.comp[p]
	if b := f.best[p]; b >= 0 && f.comp[b] != own {
		f.offer(own, f.bestW[p])
		return // foreign points only get fewer: an exact edge stays exact
	}
	f.best[p], f.exact[p] = -1, false
	k := f.c.k
	list, dist := f.c.list[p*k:(p+1)*k], f.c.dist[p*k:(p+1)*k]
	core := f.core[p]
	var least span
	for i, q := range list {
		d := dist[i]
		if f.best[p] >= 0 && float64(d*f.scale) > least.weight {
			break
		}
		if f.comp[q] == own {
			continue
		}
		w := max(core, f.core[q], float64(d*f.scale))
		if f.best[p] >= 0 && (w > least.weight || w == least.weight && d > least.dist) {
			continue
		}
		e := newSpan(w, d, f.t.ids[p], f.t.ids[q])
		if f.best[p] < 0 || e.before(least) {
			least = e
			f.best[p] = q
		}
	}
	if k == 0 {
		return
	}
	far := dist[k-1]
	floor := max(core, float64(far*f.scale))
	if f.best[p] < 0 {
		f.floor[p] = max(f.floor[p], floor)
		return
	}
	f.bestW[p], f.bestD[p] = least.weight, least.dist
	f.exact[p] = least.weight < floor || least.weight == floor && least.dist < far
	f.offer(own, least.weight)
}

// nearestForeign searches the tree for the least edge that leaves a component.
type nearestForeign struct {
	f         *forest
	p         int
	own       int32
	q         []float64
	core      float64
	w, d      float64 // what a candidate must not exceed
	buf       [leafSize]float64
	best      int32
	bestEdge  span
	shortened bool // the component's bound, not an edge of p, ended the search
}

func (s *nearestForeign) search(p int) {
	f := s.f
	if f.exact[p] {
		return
	}
	own := f.comp[p]
	shared := math.Float64frombits(f.bound[own].Load())
	if f.floor[p] > shared {
		return
	}
	s.p, s.own, s.core = p, own, f.core[p]
	s.q = f.t.x[p*f.t.d : (p+1)*f.t.d]
	s.w, s.d, s.shortened, s.best = math.Inf(1), math.Inf(1), false, f.best[p]
	if s.best >= 0 {
		s.w, s.d = f.bestW[p], f.bestD[p]
		s.bestEdge = newSpan(s.w, s.d, f.t.ids[p], f.t.ids[s.best])
	}
	if shared < s.w {
		s.w, s.d, s.shortened = shared, math.Inf(1), true
	}
	if f.nodeComp[0] != own {
		s.visit(0)
	}
	f.best[p] = s.best
	if s.best >= 0 {
		f.bestW[p], f.bestD[p] = s.bestEdge.weight, s.bestEdge.dist
		f.offer(own, s.bestEdge.weight)
	}
	f.exact[p] = !s.shortened && s.best >= 0
	f.floor[p] = max(f.floor[p], s.w)
}

// worse reports whether nothing in a node at reduced distance dist can come
// before what is in hand.
func (s *nearestForeign) worse(node int, dist float64) bool {
	f := s.f
	if f.nodeComp[node] == s.own {
		return true
	}
	w := max(s.core, f.nodeCore[node], float64(dist*f.scale))
	return w > s.w || w == s.w && dist > s.d
}

func (s *nearestForeign) visit(node int) {
	t := s.f.t
	if node >= t.leaf0 {
		s.scan(int(t.lo[node]), int(t.hi[node]))
		return
	}
	near, far := 2*node+1, 2*node+2
	limit := s.w / s.f.scale
	dn, df := t.childDistances(s.q, node, limit)
	if df < dn {
		near, far, dn, df = far, near, df, dn
	}
	if !s.worse(near, dn) {
		s.visit(near)
	}
	if !s.worse(far, df) {
		s.visit(far)
	}
}

func (s *nearestForeign) scan(lo, hi int) {
	f, t := s.f, s.f.t
	if shared := math.Float64frombits(f.bound[s.own].Load()); shared < s.w {
		s.w, s.d, s.shortened = shared, math.Inf(1), true
	}
	dst := s.buf[:hi-lo]
	reducedDistances(dst, s.q, t.x[lo*t.d:hi*t.d], t.metric)
	for i, d := range dst {
		q := lo + i
		if f.comp[q] == s.own {
			continue
		}
		w := max(s.core, f.core[q], float64(d*f.scale))
		if w > s.w || w == s.w && d > s.d {
			continue
		}
		e := newSpan(w, d, t.ids[s.p], t.ids[q])
		if s.best < 0 || e.before(s.bestEdge) {
			s.best, s.bestEdge = int32(q), e
			s.w, s.d, s.shortened = w, d, false
			f.offer(s.own, w)
		}
	}
}

// join adds the least edge of every component to edges. The order is strict,
// so these edges close no cycle; an edge that two components chose is added
// once.
func (f *forest) join(edges []span) []span {
	t := f.t
	least := make([]span, t.n)
	for i := range least {
		least[i].weight = math.Inf(1)
	}
	from := make([]int32, t.n)
	for p, q := range f.best {
		c := f.comp[p]
		if q < 0 || f.comp[q] == c || f.bestW[p] > least[c].weight {
			continue
		}
		if e := newSpan(f.bestW[p], f.bestD[p], t.ids[p], t.ids[q]); e.before(least[c]) {
			least[c], from[c] = e, int32(p)
		}
	}
	for c, e := range least {
		if math.IsInf(e.weight, 1) {
			continue
		}
		p := from[c]
		a, b := f.find(p), f.find(f.best[p])
		if a != b {
			f.parent[max(a, b)] = min(a, b)
			edges = append(edges, e)
		}
	}
	return edges
}
