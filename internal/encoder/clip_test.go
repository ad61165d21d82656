package encoder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/onnx"
	ort "github.com/yalue/onnxruntime_go"
)

// clipFixtures are the folders of two towers that the repository brings.
var clipFixtures = []string{"clip", "siglip", "emoji-clip"}

// clipFixture unpacks a folder of testdata, or finds the one of the examples.
func clipFixture(t testing.TB, name string) string {
	t.Helper()
	if name == "emoji-clip" {
		return filepath.Join("..", "..", "examples", "mixed", "emoji-clip")
	}
	return fixture(t, name)
}

func builtCLIP(t testing.TB, spec CLIPSpec) *CLIP {
	t.Helper()
	c, err := BuildCLIP(context.Background(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// see runs a picture tower on pictures that lie one behind the other.
func (s *session) see(t testing.TB, pixels []float32, size int) []float32 {
	t.Helper()
	n := len(pixels) / (3 * size * size)
	in, err := ort.NewTensor(ort.NewShape(int64(n), 3, int64(size), int64(size)), pixels)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Destroy()
	out := []ort.Value{nil}
	if err := s.s.Run([]ort.Value{in}, out); err != nil {
		t.Fatal(err)
	}
	defer out[0].Destroy()
	return append([]float32(nil), out[0].(*ort.Tensor[float32]).GetData()...)
}

// formulaPixels are the pictures of testdata/gen_clip.py.
func formulaPixels(n, size int) []float32 {
	v := make([]float32, n*3*size*size)
	for i := range v {
		v[i] = (float32(uint32(i)*2654435761>>16) - 32768) / 16384
	}
	return v
}

// expectedTowers is what transformers gave for a fixture.
type expectedTowers struct {
	InputIDs   [][]int64   `json:"input_ids"`
	Texts      [][]float32 `json:"text_embeds"`
	Images     [][]float32 `json:"image_embeds"`
	LogitScale float64     `json:"logit_scale"`
}

// compared collects how far vectors are from those that are wanted.
type compared struct {
	difference, least float64
	n                 int
}

func (c *compared) add(got, want []float32) {
	if c.n++; c.n == 1 {
		c.least = 1
	}
	c.difference = max(c.difference, farthest(got, want))
	c.least = min(c.least, cosine(got, want))
}

func (c *compared) check(t *testing.T, what string, difference, least float64) {
	t.Helper()
	t.Logf("%d %s differ by up to %.3g, with a cosine of %.8f at least", c.n, what, c.difference, c.least)
	if c.n == 0 || !(c.difference <= difference) || !(c.least >= least) {
		t.Errorf("%s differ by up to %.3g, with a cosine of %.8f at least; wanted are %g and %g", what, c.difference, c.least, difference, least)
	}
}

// TestCLIP compares both towers with transformers 5.24.0, texts alone and padded
// to the longest of a batch.
func TestCLIP(t *testing.T) {
	for _, name := range clipFixtures {
		t.Run(name, func(t *testing.T) {
			needRuntime(t)
			var want expectedTowers
			readGolden(t, filepath.Join("testdata", name+".expected.json.gz"), &want)
			c := builtCLIP(t, CLIPSpec{Dir: clipFixture(t, name)})
			var texts, padded, pictures compared
			text, vision := open(t, c.Text, 1), open(t, c.Vision, 1)
			all := text.run(t, want.InputIDs, 0)
			for i, ids := range want.InputIDs {
				texts.add(text.run(t, [][]int64{ids}, 0), want.Texts[i])
				padded.add(all[i*c.Dimension:(i+1)*c.Dimension], want.Texts[i])
			}
			seen := vision.see(t, formulaPixels(len(want.Images), c.ImageSize), c.ImageSize)
			for i, v := range want.Images {
				pictures.add(seen[i*c.Dimension:(i+1)*c.Dimension], v)
			}
			texts.check(t, "texts", tolerance, 0.9999)
			padded.check(t, "padded texts", tolerance, 0.9999)
			pictures.check(t, "pictures", tolerance, 0.9999)
			if math.Abs(c.LogitScale-want.LogitScale) > 1e-5*want.LogitScale {
				t.Errorf("logit scale %v, want %v", c.LogitScale, want.LogitScale)
			}
		})
	}
}

// flatten lays nested lists of numbers out.
func flatten(v any, into []float32) []float32 {
	switch v := v.(type) {
	case float64:
		return append(into, float32(v))
	case []any:
		for _, x := range v {
			into = flatten(x, into)
		}
	}
	return into
}

// TestGoldenCLIP compares with transformers 5.24.0 on the same pixels, in each
// layout of a folder.
func TestGoldenCLIP(t *testing.T) {
	for folder, file := range map[string]string{
		"tiny": "expected.json.gz", "tiny-eos": "expected-eos.json.gz",
		"st-legacy": "expected.json.gz", "st-new": "expected.json.gz",
	} {
		t.Run(folder, func(t *testing.T) {
			dir := golden(t, "embedders", "clip")
			needRuntime(t)
			var want struct {
				expectedTowers
				Images map[string]struct {
					Pixels any       `json:"pixel_values"`
					Vector []float32 `json:"image_embeds"`
				} `json:"images"`
			}
			readGolden(t, filepath.Join(dir, file), &want)
			f, err := FindCLIP(filepath.Join(dir, folder))
			if err != nil {
				t.Fatal(err)
			}
			c := builtCLIP(t, CLIPSpec{Dir: f.Dir})
			var texts, pictures compared
			text, vision := open(t, c.Text, 1), open(t, c.Vision, 1)
			for i, ids := range want.InputIDs {
				texts.add(text.run(t, [][]int64{ids}, 0), want.Texts[i])
			}
			for _, im := range want.Images {
				if im.Pixels != nil {
					pictures.add(vision.see(t, flatten(im.Pixels, nil), c.ImageSize), im.Vector)
				}
			}
			texts.check(t, "texts", tolerance, 0.9999)
			pictures.check(t, "pictures", tolerance, 0.9999)
		})
	}
}

// clipRows are texts of n tokens with their marks.
func clipRows(c *CLIP, n, length int) [][]int64 {
	rows := randomRows(n, length, 58, 1)
	for _, r := range rows {
		if c.BOS >= 0 {
			r[0] = c.BOS
		}
		r[length-1] = c.EOS
	}
	return rows
}

// TestCLIPBits compares each text and each picture in a batch on two threads
// with itself alone on one, and among others.
func TestCLIPBits(t *testing.T) {
	for _, name := range clipFixtures {
		for _, p := range []Precision{FP32, Int8} {
			t.Run(fmt.Sprint(name, " ", p), func(t *testing.T) {
				needRuntime(t)
				c := builtCLIP(t, CLIPSpec{Dir: clipFixture(t, name), Precision: p})
				one, two := open(t, c.Text, 1), open(t, c.Text, 2)
				for _, length := range []int{2, 3, 7, 15, c.MaxTokens} {
					if c.Padded {
						length = c.MaxTokens
					}
					rows := clipRows(c, 64, length)
					sameBits(t, c.Dimension, len(rows), two.run(t, rows, 0), func(lo, hi int) []float32 { return one.run(t, rows[lo:hi], 0) })
				}
				one, two = open(t, c.Vision, 1), open(t, c.Vision, 2)
				const n = 33
				pixels, each := formulaPixels(n, c.ImageSize), 3*c.ImageSize*c.ImageSize
				sameBits(t, c.Dimension, n, two.see(t, pixels, c.ImageSize), func(lo, hi int) []float32 {
					return one.see(t, pixels[lo*each:hi*each], c.ImageSize)
				})
			})
		}
	}
}

// sameBits compares the vectors of n rows with those of parts of them.
func sameBits(t *testing.T, dim, n int, all []float32, part func(lo, hi int) []float32) {
	t.Helper()
	for _, r := range [][2]int{{0, 1}, {5, 6}, {n - 1, n}, {10, 17}, {1, n}} {
		if got := part(r[0], r[1]); !slices.Equal(got, all[r[0]*dim:r[1]*dim]) {
			t.Errorf("rows %d to %d of %d differ by %g from a batch of all", r[0], r[1]-1, n, farthest(got, all[r[0]*dim:r[1]*dim]))
		}
	}
}

// TestCLIPPrecisions runs the towers in 8 and 16 bits, near to float32.
func TestCLIPPrecisions(t *testing.T) {
	for _, name := range clipFixtures {
		t.Run(name, func(t *testing.T) {
			needRuntime(t)
			var want expectedTowers
			readGolden(t, filepath.Join("testdata", name+".expected.json.gz"), &want)
			for p, least := range map[Precision]float64{Int8: 0.99, FP16: 0.9999} {
				c := builtCLIP(t, CLIPSpec{Dir: clipFixture(t, name), Precision: p})
				text, vision := open(t, c.Text, 1), open(t, c.Vision, 1)
				var texts, pictures compared
				for i, ids := range want.InputIDs {
					texts.add(text.run(t, [][]int64{ids}, 0), want.Texts[i])
				}
				for i, seen := 0, vision.see(t, formulaPixels(len(want.Images), c.ImageSize), c.ImageSize); i < len(want.Images); i++ {
					pictures.add(seen[i*c.Dimension:(i+1)*c.Dimension], want.Images[i])
				}
				texts.check(t, string(p)+" texts", math.Inf(1), least)
				pictures.check(t, string(p)+" pictures", math.Inf(1), least)
			}
		})
	}
}

func modelBytes(t *testing.T, m *Model) []byte {
	t.Helper()
	b, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// One tower alone has the bytes that it has beside the other, and the description
// is that of the towers.
func TestCLIPTowers(t *testing.T) {
	for _, name := range clipFixtures {
		dir := clipFixture(t, name)
		both := builtCLIP(t, CLIPSpec{Dir: dir})
		text := builtCLIP(t, CLIPSpec{Dir: dir, Only: TextTower})
		vision := builtCLIP(t, CLIPSpec{Dir: dir, Only: VisionTower})
		if text.Vision != nil || vision.Text != nil {
			t.Errorf("%s: there are two towers", name)
		}
		if !bytes.Equal(modelBytes(t, both.Text), modelBytes(t, text.Text)) || !bytes.Equal(modelBytes(t, both.Vision), modelBytes(t, vision.Vision)) {
			t.Errorf("%s: a tower alone has other bytes", name)
		}
		told, err := DescribeCLIP(context.Background(), dir)
		if err != nil {
			t.Fatal(err)
		}
		both.Text, both.Vision = nil, nil
		if *told != *both {
			t.Errorf("%s: %+v, want %+v", name, told, both)
		}
	}
}

// SigLIP's vectors depend on the padding, whose id the tokenizer knows.
func TestPadToken(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"configuration":  {nil, 1},
		"its token":      {map[string]string{"tokenizer_config.json": `{"pad_token":"<pad>"}`, "tokenizer.json": `{"added_tokens":[{"id":4,"content":"<eos>"},{"id":7,"content":"<pad>"}]}`}, 7},
		"as an object":   {map[string]string{"special_tokens_map.json": `{"pad_token":{"content":"<pad>"}}`, "tokenizer.json": `{"added_tokens":[{"id":0,"content":"<pad>"}]}`}, 0},
		"unknown token":  {map[string]string{"tokenizer_config.json": `{"pad_token":"<p>"}`, "tokenizer.json": `{"added_tokens":[]}`}, 1},
		"half a file":    {map[string]string{"tokenizer_config.json": `{"pad_token":`, "tokenizer.json": `{"added_tokens":[{"id":7,"content":"<pad>"}]}`}, 1},
		"only its name":  {map[string]string{"tokenizer_config.json": `{"pad_token":"<pad>"}`}, 1},
		"no pad at all":  {map[string]string{"tokenizer_config.json": `{}`, "tokenizer.json": `{}`}, 1},
		"pad is a digit": {map[string]string{"tokenizer_config.json": `{"pad_token":3}`, "tokenizer.json": `{}`}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir := clipFixture(t, "siglip")
			for file, text := range c.files {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			m, err := DescribeCLIP(t.Context(), dir)
			if err != nil || m.PadID != c.want || !m.Padded {
				t.Errorf("%+v %v", m, err)
			}
		})
	}
}

// TestGivenCLIP takes ONNX files in the place of weights: one of each tower, and
// one of both, of which each tower takes its part.
func TestGivenCLIP(t *testing.T) {
	needRuntime(t)
	dir := clipFixture(t, "clip")
	var want expectedTowers
	readGolden(t, filepath.Join("testdata", "clip.expected.json.gz"), &want)
	built := builtCLIP(t, CLIPSpec{Dir: dir})
	remove(t, filepath.Join(dir, "model.safetensors"))
	write := func(name string, b []byte) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, b, 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	check := func(layout string) {
		t.Helper()
		c := builtCLIP(t, CLIPSpec{Dir: dir})
		if !c.Given || c.Dimension != 12 || c.ImageSize != 20 || c.MaxTokens != 20 || c.EOS != 59 || c.Padded {
			t.Errorf("%s: %+v", layout, c)
		}
		var texts, pictures compared
		for i, ids := range want.InputIDs {
			texts.add(open(t, c.Text, 1).run(t, [][]int64{ids}, 0), want.Texts[i])
		}
		pictures.add(open(t, c.Vision, 1).see(t, formulaPixels(1, 20), 20), want.Images[0])
		texts.check(t, layout+" texts", tolerance, 0.9999)
		pictures.check(t, layout+" pictures", tolerance, 0.9999)
		if _, err := BuildCLIP(context.Background(), CLIPSpec{Dir: dir, Precision: Int8}); err == nil || !strings.Contains(err.Error(), "used as they are") {
			t.Errorf("%s: %v", layout, err)
		}
	}
	write("onnx/text_model.onnx", modelBytes(t, built.Text))
	write("onnx/vision_model.onnx", modelBytes(t, built.Vision))
	check("two files")
	edit(t, dir, map[string]any{"model_type": "chinese_clip"}) // an architecture that is not built
	check("two files of another architecture")

	remove(t, filepath.Join(dir, "onnx", "text_model.onnx"))
	if _, err := BuildCLIP(context.Background(), CLIPSpec{Dir: dir}); err == nil || !strings.Contains(err.Error(), `architecture "chinese_clip"`) {
		t.Errorf("one file: %v", err)
	}
	both := built.Text.graph.Graph
	both.Nodes = append(both.Nodes, prefixed(built.Vision.graph.Graph)...)
	for _, c := range built.Vision.graph.Graph.Initializers {
		c.Name = "v/" + c.Name
		both.Initializers = append(both.Initializers, c)
	}
	both.Inputs = append(both.Inputs, built.Vision.graph.Graph.Inputs...)
	both.Outputs = append(both.Outputs, built.Vision.graph.Graph.Outputs...)
	joined := *built.Text.graph
	joined.Graph = both
	write("model.onnx", modelBytes(t, &Model{graph: &joined}))
	check("one file")
}

// prefixed gives the nodes of a picture tower names that a text tower has not.
func prefixed(g onnx.Graph) []onnx.Node {
	rename := func(names []string) []string {
		out := slices.Clone(names)
		for i, n := range out {
			if n != "" && n != PixelValues && n != ImageEmbeds {
				out[i] = "v/" + n
			}
		}
		return out
	}
	nodes := slices.Clone(g.Nodes)
	for i := range nodes {
		nodes[i].Name = "v/" + nodes[i].Name
		nodes[i].Inputs, nodes[i].Outputs = rename(nodes[i].Inputs), rename(nodes[i].Outputs)
	}
	return nodes
}

// editTower changes keys of one part of a config.json.
func editTower(t *testing.T, dir, part string, changes map[string]any) {
	t.Helper()
	c, err := readConfig(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	tower := c.sub(part).values
	for k, v := range changes {
		tower[k] = v
	}
	edit(t, dir, map[string]any{part: tower})
}

func TestCLIPRefuses(t *testing.T) {
	in := func(part, key string, v any) func(*testing.T, string) {
		return func(t *testing.T, dir string) { editTower(t, dir, part, map[string]any{key: v}) }
	}
	for name, c := range map[string]struct {
		change func(t *testing.T, dir string)
		spec   CLIPSpec
		want   string
	}{
		"no config":    {func(t *testing.T, dir string) { remove(t, filepath.Join(dir, "config.json")) }, CLIPSpec{}, "config.json"},
		"other kind":   {func(t *testing.T, dir string) { edit(t, dir, map[string]any{"model_type": "siglip2"}) }, CLIPSpec{}, `architecture "siglip2" is not built here (built are: [clip siglip]); put an ONNX export`},
		"text model":   {func(t *testing.T, dir string) { edit(t, dir, map[string]any{"model_type": "bert"}) }, CLIPSpec{}, "use the sbert embedder"},
		"no weights":   {func(t *testing.T, dir string) { remove(t, filepath.Join(dir, "model.safetensors")) }, CLIPSpec{}, "no weights"},
		"text heads":   {in("text_config", "num_attention_heads", 5), CLIPSpec{}, "cannot be cut into 5"},
		"vision heads": {in("vision_config", "num_attention_heads", 5), CLIPSpec{}, "cannot be cut into 5"},
		"layers":       {in("vision_config", "num_hidden_layers", 3), CLIPSpec{}, `weight "vision_model.encoder.layers.2.layer_norm1.weight" is missing`},
		"many layers":  {in("text_config", "num_hidden_layers", 2000000000), CLIPSpec{}, `weight "text_model.encoder.layers.2.layer_norm1.weight" is missing`},
		"great width":  {in("vision_config", "hidden_size", 2147483646), CLIPSpec{}, "config.json says [2147483646 3 6 6]"},
		"channels":     {in("vision_config", "num_channels", 1), CLIPSpec{}, "num_channels is 1; only 3"},
		"patches":      {in("vision_config", "patch_size", 21), CLIPSpec{}, "image_size 20 is less than patch_size 21"},
		"picture size": {in("vision_config", "image_size", 64), CLIPSpec{}, "its shape is [10 24], config.json says [101 24]"},
		"positions":    {in("text_config", "max_position_embeddings", 77), CLIPSpec{}, "its shape is [20 16], config.json says [77 16]"},
		"activation":   {in("text_config", "hidden_act", "snake"), CLIPSpec{}, `activation "snake"`},
		"dimension":    {func(t *testing.T, dir string) { edit(t, dir, map[string]any{"projection_dim": 512}) }, CLIPSpec{}, "config.json says [512 16]"},
		"precision":    {nil, CLIPSpec{Precision: "int4"}, `precision "int4"`},
		"tower":        {nil, CLIPSpec{Only: "sound"}, `no tower "sound"`},
		"older part goes before": {func(t *testing.T, dir string) {
			edit(t, dir, map[string]any{"text_config_dict": map[string]any{"vocab_size": 61}})
		}, CLIPSpec{}, "config.json says [61 16]"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := clipFixture(t, "clip")
			if c.change != nil {
				c.change(t, dir)
			}
			c.spec.Dir = dir
			_, err := BuildCLIP(context.Background(), c.spec)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("%v, want %q in it", err, c.want)
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := BuildCLIP(ctx, CLIPSpec{Dir: clipFixture(t, "clip")}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// FuzzCLIPConfig reads configurations that may have nothing to do with the
// weights beside them.
func FuzzCLIPConfig(f *testing.F) {
	dir := clipFixture(f, "clip")
	for _, name := range []string{"clip", "siglip"} {
		raw, err := os.ReadFile(filepath.Join("testdata", name, "config.json"))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"model_type":"clip","text_config":{"hidden_size":1e9,"num_hidden_layers":1e9},"vision_config":{"patch_size":1,"image_size":2e9}}`))
	f.Fuzz(func(t *testing.T, config []byte) {
		if err := os.WriteFile(filepath.Join(dir, "config.json"), config, 0o666); err != nil {
			t.Fatal(err)
		}
		c, err := BuildCLIP(t.Context(), CLIPSpec{Dir: dir})
		if (c == nil) == (err == nil) {
			t.Fatalf("%+v %v", c, err)
		}
		if err == nil && (c.Dimension < 1 || c.MaxTokens < 1 || c.ImageSize < 1) {
			t.Errorf("%+v", c)
		}
	})
}

// A configuration may leave out what is the default of transformers, which for
// the marks and sizes is OpenAI's first model.
func TestCLIPDefaults(t *testing.T) {
	s := readCLIP(&config{values: map[string]any{}})
	if s.dimension != 512 || s.text.width != 512 || s.text.positions != 77 || s.text.eos != 49407 || s.text.highest || s.vision.tokens() != 50 || s.vision.activation != "quick_gelu" {
		t.Errorf("%+v", s)
	}
	s = readSigLIP(&config{values: map[string]any{}})
	if s.dimension != 768 || s.text.positions != 64 || s.vision.tokens() != 196 || !s.padded {
		t.Errorf("%+v", s)
	}
}
