package onnx

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// small adds a constant to its input.
func small() *Model {
	dims := []Dim{{Param: "n"}, {Value: 2}}
	return &Model{
		IRVersion: 10,
		Opsets:    []Opset{{Version: 21}, {Domain: Microsoft, Version: 1}},
		Producer:  "test",
		Graph: Graph{
			Name: "small",
			Nodes: []Node{{
				Op: "Add", Name: "sum", Inputs: []string{"x", "c"}, Outputs: []string{"y"},
				Attrs: []Attr{{"a", int64(-3)}, {"b", float32(0.5)}, {"c", "tanh"}, {"d", []int64{1, 300}}, {"e", []float32{2}}},
			}},
			Initializers: []Tensor{{Name: "c", Type: Float, Dims: []int64{2}, Raw: make([]byte, 8)}},
			Inputs:       []Value{{"x", Float, dims}},
			Outputs:      []Value{{"y", Float, dims}, {"z", Int64, nil}},
		},
	}
}

func encode(t *testing.T, m *Model) []byte {
	t.Helper()
	b, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParseReadsTheInterface(t *testing.T) {
	m := small()
	got, err := Parse(encode(t, m))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(m.Graph.Inputs, got.Inputs); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(m.Graph.Outputs, got.Outputs); d != "" {
		t.Error(d)
	}
	if got.IRVersion != 10 || got.Opset("") != 21 || got.Opset(Microsoft) != 1 || got.Opset("other") != 0 || got.External {
		t.Errorf("%+v", got)
	}
}

func TestExtendKeepsWhatWasThere(t *testing.T) {
	given, err := Parse(encode(t, small()))
	if err != nil {
		t.Fatal(err)
	}
	outputs := []Value{{"w", Float, []Dim{{Param: "n"}}}}
	ext := given.Extend([]Node{{Op: "Neg", Inputs: []string{"y"}, Outputs: []string{"w"}}}, nil, outputs)
	b := encode(t, ext)
	got, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(outputs, got.Outputs); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(given.Inputs, got.Inputs); d != "" {
		t.Error(d)
	}
	if !bytes.Contains(b, []byte("Neg")) || !bytes.Contains(b, []byte("sum")) {
		t.Error("a node is gone")
	}
}

func TestParseLeavesOutInputsWithAValue(t *testing.T) {
	m := small()
	m.Graph.Inputs = append(m.Graph.Inputs, Value{"c", Float, []Dim{{Value: 2}}})
	got, err := Parse(encode(t, m))
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Inputs) != 1 || got.Inputs[0].Name != "x" {
		t.Errorf("inputs %v", got.Inputs)
	}
}

func TestWriteTwoAlignsValues(t *testing.T) {
	m := small()
	var all []byte
	for i, n := range []int{5000, 1024, 2000} {
		raw := bytes.Repeat([]byte{byte(i + 1)}, n)
		m.Graph.Initializers = append(m.Graph.Initializers, Tensor{Name: string(rune('p' + i)), Type: Uint8, Dims: []int64{int64(n)}, Raw: raw})
		all = append(all, make([]byte, (pageSize-len(all)%pageSize)%pageSize)...)
		all = append(all, raw...)
	}
	var model, values bytes.Buffer
	if err := m.WriteTwo(&model, &values, "m.weights"); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(values.Bytes(), all) {
		t.Error("the values do not begin at whole pages")
	}
	got, err := Parse(model.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"m.weights", "8192", "12288", "5000"} {
		if !strings.Contains(model.String(), s) {
			t.Errorf("the model does not say %s", s)
		}
	}
	if !got.External {
		t.Error("Parse sees no second file")
	}
}

func TestBytesRefusesAnUnknownAttribute(t *testing.T) {
	m := small()
	m.Graph.Nodes[0].Attrs = []Attr{{"a", 3}}
	if _, err := m.Bytes(); err == nil || !strings.Contains(err.Error(), `attribute "a"`) {
		t.Errorf("error %v", err)
	}
}

func TestParseRefuses(t *testing.T) {
	whole := encode(t, small())
	for n := range len(whole) {
		if g, err := Parse(whole[:n]); err == nil && len(g.Outputs) == 2 {
			// Cut behind the last field of the graph, the rest is still a model.
			continue
		} else if err == nil {
			t.Errorf("%d of %d bytes are read as a model", n, len(whole))
		}
	}
	for _, text := range []string{"", "version https://git-lfs.github.com/spec/v1\noid sha256:12\n", "<html>", "{}"} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%q is read as a model", text)
		}
	}
}

func FuzzParse(f *testing.F) {
	b, err := small().Bytes()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(b[:len(b)/2])
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			return
		}
		out, err := m.Extend(nil, nil, m.Outputs).Bytes()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Parse(out)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(m.Outputs, again.Outputs); d != "" {
			t.Error(d)
		}
	})
}
