package encoder_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/bertopic-go/bertopic/internal/encoder"
)

// A sentence-transformers folder with mean pooling and unit length, as two
// files that ONNX Runtime maps into memory.
func ExampleBuild() {
	m, err := encoder.Build(context.Background(), encoder.Spec{
		Dir:      "models/all-MiniLM-L6-v2",
		Head:     []encoder.Layer{encoder.Pooling{Modes: []string{encoder.Mean}}, encoder.Normalize{}},
		Unpadded: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	nodes, err := os.Create("minilm.onnx")
	if err != nil {
		log.Fatal(err)
	}
	defer nodes.Close()
	values, err := os.Create("minilm.onnx.values")
	if err != nil {
		log.Fatal(err)
	}
	defer values.Close()
	if err := m.WriteTwo(nodes, values, "minilm.onnx.values"); err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.InputNames, m.OutputName, m.Dimension, m.MaxTokens)
}
