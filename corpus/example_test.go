package corpus_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/bertopic-go/bertopic/corpus"
)

func ExampleOpen() {
	r, err := corpus.Open(context.Background(), corpus.Options{
		Path: "-", Format: "csv", Text: "body", Class: "topic",
		Stdin: strings.NewReader("id,body,topic\n" +
			"a,\"a goal, at last\",sport\n" +
			"b,rates rise,money\n"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	for row, err := range r.All() {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s %q %s\n", row.ID, row.Text, row.Class)
	}
	// Output:
	// a "a goal, at last" sport
	// b "rates rise" money
}
