package encoder

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/onnx"
)

// lookup is an encoder that only looks a table up, written for a version of
// the operators: small enough to do its pooling by hand.
func lookup(version int64, table []float32, width int) *onnx.Model {
	batch := []onnx.Dim{{Param: "b"}, {Param: "t"}}
	return &onnx.Model{
		IRVersion: 6,
		Opsets:    []onnx.Opset{{Version: version}},
		Graph: onnx.Graph{
			Name:         "lookup",
			Nodes:        []onnx.Node{{Op: "Gather", Inputs: []string{"table", InputIDs}, Outputs: []string{"last_hidden_state"}}},
			Initializers: []onnx.Tensor{{Name: "table", Type: onnx.Float, Dims: []int64{int64(len(table) / width), int64(width)}, Raw: rawFloat32(table)}},
			Inputs:       []onnx.Value{{Name: InputIDs, Type: onnx.Int64, Dims: batch}, {Name: AttentionMask, Type: onnx.Int64, Dims: batch}},
			Outputs:      []onnx.Value{{Name: "last_hidden_state", Type: onnx.Float, Dims: append(slices.Clone(batch), onnx.Dim{Value: int64(width)})}},
		},
	}
}

func writeModel(t *testing.T, m *onnx.Model) string {
	t.Helper()
	b, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestAttachPoolsByHand runs every mode behind files of old and new versions,
// on rows of mixed lengths and with tokens of a prompt left out.
func TestAttachPoolsByHand(t *testing.T) {
	needRuntime(t)
	table := []float32{9, 9, 1, -2, 3, 5, -4, 0.5, 2, 8}
	const width = 2
	rows := [][]int64{{1, 2, 3}, {4}, {3, 4, 2, 1, 1}}
	for _, version := range []int64{11, 12, 13, 17, 18, 21} {
		path := writeModel(t, lookup(version, table, width))
		for _, skip := range []int{0, 1} {
			m, err := Attach(context.Background(), path, []Layer{
				Pooling{Modes: modes, Skip: skip},
				Dense{In: 12, Out: 12, Weight: identity(12), Bias: make([]float32, 12), Activation: "gelu"},
			})
			if err != nil {
				t.Fatal(err)
			}
			got := open(t, m, 1).run(t, rows, 0)
			var want []float32
			for _, r := range rows {
				for _, x := range poolByHand(table, width, r, skip) {
					want = append(want, float32(x*(1+math.Erf(x/math.Sqrt2))/2))
				}
			}
			if d := farthest(got, want); !(d <= 1e-5) {
				t.Errorf("version %d, skip %d: differs by %g\n%v\n%v", version, skip, d, got, want)
			}
		}
	}
}

func identity(n int) []float32 {
	v := make([]float32, n*n)
	for i := range n {
		v[i*n+i] = 1
	}
	return v
}

// poolByHand gives the vectors of all modes one behind the other.
func poolByHand(table []float32, width int, row []int64, skip int) []float64 {
	at := func(i, d int) float64 { return float64(table[int(row[i])*width+d]) }
	n := len(row)
	out := make([]float64, 6*width)
	for d := range width {
		top, sum, weighted, weights, last := -1e9, 0.0, 0.0, 1e-9, 0.0
		for i := skip; i < n; i++ {
			top = max(top, at(i, d))
			sum += at(i, d)
			weighted += at(i, d) * float64(i+1)
			weights = max(weights, 0) + float64(i+1)
			last = at(i, d)
		}
		count := math.Max(float64(n-skip), 1e-9)
		for m, v := range []float64{at(0, d), top, sum / count, sum / math.Sqrt(count), weighted / weights, last} {
			out[m*width+d] = v
		}
	}
	return out
}

// TestAttachIsBuild puts a head behind a built encoder, in one file and in two.
func TestAttachIsBuild(t *testing.T) {
	dir := golden(t, "embedders", "encoders", "bert")
	needRuntime(t)
	head := []Layer{Pooling{Modes: []string{Mean}}, Normalize{}}
	rows := [][]int64{{2, 77, 91, 3}, {2, 3}, {2, 5, 6, 7, 8, 9, 3}}
	want := open(t, built(t, Spec{Dir: dir, Head: head}), 1).run(t, rows, 0)

	bare := built(t, Spec{Dir: dir})
	folder := t.TempDir()
	var model, values bytes.Buffer
	if err := bare.WriteTwo(&model, &values, "model.onnx_data"); err != nil {
		t.Fatal(err)
	}
	config, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"config.json": config, "onnx/model.onnx": model.Bytes(), "onnx/model.onnx_data": values.Bytes()} {
		os.MkdirAll(filepath.Join(folder, "onnx"), 0o777)
		if err := os.WriteFile(filepath.Join(folder, name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{writeModel(t, bare.graph), filepath.Join(folder, "onnx", "model.onnx")} {
		m, err := Attach(context.Background(), path, head)
		if err != nil {
			t.Fatal(err)
		}
		if got := open(t, m, 1).run(t, rows, 0); !slices.Equal(got, want) {
			t.Errorf("%s gives other vectors, by up to %g", path, farthest(got, want))
		}
		if m.ExternalDir != "" && (m.MaxTokens != 64 || m.Arch != "bert") {
			t.Errorf("%+v", m)
		}
	}
}

func TestAttachRefuses(t *testing.T) {
	table := make([]float32, 8)
	head := []Layer{Pooling{Modes: []string{Mean}}}
	for name, c := range map[string]struct {
		change func(*onnx.Model)
		want   string
	}{
		"other input":  {func(m *onnx.Model) { m.Graph.Inputs[0].Name = "tokens" }, "its inputs are tokens, attention_mask"},
		"int32 input":  {func(m *onnx.Model) { m.Graph.Inputs[0].Type = onnx.Int32 }, "int64 input_ids"},
		"no output":    {func(m *onnx.Model) { m.Graph.Outputs[0] = onnx.Value{Name: "logits", Type: onnx.Float} }, "its outputs are logits"},
		"flat output":  {func(m *onnx.Model) { m.Graph.Outputs[0].Dims = m.Graph.Outputs[0].Dims[:2] }, "has 2 dimensions"},
		"open width":   {func(m *onnx.Model) { m.Graph.Outputs[0].Dims[2] = onnx.Dim{Param: "w"} }, "is not fixed"},
		"old":          {func(m *onnx.Model) { m.Opsets[0].Version = 9 }, "version 9"},
		"whole number": {func(m *onnx.Model) { m.Graph.Outputs[0].Type = onnx.Int64 }, "neither float32"},
	} {
		t.Run(name, func(t *testing.T) {
			m := lookup(17, table, 2)
			c.change(m)
			_, err := Attach(context.Background(), writeModel(t, m), head)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, not one with %q", err, c.want)
			}
		})
	}
	if _, err := Attach(context.Background(), filepath.Join(t.TempDir(), "none.onnx"), head); err == nil {
		t.Error("a missing file is no error")
	}
}
