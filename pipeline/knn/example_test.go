package knn_test

import (
	"context"
	"fmt"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/pipeline/knn"
)

func Example() {
	x := &matrix.Dense{Rows: 4, Cols: 2, Data: []float32{
		1, 0,
		1, 1,
		0, 2,
		0, 1,
	}}
	g, err := knn.Fit(context.Background(), x, knn.Params{K: 3, Metric: knn.Cosine})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range g.N {
		rows, distances := g.Row(i)
		fmt.Printf("%d %.4f\n", rows, distances)
	}
	// Output:
	// [0 1 2] [0.0000 0.2929 1.0000]
	// [1 0 2] [0.0000 0.2929 0.2929]
	// [2 3 1] [0.0000 0.0000 0.2929]
	// [3 2 1] [0.0000 0.0000 0.2929]
}
