package reduce_test

import (
	"context"
	"fmt"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/pipeline/reduce"
)

func Example() {
	x := &matrix.Dense{Rows: 4, Cols: 3, Data: []float32{
		0, 0, 1,
		2, 2, 1,
		4, 4, 1,
		6, 6, 1,
	}}
	m, err := reduce.Fit(context.Background(), x, reduce.Params{Method: reduce.PCA, NComponents: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	y, err := m.Transform(context.Background(), x)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.2f, %.0f %% of the variance\n", y.Data, 100*m.ExplainedVarianceRatio[0])
	// Output: [-4.24 -1.41 1.41 4.24], 100 % of the variance
}
