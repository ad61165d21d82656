package main

import "github.com/bertopic-go/bertopic/sdk"

func main() { sdk.Serve(&embedder{}) }
