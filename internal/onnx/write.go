package onnx

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strconv"
)

// The numbers of the fields written and read here, by message.
const (
	modelIRVersion = 1
	modelProducer  = 2
	modelGraph     = 7
	modelOpset     = 8

	opsetDomain  = 1
	opsetVersion = 2

	graphNode        = 1
	graphName        = 2
	graphInitializer = 5
	graphInput       = 11
	graphOutput      = 12
	graphValueInfo   = 13

	nodeInput     = 1
	nodeOutput    = 2
	nodeName      = 3
	nodeOp        = 4
	nodeAttribute = 5
	nodeDomain    = 7

	attrName   = 1
	attrFloat  = 2
	attrInt    = 3
	attrString = 4
	attrGraph  = 6
	attrFloats = 7
	attrInts   = 8
	attrGraphs = 11
	attrType   = 20

	attrTypeFloat  = 1
	attrTypeInt    = 2
	attrTypeString = 3
	attrTypeFloats = 6
	attrTypeInts   = 7

	tensorDims     = 1
	tensorType     = 2
	tensorName     = 8
	tensorRaw      = 9
	tensorExternal = 13
	tensorLocation = 14

	entryKey   = 1
	entryValue = 2

	valueName = 1
	valueType = 2

	typeTensor      = 1
	tensorTypeElem  = 1
	tensorTypeShape = 2
	shapeDim        = 1
	dimValue        = 1
	dimParam        = 2
)

// MaxInline is the greatest size in bytes of a model in one piece: a protobuf
// message holds less than 2 GiB, and the nodes need room as well.
const MaxInline = 1<<31 - 1<<24

// pageSize is what a tensor in a file of values begins at a multiple of, so
// that it can be mapped into memory.
const pageSize = 4096

// external is the least size of a tensor that goes to the file of values.
// Smaller ones, shapes and indices among them, stay in the model, because
// shape inference does not look into a second file.
const external = 1024

// message is an encoded message in pieces, so that the values of tensors are
// not copied.
type message struct {
	pieces [][]byte
	size   int
}

// tail is the last piece, open for appending.
func (m *message) write(p []byte) {
	m.pieces = append(m.pieces, p)
	m.size += len(p)
}

func (m *message) uint(field int, v uint64) {
	b := binary.AppendUvarint(nil, uint64(field)<<3)
	m.write(binary.AppendUvarint(b, v))
}

func (m *message) int(field int, v int64) { m.uint(field, uint64(v)) }

func (m *message) float(field int, v float32) {
	b := binary.AppendUvarint(nil, uint64(field)<<3|5)
	m.write(binary.LittleEndian.AppendUint32(b, math.Float32bits(v)))
}

func (m *message) bytes(field int, p []byte) {
	b := binary.AppendUvarint(nil, uint64(field)<<3|2)
	m.write(binary.AppendUvarint(b, uint64(len(p))))
	m.write(p)
}

func (m *message) string(field int, s string) { m.bytes(field, []byte(s)) }

func (m *message) message(field int, sub message) {
	b := binary.AppendUvarint(nil, uint64(field)<<3|2)
	m.write(binary.AppendUvarint(b, uint64(sub.size)))
	m.pieces = append(m.pieces, sub.pieces...)
	m.size += sub.size
}

// joined makes one piece of the pieces of a small message.
func (m message) joined() message {
	b := make([]byte, 0, m.size)
	for _, p := range m.pieces {
		b = append(b, p...)
	}
	return message{pieces: [][]byte{b}, size: len(b)}
}

// Bytes encodes the model in one piece. It fails where that would pass
// MaxInline; WriteFiles has no such bound.
func (m *Model) Bytes() ([]byte, error) {
	enc, err := m.encode(nil)
	if err != nil {
		return nil, err
	}
	if enc.size > MaxInline {
		return nil, fmt.Errorf("encode model %q: %d bytes are more than the %d that one piece can hold: write it with its values in a second file", m.Graph.Name, enc.size, MaxInline)
	}
	return enc.joined().pieces[0], nil
}

// WriteTwo writes the model to w and the values of its tensors of a kilobyte
// or more to values, each beginning at a multiple of 4096 bytes. The model
// refers to the second file by name, which is relative to the folder that the
// model lies in.
func (m *Model) WriteTwo(w, values io.Writer, name string) error {
	out := &valueFile{name: name, w: bufio.NewWriterSize(values, 1<<20)}
	enc, err := m.encode(out)
	if err != nil {
		return err
	}
	if enc.size > MaxInline {
		return fmt.Errorf("encode model %q: %d bytes without its values are more than the %d that it can hold", m.Graph.Name, enc.size, MaxInline)
	}
	if err := out.w.Flush(); err != nil {
		return fmt.Errorf("write values: %w", err)
	}
	b := bufio.NewWriter(w)
	for _, p := range enc.pieces {
		if _, err := b.Write(p); err != nil {
			return fmt.Errorf("write model: %w", err)
		}
	}
	if err := b.Flush(); err != nil {
		return fmt.Errorf("write model: %w", err)
	}
	return nil
}

// valueFile is the second file of a model.
type valueFile struct {
	name   string
	w      *bufio.Writer
	offset int64
}

var zeros [pageSize]byte

// add appends the values of a tensor and returns where they begin.
func (v *valueFile) add(p []byte) (int64, error) {
	if gap := (pageSize - v.offset%pageSize) % pageSize; gap > 0 {
		if _, err := v.w.Write(zeros[:gap]); err != nil {
			return 0, fmt.Errorf("write values: %w", err)
		}
		v.offset += gap
	}
	at := v.offset
	if _, err := v.w.Write(p); err != nil {
		return 0, fmt.Errorf("write values: %w", err)
	}
	v.offset += int64(len(p))
	return at, nil
}

func (m *Model) encode(out *valueFile) (message, error) {
	var enc message
	if m.base != nil {
		for _, p := range m.base.model {
			enc.write(p)
		}
	} else {
		enc.int(modelIRVersion, m.IRVersion)
		enc.string(modelProducer, m.Producer)
	}
	for _, o := range m.Opsets {
		var sub message
		if o.Domain != "" {
			sub.string(opsetDomain, o.Domain)
		}
		sub.int(opsetVersion, o.Version)
		enc.message(modelOpset, sub)
	}
	g, err := m.encodeGraph(out)
	if err != nil {
		return message{}, err
	}
	enc.message(modelGraph, g)
	return enc, nil
}

func (m *Model) encodeGraph(out *valueFile) (message, error) {
	var enc message
	if m.base != nil {
		for _, p := range m.base.graph {
			enc.write(p)
		}
	} else {
		enc.string(graphName, m.Graph.Name)
		for _, v := range m.Graph.Inputs {
			enc.message(graphInput, v.encode())
		}
	}
	for _, n := range m.Graph.Nodes {
		sub, err := n.encode()
		if err != nil {
			return message{}, err
		}
		enc.message(graphNode, sub)
	}
	for _, t := range m.Graph.Initializers {
		sub, err := t.encode(out)
		if err != nil {
			return message{}, err
		}
		enc.message(graphInitializer, sub)
	}
	for _, v := range m.Graph.Outputs {
		enc.message(graphOutput, v.encode())
	}
	return enc, nil
}

func (n *Node) encode() (message, error) {
	var enc message
	for _, s := range n.Inputs {
		enc.string(nodeInput, s)
	}
	for _, s := range n.Outputs {
		enc.string(nodeOutput, s)
	}
	if n.Name != "" {
		enc.string(nodeName, n.Name)
	}
	enc.string(nodeOp, n.Op)
	for _, a := range n.Attrs {
		sub, err := a.encode()
		if err != nil {
			return message{}, fmt.Errorf("encode node %q: %w", n.Name, err)
		}
		enc.message(nodeAttribute, sub)
	}
	if n.Domain != "" {
		enc.string(nodeDomain, n.Domain)
	}
	return enc.joined(), nil
}

func (a *Attr) encode() (message, error) {
	var enc message
	enc.string(attrName, a.Name)
	kind := 0
	switch v := a.Value.(type) {
	case float32:
		kind = attrTypeFloat
		enc.float(attrFloat, v)
	case int64:
		kind = attrTypeInt
		enc.int(attrInt, v)
	case string:
		kind = attrTypeString
		enc.string(attrString, v)
	case []float32:
		kind = attrTypeFloats
		for _, x := range v {
			enc.float(attrFloats, x)
		}
	case []int64:
		kind = attrTypeInts
		for _, x := range v {
			enc.int(attrInts, x)
		}
	default:
		return message{}, fmt.Errorf("attribute %q has a value of type %T", a.Name, a.Value)
	}
	enc.int(attrType, int64(kind))
	return enc, nil
}

func (t *Tensor) encode(out *valueFile) (message, error) {
	var enc message
	for _, d := range t.Dims {
		enc.int(tensorDims, d)
	}
	enc.int(tensorType, int64(t.Type))
	enc.string(tensorName, t.Name)
	if out == nil || len(t.Raw) < external {
		enc.bytes(tensorRaw, t.Raw)
		return enc, nil
	}
	at, err := out.add(t.Raw)
	if err != nil {
		return message{}, err
	}
	for _, e := range [][2]string{
		{"location", out.name},
		{"offset", strconv.FormatInt(at, 10)},
		{"length", strconv.Itoa(len(t.Raw))},
	} {
		var sub message
		sub.string(entryKey, e[0])
		sub.string(entryValue, e[1])
		enc.message(tensorExternal, sub)
	}
	enc.int(tensorLocation, 1)
	return enc, nil
}

func (v *Value) encode() message {
	var tensor message
	tensor.int(tensorTypeElem, int64(v.Type))
	if v.Dims != nil {
		var shape message
		for _, d := range v.Dims {
			var dim message
			if d.Param != "" {
				dim.string(dimParam, d.Param)
			} else {
				dim.int(dimValue, d.Value)
			}
			shape.message(shapeDim, dim)
		}
		tensor.message(tensorTypeShape, shape)
	}
	var typ, enc message
	typ.message(typeTensor, tensor)
	enc.string(valueName, v.Name)
	enc.message(valueType, typ)
	return enc.joined()
}
