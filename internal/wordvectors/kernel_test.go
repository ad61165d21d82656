package wordvectors

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestKernels: the vector version is the Go version, bit for bit, at any address.
func TestKernels(t *testing.T) {
	if !useAVX {
		t.Skip("this machine has no vector version")
	}
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 70 {
		for shift := range 5 {
			raw := make([]byte, shift+4*n)
			for i := range n {
				le.PutUint32(raw[shift+4*i:], math.Float32bits(float32(random.NormFloat64()*math.Pow(10, float64(random.IntN(60)-30)))))
			}
			a := make([]float64, n)
			for i := range a {
				a[i] = random.NormFloat64()
			}
			b := slices.Clone(a)
			w := random.Float64() * 3
			addScaled(a, raw[shift:], w)
			addScaledGo(b, raw[shift:], w)
			for i := range a {
				if math.Float64bits(a[i]) != math.Float64bits(b[i]) {
					t.Fatalf("%d values, value %d: %v, want %v", n, i, a[i], b[i])
				}
			}
		}
	}
}
