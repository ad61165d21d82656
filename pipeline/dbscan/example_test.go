package dbscan_test

import (
	"context"
	"fmt"

	"github.com/bertopic-go/bertopic/pipeline/dbscan"
)

func Example() {
	points := []float64{1, 1.2, 1.4, 7, 7.1, 7.3, 20} // seven points of one value
	m, err := dbscan.Fit(context.Background(), points, 7, 1, dbscan.Params{Eps: 0.3, MinSamples: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.K, m.Labels)
	// Output: 2 [0 0 0 1 1 1 -1]
}
