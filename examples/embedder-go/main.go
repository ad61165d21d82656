// Program bertopic-embedder-hashing is a whole embedder for bertopic: character
// n-grams, hashed into a fixed number of dimensions, with a sign, unit length.
package main

import (
	"context"
	"hash/fnv"
	"math"
	"strings"

	"github.com/bertopic-go/bertopic/sdk"
)

type hashing struct{ Dimension, N int } // its options

func (*hashing) Describe() sdk.Description {
	return sdk.Description{
		Name: "hashing", Version: "0.1.0", Summary: "hashed character n-grams", Modalities: []sdk.Modality{sdk.Text},
		Options: []sdk.Option{
			{Name: "dimension", Type: sdk.Integer, Default: 256, Help: "length of a vector"},
			{Name: "n", Type: sdk.Integer, Default: 3, Help: "characters in an n-gram"},
		},
	}
}

func (h *hashing) Configure(_ context.Context, s sdk.Settings) (sdk.Info, sdk.Diagnostics, error) {
	err := s.Decode(h)
	if h.Dimension < 1 || h.N < 1 {
		return sdk.Info{}, sdk.Diagnostics{{Error: true, Summary: "dimension and n must be at least 1"}}, err
	}
	return sdk.Info{Dimension: h.Dimension, Metric: sdk.Cosine, UnitLength: true, Device: "cpu", BatchInvariant: true}, nil, err
}

func (h *hashing) Embed(ctx context.Context, rows []sdk.Row) (sdk.Vectors, error) {
	out := sdk.Vectors{Dense: &sdk.Dense{Rows: len(rows), Columns: h.Dimension, Data: make([]float32, len(rows)*h.Dimension)}}
	for i, row := range rows {
		v, sum := out.Dense.Data[i*h.Dimension:(i+1)*h.Dimension], 0.0
		text := []rune(strings.ToLower(row.Text))
		for j := range max(0, len(text)-h.N+1) {
			f := fnv.New64a()
			f.Write([]byte(string(text[j : j+h.N])))
			v[f.Sum64()>>1%uint64(h.Dimension)] += 1 - 2*float32(f.Sum64()&1)
		}
		for _, x := range v {
			sum += float64(x) * float64(x)
		}
		if sum == 0 { // shorter than an n-gram
			out.Statuses = append(out.Statuses, sdk.RowStatus{Row: i, Status: sdk.Empty})
		}
		for j := range v {
			v[j] /= float32(math.Sqrt(max(sum, 1)))
		}
	}
	return out, ctx.Err()
}

func main() { sdk.Serve(&hashing{}) }
