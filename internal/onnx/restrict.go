package onnx

import (
	"errors"
	"fmt"
	"slices"
)

// maxDepth is how deep graphs may lie in one another.
const maxDepth = 32

// Restrict returns the part of a model that gives some of its outputs: their
// nodes, and the constants and inputs that those take.
func (m *Given) Restrict(outputs ...string) (*Given, error) {
	p := part{given: m, needed: map[string]bool{}}
	part, err := p.cut(outputs)
	if err != nil {
		return nil, fmt.Errorf("cut ONNX model: %w", err)
	}
	return part, nil
}

// part is what is found to be needed of a model.
type part struct {
	given  *Given
	needed map[string]bool // names of values
	nodes  []bool          // by the number of the field in the graph
}

func (p *part) cut(outputs []string) (*Given, error) {
	m := p.given
	out := &Given{IRVersion: m.IRVersion, Opsets: m.Opsets, base: base{model: m.base.model}}
	for _, name := range outputs {
		at := slices.IndexFunc(m.Outputs, func(v Value) bool { return v.Name == name })
		if at < 0 {
			return nil, fmt.Errorf("it has no output %q", name)
		}
		p.needed[name] = true
		out.Outputs = append(out.Outputs, m.Outputs[at])
	}
	if err := p.findNodes(); err != nil {
		return nil, err
	}
	for i, raw := range m.base.graph {
		f, _, err := nextField(raw)
		if err != nil {
			return nil, err
		}
		keep, external, err := p.keeps(i, f)
		if err != nil {
			return nil, err
		}
		if keep {
			out.base.graph = append(out.base.graph, raw)
			out.External = out.External || external
		}
	}
	for _, v := range m.Inputs {
		if p.needed[v.Name] {
			out.Inputs = append(out.Inputs, v)
		}
	}
	return out, nil
}

// findNodes goes back from the outputs: nodes stand in an order in which they
// can run.
func (p *part) findNodes() error {
	p.nodes = make([]bool, len(p.given.base.graph))
	for i := len(p.nodes) - 1; i >= 0; i-- {
		f, _, err := nextField(p.given.base.graph[i])
		if err != nil {
			return err
		}
		if f.number != graphNode || f.wire != wireBytes {
			continue
		}
		in, out, err := nodeNames(f.body, 0)
		if err != nil {
			return err
		}
		p.nodes[i] = slices.ContainsFunc(out, func(name string) bool { return name != "" && p.needed[name] })
		if p.nodes[i] {
			for _, name := range append(in, out...) {
				p.needed[name] = true
			}
		}
	}
	return nil
}

// keeps tells whether field i of the graph is needed, and whether it is a
// constant whose values lie in another file.
func (p *part) keeps(i int, f field) (keep, external bool, err error) {
	if f.wire != wireBytes {
		return true, false, nil
	}
	var name string
	switch f.number {
	case graphNode:
		return p.nodes[i], false, nil
	case graphInitializer:
		name, external, err = parseTensor(f.body)
	case graphInput, graphValueInfo:
		var v Value
		v, err = parseValue(f.body)
		name = v.Name
	default:
		return true, false, nil
	}
	return p.needed[name], external, err
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
