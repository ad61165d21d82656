package linalg_test

import (
	"context"
	"fmt"

	"github.com/bertopic-go/bertopic/internal/linalg"
)

func ExampleTruncatedSVD() {
	x := &linalg.Dense{Rows: 3, Cols: 2, Data: []float64{
		3, 0,
		0, -2,
		4, 0,
	}}
	s, err := linalg.TruncatedSVD(context.Background(), x, linalg.SVDOptions{Components: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	out, err := s.Transform(x, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("value %.0f, rows on the component %.0f\n", s.SingularValues[0], out.Data)
	// Output: value 5, rows on the component [3 0 4]
}
