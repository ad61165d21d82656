package umap

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/pipeline/knn"
)

type goldenGraph struct {
	Shape   [2]int
	Indptr  []int64
	Indices []int32
	Data    []float32
}

func (g goldenGraph) csr() *matrix.CSR {
	return &matrix.CSR{Rows: g.Shape[0], Cols: g.Shape[1], Indptr: g.Indptr, Indices: g.Indices, Data: g.Data}
}

type goldenScales struct{ Sigmas, Rhos []float64 }

type golden struct {
	KNNIndices [][]int32    `json:"knn_indices"`
	KNNDists   [][]float32  `json:"knn_dists"`
	Smooth1    goldenScales `json:"smooth_lc1"`
	Smooth15   goldenScales `json:"smooth_lc1.5"`
	Smooth2    goldenScales `json:"smooth_lc2"`
	Graph1     goldenGraph  `json:"graph_mix1_lc1"`
	Graph05    goldenGraph  `json:"graph_mix0.5_lc1"`
	Graph0     goldenGraph  `json:"graph_mix0_lc1"`
	Graph1lc2  goldenGraph  `json:"graph_mix1_lc2"`
	AB         []struct {
		Spread  float64
		MinDist float64 `json:"min_dist"`
		A, B    float64
	}
	Spectral struct{ Out [][]float64 } `json:"spectral_layout_5"`
}

func readGolden(t *testing.T) (golden, *knn.Graph) {
	t.Helper()
	f, err := os.Open("testdata/umap.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.NewDecoder(z).Decode(&g); err != nil {
		t.Fatal(err)
	}
	n, k := len(g.KNNIndices), len(g.KNNIndices[0])
	graph := &knn.Graph{N: n, K: k}
	for i := range n {
		graph.Indices = append(graph.Indices, g.KNNIndices[i]...)
		graph.Distances = append(graph.Distances, g.KNNDists[i]...)
	}
	return g, graph
}

// The tolerance is that of the search for sigma, whose float32 sums may stop
// one bisection apart.
func TestGoldenSmooth(t *testing.T) {
	g, graph := readGolden(t)
	for _, c := range []struct {
		name         string
		connectivity float64
		want         goldenScales
	}{{"1", 1, g.Smooth1}, {"1.5", 1.5, g.Smooth15}, {"2", 2, g.Smooth2}} {
		t.Run(c.name, func(t *testing.T) {
			sigmas, rhos := smooth(graph, c.connectivity, meanDistance(graph), 2)
			worst := 0.0
			for i := range sigmas {
				if e := math.Abs(float64(sigmas[i]) - c.want.Sigmas[i]); e > 1e-5 {
					t.Errorf("row %d: sigma %g, want %g", i, sigmas[i], c.want.Sigmas[i])
				} else {
					worst = max(worst, e)
				}
				if e := math.Abs(float64(rhos[i]) - c.want.Rhos[i]); e > 1e-6 {
					t.Errorf("row %d: rho %g, want %g", i, rhos[i], c.want.Rhos[i])
				}
			}
			t.Logf("largest difference of a sigma: %.2g", worst)
		})
	}
}

func TestGoldenGraph(t *testing.T) {
	g, graph := readGolden(t)
	for _, c := range []struct {
		name              string
		mix, connectivity float64
		want              goldenGraph
	}{{"union", 1, 1, g.Graph1}, {"half", 0.5, 1, g.Graph05}, {"intersection", 0, 1, g.Graph0}, {"connectivity 2", 1, 2, g.Graph1lc2}} {
		t.Run(c.name, func(t *testing.T) {
			sigmas, rhos := smooth(graph, c.connectivity, meanDistance(graph), 2)
			got := fuzzy(graph, sigmas, rhos, c.mix, 2)
			if err := got.Validate(); err != nil {
				t.Fatal(err)
			}
			want := c.want.csr()
			for i := range want.Rows {
				gc, gv := got.Row(i)
				wc, wv := want.Row(i)
				dense := map[int32]float64{}
				for p, col := range gc {
					dense[col] = float64(gv[p])
				}
				for p, col := range wc {
					if math.Abs(dense[col]-float64(wv[p])) > 1e-5 {
						t.Errorf("edge (%d, %d): %g, want %g", i, col, dense[col], wv[p])
					}
					delete(dense, col)
				}
				for col, w := range dense {
					if w > 1e-7 {
						t.Errorf("edge (%d, %d) of weight %g is not in the golden graph", i, col, w)
					}
				}
			}
		})
	}
}

func TestGoldenCurve(t *testing.T) {
	g, _ := readGolden(t)
	for _, c := range g.AB {
		a, b := FitCurve(c.Spread, c.MinDist)
		if math.Abs(a-c.A) > 1e-4 || math.Abs(b-c.B) > 1e-4 {
			t.Errorf("spread %g, min_dist %g: a %g b %g, want %g %g", c.Spread, c.MinDist, a, b, c.A, c.B)
		}
	}
}

// Eigenvectors are compared up to sign.
func TestGoldenSpectral(t *testing.T) {
	g, _ := readGolden(t)
	const dim = 5
	got, err := spectral(context.Background(), g.Graph1.csr(), dim, 1, 1e-6, 2)
	if err != nil {
		t.Fatal(err)
	}
	for c := range dim {
		var same, flipped float64
		for i, row := range g.Spectral.Out {
			same = max(same, math.Abs(got[i*dim+c]-row[c]))
			flipped = max(flipped, math.Abs(got[i*dim+c]+row[c]))
		}
		if min(same, flipped) > 1e-4 {
			t.Errorf("column %d differs by %g", c, min(same, flipped))
		}
	}
}
