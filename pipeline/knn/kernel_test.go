package knn

import (
	"math"
	"testing"

	"github.com/bertopic-go/bertopic/internal/rng"
)

func fill(s []float32, seed uint64) {
	for i := range s {
		s[i] = float32(rng.Normal(seed, uint64(i), 0))
	}
}

// The kernel in use and its Go twin must agree in every bit.
func TestDotTileEqualsTwin(t *testing.T) {
	for name, kernel := range kernels() {
		for _, k := range []int{1, 2, 3, 17, 384} {
			a, b := make([]float32, k*mr), make([]float32, k*nr)
			fill(a, uint64(k))
			fill(b, uint64(k)+1000)
			var got, want tile
			kernel(&got[0], &a[0], &b[0], k)
			dotTileGo(&want[0], &a[0], &b[0], k)
			if !sameBits(got[:], want[:]) {
				t.Errorf("%s, k=%d: the bits differ", name, k)
			}
			for r := range mr {
				for c := range nr {
					var s float64
					for p := range k {
						s += float64(a[p*mr+r]) * float64(b[p*nr+c])
					}
					if math.Abs(s-float64(want[r*blockRows+c])) > 1e-4 {
						t.Fatalf("k=%d (%d, %d): %g, want %g", k, r, c, want[r*blockRows+c], s)
					}
				}
			}
		}
	}
}

func FuzzDotTile(f *testing.F) {
	f.Add(uint64(1), uint8(5), int8(0))
	f.Fuzz(func(t *testing.T, seed uint64, k uint8, exp int8) {
		n := int(k)%64 + 1
		a, b := make([]float32, n*mr), make([]float32, n*nr)
		fill(a, seed)
		fill(b, seed+1)
		for i := range a {
			a[i] = float32(math.Ldexp(float64(a[i]), int(exp)))
		}
		var want tile
		dotTileGo(&want[0], &a[0], &b[0], n)
		for name, kernel := range kernels() {
			var got tile
			kernel(&got[0], &a[0], &b[0], n)
			if !sameBits(got[:], want[:]) {
				t.Errorf("%s: the bits differ", name)
			}
		}
	})
}

func TestScanEqualsTwin(t *testing.T) {
	var v tile
	var row, col [blockRows]float32
	for seed := range uint64(20) {
		fill(v[:], seed)
		fill(row[:], seed+50)
		fill(col[:], seed+70)
		row[3], col[7], row[9], col[9] = inf32, inf32, -inf32, -inf32
		v[5*blockRows+6] = row[5] // an entry at the bar counts
		v[6*blockRows+6] = col[6]
		var got, want hits
		scan(&v, &row, &col, &got)
		scanGo(&v, &row, &col, &want)
		if got != want {
			t.Errorf("seed %d: the marks differ", seed)
		}
	}
}

func BenchmarkDotTile(b *testing.B) {
	const k = 384
	x, y := make([]float32, k*blockRows), make([]float32, k*blockRows)
	fill(x, 1)
	fill(y, 2)
	var t tile
	for name, kernel := range kernels() {
		b.Run(name, func(b *testing.B) {
			old := dotTile
			dotTile = kernel
			defer func() { dotTile = old }()
			for b.Loop() {
				dotBlock(&t, x, y, k)
			}
			b.ReportMetric(2*blockRows*blockRows*k*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
		})
	}
}
