package host_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/bertopic-go/bertopic/host"
	"github.com/bertopic-go/bertopic/sdk"
)

func Example() {
	ctx := context.Background()
	e, err := host.Open(ctx, host.Spec{
		Plugin:   "sbert", // bertopic-embedder-sbert
		Options:  map[string]any{"model": "all-MiniLM-L6-v2"},
		LockFile: "bertopic.lock",
		Timeout:  time.Minute,
	})
	if err != nil {
		log.Fatal(err) // says what, where, and what to do
	}
	defer e.Close()

	store, err := host.OpenStore("out/finished")
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()

	rows := []sdk.Row{{HasText: true, Text: "the first document"}, {HasText: true, Text: ""}}
	result, err := e.Embed(ctx, rows, store)
	var failure *host.Error
	switch {
	case errors.As(err, &failure) && failure.Kind == host.KindKillLimit:
		fmt.Println("the program died too often; the store has what was finished, the next run goes on from there")
		return
	case err != nil:
		log.Fatal(err)
	}
	n, d := result.Vectors.Dims()
	fmt.Println(n, "vectors of", d, "values; the second row is", result.Statuses[1].Status == sdk.Empty)
}
