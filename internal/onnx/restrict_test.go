package onnx

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// towers is a model of two parts that share a constant: p = a + c, and q = the
// negative of b + d.
func towers() *Model {
	dims := []Dim{{Param: "n"}, {Value: 2}}
	constant := func(name string) Tensor {
		return Tensor{Name: name, Type: Float, Dims: []int64{2}, Raw: make([]byte, 8)}
	}
	return &Model{
		IRVersion: 10,
		Opsets:    []Opset{{Version: 21}},
		Graph: Graph{
			Nodes: []Node{
				{Op: "Add", Name: "add a", Inputs: []string{"a", "c"}, Outputs: []string{"p"}},
				{Op: "Add", Name: "add b", Inputs: []string{"b", "d"}, Outputs: []string{"s"}},
				{Op: "Clip", Name: "neg", Inputs: []string{"s", "", "c"}, Outputs: []string{"q", ""}},
			},
			Initializers: []Tensor{constant("c"), constant("d")},
			Inputs:       []Value{{"a", Float, dims}, {"b", Float, dims}},
			Outputs:      []Value{{"p", Float, dims}, {"q", Float, dims}},
		},
	}
}

func names(values []Value) string {
	var out []string
	for _, v := range values {
		out = append(out, v.Name)
	}
	return strings.Join(out, " ")
}

func TestRestrict(t *testing.T) {
	given, err := Parse(encode(t, towers()))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		outputs     []string
		in          string
		there, gone []string
	}{
		{[]string{"p"}, "a", []string{"add a"}, []string{"add b", "neg"}},
		{[]string{"q"}, "b", []string{"add b", "neg"}, []string{"add a"}},
		{[]string{"q", "p"}, "a b", []string{"add a", "add b", "neg"}, nil},
	} {
		part, err := given.Restrict(c.outputs...)
		if err != nil {
			t.Fatal(err)
		}
		b := encode(t, part.Extend(nil, nil, part.Outputs))
		got, err := Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if names(part.Inputs) != c.in || names(got.Inputs) != c.in || names(got.Outputs) != strings.Join(c.outputs, " ") {
			t.Errorf("%v: inputs %s, outputs %s", c.outputs, names(got.Inputs), names(got.Outputs))
		}
		for _, s := range c.there {
			if !bytes.Contains(b, []byte(s)) {
				t.Errorf("%v: the node %q is gone", c.outputs, s)
			}
		}
		for _, s := range c.gone {
			if bytes.Contains(b, []byte(s)) {
				t.Errorf("%v: the node %q is still there", c.outputs, s)
			}
		}
	}
	if _, err := given.Restrict("r"); err == nil || !strings.Contains(err.Error(), `no output "r"`) {
		t.Errorf("%v", err)
	}
}

// nested is a node whose attribute is a graph, depth times.
func nested(depth int) []byte {
	var inner message
	inner.string(nodeInput, "outer")
	b := inner.joined().pieces[0]
	for range depth {
		var graph, attribute, node message
		graph.bytes(graphNode, b)
		graph.message(graphOutput, (&Value{Name: "result"}).encode())
		attribute.string(attrName, "body")
		attribute.message(attrGraph, graph)
		node.message(nodeAttribute, attribute)
		node.string(nodeOutput, "x")
		b = node.joined().pieces[0]
	}
	return b
}

// A node takes what the graphs within it take.
func TestNodesWithGraphs(t *testing.T) {
	in, out, err := nodeNames(nested(2), 0)
	if err != nil || !slices.Contains(in, "outer") || !slices.Contains(in, "result") || !slices.Equal(out, []string{"x"}) {
		t.Errorf("%v %v %v", in, out, err)
	}
	if _, _, err := nodeNames(nested(maxDepth+1), 0); err == nil {
		t.Error("no bound")
	}
}

// FuzzRestrict cuts whatever Parse takes: it ends, and what it gives can be read.
func FuzzRestrict(f *testing.F) {
	b, err := towers().Bytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b, "p")
	f.Add(b[:len(b)/2], "q")
	f.Fuzz(func(t *testing.T, b []byte, output string) {
		given, err := Parse(b)
		if err != nil {
			return
		}
		part, err := given.Restrict(output)
		if err != nil {
			return
		}
		whole, err := part.Extend(nil, nil, part.Outputs).Bytes()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(whole)
		if err != nil {
			t.Fatal(err)
		}
		if names(again.Inputs) != names(part.Inputs) {
			t.Errorf("inputs %q, then %q", names(part.Inputs), names(again.Inputs))
		}
	})
}
