package hdbscan_test

import (
	"context"
	"fmt"

	"github.com/bertopic-go/bertopic/pipeline/hdbscan"
)

func Example() {
	points := []float64{ // 9 rows of 2: two groups and a stray
		0, 0, 0, 1, 1, 0, 1, 1,
		9, 9, 9, 8, 8, 9, 8, 8,
		40, -40,
	}
	ctx := context.Background()
	m, err := hdbscan.Fit(ctx, points, 9, 2, hdbscan.Params{MinClusterSize: 3, MinSamples: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.NumClusters(), "clusters", m.Labels)

	labels, _, err := m.Predict(ctx, []float64{8.5, 8.5, 0.5, 0.5, -100, 100})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(labels)
	// Output:
	// 2 clusters [0 0 0 0 1 1 1 1 -1]
	// [1 0 -1]
}
