package main

import (
	"context"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/vectorfile"
	"github.com/bertopic-go/bertopic/pipeline/hdbscan"
)

func doubles(m *matrix.Dense) []float64 {
	out := make([]float64, len(m.Data))
	for i, v := range m.Data {
		out[i] = float64(v)
	}
	return out
}

// clustering is HDBSCAN with BERTopic's settings; the labels go to o.out.
func clustering(ctx context.Context, o options) (any, error) {
	x, err := dense(ctx, o.in)
	if err != nil {
		return nil, err
	}
	data := doubles(x)
	var m *hdbscan.Model
	runs, err := o.measure(func() (err error) {
		m, err = hdbscan.Fit(ctx, data, x.Rows, x.Cols, hdbscan.Params{Threads: o.threads})
		return err
	})
	if err != nil {
		return nil, err
	}
	return map[string]any{"runs": runs, "rows": x.Rows, "clusters": m.NumClusters()}, writeColumn(o.out, m.Labels)
}

// membership is the membership vectors of the rows of a fit, and the labels of
// new rows. It leaves the vectors in o.out and the labels beside them.
func membership(ctx context.Context, o options) (any, error) {
	x, err := dense(ctx, o.in)
	if err != nil {
		return nil, err
	}
	q, err := dense(ctx, o.queries)
	if err != nil {
		return nil, err
	}
	m, err := hdbscan.Fit(ctx, doubles(x), x.Rows, x.Cols, hdbscan.Params{Threads: o.threads})
	if err != nil {
		return nil, err
	}
	fresh := doubles(q)
	var shares []float64
	all, err := o.measure(func() (err error) { shares, err = m.MembershipVectors(ctx); return err })
	if err != nil {
		return nil, err
	}
	var labels []int32
	predict, err := o.measure(func() (err error) { labels, _, err = m.Predict(ctx, fresh); return err })
	if err != nil {
		return nil, err
	}
	one, err := o.measure(func() (err error) { _, err = m.PredictMembership(ctx, fresh); return err })
	if err != nil {
		return nil, err
	}
	k := m.NumClusters()
	if o.out != "" {
		out := matrix.NewDense(x.Rows, k)
		for i, v := range shares {
			out.Data[i] = float32(v)
		}
		if err := vectorfile.WriteDense(o.out, out); err != nil {
			return nil, err
		}
		if err := writeColumn(o.out+".fit.npy", m.Labels); err != nil {
			return nil, err
		}
		if err := writeColumn(o.out+".new.npy", labels); err != nil {
			return nil, err
		}
	}
	return map[string]any{"rows": x.Rows, "new": q.Rows, "clusters": k, "all": all, "predict": predict, "predict_membership": one}, nil
}
