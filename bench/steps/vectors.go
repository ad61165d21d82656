package main

import (
	"context"
	"math"
	"time"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/vectorfile"
	"github.com/bertopic-go/bertopic/pipeline"
	"github.com/bertopic-go/bertopic/pipeline/knn"
	"github.com/bertopic-go/bertopic/pipeline/umap"
)

// neighbours is the search for the nearest rows by cosine, with the pace of
// the processor measured before and after, on as many threads.
func neighbours(ctx context.Context, o options) (any, error) {
	x, err := dense(ctx, o.in)
	if err != nil {
		return nil, err
	}
	before := floatPace(par.Threads(o.threads))
	var g *knn.Graph
	runs, err := o.measure(func() (err error) {
		g, err = knn.Fit(ctx, x, knn.Params{K: o.k, Threads: o.threads})
		return err
	})
	if err != nil {
		return nil, err
	}
	after := floatPace(par.Threads(o.threads))
	out := matrix.NewDense(g.N, g.K)
	for i, j := range g.Indices {
		out.Data[i] = float32(j) // exact up to 2^24 rows
	}
	return map[string]any{
		"runs": runs, "rows": x.Rows, "columns": x.Cols, "threads": par.Threads(o.threads),
		"pace": map[string]float64{"fused": max(before.Fused, after.Fused), "pairs": max(before.Pairs, after.Pairs)},
	}, vectorfile.WriteDense(o.out, out)
}

var began = time.Now()

// now is the clock and the CPU time so far.
func now() cost { return cost{time.Since(began).Seconds(), cpuSeconds()} }

func (c cost) less(d cost) cost     { return cost{c.Wall - d.Wall, c.CPU - d.CPU} }
func (c cost) times(f float64) cost { return cost{c.Wall * f, c.CPU * f} }

// layout is umap.Fit, cut into the search for neighbours, which is measured by
// itself, what comes between it and the layout, and the layout.
func layout(ctx context.Context, o options) (any, error) {
	x, err := dense(ctx, o.in)
	if err != nil {
		return nil, err
	}
	search, err := o.measure(func() error {
		_, err := knn.Fit(ctx, x, knn.Params{K: 15, Threads: o.threads})
		return err
	})
	if err != nil {
		return nil, err
	}
	var m *umap.Model
	var before, epochs []cost
	for range max(1, o.runs) {
		// The first epoch ends the rest, the last one the layout.
		marks := []cost{now()}
		m, err = umap.Fit(ctx, x, umap.Params{Seed: o.seed, Threads: o.threads, Progress: func(done, total int) {
			if done == 1 || done == total {
				marks = append(marks, now())
			}
		}})
		if err != nil {
			return nil, err
		}
		n := float64(m.Params.NEpochs)
		one := marks[2].less(marks[1]).times(1 / max(1, n-1))
		epochs = append(epochs, one.times(n))
		before = append(before, marks[1].less(marks[0]).less(one))
	}
	// The epochs in which an edge is drawn follow from its weight.
	var top, drawn float64
	for _, w := range m.Graph.Data {
		top = max(top, float64(w))
	}
	for _, w := range m.Graph.Data {
		if share := float64(w) / top; share*float64(m.Params.NEpochs) >= 1 {
			drawn += share
		}
	}
	return map[string]any{
		"rows": x.Rows, "knn": search, "before_layout": before, "layout": epochs, "epochs": m.Params.NEpochs,
		"edges": m.Graph.NNZ(), "pairs": drawn * float64(m.Params.NEpochs) * float64(1+m.Params.NegativeSampleRate),
	}, nil
}

// transform places the rows of o.in by a model, all together and a sample of
// them one by one, and counts the rows whose answers differ in a bit.
func transform(ctx context.Context, o options) (any, error) {
	x, err := dense(ctx, o.in)
	if err != nil {
		return nil, err
	}
	m, err := pipeline.Load(o.model)
	if err != nil {
		return nil, err
	}
	m.Threads = o.threads
	if _, err := m.Transform(ctx, x.Select([]int{0}), nil); err != nil { // makes its indexes
		return nil, err
	}
	var all []pipeline.Assignment
	runs, err := o.measure(func() (err error) { all, err = m.Transform(ctx, x, nil); return err })
	if err != nil {
		return nil, err
	}
	outliers, differ, done := 0, 0, 0
	for _, a := range all {
		if a.Topic == pipeline.Outlier {
			outliers++
		}
	}
	start := time.Now()
	for i := 0; i < x.Rows && done < o.sample; i += max(1, x.Rows/max(1, o.sample)) {
		one, err := m.Transform(ctx, x.Select([]int{i}), nil)
		if err != nil {
			return nil, err
		}
		if !sameBits(one[0], all[i]) {
			differ++
		}
		done++
	}
	return map[string]any{
		"runs": runs, "rows": x.Rows, "threads": par.Threads(o.threads), "outlier_share": float64(outliers) / float64(x.Rows),
		"sample": done, "differ": differ, "one_by_one": time.Since(start).Seconds(),
	}, nil
}

func sameBits(a, b pipeline.Assignment) bool {
	return a.Topic == b.Topic && a.Status == b.Status && math.Float64bits(a.Probability) == math.Float64bits(b.Probability) &&
		math.Float64bits(a.Cosine) == math.Float64bits(b.Cosine)
}
