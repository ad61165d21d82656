package hdbscan

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Params are the settings of a clustering. The zero value means BERTopic's
// defaults: min_cluster_size 10, excess of mass, Euclidean distance.
type Params struct {
	// MinClusterSize is the smallest number of rows that counts as a cluster,
	// at least 2. 0 means 10.
	MinClusterSize int
	// MinSamples says how conservative the density estimate is: a row's core
	// distance is the distance to its MinSamples-th neighbour, itself not
	// counted. 0 means MinClusterSize; more than n-1 is cut to n-1.
	MinSamples int
	// Method chooses clusters from the condensed tree: "eom" (excess of mass,
	// also "") or "leaf".
	Method string
	// Metric is "euclidean" (also "") or "manhattan".
	Metric string
	// Epsilon is cluster_selection_epsilon: clusters born at a distance below
	// it are merged upwards. 0 switches it off.
	Epsilon float64
	// Persistence is cluster_selection_persistence: sibling clusters that live
	// shorter than this (in lambda = 1/distance) are merged before selection.
	Persistence float64
	// Alpha divides distances, as in robust single linkage. 0 means 1.
	Alpha float64
	// MaxClusterSize bars larger clusters from being selected by "eom".
	// 0 means no limit.
	MaxClusterSize int
	// AllowSingleCluster lets the root, all rows together, be the only cluster.
	AllowSingleCluster bool
	// Threads bounds the goroutines used; 0 means GOMAXPROCS. It never changes
	// a result.
	Threads int
}

// Validate reports every setting that cannot be used, joined in one error.
func (p Params) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if p.MinClusterSize < 0 || p.MinClusterSize == 1 {
		bad("min_cluster_size is %d; it must be at least 2 (0 means the default, 10)", p.MinClusterSize)
	}
	if p.MinSamples < 0 {
		bad("min_samples is %d; it must be at least 1 (0 means min_cluster_size)", p.MinSamples)
	}
	if p.Method != "" && p.Method != "eom" && p.Method != "leaf" {
		bad("cluster_selection_method is %q; it must be \"eom\" or \"leaf\"", p.Method)
	}
	if p.Metric != "" && p.Metric != "euclidean" && p.Metric != "manhattan" {
		bad("metric is %q; it must be \"euclidean\" or \"manhattan\"", p.Metric)
	}
	for _, f := range []struct {
		name  string
		value float64
	}{{"cluster_selection_epsilon", p.Epsilon}, {"cluster_selection_persistence", p.Persistence}, {"alpha", p.Alpha}} {
		if !(f.value >= 0) || math.IsInf(f.value, 0) {
			bad("%s is %v; it must be a finite number, 0 or more", f.name, f.value)
		}
	}
	if p.Alpha != 0 && (p.Alpha < minAlpha || p.Alpha > maxAlpha) {
		bad("alpha is %v; it must lie between %g and %g (0 means 1)", p.Alpha, minAlpha, maxAlpha)
	}
	if p.MaxClusterSize < 0 {
		bad("max_cluster_size is %d; it must be 0 (no limit) or more", p.MaxClusterSize)
	}
	return errors.Join(errs...)
}

// Alpha beyond these bounds would take distances out of the range of float64.
const (
	minAlpha = 1e-3
	maxAlpha = 1e3
)

// withDefaults replaces the zero values that stand for a default.
func (p Params) withDefaults() Params {
	if p.MinClusterSize == 0 {
		p.MinClusterSize = 10
	}
	if p.MinSamples == 0 {
		p.MinSamples = p.MinClusterSize
	}
	if p.Method == "" {
		p.Method = "eom"
	}
	if p.Metric == "" {
		p.Metric = "euclidean"
	}
	if p.Alpha == 0 {
		p.Alpha = 1
	}
	return p
}

// samples is MinSamples cut to what n rows allow, at least 1.
func (p Params) samples(n int) int { return max(1, min(p.MinSamples, n-1)) }

// Edge is an edge of the minimum spanning tree between the rows A and B, at
// the mutual reachability distance Weight.
type Edge struct {
	A, B   int32
	Weight float64
}

// Model is a fitted clustering of N rows in D dimensions into C clusters.
//
// Save Params, N, D, Points, PredictionCore, Tree and Selected to be able to
// predict later: fill them in a new Model and call Restore. The other fields
// are results for the reader and may be left out.
type Model struct {
	Params Params // with defaults filled in
	N, D   int
	// Points is a copy of the rows, N x D row-major, with -0 stored as 0.
	Points []float64
	// PredictionCore (N long) are the core distances that prediction uses:
	// like hdbscan's, they count the row itself among the min_samples.
	PredictionCore []float64
	// Tree is the condensed tree.
	Tree CondensedTree
	// Selected (C long, ascending) is the cluster of Tree behind each label.
	Selected []int32

	// Labels (N long) is the cluster of each row, 0..C-1, or -1 for noise.
	Labels []int32
	// Probabilities (N long) is each row's strength in its cluster, 0..1; 0 for noise.
	Probabilities []float64
	// OutlierScores (N long) are the GLOSH scores, 0..1, larger is more outlying.
	OutlierScores []float64
	// Persistence (C long) is the stability of each cluster over its size and
	// the largest lambda of the tree.
	Persistence []float64
	// CoreDistances (N long) are distances to the min_samples-th other row.
	CoreDistances []float64
	// MST are N-1 edges in the order in which single linkage merges them:
	// ascending weight, ties by the raw distance, then by row. Copies of a row
	// hang on its first occurrence.
	MST []Edge

	idx *index
}

// Fit clusters n rows of d dimensions, row-major in points, which is copied.
//
// The result is the same bits for any number of threads. Identical rows always
// share label, probability and outlier score. Where distances tie, rows are
// joined in the order (mutual reachability, distance, row numbers), so without
// equal distances a permutation of the rows permutes the partition.
//
// It costs O(n log n) time for a handful of dimensions and falls towards
// O(n^2) beyond about 25; it allocates about 800 bytes a row at 5 dimensions.
// An error is returned for unusable params, n < 1, d < 1, a slice of another
// length than n*d, and for rows that are not finite or hold values beyond
// 1e140; these rows are named. A cancelled ctx ends the work with its error.
func Fit(ctx context.Context, points []float64, n, d int, p Params) (*Model, error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("hdbscan params: %w", err)
	}
	if n == 0 {
		return nil, errors.New("hdbscan: no rows to cluster; at least one is needed")
	}
	rows, err := copyPoints(points, n, d)
	if err != nil {
		return nil, fmt.Errorf("hdbscan: %w", err)
	}
	m := &Model{Params: p.withDefaults(), N: n, D: d, Points: rows}
	p = m.Params

	groups := groupRows(rows, n, d)
	tree := newKDTree(groups.gather(rows, d), groups.len(), d, metricOf(p.Metric), p.Threads)
	core, err := coreDistances(ctx, tree, groups, p.samples(n), p.Threads)
	if err != nil {
		return nil, fmt.Errorf("hdbscan core distances: %w", err)
	}
	edges, err := spanningTree(ctx, tree, core, p)
	if err != nil {
		return nil, fmt.Errorf("hdbscan spanning tree: %w", err)
	}
	slices.SortFunc(edges, compareSpans)
	m.build(groups, tree, core, edges)
	return m, nil
}

// build fills the model from the edges of the spanning tree, in the order in
// which they are to be merged.
func (m *Model) build(groups *rowGroups, tree *kdTree, core *cores, edges []span) {
	p := m.Params
	link := singleLinkage(edges, groups, core.fit, tree.metric)
	m.Tree = condense(link, groups, m.N, p.MinClusterSize)
	if p.Persistence > 0 {
		m.Tree = simplify(m.Tree, m.N, p.Persistence)
	}
	m.CoreDistances = groups.spread(core.fit, tree.metric)
	m.PredictionCore = groups.spread(core.predict, tree.metric)
	m.MST = expandMST(edges, groups, core.fit, tree.metric)

	ct := newClusters(&m.Tree, m.N)
	stability := ct.stabilities(&m.Tree)
	m.Selected = selectClusters(ct, stability, p)
	ct.assign(m.Selected)
	m.Labels, m.Probabilities = label(ct, p)
	m.Persistence = persistence(ct, stability, m.Labels)
	m.OutlierScores = glosh(ct)
	m.idx = newIndex(m, groups, tree, ct)
}

// NumClusters returns the number of clusters, C.
func (m *Model) NumClusters() int { return len(m.Selected) }
