package encoder

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/bertopic-go/bertopic/internal/onnx"
)

// attach makes towers of ONNX files, as they are.
func (m *CLIP) attach(ctx context.Context, files givenTowers, only Tower) error {
	if only != VisionTower {
		t, in, err := attachTower(ctx, files.text, textInputs, []string{TextEmbeds, "pooler_output"})
		if err != nil {
			return err
		}
		if n := fixedSize(in[0], 1); n > 0 {
			m.MaxTokens, m.Padded = n, true
		}
		t.MaxTokens, t.PadID, t.Arch = m.MaxTokens, m.PadID, m.Arch+" text"
		m.Text = m.sized(t)
	}
	if only != TextTower {
		t, in, err := attachTower(ctx, files.vision, visionInputs, []string{ImageEmbeds, "pooler_output"})
		if err != nil {
			return err
		}
		if n := fixedSize(in[0], 2); n > 0 {
			m.ImageSize = n
		}
		t.Arch = m.Arch + " vision"
		m.Vision = m.sized(t)
	}
	if m.Text != nil && m.Vision != nil && m.Text.Dimension != m.Vision.Dimension {
		return fmt.Errorf("the ONNX files give vectors of %d for texts and of %d for pictures: they are not of one model", m.Text.Dimension, m.Vision.Dimension)
	}
	return nil
}

// sized fills in the length of a vector, of the file where that says it, else of
// the configuration.
func (m *CLIP) sized(t *Model) *Model {
	if t.Dimension == 0 {
		t.Dimension = m.Dimension
	}
	m.Dimension = t.Dimension
	return t
}

// towerInputs are the inputs that the file of a tower can have; the first it must
// have.
type towerInputs []onnx.Value

var (
	textInputs   = towerInputs{{Name: InputIDs, Type: onnx.Int64}, {Name: AttentionMask, Type: onnx.Int64}}
	visionInputs = towerInputs{{Name: PixelValues, Type: onnx.Float}}
)

// check finds the first input among those of a file and refuses what is not
// known.
func (t towerInputs) check(given []onnx.Value) ([]onnx.Value, error) {
	var got, want []string
	ok := false
	for _, v := range t {
		want = append(want, v.Name)
	}
	out := make([]onnx.Value, 0, len(given))
	for _, v := range given {
		got = append(got, v.Name)
		at := slices.IndexFunc(t, func(w onnx.Value) bool { return w.Name == v.Name && w.Type == v.Type })
		switch at {
		case -1:
			return nil, fmt.Errorf("its input %q is not one of %s of the usual type: export the model again with transformers' own names, in float32", v.Name, list(want))
		case 0:
			ok = true
			out = slices.Insert(out, 0, v)
		default:
			out = append(out, v)
		}
	}
	if !ok {
		return nil, fmt.Errorf("its inputs are %s; %s is not among them: export the model again with transformers' own names", list(got), t[0].Name)
	}
	return out, nil
}

// attachTower reads the file of a tower. outputs are the names that its vector
// can have, the best first.
func attachTower(ctx context.Context, path string, inputs towerInputs, outputs []string) (*Model, []onnx.Value, error) {
	m, in, err := readTower(ctx, path, inputs, outputs)
	if err != nil {
		return nil, nil, fmt.Errorf("ONNX file %s: %w", path, err)
	}
	return m, in, nil
}

func readTower(ctx context.Context, path string, inputs towerInputs, outputs []string) (*Model, []onnx.Value, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	given, err := onnx.Parse(raw)
	if err != nil {
		return nil, nil, err
	}
	out, err := towerOutput(given, outputs)
	if err != nil {
		return nil, nil, err
	}
	if given, err = given.Restrict(out.Name); err != nil {
		return nil, nil, err
	}
	in, err := inputs.check(given.Inputs)
	if err != nil {
		return nil, nil, err
	}
	if n := fixedSize(in[0], 0); n > 1 {
		return nil, nil, fmt.Errorf("it takes batches of %d alone: export the model again with a batch size that is left open", n)
	}
	m := &Model{Given: true, OutputName: out.Name, Dimension: fixedSize(out, 1)}
	for _, v := range in {
		m.InputNames = append(m.InputNames, v.Name)
	}
	if given.External {
		if m.ExternalDir, err = filepath.Abs(filepath.Dir(path)); err != nil {
			return nil, nil, err
		}
	}
	m.graph = given.Extend(nil, nil, []onnx.Value{out})
	return m, in, nil
}

func towerOutput(given *onnx.Given, names []string) (onnx.Value, error) {
	var got []string
	best := -1
	var out onnx.Value
	for _, v := range given.Outputs {
		got = append(got, v.Name)
		if at := slices.Index(names, v.Name); at >= 0 && (best < 0 || at < best) {
			best, out = at, v
		}
	}
	switch {
	case best < 0:
		return out, fmt.Errorf("its outputs are %s; none is called %s: export the model with its projection", list(got), names[0])
	case out.Type != onnx.Float:
		return out, fmt.Errorf("its output %q is not float32: export the model with outputs of float32", out.Name)
	case out.Dims != nil && len(out.Dims) != 2:
		return out, fmt.Errorf("its output %q has %d dimensions, not batch x width", out.Name, len(out.Dims))
	}
	return out, nil
}

// fixedSize is the size of a dimension, 0 where it is open.
func fixedSize(v onnx.Value, axis int) int {
	if axis >= len(v.Dims) || v.Dims[axis].Param != "" || v.Dims[axis].Value < 1 {
		return 0
	}
	return int(v.Dims[axis].Value)
}
