package quality_test

import (
	"fmt"

	"github.com/bertopic-go/bertopic/pipeline/quality"
)

func Example() {
	classes := []int32{0, 0, 0, 1, 1, 1}
	topics := []int32{4, 4, 4, 2, 2, -1} // -1 is an outlier
	all, err := quality.Compare(classes, topics)
	if err != nil {
		fmt.Println(err)
		return
	}
	clustered, err := quality.CompareClustered(classes, topics)
	if err != nil {
		fmt.Println(err)
		return
	}
	words := [][]string{{"cat", "dog"}, {"tax", "dog"}}
	fmt.Printf("ARI %.2f, without outliers %.2f at coverage %.2f, diversity %.2f\n",
		all.ARI, clustered.ARI, clustered.Coverage, quality.Diversity(words, 2))
	// Output: ARI 0.71, without outliers 1.00 at coverage 0.83, diversity 0.75
}
