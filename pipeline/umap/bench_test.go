package umap

import (
	"testing"

	"github.com/bertopic-go/bertopic/pipeline/knn"
)

// The steps of a fit of 18,331 x 384 vectors on two threads.
func BenchmarkNewsgroups(b *testing.B) {
	x, _ := newsgroups(b)
	p := Params{Seed: 42, Threads: 2}.withDefaults()
	g, err := knn.Fit(ctx, x, knn.Params{K: 15, Threads: 2})
	if err != nil {
		b.Fatal(err)
	}
	sigmas, rhos := smooth(g, 1, meanDistance(g), 2)
	graph := fuzzy(g, sigmas, rhos, 1, 2)
	start, err := startLayout(ctx, graph, x, 5, p)
	if err != nil {
		b.Fatal(err)
	}
	m, err := Fit(ctx, x, p)
	if err != nil {
		b.Fatal(err)
	}
	q := x.Select(seq(2000))
	scaleRows(q)
	for _, c := range []struct {
		name string
		f    func() error
	}{
		{"dedupe", func() error { newRowTable(x, 2).firsts(); return nil }},
		{"knn", func() error { _, err := knn.Fit(ctx, x, knn.Params{K: 15, Threads: 2}); return err }},
		{"smooth", func() error { smooth(g, 1, meanDistance(g), 2); return nil }},
		{"fuzzy", func() error { fuzzy(g, sigmas, rhos, 1, 2); return nil }},
		{"start", func() error { _, err := startLayout(ctx, graph, x, 5, p); return err }},
		{"layout", func() error {
			return newLayout(graph, start, 5, p, m.A, m.B, m.Params.NEpochs, 1).run(ctx, m.Params.NEpochs, 1, nil)
		}},
		{"fit", func() error { _, err := Fit(ctx, x, p); return err }},
		{"project", func() error { _, err := m.Project(ctx, 2); return err }},
		{"transform 2000", func() error { _, _, err := m.Transform(ctx, x, q); return err }},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				if err := c.f(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
