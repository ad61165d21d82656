package dbscan

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/rng"
)

var background = context.Background()

type goldenCase struct {
	Eps        float64
	MinSamples int `json:"min_samples"`
	Labels     []int32
	Core       []int32
}

func TestGolden(t *testing.T) {
	f, err := os.Open("testdata/dbscan.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var g struct {
		X, Grid   [][]float64
		Cases     []goldenCase
		GridCases []goldenCase `json:"grid_cases"`
	}
	if err := json.NewDecoder(z).Decode(&g); err != nil {
		t.Fatal(err)
	}
	check := func(name string, rows [][]float64, cases []goldenCase) {
		var x []float64
		for _, r := range rows {
			x = append(x, r...)
		}
		for _, c := range cases {
			m, err := Fit(background, x, len(rows), len(rows[0]), Params{Eps: c.Eps, MinSamples: c.MinSamples})
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(m.Labels, c.Labels) {
				t.Errorf("%s, eps %v, min_samples %d: labels %v, want %v", name, c.Eps, c.MinSamples, m.Labels, c.Labels)
			}
			if len(m.Core)+len(c.Core) > 0 && !reflect.DeepEqual(m.Core, c.Core) {
				t.Errorf("%s, eps %v, min_samples %d: cores %v, want %v", name, c.Eps, c.MinSamples, m.Core, c.Core)
			}
		}
	}
	check("blobs", g.X, g.Cases)
	check("grid", g.Grid, g.GridCases)
}

// direct is DBSCAN by its definition, in n^2 steps.
func direct(x []float64, n, d int, p Params) []int32 {
	row := func(i int) []float64 { return x[i*d : (i+1)*d] }
	near := func(i, j int) bool { return square(row(i), row(j)) <= p.Eps*p.Eps }
	core, labels := make([]bool, n), make([]int32, n)
	for i := range n {
		labels[i] = -1
		c := 0
		for j := range n {
			if near(i, j) {
				c++
			}
		}
		core[i] = c >= p.MinSamples
	}
	k := int32(0)
	for i := range n {
		if !core[i] || labels[i] >= 0 {
			continue
		}
		queue := []int{i}
		labels[i] = k
		for len(queue) > 0 {
			q := queue[0]
			queue = queue[1:]
			for j := range n {
				if labels[j] < 0 && near(q, j) {
					labels[j] = k
					if core[j] {
						queue = append(queue, j)
					}
				}
			}
		}
		k++
	}
	return labels
}

func TestAgainstDefinitionOnAnyThreads(t *testing.T) {
	for _, c := range []struct {
		n, d int
		p    Params
	}{
		{700, 2, Params{Eps: 0.12, MinSamples: 5}},
		{700, 2, Params{Eps: 0.25, MinSamples: 12}},
		{500, 5, Params{Eps: 0.9, MinSamples: 4}},
		{300, 30, Params{Eps: 6.5, MinSamples: 4}},
		{400, 1, Params{Eps: 0.01, MinSamples: 3}},
	} {
		x := make([]float64, c.n*c.d)
		for i := range x {
			x[i] = rng.Normal(8, uint64(c.d), uint64(i))
			if c.d == 2 {
				x[i] = math.Round(x[i]*20) / 20 // many equal points and distances
			}
		}
		want := direct(x, c.n, c.d, c.p)
		for _, threads := range []int{1, 2, 3} {
			c.p.Threads = threads
			m, err := Fit(background, x, c.n, c.d, c.p)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(m.Labels, want) {
				t.Fatalf("%+v on %d x %d: labels differ from the definition", c.p, c.n, c.d)
			}
		}
	}
}

func TestPredict(t *testing.T) {
	x := []float64{0, 0.1, 0.2, 5, 5.1, 5.2, 9}
	m, err := Fit(background, x, 7, 1, Params{Eps: 0.15, MinSamples: 2})
	if err != nil {
		t.Fatal(err)
	}
	if want := []int32{0, 0, 0, 1, 1, 1, -1}; !reflect.DeepEqual(m.Labels, want) || m.K != 2 {
		t.Fatalf("labels %v, want %v", m.Labels, want)
	}
	got, err := m.Predict(background, []float64{0.3, 0.4, 5.05, 9, -0.1})
	if err != nil {
		t.Fatal(err)
	}
	if want := []int32{0, -1, 1, -1, 0}; !reflect.DeepEqual(got, want) {
		t.Errorf("predict %v, want %v", got, want)
	}
	none, err := Fit(background, x, 7, 1, Params{Eps: 0.01, MinSamples: 2})
	if err != nil {
		t.Fatal(err)
	}
	got, err = none.Predict(background, x)
	if err != nil {
		t.Fatal(err)
	}
	if none.K != 0 || !reflect.DeepEqual(got, none.Labels) {
		t.Errorf("without cores: %d clusters, predict %v", none.K, got)
	}
}

func TestEqualPoints(t *testing.T) {
	const n = 200000 // in n^2 steps this would take minutes
	m, err := Fit(background, make([]float64, 3*n), n, 3, Params{})
	if err != nil {
		t.Fatal(err)
	}
	if m.K != 1 || m.Labels[n-1] != 0 || len(m.Core) != n {
		t.Errorf("%d clusters of equal points, want 1", m.K)
	}
}

func TestErrors(t *testing.T) {
	fit := func(x []float64, n, d int, p Params) error { _, err := Fit(background, x, n, d, p); return err }
	m, err := Fit(background, []float64{1, 1}, 1, 2, Params{})
	if err != nil {
		t.Fatal(err)
	}
	predict := func(m *Model, x []float64) error { _, err := m.Predict(background, x); return err }
	ctx, stop := context.WithCancel(background)
	stop()
	_, cancelled := Fit(ctx, []float64{1}, 1, 1, Params{})
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"all faults":  {fit([]float64{1}, 1, 1, Params{Eps: -1, MinSamples: -2}), "min_samples is -2"},
		"eps":         {fit([]float64{1}, 1, 1, Params{Eps: math.NaN()}), "eps"},
		"no points":   {fit(nil, 0, 1, Params{}), "no points"},
		"shape":       {fit([]float64{1}, 2, 1, Params{}), "1 values"},
		"nan":         {fit([]float64{1, math.NaN()}, 2, 1, Params{}), "point 1"},
		"predict":     {predict(m, []float64{1}), "1 values"},
		"damaged":     {predict(&Model{D: 2, CoreLabels: []int32{0}}, nil), "damaged"},
		"interrupted": {cancelled, "canceled"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: error %v does not say %q", name, c.err, c.want)
		}
	}
}
