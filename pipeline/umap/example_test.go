package umap_test

import (
	"context"
	"fmt"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/rng"
	"github.com/bertopic-go/bertopic/pipeline/umap"
)

// Two bundles of directions stay apart in two dimensions, and a new row joins
// its bundle.
func Example() {
	x := matrix.NewDense(80, 10)
	for i := range x.Rows {
		for j := range x.Cols {
			x.Row(i)[j] = float32(0.2 * rng.Normal(1, uint64(i), uint64(j)))
		}
		x.Row(i)[i%2]++
	}
	ctx := context.Background()
	m, err := umap.Fit(ctx, x, umap.Params{NComponents: 2, Seed: 42})
	if err != nil {
		fmt.Println(err)
		return
	}
	fresh := matrix.NewDense(1, 10)
	fresh.Data[1] = 1 // like the odd rows
	y, _, err := m.Transform(ctx, x, fresh)
	if err != nil {
		fmt.Println(err)
		return
	}
	near := func(i int) (sum float32) {
		for d := range 2 {
			e := y.Row(0)[d] - m.Embedding.Row(i)[d]
			sum += e * e
		}
		return sum
	}
	best := 0
	for i := range x.Rows {
		if near(i) < near(best) {
			best = i
		}
	}
	fmt.Println(m.Embedding.Rows, "x", m.Embedding.Cols)
	fmt.Println("nearest row is odd:", best%2 == 1)
	// Output:
	// 80 x 2
	// nearest row is odd: true
}
