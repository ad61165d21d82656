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

// eachKernel runs f with each vector version that this processor has.
func eachKernel(t *testing.T, f func(t *testing.T)) {
	for name, use := range kernels() {
		if name == "go" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			defer use()()
			f(t)
		})
	}
}

func TestStepEqualsTwin(t *testing.T) {
	eachKernel(t, func(t *testing.T) {
		for dim := 1; dim <= 9; dim++ {
			for seed := range uint64(2) {
				a, b := hardLayout(t, dim, seed), hardLayout(t, dim, seed)
				if seed > 0 {
					a.negatives, b.negatives = 0, 0
				}
				step := a.step()
				for epoch := range uint32(20) {
					rate := float32(1) / float32(epoch+1)
					step(a, epoch, 0, a.n, rate)
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
	})
}

func TestFitEqualsTwin(t *testing.T) {
	p := Params{NEpochs: 50, Seed: 3}
	undo := kernels()["go"]()
	want := fit(t, blobs(500, 10, 4, 1), p)
	undo()
	eachKernel(t, func(t *testing.T) {
		if got := fit(t, blobs(500, 10, 4, 1), p); !sameBits(got.Embedding.Data, want.Embedding.Data) {
			t.Error("the layout depends on the kernel in use")
		}
	})
}

func TestTransformEqualsTwin(t *testing.T) {
	for dim := 1; dim <= 6; dim++ {
		x, q := blobs(300, 8, 3, 4), blobs(37, 8, 3, 5)
		m := fit(t, x, Params{NComponents: dim, NEpochs: 50, LearningRate: 3, RepulsionStrength: 2})
		// Some points in one spot, some far away.
		for i := range 300 {
			for d := range dim {
				m.Embedding.Row(i)[d] *= []float32{0, 1e-4, 0.1, 1, 1, 40}[i%6]
			}
		}
		transform := func() []float32 {
			y, _, err := m.Transform(ctx, x, q)
			if err != nil {
				t.Fatal(err)
			}
			return y.Data
		}
		undo := kernels()["go"]()
		want := transform()
		undo()
		eachKernel(t, func(t *testing.T) {
			if !sameBits(transform(), want) {
				t.Errorf("%d-d: the rows' places depend on the kernel in use", dim)
			}
		})
	}
}

func TestCombineEqualsTwin(t *testing.T) {
	m := fit(t, blobs(700, 8, 3, 4), Params{NEpochs: 1})
	eachKernel(t, func(t *testing.T) {
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
				got, want := slices.Clone(v[2]), slices.Clone(v[2])
				ofGot, ofWant := y0, y0
				if len(y0) > 0 && &y0[0] == &v[2][0] { // y itself
					ofGot, ofWant = got, want
				}
				w.combine(got, v[0], ofGot, 1.3, -0.4)
				w.combineRows(want, v[0], ofWant, 1.3, -0.4, 0, w.n)
				if !slices.Equal(got, want) {
					t.Errorf("width %d: the product depends on the kernel in use", width)
				}
			}
		}
	})
}

func FuzzStep(f *testing.F) {
	f.Add(uint64(1), float32(1), uint8(5))
	f.Fuzz(func(t *testing.T, seed uint64, scale float32, dims uint8) {
		if !(scale > -1e6 && scale < 1e6) {
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
		for name, use := range kernels() {
			undo := use()
			got := steps(l.step())
			undo()
			if !sameBits(got, want) {
				t.Fatalf("%s: %v, want %v", name, got, want)
			}
		}
	})
}
