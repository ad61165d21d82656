package pipeline

import (
	"context"
	"math"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/pipeline/agglomerative"
	"github.com/bertopic-go/bertopic/pipeline/hdbscan"
)

// merge joins topics that are near each other, where fewer are wanted.
//
// A number of topics is reached by average linkage on 1 - cosine between the
// topics' vectors, "auto" by HDBSCAN with clusters of 2 on their directions,
// both as BERTopic does. Outliers stay outliers.
func (f *fit) merge() error {
	n := 0
	for _, l := range f.label {
		n = max(n, l+1)
	}
	want := f.p.NrTopics
	if n < 2 || !f.p.AutoTopics && (want == 0 || want >= n) {
		if want > n {
			f.warn("few-topics", "%d topics were found, fewer than the nr_topics = %d asked for", n, want)
		}
		return nil
	}
	rows := make([]int, 0, len(f.usable))
	group := make([]int, 0, len(f.usable))
	for k, i := range f.usable {
		rows = append(rows, i)
		group = append(group, f.label[f.same.group[k]])
	}
	means := groupMeans(f.rows.Vectors, rows, group, n)

	var joined []int // topic to merged topic
	var err error
	if f.p.AutoTopics {
		joined, err = mergeAlike(f.ctx, means, f.p.Threads)
	} else {
		joined, err = mergeTo(f.ctx, means, want)
	}
	if err != nil {
		return err
	}
	compose := func(to []int) {
		for g, l := range f.label {
			if l != Outlier {
				f.label[g] = to[l]
			}
		}
		for c, t := range f.clusterer.topicOf {
			if t != Outlier {
				f.clusterer.topicOf[c] = to[t]
			}
		}
	}
	compose(joined)
	compose(bySize(f.label, f.same.size))
	return nil
}

// mergeTo returns, for each row of means, its group when n groups are left.
func mergeTo(ctx context.Context, means Matrix, n int) ([]int, error) {
	rows, _ := means.Dims()
	d := make([]float64, rows*rows)
	for i := range rows {
		for j := range i {
			v := 1 - cosine(means, i, means, j)
			d[i*rows+j], d[j*rows+i] = v, v
		}
	}
	m, err := agglomerative.FitDistances(ctx, d, rows, agglomerative.Params{Linkage: agglomerative.Average, NClusters: n})
	if err != nil {
		return nil, err
	}
	return ints(m.Labels), nil
}

// mergeAlike returns, for each row of means, the group that it makes with
// those of its direction; one that is like no other stays alone.
func mergeAlike(ctx context.Context, means Matrix, threads int) ([]int, error) {
	rows, d := means.Dims()
	points := make([]float64, rows*d)
	for i := range rows {
		norm := 0.0
		set := func(j int, v float32) {
			points[i*d+j] = float64(v)
			norm += float64(v) * float64(v)
		}
		switch m := means.(type) {
		case *matrix.Dense:
			for j, v := range m.Row(i) {
				set(j, v)
			}
		case *matrix.CSR:
			cols, values := m.Row(i)
			for k, c := range cols {
				set(int(c), values[k])
			}
		}
		if norm > 0 {
			for j := range d {
				points[i*d+j] /= math.Sqrt(norm)
			}
		}
	}
	m, err := hdbscan.Fit(ctx, points, rows, d, hdbscan.Params{MinClusterSize: 2, Threads: threads})
	if err != nil {
		return nil, err
	}
	out := ints(m.Labels)
	next := 0
	for _, l := range out {
		next = max(next, l+1)
	}
	for i, l := range out {
		if l == Outlier {
			out[i] = next
			next++
		}
	}
	return out, nil
}
