// Program bertopic-embedder-wire answers with vectors that it has at hand, so
// that what a run of it takes is the way there and back.
package main

import (
	"github.com/bertopic-go/bertopic/bench/wire/ready"
	"github.com/bertopic-go/bertopic/sdk"
)

func main() { sdk.Serve(ready.Embedder{}) }
