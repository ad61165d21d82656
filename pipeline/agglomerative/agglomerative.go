package agglomerative

import (
	"context"
	"errors"
	"fmt"
	"math"
)

// Linkage says how far apart two clusters are.
type Linkage string

// The linkages.
const (
	Ward     Linkage = "ward"     // growth of the summed squares within clusters
	Average  Linkage = "average"  // mean distance of the pairs
	Complete Linkage = "complete" // largest distance of a pair
	Single   Linkage = "single"   // smallest distance of a pair
)

// Params says how to cluster. The zero value gives two clusters by ward.
type Params struct {
	Linkage           Linkage // "": Ward
	NClusters         int     // clusters to cut to; 0: 2, or as DistanceThreshold says
	DistanceThreshold float64 // cut where clusters are at least so far apart; 0: cut to NClusters
	MaxBytes          int64   // memory allowed for distances; 0: 4 GiB
	Threads           int     // 0: all cores; never changes the result
}

// Validate reports every fault of p.
func (p Params) Validate() error {
	var faults []error
	switch p.Linkage {
	case "", Ward, Average, Complete, Single:
	default:
		faults = append(faults, fmt.Errorf("linkage is %q: use %q, %q, %q or %q", p.Linkage, Ward, Average, Complete, Single))
	}
	if p.NClusters < 0 {
		faults = append(faults, fmt.Errorf("n_clusters is %d: use 1 or more", p.NClusters))
	}
	if !(p.DistanceThreshold >= 0) {
		faults = append(faults, fmt.Errorf("distance_threshold is %v: use 0 or more", p.DistanceThreshold))
	}
	if p.NClusters > 0 && p.DistanceThreshold > 0 {
		faults = append(faults, errors.New("n_clusters and distance_threshold are both given: use one of them"))
	}
	return errors.Join(faults...)
}

func (p Params) withDefaults() Params {
	if p.Linkage == "" {
		p.Linkage = Ward
	}
	if p.NClusters == 0 && p.DistanceThreshold == 0 {
		p.NClusters = 2
	}
	if p.MaxBytes == 0 {
		p.MaxBytes = 4 << 30
	}
	return p
}

// Merge joins the clusters A < B at a distance. Numbers below n are single
// points; n + i is the cluster that merge i made.
type Merge struct {
	A, B     int32
	Distance float64
	Size     int32 // points in the new cluster
}

// Tree is the whole hierarchy of N points: N - 1 merges in ascending distance.
type Tree struct {
	N      int
	Merges []Merge
}

// Model is a fitted clustering.
type Model struct {
	Params Params // with the defaults filled in
	K      int    // clusters in Labels
	Labels []int32
	Tree   Tree
}

// Clamped reports whether there are fewer clusters than asked for.
func (m *Model) Clamped() bool { return m.K < m.Params.NClusters }

// Note is one sentence on fewer clusters than asked for, "" otherwise.
func (m *Model) Note() string {
	if !m.Clamped() {
		return ""
	}
	return fmt.Sprintf("agglomerative clustering gave %d of the %d clusters asked for: there are no more points", m.K, m.Params.NClusters)
}

// Fit clusters n points of d values (row-major) by Euclidean distance.
//
// Ward and single linkage need memory for the points alone and n^2 d time.
// Average and complete linkage hold n(n-1)/2 distances; it is an error if they
// do not fit in MaxBytes.
func Fit(ctx context.Context, points []float64, n, d int, p Params) (*Model, error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("agglomerative: %w", err)
	}
	p = p.withDefaults()
	if n <= 0 || d <= 0 {
		return nil, fmt.Errorf("agglomerative: no points to cluster (%d x %d)", n, d)
	}
	if len(points) != n*d {
		return nil, fmt.Errorf("agglomerative: %d values given for %d points of %d values", len(points), n, d)
	}
	for i, v := range points {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("agglomerative: point %d holds %v: leave it out", i/d, v)
		}
	}
	var merges []Merge
	var err error
	switch p.Linkage {
	case Ward:
		merges, err = chain(ctx, newCentroids(points, n, d, p.Threads), n)
	case Single:
		merges, err = spanningTree(ctx, n, p.Threads, func(i, j int) float64 {
			return math.Sqrt(square(points[i*d:(i+1)*d], points[j*d:(j+1)*d]))
		})
	default:
		if err = checkMemory(n, p); err == nil {
			c := newCondensed(n, p.Linkage)
			c.fill(p.Threads, func(i, j int) float64 {
				return math.Sqrt(square(points[i*d:(i+1)*d], points[j*d:(j+1)*d]))
			})
			merges, err = chain(ctx, c, n)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("agglomerative clustering of %d points: %w", n, err)
	}
	return finish(merges, n, p), nil
}

// FitDistances clusters n points by the given n x n distances (row-major,
// symmetric, not changed). A negative distance down to -1e-9, which rounding
// leaves in 1 - cosine, counts as 0.
//
// With Ward the distances are taken for Euclidean ones, as scipy does.
func FitDistances(ctx context.Context, distances []float64, n int, p Params) (*Model, error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("agglomerative: %w", err)
	}
	p = p.withDefaults()
	if n <= 0 {
		return nil, errors.New("agglomerative: no points to cluster")
	}
	if len(distances) != n*n {
		return nil, fmt.Errorf("agglomerative: %d distances given for %d points: %d are needed", len(distances), n, n*n)
	}
	for i := range n {
		for j := range i {
			a, b := distances[i*n+j], distances[j*n+i]
			if !(a >= -1e-9) || math.IsInf(a, 0) || !(math.Abs(a-b) <= 1e-9*max(1, math.Abs(a))) {
				return nil, fmt.Errorf("agglomerative: the distances of points %d and %d are %v and %v: they must be equal, finite and not negative", j, i, b, a)
			}
		}
	}
	at := func(i, j int) float64 { return max(0, distances[i*n+j]) }
	var merges []Merge
	var err error
	if p.Linkage == Single {
		merges, err = spanningTree(ctx, n, p.Threads, func(i, j int) float64 { return at(min(i, j), max(i, j)) })
	} else if err = checkMemory(n, p); err == nil {
		c := newCondensed(n, p.Linkage)
		c.fill(p.Threads, at)
		merges, err = chain(ctx, c, n)
	}
	if err != nil {
		return nil, fmt.Errorf("agglomerative clustering of %d points: %w", n, err)
	}
	return finish(merges, n, p), nil
}

func checkMemory(n int, p Params) error {
	if need := int64(n) * int64(n-1) / 2 * 8; need > p.MaxBytes {
		return fmt.Errorf("%s linkage needs %.1f GiB for distances, %.1f GiB are allowed: use ward or single linkage, fewer points or a larger max_bytes",
			p.Linkage, float64(need)/(1<<30), float64(p.MaxBytes)/(1<<30))
	}
	return nil
}

func finish(merges []Merge, n int, p Params) *Model {
	m := &Model{Params: p, Tree: Tree{N: n, Merges: merges}}
	if p.DistanceThreshold > 0 {
		m.Labels = m.Tree.CutAt(p.DistanceThreshold)
	} else {
		m.Labels = m.Tree.Cut(p.NClusters)
	}
	for _, l := range m.Labels {
		m.K = max(m.K, int(l)+1)
	}
	return m
}

// Cut returns the labels of k clusters, or of N where k is more. Clusters are
// numbered by their lowest point.
func (t *Tree) Cut(k int) []int32 {
	k = max(1, min(k, t.N))
	return t.label(t.N - k)
}

// CutAt returns the labels after the merges at distances below threshold.
func (t *Tree) CutAt(threshold float64) []int32 {
	merges := 0
	for merges < len(t.Merges) && t.Merges[merges].Distance < threshold {
		merges++
	}
	return t.label(merges)
}

// label applies the first merges.
func (t *Tree) label(merges int) []int32 {
	parent := make([]int32, t.N+merges)
	for i := range parent {
		parent[i] = int32(i)
	}
	for i, m := range t.Merges[:merges] {
		parent[m.A], parent[m.B] = int32(t.N+i), int32(t.N+i)
	}
	for i := len(parent) - 1; i >= 0; i-- { // parents have higher numbers
		parent[i] = parent[parent[i]]
	}
	number := make([]int32, len(parent))
	next := int32(0)
	labels := make([]int32, t.N)
	for i := range labels {
		root := parent[i]
		if number[root] == 0 {
			next++
			number[root] = next
		}
		labels[i] = number[root] - 1
	}
	return labels
}
