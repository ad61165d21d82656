package encoder

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// randomRows are n rows of ids, all of one length.
func randomRows(n, length, vocab int, seed uint64) [][]int64 {
	r := rand.New(rand.NewPCG(seed, uint64(length)))
	rows := make([][]int64, n)
	for i := range rows {
		for range length {
			rows[i] = append(rows[i], 5+r.Int64N(int64(vocab-5)))
		}
	}
	return rows
}

// randomDense is a layer of random weights.
func randomDense(in, out int) Dense {
	r := rand.New(rand.NewPCG(3, 4))
	d := Dense{In: in, Out: out, Weight: make([]float32, in*out), Bias: make([]float32, out), Activation: "tanh"}
	for i := range d.Weight {
		d.Weight[i] = float32(r.NormFloat64() / 8)
	}
	return d
}

// testBits compares each row in a batch of its length on two threads with the
// row alone on one, and with the row among others.
func testBits(t *testing.T, m *Model, vocab int, lengths []int) {
	t.Helper()
	one, two := open(t, m, 1), open(t, m, 2)
	for _, length := range lengths {
		rows := randomRows(64, length, vocab, 1)
		all := two.run(t, rows, 0)
		some := one.run(t, rows[10:17], 0)
		for _, i := range []int{0, 10, 13, 16, 63} {
			want := all[i*m.Dimension : (i+1)*m.Dimension]
			if got := one.run(t, rows[i:i+1], 0); !slices.Equal(got, want) {
				t.Errorf("row %d of %d tokens: alone differs by %g from a batch of 64", i, length, farthest(got, want))
			}
			if i >= 10 && i < 17 && !slices.Equal(some[(i-10)*m.Dimension:(i-9)*m.Dimension], want) {
				t.Errorf("row %d of %d tokens: a batch of 7 differs from one of 64", i, length)
			}
		}
	}
}

// TestBits shows for every architecture that a row's bits depend neither on
// its batch mates nor on the number of threads.
func TestBits(t *testing.T) {
	for _, name := range fixtures {
		for _, p := range []Precision{FP32, Int8} {
			t.Run(fmt.Sprint(name, " ", p), func(t *testing.T) {
				needRuntime(t)
				m := built(t, Spec{Dir: fixture(t, name), Unpadded: true, Precision: p,
					Head: []Layer{Pooling{Modes: []string{Mean, Max}}, randomDense(64, 24), Normalize{}}})
				testBits(t, m, 400, []int{1, 2, 3, 15, 31, 33, 64})
			})
		}
	}
}

// TestMiniLMBits does so on real weights, whose products take the kernels'
// blocked paths.
func TestMiniLMBits(t *testing.T) {
	dir := minilm(t)
	needRuntime(t)
	for _, p := range []Precision{FP32, Int8} {
		m := built(t, Spec{Dir: dir, Unpadded: true, Precision: p, Head: []Layer{Pooling{Modes: []string{Mean}}, randomDense(384, 768), Normalize{}}})
		testBits(t, m, 30000, []int{1, 2, 31})
		if !testing.Short() {
			one := open(t, m, 1)
			rows := randomRows(3, 257, 30000, 2)
			all := one.run(t, rows, 0)
			if got := one.run(t, rows[2:3], 0); !slices.Equal(got, all[2*m.Dimension:3*m.Dimension]) {
				t.Errorf("%s: a row of 257 tokens differs from itself in a batch of 3", p)
			}
		}
	}
}

// BenchmarkMiniLM runs batches of texts of one length on one thread.
func BenchmarkMiniLM(b *testing.B) {
	dir := minilm(b)
	needRuntime(b)
	for _, p := range []Precision{FP32, Int8} {
		m := built(b, Spec{Dir: dir, Unpadded: true, Precision: p, Head: []Layer{Pooling{Modes: []string{Mean}}, Normalize{}}})
		s := open(b, m, 1)
		for _, c := range []struct{ rows, tokens int }{{16, 32}, {4, 128}, {2, 256}} {
			b.Run(fmt.Sprintf("%s/%dx%d", p, c.rows, c.tokens), func(b *testing.B) {
				rows := randomRows(c.rows, c.tokens, 30000, 1)
				for b.Loop() {
					s.run(b, rows, 0)
				}
				b.ReportMetric(float64(b.N*c.rows)/b.Elapsed().Seconds(), "docs/s")
			})
		}
	}
}
