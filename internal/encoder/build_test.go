package encoder

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/safetensors"
)

// edit changes keys of a folder's config.json; nil removes one.
func edit(t *testing.T, dir string, changes map[string]any) {
	t.Helper()
	path := filepath.Join(dir, "config.json")
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var c map[string]any
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	for k, v := range changes {
		c[k] = v
		if v == nil {
			delete(c, k)
		}
	}
	if raw, err = json.Marshal(c); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, raw, 0o666); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// tensor is a weight of a folder.
type tensor struct {
	name   string
	values []float32
	shape  []int
}

func tensors(t *testing.T, dir string) []tensor {
	t.Helper()
	f, err := safetensors.Open(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []tensor
	for _, name := range f.Names() {
		v, info, err := f.Float32(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, tensor{name, v, info.Shape})
	}
	return out
}

func writeTensors(t *testing.T, path string, all []tensor) {
	t.Helper()
	var out []safetensors.Tensor
	for _, x := range all {
		out = append(out, safetensors.Float32(x.name, x.values, x.shape...))
	}
	if err := safetensors.WriteFile(path, out, nil); err != nil {
		t.Fatal(err)
	}
}

func TestBuildRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(t *testing.T, dir string)
		spec   Spec
		want   string
	}{
		"no config":    {func(t *testing.T, dir string) { remove(t, filepath.Join(dir, "config.json")) }, Spec{}, "config.json"},
		"other config": {func(t *testing.T, dir string) { edit(t, dir, map[string]any{"model_type": nil}) }, Spec{}, "no model_type"},
		"other kind":   {func(t *testing.T, dir string) { edit(t, dir, map[string]any{"model_type": "t5"}) }, Spec{}, `architecture "t5" is not built here`},
		"pictures":     {func(t *testing.T, dir string) { edit(t, dir, map[string]any{"model_type": "clip"}) }, Spec{}, "use the clip embedder"},
		"heads":        {func(t *testing.T, dir string) { edit(t, dir, map[string]any{"num_attention_heads": 5}) }, Spec{}, "cannot be cut into 5"},
		"number":       {func(t *testing.T, dir string) { edit(t, dir, map[string]any{"hidden_size": "32"}) }, Spec{}, "hidden_size is 32, not"},
		"no number":    {func(t *testing.T, dir string) { edit(t, dir, map[string]any{"vocab_size": nil}) }, Spec{}, "vocab_size"},
		"more layers":  {func(t *testing.T, dir string) { edit(t, dir, map[string]any{"num_hidden_layers": 3}) }, Spec{}, `weight "encoder.layer.2.attention.self.query.weight" is missing`},
		"many layers":  {func(t *testing.T, dir string) { edit(t, dir, map[string]any{"num_hidden_layers": 2000000000}) }, Spec{}, `weight "encoder.layer.2.attention.self.query.weight" is missing`},
		"great tables": {func(t *testing.T, dir string) { edit(t, dir, map[string]any{"vocab_size": 2147483647}) }, Spec{}, "config.json says [2147483647 32]"},
		"other width":  {func(t *testing.T, dir string) { edit(t, dir, map[string]any{"intermediate_size": 47}) }, Spec{}, "its shape is [48], config.json says [47]"},
		"activation":   {func(t *testing.T, dir string) { edit(t, dir, map[string]any{"hidden_act": "snake"}) }, Spec{}, `activation "snake"`},
		"relative position": {func(t *testing.T, dir string) {
			edit(t, dir, map[string]any{"position_embedding_type": "relative_key"})
		}, Spec{}, "position_embedding_type"},
		"no weights": {func(t *testing.T, dir string) { remove(t, filepath.Join(dir, "model.safetensors")) }, Spec{}, "no weights"},
		"pickle": {func(t *testing.T, dir string) {
			if err := os.Rename(filepath.Join(dir, "model.safetensors"), filepath.Join(dir, "pytorch_model.bin")); err != nil {
				t.Fatal(err)
			}
		}, Spec{}, "save the model as safetensors"},
		"cut weights": {func(t *testing.T, dir string) {
			if err := os.Truncate(filepath.Join(dir, "model.safetensors"), 100000); err != nil {
				t.Fatal(err)
			}
		}, Spec{}, "truncated"},
		"precision":   {nil, Spec{Precision: "int4"}, `precision "int4"`},
		"mode":        {nil, Spec{Head: []Layer{Pooling{Modes: []string{"median"}}}}, `pooling mode "median"`},
		"no mode":     {nil, Spec{Head: []Layer{Pooling{}}}, "no mode"},
		"no pooling":  {nil, Spec{Head: []Layer{Normalize{}}}, "not a pooling"},
		"two pooling": {nil, Spec{Head: []Layer{Pooling{Modes: []string{Mean}}, Pooling{Modes: []string{Mean}}}}, "behind another layer"},
		"dense": {nil, Spec{Head: []Layer{Pooling{Modes: []string{Mean}}, Dense{In: 2, Out: 1, Weight: make([]float32, 2)}}},
			"takes vectors of 2, but gets 32"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := fixture(t, "bert")
			if c.change != nil {
				c.change(t, dir)
			}
			c.spec.Dir = dir
			_, err := Build(context.Background(), c.spec)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("error %v, not one with %q and the folder", err, c.want)
			}
			var unsupported *UnsupportedError
			if errors.As(err, &unsupported) != (name == "other kind" || name == "pictures") {
				t.Errorf("error of type %T", err)
			}
		})
	}
}

func TestBuildStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Build(ctx, Spec{Dir: fixture(t, "bert")}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestBuildReadsOtherFiles gives the same bytes for shards, for the names of a
// model with a task's head, and for LayerNorm's old names.
func TestBuildReadsOtherFiles(t *testing.T) {
	dir := fixture(t, "bert")
	want := bytesOf(t, dir)
	if !bytes.Equal(want, bytesOf(t, dir)) {
		t.Fatal("two builds differ")
	}
	all := tensors(t, dir)
	half := len(all) / 2
	rename := func(f func(string) string) []tensor {
		out := slices.Clone(all)
		for i := range out {
			out[i].name = f(out[i].name)
		}
		return out
	}
	gamma := strings.NewReplacer("LayerNorm.weight", "LayerNorm.gamma", "LayerNorm.bias", "LayerNorm.beta")
	for name, files := range map[string]map[string][]tensor{
		"shards":  {"model-00001-of-00002.safetensors": all[:half], "model-00002-of-00002.safetensors": all[half:]},
		"prefix":  {"model.safetensors": rename(func(s string) string { return "bert." + s })},
		"old":     {"model.safetensors": rename(gamma.Replace)},
		"shards2": {"b.safetensors": all[half:], "a.safetensors": all[:half]},
	} {
		t.Run(name, func(t *testing.T) {
			dir := fixture(t, "bert")
			remove(t, filepath.Join(dir, "model.safetensors"))
			index := map[string]string{}
			for file, part := range files {
				for _, x := range part {
					index[x.name] = file
				}
				writeTensors(t, filepath.Join(dir, file), part)
			}
			if len(files) > 1 {
				raw, err := json.Marshal(map[string]any{"weight_map": index})
				if err == nil {
					err = os.WriteFile(filepath.Join(dir, "model.safetensors.index.json"), raw, 0o666)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(bytesOf(t, dir), want) {
				t.Error("the model differs")
			}
		})
	}
}

// TestBuildReadsHalfPrecision gives the same bytes for weights in float16 as
// for their values in float32.
func TestBuildReadsHalfPrecision(t *testing.T) {
	full, short := fixture(t, "bert"), fixture(t, "bert")
	var rounded []tensor
	var halves []safetensors.Tensor
	for _, x := range tensors(t, full) {
		raw := make([]byte, 2*len(x.values))
		for i, v := range x.values {
			h := half(v)
			raw[2*i], raw[2*i+1] = byte(h), byte(h>>8)
			x.values[i] = safetensors.Half(h)
		}
		rounded = append(rounded, x)
		halves = append(halves, safetensors.Raw(x.name, safetensors.F16, raw, x.shape...))
	}
	writeTensors(t, filepath.Join(full, "model.safetensors"), rounded)
	if err := safetensors.WriteFile(filepath.Join(short, "model.safetensors"), halves, nil); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytesOf(t, full), bytesOf(t, short)) {
		t.Error("the model differs")
	}
}

func bytesOf(t *testing.T, dir string) []byte {
	t.Helper()
	b, err := built(t, Spec{Dir: dir, Head: []Layer{Pooling{Modes: modes}, Normalize{}}}).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestHalf compares with the rounding of float16 done in float64.
func TestHalf(t *testing.T) {
	for _, c := range []struct {
		in   float32
		want uint16
	}{
		{0, 0}, {float32(math.Copysign(0, -1)), 0x8000}, {1, 0x3c00}, {-2, 0xc000}, {65504, 0x7bff}, {65519, 0x7bff}, {65520, 0x7c00},
		{1e10, 0x7c00}, {float32(math.Inf(-1)), 0xfc00}, {6.1035156e-05, 0x0400}, {5.9604645e-08, 1}, {2.9802322e-08, 0}, {2.98023259e-08, 1},
		{6.097555e-05, 0x03ff}, {1.0004883, 0x3c00}, {1.0014648, 0x3c02},
	} {
		if got := half(c.in); got != c.want {
			t.Errorf("half(%g) is %#04x, not %#04x", c.in, got, c.want)
		}
	}
	if got := half(float32(math.NaN())); got&0x7c00 != 0x7c00 || got&0x3ff == 0 {
		t.Errorf("half of NaN is %#04x", got)
	}
	for h := range uint16(0x7c00) {
		if got := half(safetensors.Half(h)); got != h {
			t.Fatalf("half(%g) is %#04x, not %#04x", safetensors.Half(h), got, h)
		}
	}
}

// TestBuckets holds distances that the logarithm puts at an edge.
func TestBuckets(t *testing.T) {
	// By the formula of MPNetEncoder.relative_position_bucket.
	for distance, want := range map[int]int{0: 0, -7: 7, -8: 8, 7: 23, 8: 24, -16: 10, -32: 12, -64: 14, -127: 15, 500: 31} {
		if got := mpnetBucket(distance); got != want {
			t.Errorf("bucket of %d is %d, not %d", distance, got, want)
		}
	}
	// By the formula of make_log_bucket_position, with 256 buckets of 512.
	for distance, want := range map[int]int{0: 0, 5: 5, -128: -128, 129: 129, 511: 255, -511: -255} {
		if got := debertaBucket(distance, 256, 512); got != want {
			t.Errorf("bucket of %d is %d, not %d", distance, got, want)
		}
	}
}

func TestReadDenseRefuses(t *testing.T) {
	dir := t.TempDir()
	write := func(config string) {
		if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ReadDense(dir); err == nil {
		t.Error("an empty folder is no error")
	}
	write(`{"in_features":2,"out_features":3,"activation_function":"torch.nn.modules.activation.Softplus"}`)
	if _, err := ReadDense(dir); err == nil || !strings.Contains(err.Error(), "Softplus") {
		t.Errorf("error %v", err)
	}
	write(`{"in_features":2,"out_features":3,"bias":true,"activation_function":"torch.nn.modules.activation.Tanh"}`)
	writeTensors(t, filepath.Join(dir, "model.safetensors"), []tensor{{"linear.weight", make([]float32, 6), []int{2, 3}}})
	if _, err := ReadDense(dir); err == nil || !strings.Contains(err.Error(), "[2 3]") {
		t.Errorf("error %v", err)
	}
}
