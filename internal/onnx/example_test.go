package onnx_test

import (
	"fmt"
	"log"

	"github.com/bertopic-go/bertopic/internal/onnx"
)

// A model that doubles a vector, to which a node is added afterwards.
func Example() {
	vector := []onnx.Dim{{Param: "n"}}
	double := &onnx.Model{
		IRVersion: 10,
		Opsets:    []onnx.Opset{{Version: 21}},
		Producer:  "example",
		Graph: onnx.Graph{
			Name:    "double",
			Nodes:   []onnx.Node{{Op: "Add", Inputs: []string{"x", "x"}, Outputs: []string{"y"}}},
			Inputs:  []onnx.Value{{Name: "x", Type: onnx.Float, Dims: vector}},
			Outputs: []onnx.Value{{Name: "y", Type: onnx.Float, Dims: vector}},
		},
	}
	b, err := double.Bytes()
	if err != nil {
		log.Fatal(err)
	}
	given, err := onnx.Parse(b)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(given.Inputs[0].Name, given.Outputs[0].Name, given.Opset(""))

	negative := onnx.Node{Op: "Neg", Inputs: []string{"y"}, Outputs: []string{"z"}}
	more := given.Extend([]onnx.Node{negative}, nil, []onnx.Value{{Name: "z", Type: onnx.Float, Dims: vector}})
	if b, err = more.Bytes(); err != nil {
		log.Fatal(err)
	}
	if given, err = onnx.Parse(b); err != nil {
		log.Fatal(err)
	}
	fmt.Println(given.Inputs[0].Name, given.Outputs[0].Name)
	// Output:
	// x y 21
	// x z
}
