package represent_test

import (
	"context"
	"fmt"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/pipeline/represent"
)

// table is an embedder that knows four words and one phrase.
type table map[string][]float32

func (t table) EmbedWords(_ context.Context, words []string) (*matrix.Dense, error) {
	out := matrix.NewDense(len(words), 2)
	for i, w := range words {
		copy(out.Row(i), t[w])
	}
	return out, nil
}

func Example() {
	embedder := table{
		"ship": {1, 0}, "ships": {1, 0.1}, "port": {0.7, 0.7}, "wave": {0.1, 1},
		"ship ships port wave": {1, 0.5},
	}
	words := [][]represent.Word{{{Term: "ship", Weight: 0.9}, {Term: "ships", Weight: 0.8}, {Term: "port", Weight: 0.5}, {Term: "wave", Weight: 0.4}}}

	chain := represent.Chain{represent.MMR{Embedder: embedder, Diversity: 0.5, TopN: 2}}
	out, err := chain.Refine(context.Background(), &represent.Topics{}, words)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(represent.Label(0, out[0]))
	// Output: 0_ship_port
}
