package onnx

import (
	"errors"
	"fmt"
)

// maxDepth is how deep graphs may lie in one another.
const maxDepth = 32

// Restrict returns the part of a model that gives some of its outputs: their
// nodes, and the constants and inputs that those take.
func (m *Given) Restrict(outputs ...string) (*Given, error) {
	needed := map[string]bool{}
	part := &Given{IRVersion: m.IRVersion, Opsets: m.Opsets, base: base{model: m.base.model}}
	for _, name := range outputs {
		at := -1
		for i, v := range m.Outputs {
			if v.Name == name {
				at = i
			}
		}
		if at < 0 {
			return nil, fmt.Errorf("cut ONNX model: it has no output %q", name)
		}
		needed[name] = true
		part.Outputs = append(part.Outputs, m.Outputs[at])
	}
	keep := make([]bool, len(m.base.graph))
	for i := len(keep) - 1; i >= 0; i-- { // nodes stand in an order in which they can run
		f, _, err := nextField(m.base.graph[i])
		if err != nil || f.number != graphNode || f.wire != wireBytes {
			continue
		}
		in, out, err := nodeNames(f.body, 0)
		if err != nil {
			return nil, fmt.Errorf("cut ONNX model: %w", err)
		}
		for _, name := range out {
			keep[i] = keep[i] || name != "" && needed[name]
		}
		if keep[i] {
			for _, name := range append(in, out...) {
				needed[name] = true
			}
		}
	}
	for i, raw := range m.base.graph {
		f, _, err := nextField(raw)
		if err != nil {
			return nil, fmt.Errorf("cut ONNX model: %w", err)
		}
		if f.wire == wireBytes {
			var name string
			external := false
			switch f.number {
			case graphNode:
				if !keep[i] {
					continue
				}
			case graphInitializer:
				name, external, err = parseTensor(f.body)
			case graphInput, graphValueInfo:
				var v Value
				v, err = parseValue(f.body)
				name = v.Name
			}
			if err != nil {
				return nil, fmt.Errorf("cut ONNX model: %w", err)
			}
			if name != "" && !needed[name] {
				continue
			}
			part.External = part.External || external
		}
		part.base.graph = append(part.base.graph, raw)
	}
	for _, v := range m.Inputs {
		if needed[v.Name] {
			part.Inputs = append(part.Inputs, v)
		}
	}
	return part, nil
}

// nodeNames reads the names of what a node takes and gives. What graphs within
// it take may come from around it.
func nodeNames(b []byte, depth int) (in, out []string, err error) {
	if depth > maxDepth {
		return nil, nil, errors.New("graphs lie in one another too deep")
	}
	graph := func(f field) error {
		if f.wire != wireBytes {
			return nil
		}
		switch f.number {
		case graphNode:
			names, _, err := nodeNames(f.body, depth+1)
			in = append(in, names...)
			return err
		case graphOutput:
			v, err := parseValue(f.body)
			in = append(in, v.Name)
			return err
		}
		return nil
	}
	err = fields(b, func(f field) error {
		if f.wire != wireBytes {
			return nil
		}
		switch f.number {
		case nodeInput:
			in = append(in, string(f.body))
		case nodeOutput:
			out = append(out, string(f.body))
		case nodeAttribute:
			return fields(f.body, func(a field) error {
				if a.wire == wireBytes && (a.number == attrGraph || a.number == attrGraphs) {
					return fields(a.body, graph)
				}
				return nil
			})
		}
		return nil
	})
	return in, out, err
}
