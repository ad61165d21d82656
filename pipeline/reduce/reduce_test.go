package reduce

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/linalg"
	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/rng"
)

var background = context.Background()

func load(t testing.TB, name string, v any) {
	t.Helper()
	f, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(v); err != nil {
		t.Fatal(err)
	}
}

func flat(rows [][]float64) []float64 {
	var out []float64
	for _, r := range rows {
		out = append(out, r...)
	}
	return out
}

func dense(rows [][]float64) *linalg.Dense {
	return &linalg.Dense{Rows: len(rows), Cols: len(rows[0]), Data: flat(rows)}
}

func near(t testing.TB, what string, got, want []float64, tol float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	size := 0.0
	for _, v := range want {
		size = max(size, math.Abs(v))
	}
	for i := range got {
		if d := math.Abs(got[i] - want[i]); !(d <= tol*size) {
			t.Fatalf("%s[%d] = %v, want %v", what, i, got[i], want[i])
		}
	}
}

func float64s(m *matrix.Dense) []float64 {
	out := make([]float64, len(m.Data))
	for i, v := range m.Data {
		out[i] = float64(v)
	}
	return out
}

// rounded is the tolerance of outputs: they are rounded to float32.
const rounded = 1e-7

func TestGolden(t *testing.T) {
	var g struct {
		X   [][]float64
		PCA struct {
			Components, Out   [][]float64
			Mean, Ratio       []float64
			ExplainedVariance []float64 `json:"explained_variance"`
		}
		SVD struct {
			Components, Out [][]float64
			SingularValues  []float64 `json:"singular_values"`
		} `json:"tsvd_arpack"`
	}
	load(t, "pca_svd.json.gz", &g)
	x := dense(g.X)
	for _, c := range []struct {
		p               Params
		components, out [][]float64
	}{
		{Params{}, g.PCA.Components, g.PCA.Out},
		{Params{Method: SVD}, g.SVD.Components, g.SVD.Out},
	} {
		m, err := Fit(background, x, c.p)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "components", m.Components, flat(c.components), 1e-11)
		out, err := m.Transform(background, x)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "out", float64s(out), flat(c.out), rounded)
		if m.Clamped() || m.Note() != "" || m.RowsSeen != 200 {
			t.Errorf("%+v: clamped %v, note %q, rows %d", c.p, m.Clamped(), m.Note(), m.RowsSeen)
		}
	}
}

func TestGoldenIncremental(t *testing.T) {
	var g struct {
		X     [][]float64
		Cases []struct {
			K, Batch           int
			Mean, Ratio        []float64
			Components, Out    [][]float64
			SingularValues     []float64 `json:"singular_values"`
			ExplainedVariance_ []float64 `json:"explained_variance"`
		}
	}
	load(t, "incremental_pca.json.gz", &g)
	x := dense(g.X)
	for _, c := range g.Cases {
		m, err := Fit(background, x, Params{Method: IncrementalPCA, NComponents: c.K, BatchSize: c.Batch})
		if err != nil {
			t.Fatal(err)
		}
		near(t, "mean", m.Mean, c.Mean, 1e-13)
		near(t, "components", m.Components, flat(c.Components), 1e-10)
		near(t, "singular values", m.SingularValues, c.SingularValues, 1e-12)
		near(t, "variance", m.ExplainedVariance, c.ExplainedVariance_, 1e-12)
		near(t, "ratio", m.ExplainedVarianceRatio, c.Ratio, 1e-12)
		out, err := m.Transform(background, x)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "out", float64s(out), flat(c.Out), rounded)
	}
}

// TestPartialFit: feeding the batches of Fit one by one gives the same bits.
func TestPartialFit(t *testing.T) {
	x := cloud(100, 8, 1)
	want, err := Fit(background, x, Params{Method: IncrementalPCA, NComponents: 3, BatchSize: 30})
	if err != nil {
		t.Fatal(err)
	}
	got, err := NewIncremental(8, Params{NComponents: 3, BatchSize: 30})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range batches(100, 30, 3) {
		rows := make([]int, 0, b[1]-b[0])
		for i := b[0]; i < b[1]; i++ {
			rows = append(rows, i)
		}
		if err := got.PartialFit(background, x.Select(rows)); err != nil {
			t.Fatal(err)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Error("PartialFit of the batches differs from Fit")
	}
	// A batch of every row is a plain PCA.
	whole, err := Fit(background, x, Params{Method: IncrementalPCA, NComponents: 3, BatchSize: 100})
	if err != nil {
		t.Fatal(err)
	}
	pca, err := Fit(background, x, Params{NComponents: 3})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "one batch", whole.Components, pca.Components, 1e-12)
}

func cloud(n, d int, seed uint64) *matrix.Dense {
	x := matrix.NewDense(n, d)
	for i := range n {
		for j := range d {
			x.Row(i)[j] = float32(rng.Normal(seed, uint64(i), uint64(j)) * float64(d-j))
		}
	}
	return x
}

func sparse(x *matrix.Dense) *matrix.CSR {
	s := &matrix.CSR{Rows: x.Rows, Cols: x.Cols, Indptr: []int64{0}}
	for i := range x.Rows {
		for j, v := range x.Row(i) {
			if v != 0 {
				s.Indices, s.Data = append(s.Indices, int32(j)), append(s.Data, v)
			}
		}
		s.Indptr = append(s.Indptr, int64(len(s.Data)))
	}
	return s
}

func TestThreadsAndRowsAlone(t *testing.T) {
	x := cloud(700, 20, 2)
	for _, p := range []Params{{}, {Method: SVD}, {Method: IncrementalPCA}, {Randomized: true}, {Method: SVD, Randomized: true}} {
		var want *Model
		for _, threads := range []int{1, 2, 3} {
			q := p
			q.Threads = threads
			m, err := Fit(background, x, q)
			if err != nil {
				t.Fatal(err)
			}
			m.Params.Threads = 0
			if want == nil {
				want = m
			} else if !reflect.DeepEqual(m, want) {
				t.Errorf("%+v: %d threads change the model", p, threads)
			}
		}
		all, err := want.Transform(background, x)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < x.Rows; i += 97 {
			one, err := want.Transform(background, sparse(x.Select([]int{i})))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(one.Data, all.Select([]int{i}).Data) {
				t.Errorf("%+v: row %d alone differs from row %d among others", p, i, i)
			}
		}
	}
}

func TestSparseEqualsDense(t *testing.T) {
	x := cloud(50, 12, 3)
	for i := range x.Data {
		if i%3 != 0 {
			x.Data[i] = 0
		}
	}
	for _, method := range []Method{PCA, SVD, IncrementalPCA} {
		d, err := Fit(background, x, Params{Method: method})
		if err != nil {
			t.Fatal(err)
		}
		s, err := Fit(background, sparse(x), Params{Method: method})
		if err != nil {
			t.Fatal(err)
		}
		near(t, string(method), s.Components, d.Components, 1e-11)
	}
}

func TestTiny(t *testing.T) {
	for _, x := range []*matrix.Dense{
		cloud(1, 1, 1), cloud(1, 7, 1), cloud(2, 7, 1), cloud(7, 1, 1), cloud(3, 9, 1),
		matrix.NewDense(6, 4), {Rows: 4, Cols: 2, Data: []float32{1, 2, 1, 2, 1, 2, 1, 2}},
	} {
		for _, p := range []Params{{}, {Method: SVD}, {Method: IncrementalPCA}, {Method: IncrementalPCA, BatchSize: 1}, {Randomized: true}} {
			m, err := Fit(background, x, p)
			if err != nil {
				t.Fatalf("%d x %d, %+v: %v", x.Rows, x.Cols, p, err)
			}
			if want := min(5, x.Rows, x.Cols); m.NComponents != want {
				t.Errorf("%d x %d, %+v: %d components, want %d", x.Rows, x.Cols, p, m.NComponents, want)
			}
			if m.Clamped() != (m.NComponents < 5) || m.Clamped() != strings.Contains(m.Note(), "of the 5 components asked for") {
				t.Errorf("%d x %d, %+v: clamping is not reported: %q", x.Rows, x.Cols, p, m.Note())
			}
			if _, err := m.Transform(background, x); err != nil {
				t.Errorf("%d x %d, %+v: %v", x.Rows, x.Cols, p, err)
			}
		}
	}
}

func TestBatches(t *testing.T) {
	for _, c := range []struct {
		n, size, least int
		want           [][2]int
	}{
		{7, 3, 0, [][2]int{{0, 3}, {3, 6}, {6, 7}}},
		{7, 3, 2, [][2]int{{0, 3}, {3, 7}}},
		{6, 3, 0, [][2]int{{0, 3}, {3, 6}}},
		{6, 3, 2, [][2]int{{0, 3}, {3, 6}}},
		{2, 5, 3, [][2]int{{0, 2}}},
	} {
		if got := batches(c.n, c.size, c.least); !reflect.DeepEqual(got, c.want) {
			t.Errorf("batches(%d, %d, %d) = %v, want %v", c.n, c.size, c.least, got, c.want)
		}
	}
}

func TestErrors(t *testing.T) {
	x := cloud(5, 3, 1)
	nan := cloud(5, 3, 1)
	nan.Data[4] = float32(math.NaN())
	m, err := Fit(background, x, Params{NComponents: 2})
	if err != nil {
		t.Fatal(err)
	}
	transform := func(m *Model, x matrix.Matrix) error { _, err := m.Transform(background, x); return err }
	fit := func(x matrix.Matrix, p Params) error { _, err := Fit(background, x, p); return err }
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"method":       {fit(x, Params{Method: "tsne"}), "tsne"},
		"all faults":   {fit(x, Params{NComponents: -1, BatchSize: -2}), "batch_size is -2"},
		"no rows":      {fit(matrix.NewDense(0, 3), Params{}), "empty"},
		"nil":          {fit(nil, Params{}), "no matrix"},
		"nan":          {fit(nan, Params{}), "row 1, column 1"},
		"columns":      {transform(m, cloud(2, 4, 1)), "4 columns"},
		"nan row":      {transform(m, nan), "row 1"},
		"damaged":      {transform(&Model{NComponents: 2, Cols: 3}, x), "damaged"},
		"not updated":  {m.PartialFit(background, x), "pca"},
		"no increment": {func() error { _, err := NewIncremental(0, Params{}); return err }(), "0 columns"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: error %v does not say %q", name, c.err, c.want)
		}
	}
}
