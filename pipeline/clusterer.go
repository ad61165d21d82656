package pipeline

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/pipeline/agglomerative"
	"github.com/bertopic-go/bertopic/pipeline/dbscan"
	"github.com/bertopic-go/bertopic/pipeline/hdbscan"
	"github.com/bertopic-go/bertopic/pipeline/kmeans"
)

// clusterer groups points and tells the group of a new one. HDBSCAN has rules
// of its own for that; every other method comes down to the nearest of some
// centres, within a reach.
type clusterer struct {
	hdbscan *hdbscan.Model
	centres *Dense  // points that stand for a cluster; nil with hdbscan
	owner   []int   // the cluster of each centre
	reach   float64 // a new point farther than this from every centre is an outlier

	topicOf []int // the topic of each cluster
}

// fit clusters points and returns a label and a strength for each.
func (c *clusterer) fit(ctx context.Context, points *Dense, p Params, warn func(code, format string, args ...any)) ([]int, []float64, error) {
	n, d := points.Dims()
	c.reach = math.Inf(1)
	note := func(text string) {
		if text != "" {
			warn("clusters", "%s", text)
		}
	}
	switch p.Cluster.Method {
	case "hdbscan":
		m, err := hdbscan.Fit(ctx, doubles(points), n, d, p.Cluster.HDBSCAN)
		if err != nil {
			return nil, nil, err
		}
		c.hdbscan = m
		return ints(m.Labels), slices.Clone(m.Probabilities), nil
	case "kmeans", "minibatch-kmeans":
		m, err := kmeans.Fit(ctx, doubles(points), n, d, kmeans.Params{K: p.Cluster.K, MiniBatch: p.Cluster.Method == "minibatch-kmeans", Seed: p.Seed, Threads: p.Threads})
		if err != nil {
			return nil, nil, err
		}
		note(m.Note())
		label := ints(m.Labels)
		c.centres, c.owner = singles(m.Centers, d), count(m.K)
		return label, ones(label), nil
	case "agglomerative":
		m, err := agglomerative.Fit(ctx, doubles(points), n, d, agglomerative.Params{Linkage: agglomerative.Linkage(p.Cluster.Linkage), NClusters: p.Cluster.K, Threads: p.Threads})
		if err != nil {
			return nil, nil, err
		}
		note(m.Note())
		label := ints(m.Labels)
		c.centres, c.owner = centroids(points, label, m.K), count(m.K)
		return label, ones(label), nil
	case "dbscan":
		m, err := dbscan.Fit(ctx, doubles(points), n, d, dbscan.Params{Eps: p.Cluster.Eps, MinSamples: p.Cluster.HDBSCAN.MinSamples, Threads: p.Threads})
		if err != nil {
			return nil, nil, err
		}
		label := ints(m.Labels)
		c.centres, c.owner, c.reach = singles(m.CorePoints, d), ints(m.CoreLabels), p.Cluster.Eps
		return label, ones(label), nil
	}
	return nil, nil, fmt.Errorf("there is no cluster method %q", p.Cluster.Method)
}

// predict returns the cluster of each point, and a strength. The answer for a
// point does not depend on the others.
func (c *clusterer) predict(ctx context.Context, points *Dense, threads int) ([]int, []float64, error) {
	if c.hdbscan != nil {
		label, strength, err := c.hdbscan.Predict(ctx, doubles(points))
		return ints(label), strength, err
	}
	label := make([]int, points.Rows)
	par.Blocks(threads, points.Rows, 64, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			label[i] = c.nearest(points.Row(i))
		}
	})
	return label, ones(label), ctx.Err()
}

func (c *clusterer) nearest(p []float32) int {
	label, best := Outlier, math.Inf(1)
	if c.centres == nil { // nothing was clustered
		return label
	}
	for k := range c.centres.Rows {
		if d := distance(p, c.centres.Row(k)); d < best && d <= c.reach {
			best, label = d, c.owner[k]
		}
	}
	return label
}

func distance(a, b []float32) float64 {
	sum := 0.0
	for j, v := range a {
		d := float64(v) - float64(b[j])
		sum += d * d
	}
	return math.Sqrt(sum)
}

// centroids returns the mean of the points of each of k labels.
func centroids(points *Dense, label []int, k int) *Dense {
	sum := make([]float64, k*points.Cols)
	size := make([]float64, k)
	for i, l := range label {
		size[l]++
		for j, v := range points.Row(i) {
			sum[l*points.Cols+j] += float64(v)
		}
	}
	out := &Dense{Rows: k, Cols: points.Cols, Data: make([]float32, len(sum))}
	for i, s := range sum {
		out.Data[i] = float32(s / size[i/points.Cols])
	}
	return out
}

// ones is the strength of clusters that have no degrees: 1, and 0 outside.
func ones(label []int) []float64 {
	out := make([]float64, len(label))
	for i, l := range label {
		if l != Outlier {
			out[i] = 1
		}
	}
	return out
}

func count(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func ints[T ~int | ~int32 | ~int64](s []T) []int {
	out := make([]int, len(s))
	for i, v := range s {
		out[i] = int(v)
	}
	return out
}

func doubles(m *Dense) []float64 {
	out := make([]float64, len(m.Data))
	for i, v := range m.Data {
		out[i] = float64(v)
	}
	return out
}

// singles is the inverse of doubles, for points of d values.
func singles(v []float64, d int) *Dense {
	out := &Dense{Rows: len(v) / d, Cols: d, Data: make([]float32, len(v))}
	for i, x := range v {
		out.Data[i] = float32(x)
	}
	return out
}
