package onnx

// Type is the type of a tensor's values, numbered as TensorProto.DataType.
type Type int32

// The types that the encoders need.
const (
	Undefined Type = 0
	Float     Type = 1
	Uint8     Type = 2
	Int8      Type = 3
	Int32     Type = 6
	Int64     Type = 7
	Bool      Type = 9
	Float16   Type = 10
)

// Microsoft is the domain of ONNX Runtime's own operators.
const Microsoft = "com.microsoft"

// Dim is a dimension of a value: a fixed size, or a name where Param is set.
type Dim struct {
	Value int64
	Param string
}

// Value describes an input or an output of a graph. A nil Dims leaves the rank
// open.
type Value struct {
	Name string
	Type Type
	Dims []Dim
}

// Tensor is a named constant. Raw holds its values row-major and
// little-endian, as the format's raw_data; it is not copied.
type Tensor struct {
	Name string
	Type Type
	Dims []int64
	Raw  []byte
}

// Attr is an attribute of a node. Value is an int64, a float32, a string, an
// []int64 or a []float32.
type Attr struct {
	Name  string
	Value any
}

// Node applies an operator. An empty name in Inputs is an optional input left
// out. An empty Domain is ONNX's own.
type Node struct {
	Op      string
	Domain  string
	Name    string
	Inputs  []string
	Outputs []string
	Attrs   []Attr
}

// Graph is a list of nodes in an order in which they can run.
type Graph struct {
	Name         string
	Nodes        []Node
	Initializers []Tensor
	Inputs       []Value
	Outputs      []Value
}

// Opset is the version of a domain's operators that a model is written for.
type Opset struct {
	Domain  string
	Version int64
}

// Model is a graph with the versions that it is written for.
type Model struct {
	IRVersion int64
	Opsets    []Opset
	Producer  string
	Graph     Graph

	// base is what a model of Extend keeps of the given one, instead of the
	// fields above and of the graph's name and inputs.
	base *base
}

// base holds the fields of a model but its graph, and the fields of the graph
// but its outputs, as they were read.
type base struct {
	model, graph [][]byte
}
