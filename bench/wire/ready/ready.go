// Package ready is an embedder that does no work: each row gets a vector of 384
// values that is there already.
package ready

import (
	"context"

	"github.com/bertopic-go/bertopic/sdk"
)

// Dimension is that of all-MiniLM-L6-v2.
const Dimension = 384

// Embedder is the embedder.
type Embedder struct{}

var vectors = func() []float32 {
	v := make([]float32, 4096*Dimension)
	for i := range v {
		v[i] = float32(i%7) - 3
	}
	return v
}()

// Describe tells what it is.
func (Embedder) Describe() sdk.Description {
	return sdk.Description{Name: "wire", Version: "0.1.0", Summary: "vectors that are at hand, to measure the wire", Modalities: []sdk.Modality{sdk.Text}}
}

// Configure has nothing to load.
func (Embedder) Configure(context.Context, sdk.Settings) (sdk.Info, sdk.Diagnostics, error) {
	return sdk.Info{Dimension: Dimension, Metric: sdk.Cosine, Device: "cpu"}, nil, nil
}

// Embed answers up to 4,096 rows.
func (Embedder) Embed(_ context.Context, rows []sdk.Row) (sdk.Vectors, error) {
	return sdk.Vectors{Dense: &sdk.Dense{Rows: len(rows), Columns: Dimension, Data: vectors[:len(rows)*Dimension]}}, nil
}
