package hdbscan

import "slices"

// linkage is the single linkage tree over m points, as in scipy: node m+i
// joins left[i] and right[i] at distance height[i]; nodes below m are points.
// rows counts the rows under a node, copies included.
type linkage struct {
	m           int
	left, right []int32
	height      []float64
	rows        []int32   // node -> rows
	core        []float64 // point -> distance at which its copies join
}

// singleLinkage joins along edges in their order. The component of the smaller
// id becomes the left child.
func singleLinkage(edges []span, g *rowGroups, core []float64, met metric) *linkage {
	m := g.len()
	l := &linkage{
		m: m, left: make([]int32, m-1), right: make([]int32, m-1),
		height: make([]float64, m-1), rows: make([]int32, 2*m-1), core: make([]float64, m),
	}
	parent := make([]int32, 2*m-1)
	for i := range parent {
		parent[i] = int32(i)
	}
	find := func(p int32) int32 {
		for parent[p] != p {
			parent[p] = parent[parent[p]]
			p = parent[p]
		}
		return p
	}
	for i := range m {
		l.rows[i] = g.weight(i)
		l.core[i] = met.distance(core[i])
	}
	for i, e := range edges {
		a, b := find(e.a), find(e.b)
		node := int32(m + i)
		l.left[i], l.right[i], l.height[i] = a, b, met.distance(e.weight)
		l.rows[node] = l.rows[a] + l.rows[b]
		parent[a], parent[b] = node, node
	}
	return l
}

// expandMST turns the edges between points, in order, into the n-1 ordered edges between
// rows: copies hang on the first row of their group at its core distance, the
// mutual reachability distance of two identical rows.
func expandMST(edges []span, g *rowGroups, core []float64, met metric) []Edge {
	all := edges
	if copies := len(g.of) - g.len(); copies > 0 {
		all = make([]span, 0, len(g.of)-1)
		for i := range g.len() {
			rows := g.rows[g.start[i]:g.start[i+1]]
			for _, r := range rows[1:] {
				all = append(all, span{core[i], 0, rows[0], r})
			}
		}
		for _, e := range edges {
			all = append(all, newSpan(e.weight, e.dist, g.first(e.a), g.first(e.b)))
		}
		slices.SortFunc(all, compareSpans)
	}
	out := make([]Edge, len(all)) // without copies, point i is row i
	for i, e := range all {
		out[i] = Edge{e.a, e.b, met.distance(e.weight)}
	}
	return out
}
