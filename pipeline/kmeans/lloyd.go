package kmeans

import (
	"context"
	"sort"

	"github.com/bertopic-go/bertopic/internal/par"
)

// lloyd moves the centres of m until the labels stay or the centres move less
// than the tolerance, and fills in labels and inertia.
func (s *solver) lloyd(ctx context.Context, m *Model) error {
	n, d, k := s.n, s.d, m.K
	tol := s.p.Tol * meanVariance(s.x, n, d)
	labels, before := make([]int32, n), make([]int32, n)
	for i := range before {
		before[i] = -1
	}
	dist := make([]float64, n)
	next := make([]float64, k*d)
	g := newGroups(n, k)
	strict := false
	for m.Iterations < s.p.MaxIter {
		if err := ctx.Err(); err != nil {
			return err
		}
		m.Iterations++
		assign(labels, dist, s.x, m.Centers, n, d, s.p.Threads)
		g.fill(labels)
		g.relocate(labels, dist)
		g.means(next, m.Centers, s.x, d, s.p.Threads)
		var moved float64
		for j := range k {
			moved += square(m.Centers[j*d:(j+1)*d], next[j*d:(j+1)*d])
		}
		copy(m.Centers, next)
		strict = same(labels, before)
		if strict || (s.p.Tol >= 0 && moved <= tol) {
			m.Converged = true
			break
		}
		labels, before = before, labels
	}
	assign(labels, dist, s.x, m.Centers, n, d, s.p.Threads)
	m.Labels, m.Inertia = labels, total(dist, s.p.Threads)
	return nil
}

func same(a, b []int32) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// meanVariance returns the mean over the columns of their variances.
func meanVariance(x []float64, n, d int) float64 {
	var sum float64
	for j := range d {
		var mean, square float64
		for i := j; i < n*d; i += d {
			mean += x[i]
		}
		mean /= float64(n)
		for i := j; i < n*d; i += d {
			t := x[i] - mean
			square += float64(t * t)
		}
		sum += square / float64(n)
	}
	return sum / float64(d)
}

// groups lists the members of each cluster in ascending order: the members of
// cluster j are rows[start[j]:start[j+1]]. Sums over a list are in a fixed
// order whoever computes them.
type groups struct {
	k     int
	start []int
	rows  []int32
}

func newGroups(n, k int) *groups {
	return &groups{k: k, start: make([]int, k+2), rows: make([]int32, n)}
}

func (g *groups) fill(labels []int32) {
	clear(g.start)
	for _, l := range labels {
		g.start[l+2]++
	}
	for j := 2; j < len(g.start); j++ {
		g.start[j] += g.start[j-1]
	}
	for i, l := range labels {
		g.rows[g.start[l+1]] = int32(i)
		g.start[l+1]++
	}
}

// relocate gives each empty cluster the point farthest from its centre that no
// other empty cluster got, as scikit-learn does. A point that lies on its
// centre is left where it is: the cluster stays empty then.
func (g *groups) relocate(labels []int32, dist []float64) {
	var empty []int
	for j := range g.k {
		if g.start[j] == g.start[j+1] {
			empty = append(empty, j)
		}
	}
	if len(empty) == 0 {
		return
	}
	order := make([]int32, len(dist))
	for i := range order {
		order[i] = int32(i)
	}
	sort.Slice(order, func(a, b int) bool {
		i, j := order[a], order[b]
		return dist[i] > dist[j] || dist[i] == dist[j] && i < j
	})
	moved := append([]int32(nil), labels...)
	for e, j := range empty {
		if e < len(order) && dist[order[e]] > 0 {
			moved[order[e]] = int32(j)
		}
	}
	g.fill(moved)
}

// means sets dst (k x d) to the mean of each cluster's members, or to its old
// centre where it has none.
func (g *groups) means(dst, old, x []float64, d, threads int) {
	par.Blocks(threads, g.k, 1, func(j, _, _ int) {
		out := dst[j*d : (j+1)*d]
		members := g.rows[g.start[j]:g.start[j+1]]
		if len(members) == 0 {
			copy(out, old[j*d:(j+1)*d])
			return
		}
		clear(out)
		for _, i := range members {
			row := x[int(i)*d : (int(i)+1)*d : (int(i)+1)*d]
			for c := range out {
				out[c] += row[c]
			}
		}
		for c := range out {
			out[c] /= float64(len(members))
		}
	})
}
