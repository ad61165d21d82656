package vectorize_test

import (
	"context"
	"fmt"

	"github.com/bertopic-go/bertopic/internal/vectorize"
)

func Example() {
	docs := []string{"The moon and the sun", "A river, a lamp", "The lamp by the river"}
	english, err := vectorize.StopWords("english")
	if err != nil {
		fmt.Println(err)
		return
	}
	v, counts, err := vectorize.Fit(context.Background(), vectorize.FromSlice(docs), vectorize.Options{StopWords: english}, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	topics, err := vectorize.SumRows(counts, []int32{0, 1, 1}, 2, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range topics.Rows {
		terms, n := topics.Row(i)
		for k, j := range terms {
			fmt.Println(i, v.Terms[j], n[k])
		}
	}
	// Output:
	// 0 moon 1
	// 0 sun 1
	// 1 lamp 2
	// 1 river 2
}
