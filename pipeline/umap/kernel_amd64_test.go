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
				stepVector(a, epoch, 0, a.n, rate)
				stepGo(b, epoch, 0, b.n, rate)
				for i := range a.n {
					lo, hi := i*a.stride, i*a.stride+a.stride
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

func TestTransformIsTheSameWithoutVectors(t *testing.T) {
	if !useAVX512 {
		t.Skip("no AVX-512 here, or switched off")
	}
	defer func() { useAVX512 = true }()
	for dim := 1; dim <= 6; dim++ {
		useAVX512 = true
		x, q := blobs(300, 8, 3, 4), blobs(37, 8, 3, 5)
		m := fit(t, x, Params{NComponents: dim, NEpochs: 50, LearningRate: 3, RepulsionStrength: 2})
		// Some points in one spot, some far away.
		for i := range 300 {
			for d := range dim {
				m.Embedding.Row(i)[d] *= []float32{0, 1e-4, 0.1, 1, 1, 40}[i%6]
			}
		}
		with, _, err := m.Transform(ctx, x, q)
		if err != nil {
			t.Fatal(err)
		}
		useAVX512 = false
		without, _, err := m.Transform(ctx, x, q)
		if err != nil {
			t.Fatal(err)
		}
		if !sameBits(with.Data, without.Data) {
			t.Errorf("%d-d: the rows' places depend on the kernel in use", dim)
		}
	}
}

func TestCombineIsTheSameWithoutVectors(t *testing.T) {
	if !useAVX2 {
		t.Skip("no AVX2 here, or switched off")
	}
	m := fit(t, blobs(700, 8, 3, 4), Params{NEpochs: 1})
	for _, width := range []int{8, 16} {
		w := newWalk(m.Graph, width, 1)
		var v [3][]float64
		for k := range v {
			v[k] = make([]float64, w.n*width)
			for i := range v[k] {
				v[k][i] = rng.Normal(7, uint64(k), uint64(i))
			}
		}
		for _, y0 := range [][]float64{nil, v[1], v[2]} {
			want := slices.Clone(v[2])
			own := y0
			if len(y0) > 0 && &y0[0] == &v[2][0] {
				own = want // y itself
			}
			w.combineRows(want, v[0], own, 1.3, -0.4, 100, 600)
			got := slices.Clone(v[2])
			if len(y0) > 0 && &y0[0] == &v[2][0] {
				own = got
			}
			if !w.combineVector(got, v[0], own, 1.3, -0.4, 100, 600) || !slices.Equal(got, want) {
				t.Errorf("width %d: the product depends on the kernel in use", width)
			}
		}
	}
}

func FuzzStep(f *testing.F) {
	f.Add(uint64(1), float32(1), uint8(5))
	f.Fuzz(func(t *testing.T, seed uint64, scale float32, dims uint8) {
		if !useAVX2 || !(scale > -1e6 && scale < 1e6) {
			t.Skip()
		}
		l := hardLayout(t, int(dims)%8+1, seed)
		for i := range l.y {
			l.y[i] *= scale
		}
		steps := func(step func(l *layout, epoch uint32, lo, hi int, rate float32)) []float32 {
			clear(l.mean)
			clear(l.square)
			step(l, uint32(seed), 0, l.n, 1)
			return slices.Clone(l.next)
		}
		want := steps(stepGo)
		defer func(was bool) { useAVX512 = was }(useAVX512)
		for range 2 {
			if got := steps(stepVector); !sameBits(got, want) {
				t.Fatalf("AVX-512 %v: %v, want %v", useAVX512, got, want)
			}
			useAVX512 = false
		}
	})
}
