package knn

import "slices"

// neighbours keeps the k nearest rows seen so far for each of n rows, sorted
// by (distance, index). That order is total, so the set kept and its order do
// not depend on the order of the insertions.
type neighbours struct {
	k    int
	dist []float32 // n x k, +Inf where none yet
	idx  []int32   // n x k, -1 where none yet
}

func newNeighbours(n, k int) *neighbours {
	nb := &neighbours{k: k, dist: make([]float32, n*k), idx: make([]int32, n*k)}
	for i := range nb.dist {
		nb.dist[i] = inf32
		nb.idx[i] = -1
	}
	return nb
}

// insert offers row j at distance d to row i and reports whether it was kept.
func (nb *neighbours) insert(i int, d float32, j int32) bool {
	dist, idx := nb.dist[i*nb.k:(i+1)*nb.k], nb.idx[i*nb.k:(i+1)*nb.k]
	p := len(dist) - 1
	if !(d < dist[p] || d == dist[p] && j < idx[p]) {
		return false
	}
	for p > 0 && (d < dist[p-1] || d == dist[p-1] && j < idx[p-1]) {
		dist[p], idx[p] = dist[p-1], idx[p-1]
		p--
	}
	dist[p], idx[p] = d, j
	return true
}

// insertNew is insert for a row that may be there already.
func (nb *neighbours) insertNew(i int, d float32, j int32) bool {
	if d > nb.worst(i) || nb.has(i, j) {
		return false
	}
	return nb.insert(i, d, j)
}

// has says whether row j is kept for row i.
func (nb *neighbours) has(i int, j int32) bool {
	return slices.Contains(nb.idx[i*nb.k:(i+1)*nb.k], j)
}

// worst is the distance of the last neighbour kept for row i.
func (nb *neighbours) worst(i int) float32 { return nb.dist[(i+1)*nb.k-1] }

// graph turns nb into a result of k columns. withSelf puts the row itself
// first, for which nb holds one column less.
func (nb *neighbours) graph(n, k int, withSelf bool) *Graph {
	g := &Graph{N: n, K: k, Indices: make([]int32, n*k), Distances: make([]float32, n*k), Recall: 1}
	for i := range n {
		idx, dist := g.Row(i)
		c := 0
		if withSelf {
			idx[0], dist[0] = int32(i), 0
			c = 1
		}
		m := min(nb.k, k-c)
		copy(idx[c:], nb.idx[i*nb.k:i*nb.k+m])
		copy(dist[c:], nb.dist[i*nb.k:i*nb.k+m])
		for c += m; c < k; c++ {
			idx[c], dist[c] = -1, inf32
		}
	}
	return g
}
