package hdbscan

import (
	"context"
	"math"

	"github.com/bertopic-go/bertopic/internal/par"
)

// primBlock is the number of coordinates a goroutine handles at a time.
const primBlock = 1 << 16

// prim finds the same spanning tree as boruvka by a pass over all pairs,
// O(n^2 d) time and O(n) memory, for many dimensions.
func prim(ctx context.Context, t *kdTree, fit []float64, alpha float64, threads int) ([]span, error) {
	n, d := t.n, t.d
	scale := t.metric.scale(alpha)
	core := make([]float64, n) // by position
	least := make([]span, n)   // position outside the tree -> its least edge into the tree
	inTree := make([]bool, n)
	for p := range n {
		core[p] = fit[t.ids[p]]
		least[p] = span{weight: math.Inf(1), dist: math.Inf(1)}
	}
	grain := max(leafSize, primBlock/d)
	next := make([]int, (n+grain-1)/grain) // block -> the position with the least edge
	dist := make([]float64, n)
	edges := make([]span, 0, n-1)
	for at := 0; len(edges) < n-1; {
		if len(edges)%64 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		inTree[at] = true
		q := t.x[at*d : (at+1)*d]
		par.Blocks(threads, n, grain, func(b, lo, hi int) {
			reducedDistances(dist[lo:hi], q, t.x[lo*d:hi*d], t.metric)
			next[b] = -1
			for p := lo; p < hi; p++ {
				if inTree[p] {
					continue
				}
				w := max(core[at], core[p], float64(dist[p]*scale))
				if w <= least[p].weight {
					if e := newSpan(w, dist[p], t.ids[at], t.ids[p]); e.before(least[p]) {
						least[p] = e
					}
				}
				if next[b] < 0 || least[p].before(least[next[b]]) {
					next[b] = p
				}
			}
		})
		at = -1
		for _, p := range next {
			if p >= 0 && (at < 0 || least[p].before(least[at])) {
				at = p
			}
		}
		edges = append(edges, least[at])
	}
	return edges, nil
}
