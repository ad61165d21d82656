package hdbscan

import (
	"fmt"
	"testing"

	"github.com/bertopic-go/bertopic/internal/rng"
)

// blobs are n rows of d dimensions around k centres, a tenth of them noise.
func blobs(n, d, k int, seed uint64) []float64 {
	x := make([]float64, n*d)
	for i := range n {
		c := rng.Hash2(seed, uint64(i), 1) % uint64(k)
		for j := range d {
			if i%10 == 9 {
				x[i*d+j] = 12 * rng.Unit(rng.Hash3(seed, uint64(i), uint64(j), 2))
				continue
			}
			centre := 12 * rng.Unit(rng.Hash3(seed, c, uint64(j), 3))
			width := 0.05 + 0.3*rng.Unit(rng.Hash3(seed, c, 0, 4))
			x[i*d+j] = centre + width*rng.Normal(seed, uint64(i*d+j), 5)
		}
	}
	return x
}

func BenchmarkFit(b *testing.B) {
	for _, n := range []int{20_000, 200_000} {
		x := blobs(n, 5, 200, 1)
		b.Run(fmt.Sprintf("%dx5", n), func(b *testing.B) {
			for b.Loop() {
				m := mustFit(b, x, n, 5, Params{Threads: 1})
				b.ReportMetric(float64(m.NumClusters()), "clusters")
			}
		})
	}
	x := blobs(20_000, 50, 200, 1)
	b.Run("20000x50", func(b *testing.B) {
		for b.Loop() {
			mustFit(b, x, 20_000, 50, Params{Threads: 1})
		}
	})
}

func BenchmarkPredict(b *testing.B) {
	m := mustFit(b, blobs(20_000, 5, 200, 1), 20_000, 5, Params{Threads: 1})
	q := blobs(30_000, 5, 200, 2)
	b.Run("30000 labels", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := m.Predict(b.Context(), q); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("30000 memberships", func(b *testing.B) {
		for b.Loop() {
			if _, err := m.PredictMembership(b.Context(), q); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("20000 training memberships", func(b *testing.B) {
		for b.Loop() {
			if _, err := m.MembershipVectors(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
