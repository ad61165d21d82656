package hdbscan

import (
	"context"

	"github.com/bertopic-go/bertopic/internal/par"
)

// maxList is how many nearest neighbours are kept a point to speed up the
// spanning tree. It bounds memory where min_samples is large.
const maxList = 16

// cores are the core distances and the neighbour lists of the points of a
// tree. Distances are reduced.
type cores struct {
	fit     []float64 // point -> distance to the min_samples-th other row
	predict []float64 // point -> the same, the row itself counted
	k       int       // length of a list
	list    []int32   // position x k: positions of the nearest points but itself, nearest first
	dist    []float64 // position x k
}

// queryBlock is the number of queries a goroutine takes at a time.
const queryBlock = 256

// coreDistances queries the samples+1 nearest rows of every point. Copies
// count: the distance is the smallest within which enough rows lie.
func coreDistances(ctx context.Context, t *kdTree, g *rowGroups, samples, threads int) (*cores, error) {
	k := min(samples+1, t.n)
	c := &cores{fit: make([]float64, t.n), predict: make([]float64, t.n), k: min(k-1, maxList)}
	c.list = make([]int32, t.n*c.k)
	c.dist = make([]float64, t.n*c.k)
	par.Blocks(threads, t.n, queryBlock, func(_, lo, hi int) {
		if ctx.Err() != nil {
			return
		}
		s := newKNNSearch(t, k)
		for p := lo; p < hi; p++ {
			near := s.query(t.x[p*t.d : (p+1)*t.d])
			id := t.ids[p]
			c.predict[id] = distanceHolding(near, g, samples)
			c.fit[id] = distanceHolding(near, g, samples+1)
			j := p * c.k
			for _, e := range near {
				if e.id != id && j < (p+1)*c.k {
					c.list[j], c.dist[j] = e.pos, e.dist
					j++
				}
			}
		}
	})
	return c, ctx.Err()
}

// distanceHolding is the distance within which want rows lie, copies counted,
// or the largest in near when there are fewer.
func distanceHolding(near []neighbor, g *rowGroups, want int) float64 {
	have := 0
	for _, e := range near {
		if have += int(g.weight(int(e.id))); have >= want {
			return e.dist
		}
	}
	return near[len(near)-1].dist
}
