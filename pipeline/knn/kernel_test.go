package knn

import (
	"math"
	"testing"

	"github.com/bertopic-go/bertopic/internal/rng"
)

type kernel struct {
	dotTile                 func(dst, a, b *int32, steps int)
	scan                    func(t *tile, rowFloor, colFloor *[blockRows]int32, out *hits)
	sumProducts, sumSquares func(sum *[lanes]float64, x, y *float32, rounds int)
	threeProducts           func(sums *[3]float64, x, y *float64, width int)
}

func fill(s []float32, seed uint64) {
	for i := range s {
		s[i] = float32(rng.Normal(seed, uint64(i), 0))
	}
}

// fillPairs makes n pairs of codes whose column of width has a length of one at
// most, as codes have; one value in so many is the largest that there is.
func fillPairs(n, width int, seed uint64) []int32 {
	s := make([]int32, n*width)
	for c := range width {
		values := make([]float64, 2*n)
		var sum float64
		for i := range values {
			values[i] = rng.Normal(seed, uint64(c), uint64(i))
			if rng.Hash2(seed+1, uint64(c), 0)%5 == 0 && i > 0 {
				values[i] = 0 // one value is the whole length
			}
			sum += values[i] * values[i]
		}
		for i := range n {
			code := func(v float64) int32 { return min(int32(math.Round(v/math.Sqrt(sum)*one)), one-1) }
			s[i*width+c] = code(values[2*i])&0xffff | code(values[2*i+1])<<16
		}
	}
	return s
}

// Every kernel and its Go twin agree in every bit.
func TestDotTileEqualsTwin(t *testing.T) {
	for name, kernel := range kernels() {
		for _, steps := range []int{1, 2, 3, 17, 192} {
			a, b := fillPairs(steps, mr, uint64(steps)), fillPairs(steps, nr, uint64(steps)+1000)
			var got, want tile
			kernel.dotTile(&got[0], &a[0], &b[0], steps)
			dotTileGo(&want[0], &a[0], &b[0], steps)
			if got != want {
				t.Errorf("%s, %d steps: the products differ", name, steps)
			}
			for r := range mr {
				for c := range nr {
					var s int64
					for p := range steps {
						v, w := a[p*mr+r], b[p*nr+c]
						s += int64(int16(v))*int64(int16(w)) + int64(v>>16)*int64(w>>16)
					}
					if s != int64(want[r*blockRows+c]) {
						t.Fatalf("%d steps (%d, %d): %d, want %d", steps, r, c, want[r*blockRows+c], s)
					}
				}
			}
		}
	}
}

func FuzzDotTile(f *testing.F) {
	f.Add(uint64(1), uint8(5))
	f.Fuzz(func(t *testing.T, seed uint64, k uint8) {
		n := int(k)%64 + 1
		a, b := fillPairs(n, mr, seed), fillPairs(n, nr, seed+1)
		var want tile
		dotTileGo(&want[0], &a[0], &b[0], n)
		for name, kernel := range kernels() {
			var got tile
			kernel.dotTile(&got[0], &a[0], &b[0], n)
			if got != want {
				t.Errorf("%s: the products differ", name)
			}
		}
	})
}

func TestScanEqualsTwin(t *testing.T) {
	for name, kernel := range kernels() {
		var v tile
		var row, col [blockRows]int32
		for seed := range uint64(20) {
			for i := range v {
				v[i] = int32(rng.Hash2(seed, uint64(i), 0))
			}
			for i := range row {
				row[i], col[i] = int32(rng.Hash2(seed, uint64(i), 1)), int32(rng.Hash2(seed, uint64(i), 2))
			}
			row[3], col[7], row[9], col[9] = highest, highest, lowest, lowest
			v[5*blockRows+6] = row[5] // an entry at the floor doesn't count
			v[6*blockRows+6] = highest
			var got, want hits
			kernel.scan(&v, &row, &col, &got)
			scanGo(&v, &row, &col, &want)
			if got != want {
				t.Errorf("%s, seed %d: the marks differ", name, seed)
			}
			for i, x := range v {
				r, c := i/blockRows, i%blockRows
				if marked := want[i/32]>>(c%32)&1 == 1; marked != (x > row[r] || x > col[c]) {
					t.Fatalf("seed %d: entry (%d, %d) is %d, its floors are %d and %d: marked %v", seed, r, c, x, row[r], col[c], marked)
				}
			}
		}
	}
}

// use puts k in the place of the kernels in use until the test ends.
func use(tb testing.TB, k kernel) {
	old := kernel{dotTile, scan, sumProducts, sumSquares, threeProducts}
	set := func(k kernel) {
		dotTile, scan, sumProducts, sumSquares, threeProducts = k.dotTile, k.scan, k.sumProducts, k.sumSquares, k.threeProducts
	}
	tb.Cleanup(func() { set(old) })
	set(k)
}

func TestSumsEqualTwins(t *testing.T) {
	for name, kernel := range kernels() {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{0, 1, 2, 15, 16, 17, 33, 384, 1000} {
				x, y := make([]float32, n), make([]float32, n)
				fill(x, 1)
				fill(y, 2)
				for i := range x {
					x[i] *= float32(math.Ldexp(1, int(rng.Hash2(3, uint64(i), 0)%60)-30))
				}
				use(t, kernels()["go"])
				p, s := product(x, y), squares(x, y)
				use(t, kernel)
				if got := product(x, y); math.Float64bits(got) != math.Float64bits(p) {
					t.Errorf("product of %d values: %g, the twin has %g", n, got, p)
				}
				if got := squares(x, y); math.Float64bits(got) != math.Float64bits(s) {
					t.Errorf("squared distance of %d values: %g, the twin has %g", n, got, s)
				}
				var wantP, wantS, size float64
				for i := range x {
					a, b := float64(x[i]), float64(y[i])
					wantP += a * b
					wantS += (a - b) * (a - b)
					size += math.Abs(a * b)
				}
				if math.Abs(p-wantP) > 1e-13*size || math.Abs(s-wantS) > 1e-13*wantS {
					t.Errorf("%d values: %g and %g, want %g and %g", n, p, s, wantP, wantS)
				}
			}
		})
	}
}

// Three products at once are the same three products.
func TestThreeProductsAreProducts(t *testing.T) {
	for name, kernel := range kernels() {
		for _, n := range []int{1, 16, 17, 384} {
			width := (n + lanes - 1) / lanes * lanes
			wide := func(x []float32) []float64 {
				s := make([]float64, width)
				for j, v := range x {
					s[j] = float64(v)
				}
				return s
			}
			x, rows := make([]float32, n), make([]float32, 3*n)
			fill(x, 1)
			fill(rows, 2)
			var y []float64
			for p := range 3 {
				y = append(y, wide(rows[p*n:(p+1)*n])...)
			}
			var sums [3]float64
			kernel.threeProducts(&sums, &wide(x)[0], &y[0], width)
			for p := range sums {
				if got, want := sums[p], product(x, rows[p*n:(p+1)*n]); math.Float64bits(got) != math.Float64bits(want) {
					t.Errorf("%s, %d values: product %d is %g, want %g", name, n, p, got, want)
				}
			}
		}
	}
}

func BenchmarkDotTile(b *testing.B) {
	const k = 384
	x, y := fillPairs(k/2, blockRows, 1), fillPairs(k/2, blockRows, 2)
	var t tile
	for name, kernel := range kernels() {
		b.Run(name, func(b *testing.B) {
			use(b, kernel)
			for b.Loop() {
				dotBlock(&t, x, y, k/2)
			}
			b.ReportMetric(2*blockRows*blockRows*k*float64(b.N)/b.Elapsed().Seconds()/1e9, "GOP/s")
		})
	}
}

func BenchmarkProduct(b *testing.B) {
	x, y := make([]float32, 384), make([]float32, 384)
	fill(x, 1)
	fill(y, 2)
	for name, kernel := range kernels() {
		b.Run(name, func(b *testing.B) {
			use(b, kernel)
			for b.Loop() {
				product(x, y)
			}
		})
	}
}
