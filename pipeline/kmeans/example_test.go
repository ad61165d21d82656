package kmeans_test

import (
	"context"
	"fmt"

	"github.com/bertopic-go/bertopic/pipeline/kmeans"
)

func Example() {
	points := []float64{0, 1, 10, 11} // four points of one value
	m, err := kmeans.Fit(context.Background(), points, 4, 1, kmeans.Params{K: 2, Seed: 42})
	if err != nil {
		fmt.Println(err)
		return
	}
	labels, err := m.Predict(context.Background(), []float64{0.4, 9})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Labels[0] == m.Labels[1], m.Labels[0] == m.Labels[2], m.Inertia)
	fmt.Println(labels[0] == m.Labels[0], labels[1] == m.Labels[2])
	// Output:
	// true false 1
	// true true
}
