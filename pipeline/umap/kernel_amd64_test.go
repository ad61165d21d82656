package umap

import (
	"math"
	"slices"
	"testing"

	"github.com/bertopic-go/bertopic/internal/rng"
)

// hardLayout has points in one spot, very near, near, far and very far.
func hardLayout(t *testing.T, dim int, seed uint64) *layout {
	m := fit(t, blobs(300, 8, 3, 4), Params{NComponents: dim, NEpochs: 1})
	l := newLayout(m.Graph, make([]float32, 300*dim), dim, m.Params, m.A, m.B, 50, seed)
	for i := range l.n {
		for d := range dim {
			size := []float64{0, 1e-4, 0.03, 1, 8, 900}[i%6]
			l.y[i*l.stride+d] = float32(size * rng.Normal(seed, uint64(i), uint64(d)))
		}
	}
	return l
}

// widths runs f with each width of vectors that the processor has.
func widths(t *testing.T, f func(t *testing.T)) {
	if !useAVX2 {
		t.Skip("no AVX2 here, or switched off")
	}
	defer func(was bool) { useAVX512 = was }(useAVX512)
	if useAVX512 {
		t.Run("avx512", f)
		useAVX512 = false
	}
	t.Run("avx2", f)
}

func TestVectorStepEqualsGo(t *testing.T) { widths(t, vectorStepEqualsGo) }

func vectorStepEqualsGo(t *testing.T) {
	for dim := 1; dim <= 8; dim++ {
		for seed := range uint64(2) {
			a, b := hardLayout(t, dim, seed), hardLayout(t, dim, seed)
			for epoch := range uint32(20) {
				rate := float32(1) / float32(epoch+1)
				for i := range a.n {
					a.gradientVector(epoch, i)
					b.kernel()(b, epoch, i)
					lo, hi := i*a.stride, i*a.stride+a.stride
					if !sameBits(a.next[lo:hi], b.next[lo:hi]) {
						t.Fatalf("%d-d, epoch %d, point %d: gradient %v, want %v", dim, epoch, i, a.next[lo:hi], b.next[lo:hi])
					}
					stepAVX2(a, epoch, i, rate)
					b.adam(i, rate)
					if !sameBits(a.next[lo:hi], b.next[lo:hi]) || !sameBits(a.mean[lo:hi], b.mean[lo:hi]) || !sameBits(a.square[lo:hi], b.square[lo:hi]) {
						t.Fatalf("%d-d, epoch %d, point %d: %v, want %v", dim, epoch, i, a.next[lo:hi], b.next[lo:hi])
					}
				}
				a.y, a.next = a.next, a.y
				b.y, b.next = b.next, b.y
			}
			if slices.ContainsFunc(a.y, func(v float32) bool { return math.IsNaN(float64(v)) }) {
				t.Fatal("a coordinate is no number")
			}
		}
	}
}

func TestFitIsTheSameWithoutVectors(t *testing.T) { widths(t, fitIsTheSameWithoutVectors) }

func fitIsTheSameWithoutVectors(t *testing.T) {
	p := Params{NEpochs: 50, Seed: 3}
	with := fit(t, blobs(500, 10, 4, 1), p)
	useAVX2 = false
	defer func() { useAVX2 = true }()
	if without := fit(t, blobs(500, 10, 4, 1), p); !sameBits(with.Embedding.Data, without.Embedding.Data) {
		t.Error("the layout depends on the kernel in use")
	}
}

func FuzzGradient(f *testing.F) {
	f.Add(uint64(1), float32(1), uint8(5))
	f.Fuzz(func(t *testing.T, seed uint64, scale float32, dims uint8) {
		if !useAVX2 || !(scale > -1e6 && scale < 1e6) {
			t.Skip()
		}
		l := hardLayout(t, int(dims)%8+1, seed)
		for i := range l.y {
			l.y[i] *= scale
		}
		for i := range l.n {
			row := l.next[i*l.stride : (i+1)*l.stride]
			l.gradientVector(uint32(seed), i)
			wide := slices.Clone(row)
			was := useAVX512
			useAVX512 = false
			l.gradientVector(uint32(seed), i)
			useAVX512 = was
			got := slices.Clone(row)
			l.kernel()(l, uint32(seed), i)
			if !sameBits(got, row) || !sameBits(wide, row) {
				t.Fatalf("point %d: %v and %v, want %v", i, wide, got, row)
			}
		}
	})
}
