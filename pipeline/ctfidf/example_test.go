package ctfidf_test

import (
	"context"
	"fmt"

	"github.com/bertopic-go/bertopic/internal/vectorize"
	"github.com/bertopic-go/bertopic/pipeline/ctfidf"
)

func Example() {
	docs := []string{"the cat chased the mouse", "a cat and a dog", "the moon orbits the earth", "a rocket to the moon"}
	class := []int32{0, 0, 1, 1}

	vocabulary, counts, err := vectorize.Fit(context.Background(), vectorize.FromSlice(docs), vectorize.Options{}, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	perClass, err := vectorize.SumRows(counts, class, 2, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	model, err := ctfidf.Fit(perClass, vocabulary.Terms, ctfidf.Params{ReduceFrequentWords: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, words := range ctfidf.TopWords(model.Transform(perClass, 0), vocabulary.Terms, 1, 0) {
		fmt.Printf("%d: %s %.3f\n", i, words[0].Term, words[0].Weight)
	}
	// Output:
	// 0: cat 0.805
	// 1: moon 0.759
}
