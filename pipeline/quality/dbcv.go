package quality

import (
	"context"
	"fmt"
	"math"

	"github.com/bertopic-go/bertopic/internal/par"
)

// Validity is the density-based validity of a clustering.
type Validity struct {
	Score    float64   // from -1 to 1: the clusters' scores weighted by their part of all points, noise included
	Clusters []float64 // by label; 0 for a cluster of fewer than two points
}

// DBCV is the density-based clustering validation of Moulavi, Jaskowiak,
// Campello, Zimek and Sander (2014), as hdbscan.validity computes it, for n
// points of d values (row-major) with labels 0..k-1 and negative for noise:
// whether clusters are denser inside than the space between them.
//
// Time is n^2 d, memory in proportion to n. Powers are taken as logarithms, so
// d may be large. It needs at least two clusters.
func DBCV(ctx context.Context, points []float64, n, d int, labels []int32, threads int) (Validity, error) {
	if n < 0 || d <= 0 || len(points) != n*d || len(labels) != n {
		return Validity{}, fmt.Errorf("dbcv: %d values and %d labels for %d points of %d values", len(points), len(labels), n, d)
	}
	k := 0
	for i, l := range labels {
		k = max(k, int(l)+1)
		if k > n {
			return Validity{}, fmt.Errorf("dbcv: label %d of point %d is more than there are points: number clusters from 0", l, i)
		}
	}
	for i, v := range points {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return Validity{}, fmt.Errorf("dbcv: point %d holds %v", i/d, v)
		}
	}
	clusters := make([]density, k)
	for i, l := range labels {
		if l >= 0 {
			clusters[l].rows = append(clusters[l].rows, i)
		}
	}
	filled := 0
	for _, c := range clusters {
		if len(c.rows) > 0 {
			filled++
		}
	}
	if filled < 2 {
		return Validity{}, fmt.Errorf("dbcv: %d cluster found: two are needed to tell them apart", filled)
	}
	row := func(i int) []float64 { return points[i*d : (i+1)*d] }
	par.Blocks(threads, k, 1, func(c, _, _ int) {
		if ctx.Err() == nil {
			clusters[c].measure(row, d)
		}
	})
	gap := make([]float64, k) // from the nearest other cluster
	par.Blocks(threads, k, 1, func(a, _, _ int) {
		gap[a] = math.Inf(1)
		for b := 0; b < k && ctx.Err() == nil; b++ {
			if b != a {
				gap[a] = min(gap[a], separation(&clusters[a], &clusters[b], row))
			}
		}
	})
	if err := ctx.Err(); err != nil {
		return Validity{}, err
	}
	v := Validity{Clusters: make([]float64, k)}
	for a := range clusters {
		if len(clusters[a].rows) < 2 {
			continue
		}
		if most := max(gap[a], clusters[a].sparse); most > 0 {
			v.Clusters[a] = (gap[a] - clusters[a].sparse) / most
		}
		v.Score += float64(len(clusters[a].rows)) / float64(n) * v.Clusters[a]
	}
	return v, nil
}

// density is a cluster and the measures of it that DBCV needs.
type density struct {
	rows     []int
	core     []float64 // all-points core distance of each row
	internal []int     // positions in rows of the spanning tree's inner nodes
	sparse   float64   // longest edge between inner nodes
}

func (c *density) measure(row func(int) []float64, d int) {
	m := len(c.rows)
	if m == 0 {
		return
	}
	c.core = make([]float64, m)
	logs := make([]float64, 0, m)
	for i, p := range c.rows {
		logs = logs[:0]
		largest := math.Inf(-1)
		for j, q := range c.rows {
			if i == j {
				continue
			}
			// Equal points add nothing, as in hdbscan.
			if s := squaredDistance(row(p), row(q)); s > 0 {
				l := -float64(d) / 2 * math.Log(s)
				logs = append(logs, l)
				largest = max(largest, l)
			}
		}
		if len(logs) == 0 {
			continue // 0: every point of the cluster is here
		}
		var sum float64
		for _, l := range logs {
			sum += math.Exp(l - largest)
		}
		c.core[i] = math.Exp(-(largest + math.Log(sum) - math.Log(float64(m-1))) / float64(d))
	}
	c.span(row)
}

func (c *density) reach(i, j int, row func(int) []float64) float64 {
	return max(math.Sqrt(squaredDistance(row(c.rows[i]), row(c.rows[j]))), c.core[i], c.core[j])
}

// span finds the minimum spanning tree of the mutual reachability distances
// (Prim), its inner nodes and the longest edge between them; of all edges where
// no edge is between inner nodes. Among equally near tree nodes an edge starts
// at the first.
func (c *density) span(row func(int) []float64) {
	m := len(c.rows)
	degree := make([]int, m)
	reach := make([]float64, m)
	from := make([]int, m)
	inside := make([]bool, m)
	for i := range reach {
		reach[i] = math.Inf(1)
	}
	type edge struct {
		a, b   int
		weight float64
	}
	edges := make([]edge, 0, m-1)
	at := 0
	inside[0] = true
	for len(edges) < m-1 {
		next := -1
		for i := range m {
			if inside[i] {
				continue
			}
			if v := c.reach(at, i, row); v < reach[i] || v == reach[i] && at < from[i] {
				reach[i], from[i] = v, at
			}
			if next < 0 || reach[i] < reach[next] {
				next = i
			}
		}
		edges = append(edges, edge{from[next], next, reach[next]})
		degree[from[next]]++
		degree[next]++
		inside[next] = true
		at = next
	}
	for i, g := range degree {
		if g > 1 {
			c.internal = append(c.internal, i)
		}
	}
	all, inner, found := 0.0, 0.0, false
	for _, e := range edges {
		all = max(all, e.weight)
		if degree[e.a] > 1 && degree[e.b] > 1 {
			inner, found = max(inner, e.weight), true
		}
	}
	if c.sparse = all; found {
		c.sparse = inner
	}
	if len(c.internal) == 0 {
		c.internal = []int{0}
	}
}

// separation is the least mutual reachability distance between inner nodes,
// infinite where a cluster is empty.
func separation(a, b *density, row func(int) []float64) float64 {
	least := math.Inf(1)
	for _, i := range a.internal {
		p := row(a.rows[i])
		for _, j := range b.internal {
			if v := max(math.Sqrt(squaredDistance(p, row(b.rows[j]))), a.core[i], b.core[j]); v < least {
				least = v
			}
		}
	}
	return least
}

func squaredDistance(p, q []float64) float64 {
	q = q[:len(p)]
	var s float64
	for i, v := range p {
		t := v - q[i]
		s += float64(t * t)
	}
	return s
}
