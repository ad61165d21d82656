package main

import (
	"github.com/bertopic-go/bertopic/internal/remote/embedder"
	"github.com/bertopic-go/bertopic/sdk"
)

func main() { sdk.Serve(embedder.New(provider)) }
