package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The wire types of protobuf.
const (
	wireVarint = 0
	wire64     = 1
	wireBytes  = 2
	wire32     = 5
)

var errCut = errors.New("the bytes end within a field: the file is cut off or no ONNX model")

// field is one field of a message. raw is the whole of it, number and length
// included.
type field struct {
	number int
	wire   int
	value  uint64 // of a varint
	body   []byte // of bytes
	raw    []byte
}

// fields calls visit with each field of a message.
func fields(b []byte, visit func(field) error) error {
	for len(b) > 0 {
		f, n, err := nextField(b)
		if err != nil {
			return err
		}
		f.raw = b[:n]
		b = b[n:]
		if err := visit(f); err != nil {
			return err
		}
	}
	return nil
}

func nextField(b []byte) (field, int, error) {
	key, n := binary.Uvarint(b)
	if n <= 0 || key>>3 == 0 || key>>3 > 1<<29-1 {
		return field{}, 0, errCut
	}
	f := field{number: int(key >> 3), wire: int(key & 7)}
	size := 0
	switch f.wire {
	case wireVarint:
		v, m := binary.Uvarint(b[n:])
		if m <= 0 {
			return field{}, 0, errCut
		}
		f.value, size = v, m
	case wire64:
		size = 8
	case wire32:
		size = 4
	case wireBytes:
		v, m := binary.Uvarint(b[n:])
		if m <= 0 || v > uint64(len(b)-n-m) {
			return field{}, 0, errCut
		}
		f.body = b[n+m : n+m+int(v)]
		size = m + int(v)
	default:
		return field{}, 0, fmt.Errorf("a field of wire type %d: this is no ONNX model", f.wire)
	}
	if size > len(b)-n {
		return field{}, 0, errCut
	}
	return f, n + size, nil
}

// Given is a model that was read.
type Given struct {
	IRVersion int64
	Opsets    []Opset
	// Inputs leaves out those that have a value among the constants.
	Inputs  []Value
	Outputs []Value
	// External tells whether values of constants lie in other files, whose
	// names are relative to the model's folder.
	External bool

	base base
}

// Parse reads the interface of a model. It keeps b, which is not to be changed
// while the result is used.
func Parse(b []byte) (*Given, error) {
	m := &Given{}
	var graph []byte
	err := fields(b, func(f field) error {
		switch {
		case f.number == modelGraph && f.wire == wireBytes:
			if graph != nil {
				return errors.New("it has two graphs")
			}
			graph = f.body
			return nil
		case f.number == modelIRVersion && f.wire == wireVarint:
			m.IRVersion = int64(f.value)
		case f.number == modelOpset && f.wire == wireBytes:
			o, err := parseOpset(f.body)
			if err != nil {
				return err
			}
			m.Opsets = append(m.Opsets, o)
		}
		m.base.model = append(m.base.model, f.raw)
		return nil
	})
	if err == nil && (graph == nil || m.IRVersion == 0) {
		err = errors.New("it has no graph or no version: this is no ONNX model")
	}
	if err == nil {
		err = m.parseGraph(graph)
	}
	if err != nil {
		return nil, fmt.Errorf("read ONNX model: %w", err)
	}
	return m, nil
}

// Opset returns the version of a domain's operators, 0 if the model has none
// of it.
func (m *Given) Opset(domain string) int64 {
	for _, o := range m.Opsets {
		if o.Domain == domain || domain == "" && o.Domain == "ai.onnx" {
			return o.Version
		}
	}
	return 0
}

// Extend returns the model with nodes and constants behind its own, and with
// other outputs. The nodes are for the model's own version of the operators.
func (m *Given) Extend(nodes []Node, consts []Tensor, outputs []Value) *Model {
	return &Model{
		Graph: Graph{Nodes: nodes, Initializers: consts, Outputs: outputs},
		base:  &m.base,
	}
}

func (m *Given) parseGraph(b []byte) error {
	constants := map[string]bool{}
	var inputs []Value
	err := fields(b, func(f field) error {
		if f.wire == wireBytes {
			switch f.number {
			case graphOutput:
				v, err := parseValue(f.body)
				m.Outputs = append(m.Outputs, v)
				return err
			case graphInput:
				v, err := parseValue(f.body)
				if err != nil {
					return err
				}
				inputs = append(inputs, v)
			case graphInitializer:
				name, external, err := parseTensor(f.body)
				if err != nil {
					return err
				}
				constants[name] = true
				m.External = m.External || external
			}
		}
		m.base.graph = append(m.base.graph, f.raw)
		return nil
	})
	for _, v := range inputs {
		if !constants[v.Name] {
			m.Inputs = append(m.Inputs, v)
		}
	}
	return err
}

func parseOpset(b []byte) (Opset, error) {
	var o Opset
	err := fields(b, func(f field) error {
		switch {
		case f.number == opsetDomain && f.wire == wireBytes:
			o.Domain = string(f.body)
		case f.number == opsetVersion && f.wire == wireVarint:
			o.Version = int64(f.value)
		}
		return nil
	})
	return o, err
}

func parseTensor(b []byte) (name string, external bool, err error) {
	err = fields(b, func(f field) error {
		switch {
		case f.number == tensorName && f.wire == wireBytes:
			name = string(f.body)
		case f.number == tensorLocation && f.wire == wireVarint:
			external = f.value == 1
		}
		return nil
	})
	return name, external, err
}

func parseValue(b []byte) (Value, error) {
	var v Value
	err := fields(b, func(f field) error {
		if f.wire != wireBytes {
			return nil
		}
		switch f.number {
		case valueName:
			v.Name = string(f.body)
		case valueType:
			return v.parseType(f.body)
		}
		return nil
	})
	return v, err
}

func (v *Value) parseType(b []byte) error {
	return fields(b, func(f field) error {
		if f.number != typeTensor || f.wire != wireBytes {
			return nil
		}
		return fields(f.body, func(f field) error {
			switch {
			case f.number == tensorTypeElem && f.wire == wireVarint:
				v.Type = Type(f.value)
			case f.number == tensorTypeShape && f.wire == wireBytes:
				return v.parseShape(f.body)
			}
			return nil
		})
	})
}

func (v *Value) parseShape(b []byte) error {
	v.Dims = []Dim{}
	return fields(b, func(f field) error {
		if f.number != shapeDim || f.wire != wireBytes {
			return nil
		}
		var d Dim
		err := fields(f.body, func(f field) error {
			switch {
			case f.number == dimValue && f.wire == wireVarint:
				d.Value = int64(f.value)
			case f.number == dimParam && f.wire == wireBytes:
				d.Param = string(f.body)
			}
			return nil
		})
		v.Dims = append(v.Dims, d)
		return err
	})
}
