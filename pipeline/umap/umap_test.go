package umap

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/rng"
	"github.com/bertopic-go/bertopic/pipeline/knn"
)

var ctx = context.Background()

// blobs makes n rows around the given number of centres, all values positive.
func blobs(n, d, centres int, seed uint64) *matrix.Dense {
	x := matrix.NewDense(n, d)
	for i := range n {
		c := uint64(i % centres)
		for j := range d {
			x.Row(i)[j] = float32(math.Abs(rng.Normal(seed, c+1000, uint64(j)) + 0.4*rng.Normal(seed, uint64(i), uint64(j)+5000)))
		}
	}
	return x
}

func sparse(x *matrix.Dense) *matrix.CSR {
	m := &matrix.CSR{Rows: x.Rows, Cols: x.Cols, Indptr: []int64{0}}
	for i := range x.Rows {
		for j, v := range x.Row(i) {
			if v != 0 {
				m.Indices = append(m.Indices, int32(j))
				m.Data = append(m.Data, v)
			}
		}
		m.Indptr = append(m.Indptr, int64(len(m.Indices)))
	}
	return m
}

// words makes rows of counts: each topic has its own vocabulary; rows past
// perTopic*topics have words of no one else.
func words(topics, perTopic, alone int) *matrix.CSR {
	const vocabulary = 30
	m := &matrix.CSR{Cols: topics*vocabulary + 3*alone, Indptr: []int64{0}}
	for i := range topics*perTopic + alone {
		if i < topics*perTopic {
			for w := range vocabulary {
				if rng.Hash2(3, uint64(i), uint64(w))%3 == 0 {
					m.Indices = append(m.Indices, int32(i/perTopic*vocabulary+w))
					m.Data = append(m.Data, float32(1+rng.Hash2(4, uint64(i), uint64(w))%3))
				}
			}
		} else {
			for w := range 3 {
				m.Indices = append(m.Indices, int32(topics*vocabulary+3*(i-topics*perTopic)+w))
				m.Data = append(m.Data, 1)
			}
		}
		m.Rows++
		m.Indptr = append(m.Indptr, int64(len(m.Indices)))
	}
	return m
}

func fit(t *testing.T, x matrix.Matrix, p Params) *Model {
	t.Helper()
	m, err := Fit(ctx, x, p)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range m.Embedding.Data {
		if f := float64(v); math.IsNaN(f) || math.IsInf(f, 0) {
			t.Fatalf("row %d: coordinate %g", i/m.Embedding.Cols, v)
		}
	}
	return m
}

func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

func TestThreadsDoNotMatter(t *testing.T) {
	dense := blobs(900, 20, 6, 1)
	for name, c := range map[string]struct {
		x matrix.Matrix
		p Params
	}{
		"spectral 5-d":     {dense, Params{Seed: 42}},
		"pca 2-d":          {dense, Params{Seed: 42, Init: InitPCA, NComponents: 2}},
		"random 3-d":       {dense, Params{Seed: 42, Init: InitRandom, NComponents: 3, Metric: knn.Euclidean}},
		"sparse hellinger": {words(12, 60, 5), Params{Seed: 42, Metric: knn.Hellinger}},
	} {
		t.Run(name, func(t *testing.T) {
			c.p.NEpochs = 40
			var first *Model
			var firstMap, firstNew *matrix.Dense
			fresh := matrix.SelectRows(c.x, []int{3, 4, 5})
			scaleRows(fresh)
			for _, threads := range []int{1, 2, 3} {
				c.p.Threads = threads
				m := fit(t, c.x, c.p)
				flat, err := m.Project(ctx, threads)
				if err != nil {
					t.Fatal(err)
				}
				moved, _, err := m.Transform(ctx, c.x, fresh)
				if err != nil {
					t.Fatal(err)
				}
				if first == nil {
					first, firstMap, firstNew = m, flat, moved
				}
				if !sameBits(m.Embedding.Data, first.Embedding.Data) || !sameBits(flat.Data, firstMap.Data) || !sameBits(moved.Data, firstNew.Data) {
					t.Errorf("%d threads: the result differs from that of 1", threads)
				}
			}
			c.p.Seed++
			if sameBits(fit(t, c.x, c.p).Embedding.Data, first.Embedding.Data) {
				t.Error("another seed gives the same layout")
			}
		})
	}
}

// scaleRows makes new rows out of known ones.
func scaleRows(x matrix.Matrix) {
	data := &[]float32{}
	switch x := x.(type) {
	case *matrix.Dense:
		data = &x.Data
	case *matrix.CSR:
		data = &x.Data
	}
	for i := range *data {
		(*data)[i] *= 1 + float32(i%5)/10
	}
}

func TestTinyInputs(t *testing.T) {
	if _, err := Fit(ctx, matrix.NewDense(0, 4), Params{}); err == nil || !strings.Contains(err.Error(), "no rows") {
		t.Errorf("no rows: %v", err)
	}
	for _, metric := range []knn.Metric{knn.Cosine, knn.Euclidean, knn.Hellinger} {
		for _, init := range []string{InitSpectral, InitPCA, InitRandom} {
			for _, dim := range []int{1, 5, 9} {
				for _, n := range []int{1, 2, 3, 5, 8, 16} {
					for _, kind := range []string{"dense", "sparse", "same", "zero"} {
						x := blobs(n, 6, 2, 7)
						switch kind {
						case "same":
							for i := range n {
								copy(x.Row(i), x.Row(0))
							}
						case "zero":
							clear(x.Data)
						}
						var mx matrix.Matrix = x
						if kind == "sparse" {
							mx = sparse(x)
						}
						m := fit(t, mx, Params{Metric: metric, Init: init, NComponents: dim, NEpochs: 10, Threads: 1})
						if lost := slices.Contains(m.Disconnected, true); lost != (n == 1 || kind == "zero" && metric != knn.Euclidean) {
							t.Errorf("%s %s n=%d %s: disconnected %v", metric, init, n, kind, m.Disconnected)
						}
						if init != InitSpectral {
							continue
						}
						flat, err := m.Project(ctx, 1)
						if err != nil || slices.ContainsFunc(flat.Data, func(v float32) bool { return v != v }) {
							t.Errorf("%s %s n=%d %s: map %v %v", metric, init, n, kind, flat, err)
						}
						q := blobs(3, 6, 2, 8)
						var mq matrix.Matrix = q
						if kind == "sparse" {
							mq = sparse(q)
						}
						y, _, err := m.Transform(ctx, mx, mq)
						if err != nil || slices.ContainsFunc(y.Data, func(v float32) bool { return v != v }) {
							t.Errorf("%s %s n=%d %s: transform %v %v", metric, init, n, kind, y, err)
						}
					}
				}
			}
		}
	}
}

func TestDuplicates(t *testing.T) {
	base := blobs(150, 12, 3, 2)
	twice := matrix.NewDense(300, 12)
	for i := range 300 {
		copy(twice.Row(i), base.Row(i%150))
	}
	m, once := fit(t, twice, Params{Seed: 1, NEpochs: 50}), fit(t, base, Params{Seed: 1, NEpochs: 50})
	for i := range 150 {
		if !sameBits(m.Embedding.Row(i), m.Embedding.Row(i+150)) {
			t.Fatalf("rows %d and %d are equal, their coordinates are not", i, i+150)
		}
	}
	if !sameBits(m.Embedding.Data[:150*5], once.Embedding.Data) {
		t.Error("the layout of each row twice differs from that of each row once")
	}
	flat, err := m.Project(ctx, 0)
	if err != nil || !sameBits(flat.Row(7), flat.Row(157)) {
		t.Errorf("the map puts equal rows apart (%v)", err)
	}
}

func TestDisconnectedRows(t *testing.T) {
	x := words(4, 40, 6)
	m := fit(t, x, Params{Metric: knn.Hellinger, NEpochs: 50})
	for i, lost := range m.Disconnected {
		if lost != (i >= 160) {
			t.Fatalf("row %d: disconnected is %v", i, lost)
		}
	}
	for _, v := range m.Embedding.Data[160*5:] {
		if v != 0 {
			t.Fatal("a disconnected row has a place")
		}
	}
	// A new row that shares words only with a disconnected row is disconnected too.
	q := &matrix.CSR{Rows: 2, Cols: x.Cols, Indptr: []int64{0, 1, 2}, Indices: []int32{0, int32(x.Cols - 1)}, Data: []float32{1, 1}}
	y, lost, err := m.Transform(ctx, x, q)
	if err != nil || lost[0] || !lost[1] || y.Row(1)[0] != 0 {
		t.Errorf("transform: %v %v %v", y, lost, err)
	}
	// Topics that share no word stay apart: the nearest rows are of one topic.
	g, err := knn.Fit(ctx, &matrix.Dense{Rows: 160, Cols: 5, Data: m.Embedding.Data[:160*5]}, knn.Params{K: 10, Metric: knn.Euclidean})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 160 {
		idx, _ := g.Row(i)
		for _, j := range idx {
			if int(j)/40 != i/40 {
				t.Fatalf("row %d of topic %d is next to row %d of topic %d", i, i/40, j, j/40)
			}
		}
	}
}

func TestManyComponents(t *testing.T) {
	m := fit(t, words(40, 8, 0), Params{Metric: knn.Hellinger, NEpochs: 30})
	if _, count := components(m.Graph); count < 40 {
		t.Fatalf("%d components", count)
	}
	// 60 pairs of equal rows without a word in common with any other: placed, since each has company.
	x := words(0, 0, 60)
	m = fit(t, matrix.SelectRows(x, append(seq(60), seq(60)...)), Params{Metric: knn.Hellinger, NEpochs: 30})
	if slices.Contains(m.Disconnected, true) {
		t.Error("equal rows are called disconnected")
	}
}

func seq(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

func TestTransformIsAFunctionOfTheRow(t *testing.T) {
	for _, layout := range []string{"dense", "sparse"} {
		t.Run(layout, func(t *testing.T) {
			all, q := blobs(400, 12, 4, 3), blobs(60, 12, 4, 3)
			for i := range q.Data {
				q.Data[i] *= 1 + 0.2*float32(rng.Unit(rng.Hash2(8, uint64(i), 0)))
			}
			var x, mq matrix.Matrix = all, q
			if layout == "sparse" {
				x, mq = sparse(all), sparse(q)
			}
			m := fit(t, x, Params{Seed: 5, NEpochs: 60})
			whole, _, err := m.Transform(ctx, x, mq)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range []int{0, 17, 59} {
				one, _, err := m.Transform(ctx, x, matrix.SelectRows(mq, []int{i}))
				if err != nil {
					t.Fatal(err)
				}
				if !sameBits(one.Data, whole.Row(i)) {
					t.Errorf("row %d alone: %v, in a batch: %v", i, one.Data, whole.Row(i))
				}
			}
			// New rows of a blob land in it: their nearest training rows are of it.
			g := nearestTo(t, m.Embedding, whole)
			wrong := 0
			for i := range whole.Rows {
				if idx, _ := g.Row(i); int(idx[0])%4 != i%4 {
					wrong++
				}
			}
			if wrong > 1 {
				t.Errorf("%d of %d new rows land in another blob", wrong, whole.Rows)
			}
			again, lost, err := m.Transform(ctx, x, x)
			if err != nil || slices.Contains(lost, true) || !sameBits(again.Data, m.Embedding.Data) {
				t.Errorf("the training rows do not return to their coordinates (%v)", err)
			}
		})
	}
}

func nearestTo(t *testing.T, x, q *matrix.Dense) *knn.Graph {
	t.Helper()
	ix, err := knn.NewIndex(x, knn.Euclidean, 0)
	if err != nil {
		t.Fatal(err)
	}
	g, err := ix.Query(ctx, q, 1)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestErrors(t *testing.T) {
	_, err := Fit(ctx, matrix.NewDense(2, 2), Params{NNeighbors: 1, NComponents: -1, MinDist: 3, Metric: "x", Init: "y", LearningRate: -1})
	for _, want := range []string{"n_neighbors", "n_components", "min_dist", "metric", "init", "learning_rate"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: nothing said of %s", err, want)
		}
	}
	bad := blobs(30, 3, 2, 1)
	copy(bad.Row(3), bad.Row(2)) // joined rows must not shift the row that is named
	bad.Row(17)[1] = float32(math.NaN())
	if _, err := Fit(ctx, bad, Params{}); err == nil || !strings.Contains(err.Error(), "row 17") {
		t.Errorf("nan: %v", err)
	}
	stop, cancel := context.WithCancel(ctx)
	_, err = Fit(stop, blobs(300, 5, 2, 1), Params{Progress: func(done, _ int) {
		if done == 3 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled in the layout: %v", err)
	}
	x := blobs(30, 3, 2, 1)
	m := fit(t, x, Params{NEpochs: 5})
	for name, c := range map[string][2]matrix.Matrix{
		"other training rows": {blobs(29, 3, 2, 1), x},
		"other columns":       {x, blobs(2, 4, 2, 1)},
		"other layout":        {x, sparse(x)},
	} {
		if _, _, err := m.Transform(ctx, c[0], c[1]); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	m.Graph = nil
	if _, err := m.Project(ctx, 0); err == nil {
		t.Error("a map without the graph: no error")
	}
}

// The unrolled kernels are gradientN, bit for bit.
func TestKernelsEqualGeneric(t *testing.T) {
	for _, dim := range []int{2, 5} {
		x := blobs(300, 8, 3, 4)
		m := fit(t, x, Params{NComponents: dim, NEpochs: 1, NNeighbors: 40})
		l := newLayout(m.Graph, make([]float32, 300*dim), dim, m.Params, m.A, m.B, 50, 9)
		if l.mostPairs <= 2*listed*(1+l.negatives) {
			t.Fatalf("no point has more than %d edges", 2*listed)
		}
		for i := range l.y {
			// Some points in one spot or very near, some far away.
			l.y[i] = float32(rng.Normal(1, uint64(i), 0)) * []float32{0, 1e-4, 0.03, 1, 8, 900}[i/l.stride%6]
		}
		for epoch := range uint32(5) {
			for i := range 300 {
				l.kernel()(l, epoch, i)
				got := slices.Clone(l.next[i*l.stride : i*l.stride+dim])
				gradientN(l, epoch, i)
				if !sameBits(got, l.next[i*l.stride:i*l.stride+dim]) {
					t.Fatalf("%d-d, epoch %d, point %d: %v, want %v", dim, epoch, i, got, l.next[i*l.stride:i*l.stride+dim])
				}
			}
		}
	}
}

func TestForces(t *testing.T) {
	for _, ab := range [][2]float64{{1.93, 0.79}, {1.58, 0.895}, {0.58, 1.33}, {73, 0.79}, {1, 1}, {0.5, 2}} {
		a, b := ab[0], ab[1]
		f := newForces(a, b, 2, 1)
		for e := -17.99; e < 13.99; e += 0.01 {
			x := float32(math.Exp2(e))
			d2 := float64(x)
			for name, c := range map[string]struct{ got, want float64 }{
				"edge":   {float64(f.ofEdge(x)), 4 * a * b * math.Pow(d2, b-1) / (1 + a*math.Pow(d2, b))},
				"sample": {float64(f.ofSample(x)), -2 * b / ((0.001 + d2) * (1 + a*math.Pow(d2, b)))},
			} {
				if math.Abs(c.got/c.want-1) > 1e-4 {
					t.Fatalf("%s a=%g b=%g d2=%g: %g, want %g", name, a, b, d2, c.got, c.want)
				}
				if far(float32(c.got), x) && math.Abs(c.got)*math.Sqrt(d2) > maxGrad {
					t.Fatalf("%s a=%g b=%g d2=%g: a force of %g needs clipping", name, a, b, d2, c.got)
				}
			}
		}
	}
	// No curve makes a force that is not finite.
	for _, ab := range [][2]float64{{1e300, 0.8}, {1e-300, 0.8}, {1, 10}, {0, 1}} {
		f := newForces(ab[0], ab[1], 2, 1)
		for _, x := range []float32{0, 1e-30, 1e-4, 1, 3, 1e4, 1e30} {
			for _, c := range []float32{f.ofEdge(x), f.ofSample(x)} {
				if e := float64(c); math.IsNaN(e) || math.IsInf(e, 0) {
					t.Errorf("a=%g b=%g d2=%g: force %g", ab[0], ab[1], x, c)
				}
			}
		}
	}
}

// The scale of a row is that of a search by halves which adds up the memberships
// at every step, as umap-learn's does, bit for bit.
func TestSmoothRowIsASearchByHalves(t *testing.T) {
	plain := func(dist []float32, target, rho float32) float32 {
		lo, hi, mid := float32(0), float32(math.MaxFloat32), float32(1)
		for range smoothSteps {
			sum := membershipSum(dist[1:], rho, mid)
			if e := sum - target; e < smoothTolerance && e > -smoothTolerance {
				break
			}
			if sum > target {
				hi = mid
				mid = (lo + hi) / 2
			} else if lo = mid; hi == math.MaxFloat32 {
				mid *= 2
			} else {
				mid = (lo + hi) / 2
			}
		}
		return mid
	}
	bounded := 0
	for i := range uint64(20000) {
		k := 2 + int(rng.Hash2(1, i, 0)%40)
		if i%100 == 0 {
			k *= 25
		}
		scale, power := math.Exp2(30*rng.Unit(rng.Hash2(2, i, 0))-15), 0.2+3*rng.Unit(rng.Hash2(3, i, 0))
		dist := make([]float32, k)
		for c := range dist {
			dist[c] = float32(scale * (rng.Unit(rng.Hash2(4, i, 0)) + math.Pow(rng.Unit(rng.Hash2(5, i, uint64(c))), power)))
			if rng.Hash2(6, i, uint64(c))%uint64(2+i%50) == 0 {
				dist[c] = dist[0]
			}
		}
		slices.Sort(dist)
		if i%3 == 0 {
			dist[0] = 0
		}
		target := float32(math.Log2(float64(k)))
		rho := nearest(dist, 1)
		if low, _ := scaleBounds(dist[1:], rho, target); low > 0 {
			bounded++
		}
		got, _ := smoothRow(dist, target, 1, 0)
		want := plain(dist, target, rho)
		if least := float32(minScale * meanOf(dist)); rho > 0 {
			want = max(want, least)
		}
		if got != want {
			t.Fatalf("row %d, %v: %g, want %g", i, dist, got, want)
		}
	}
	if bounded < 15000 {
		t.Errorf("only %d rows were searched between bounds", bounded)
	}
}

// An edge of rate r is drawn in r of the epochs, evenly spaced.
func TestDrawn(t *testing.T) {
	for _, share := range []float64{0.005, 0.1, 1.0 / 3, 0.77, 1} {
		count, last := 0, -1
		for e := range 200 {
			if drawn(rate(share), uint32(e)) {
				if count > 0 && math.Abs(float64(e-last)-1/share) > 1 {
					t.Errorf("share %g: drawn at %d and %d", share, last, e)
				}
				count, last = count+1, e
			}
		}
		if math.Abs(float64(count)-float64(200*share)) > 1 {
			t.Errorf("share %g: drawn %d times in 200", share, count)
		}
	}
}

func TestComponentsAreOrdered(t *testing.T) {
	g := sparse(&matrix.Dense{Rows: 4, Cols: 4, Data: []float32{0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 1, 0, 0}})
	if part, count := components(g); count != 2 || fmt.Sprint(part) != "[0 1 0 1]" {
		t.Errorf("%v, %d", part, count)
	}
}
