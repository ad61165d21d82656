package agglomerative_test

import (
	"context"
	"fmt"

	"github.com/bertopic-go/bertopic/pipeline/agglomerative"
)

func ExampleFitDistances() {
	// Three topics; the first and the last have nearly the same words.
	oneMinusCosine := []float64{
		0, 0.8, 0.1,
		0.8, 0, 0.7,
		0.1, 0.7, 0,
	}
	m, err := agglomerative.FitDistances(context.Background(), oneMinusCosine, 3,
		agglomerative.Params{Linkage: agglomerative.Average, NClusters: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Labels, m.Tree.Merges[1].Distance)
	// Output: [0 1 0] 0.75
}
