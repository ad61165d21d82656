package knn

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/bertopic-go/bertopic/internal/matrix"
)

// umap-learn's own distances, dense and sparse. The exceptions are stated: two
// equal rows are exactly 0 apart here and up to 1.3e-4 apart there, and rows at
// Hellinger distance 1 are no neighbours.
func TestGoldenDistances(t *testing.T) {
	f, err := os.Open("testdata/distances.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var g struct {
		X struct {
			Shape   [2]int
			Indptr  []int64
			Indices []int32
			Data    []float32
		}
		HellingerDense  [][]float64 `json:"hellinger_dense"`
		HellingerSparse [][]float64 `json:"hellinger_sparse"`
		CosineDense     [][]float64 `json:"cosine_dense"`
		CosineSparse    [][]float64 `json:"cosine_sparse"`
	}
	if err := json.NewDecoder(z).Decode(&g); err != nil {
		t.Fatal(err)
	}
	n := g.X.Shape[0]
	x := &matrix.CSR{Rows: n, Cols: g.X.Shape[1], Indptr: g.X.Indptr, Indices: g.X.Indices, Data: g.X.Data}
	dense := matrix.NewDense(n, x.Cols)
	for i := range n {
		cols, vals := x.Row(i)
		for p, c := range cols {
			dense.Row(i)[c] = vals[p]
		}
	}
	for _, c := range []struct {
		name   string
		x      matrix.Matrix
		metric Metric
		want   [][]float64
	}{
		{"hellinger dense", dense, Hellinger, g.HellingerDense},
		{"hellinger sparse", x, Hellinger, g.HellingerSparse},
		{"cosine dense", dense, Cosine, g.CosineDense},
		{"cosine sparse", x, Cosine, g.CosineSparse},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Fit(context.Background(), c.x, Params{K: n, Metric: c.metric})
			if err != nil {
				t.Fatal(err)
			}
			for i := range n {
				found := make([]bool, n)
				idx, dist := got.Row(i)
				for p, j := range idx {
					if j < 0 {
						continue
					}
					found[j] = true
					want := c.want[i][j]
					if math.Abs(want) < 2e-4 {
						want = 0
					}
					if math.Abs(float64(dist[p])-want) > 1e-6 {
						t.Errorf("rows %d and %d: %g, want %g", i, j, dist[p], want)
					}
				}
				for j, ok := range found {
					if !ok && !(c.metric == Hellinger && c.want[i][j] >= 1) {
						t.Errorf("rows %d and %d at %g: not found", i, j, c.want[i][j])
					}
				}
			}
		})
	}
}
