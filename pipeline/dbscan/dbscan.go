package dbscan

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/bertopic-go/bertopic/internal/par"
)

// Params says how to cluster. The zero value is scikit-learn's default.
type Params struct {
	Eps        float64 // radius of a neighbourhood, Euclidean, inclusive; 0: 0.5
	MinSamples int     // points in the neighbourhood of a core, itself included; 0: 5
	Threads    int     // 0: all cores; never changes the result
}

// Validate reports every fault of p.
func (p Params) Validate() error {
	var faults []error
	if !(p.Eps >= 0) || math.IsInf(p.Eps, 0) {
		faults = append(faults, fmt.Errorf("eps is %v: use a positive number", p.Eps))
	}
	if p.MinSamples < 0 {
		faults = append(faults, fmt.Errorf("min_samples is %d: use 1 or more", p.MinSamples))
	}
	return errors.Join(faults...)
}

func (p Params) withDefaults() Params {
	if p.Eps == 0 {
		p.Eps = 0.5
	}
	if p.MinSamples == 0 {
		p.MinSamples = 5
	}
	return p
}

// Model is a fitted clustering. Params, D, CorePoints and CoreLabels suffice
// for Predict.
type Model struct {
	Params     Params  // with the defaults filled in
	K          int     // clusters
	Labels     []int32 // n: 0..K-1, or -1 for noise
	Core       []int32 // the cores, ascending
	D          int
	CorePoints []float64 // the different core points, one a row of D, by first occurrence
	CoreLabels []int32   // the cluster of each row of CorePoints
}

// grain is the number of points in a block of a parallel loop.
const grain = 128

// Fit clusters n points of d values (row-major).
//
// Neighbours are found with a kd-tree, which saves work up to some twenty
// dimensions; above, every pair may be compared.
func Fit(ctx context.Context, points []float64, n, d int, p Params) (*Model, error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("dbscan: %w", err)
	}
	p = p.withDefaults()
	if n <= 0 || d <= 0 {
		return nil, fmt.Errorf("dbscan: no points to cluster (%d x %d)", n, d)
	}
	if err := checkPoints(points, n, d); err != nil {
		return nil, fmt.Errorf("dbscan: %w", err)
	}
	// Equal points are one point with a weight, so that many of them cost no
	// more than one. Numbers are by first occurrence, which keeps the order.
	all := n
	unique, first, weight := collapse(points, n, d)
	n = len(weight)
	t := newTree(unique, n, d)
	r := p.Eps * p.Eps

	core := make([]bool, n)
	err := t.each(ctx, p.Threads, func(s *search, i int) {
		core[i] = s.count(t.row(i), r, weight, p.MinSamples)
	})
	if err != nil {
		return nil, fmt.Errorf("dbscan: %w", err)
	}

	// Cores within the radius are united under the lowest core of the cluster,
	// whatever the order of the unions.
	parent := make([]atomic.Int32, n)
	for i := range parent {
		parent[i].Store(int32(i))
	}
	err = t.each(ctx, p.Threads, func(s *search, i int) {
		if core[i] {
			s.visit(t.row(i), r, func(j int32, _ float64) {
				if int(j) < i && core[j] {
					unite(parent, int32(i), j)
				}
			})
		}
	})
	if err != nil {
		return nil, fmt.Errorf("dbscan: %w", err)
	}

	m := &Model{Params: p, D: d, Labels: make([]int32, all)}
	label := make([]int32, n)
	for i := range n {
		label[i] = -1
		if !core[i] {
			continue
		}
		if root := find(parent, int32(i)); int(root) < i {
			label[i] = label[root]
		} else {
			label[i] = int32(m.K)
			m.K++
		}
	}
	border := make([]int32, n)
	err = t.each(ctx, p.Threads, func(s *search, i int) {
		border[i] = -1
		if !core[i] {
			s.visit(t.row(i), r, func(j int32, _ float64) {
				if l := label[j]; core[j] && (border[i] < 0 || l < border[i]) {
					border[i] = l
				}
			})
		}
	})
	if err != nil {
		return nil, fmt.Errorf("dbscan: %w", err)
	}
	for i, u := range first {
		if core[u] {
			m.Labels[i] = label[u]
			m.Core = append(m.Core, int32(i))
		} else {
			m.Labels[i] = border[u]
		}
	}
	for u := range n {
		if core[u] {
			m.CorePoints = append(m.CorePoints, t.row(u)...)
			m.CoreLabels = append(m.CoreLabels, label[u])
		}
	}
	return m, nil
}

// collapse returns the different points in order of their first occurrence,
// the number of the different point that each point is, and how many are equal
// to each.
func collapse(points []float64, n, d int) (unique []float64, first, weight []int32) {
	seen := make(map[string]int32, n)
	first = make([]int32, n)
	key := make([]byte, 8*d)
	for i := range n {
		row := points[i*d : (i+1)*d]
		for c, v := range row {
			binary.LittleEndian.PutUint64(key[8*c:], math.Float64bits(v+0)) // -0 is 0
		}
		u, ok := seen[string(key)]
		if !ok {
			u = int32(len(weight))
			seen[string(key)] = u
			unique = append(unique, row...)
			weight = append(weight, 0)
		}
		first[i] = u
		weight[u]++
	}
	return unique, first, weight
}

// Predict returns for each of the points (rows of D values) the cluster of the
// nearest core within Eps, ties to the lower core, or -1. It is an extension:
// scikit-learn's DBSCAN labels no new points. A point's label depends on that
// point alone. Border points of the fit may get another of their clusters.
func (m *Model) Predict(ctx context.Context, points []float64) ([]int32, error) {
	if m.D <= 0 || len(m.CorePoints) != len(m.CoreLabels)*m.D {
		return nil, fmt.Errorf("dbscan: the model is damaged: %d values for %d cores of %d values", len(m.CorePoints), len(m.CoreLabels), m.D)
	}
	if len(points)%m.D != 0 {
		return nil, fmt.Errorf("dbscan: %d values are no points of %d values", len(points), m.D)
	}
	n := len(points) / m.D
	if err := checkPoints(points, n, m.D); err != nil {
		return nil, fmt.Errorf("dbscan: %w", err)
	}
	t := newTree(m.CorePoints, len(m.CoreLabels), m.D)
	labels := make([]int32, n)
	r := m.Params.Eps * m.Params.Eps
	par.Blocks(m.Params.Threads, n, grain, func(_, lo, hi int) {
		s := search{t: t}
		for i := lo; i < hi && ctx.Err() == nil; i++ {
			best, at := math.Inf(1), int32(-1)
			s.visit(points[i*m.D:(i+1)*m.D], r, func(j int32, v float64) {
				if v < best || v == best && j < at {
					best, at = v, j
				}
			})
			labels[i] = -1
			if at >= 0 {
				labels[i] = m.CoreLabels[at]
			}
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return labels, nil
}

func checkPoints(points []float64, n, d int) error {
	if len(points) != n*d {
		return fmt.Errorf("%d values given for %d points of %d values", len(points), n, d)
	}
	for i, v := range points {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("point %d holds %v: leave it out", i/d, v)
		}
	}
	return nil
}

// find returns the root of i. Parents only ever fall, so it ends.
func find(parent []atomic.Int32, i int32) int32 {
	for {
		p := parent[i].Load()
		if p == i {
			return i
		}
		if up := parent[p].Load(); up != p {
			parent[i].CompareAndSwap(p, up) // halve the path
		}
		i = p
	}
}

// unite joins the sets of i and j under the lower of their roots. It may run
// on several goroutines at once.
func unite(parent []atomic.Int32, i, j int32) {
	for {
		i, j = find(parent, i), find(parent, j)
		if i == j {
			return
		}
		if i < j {
			i, j = j, i
		}
		if parent[i].CompareAndSwap(i, j) {
			return
		}
	}
}
