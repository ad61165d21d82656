package encoder

import (
	"context"
	"path/filepath"
	"testing"

	ort "github.com/yalue/onnxruntime_go"
)

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

// expectedCLIP is what transformers gave for a folder.
type expectedCLIP struct {
	InputIDs [][]int64   `json:"input_ids"`
	Texts    [][]float32 `json:"text_embeds"`
	Images   map[string]struct {
		Pixels any       `json:"pixel_values"`
		Vector []float32 `json:"image_embeds"`
	} `json:"images"`
}

func testCLIP(t *testing.T, dir string, want expectedCLIP) {
	c := builtCLIP(t, CLIPSpec{Dir: dir})
	text, vision := open(t, c.Text, 1), open(t, c.Vision, 1)
	worst, least := 0.0, 1.0
	check := func(got, want []float32) {
		worst = max(worst, farthest(got, want))
		least = min(least, cosine(got, want))
	}
	for i, ids := range want.InputIDs {
		check(text.run(t, [][]int64{ids}, 0), want.Texts[i])
	}
	texts := worst
	worst = 0
	n := 0
	for _, im := range want.Images {
		if im.Pixels != nil {
			check(vision.see(t, flatten(im.Pixels, nil), c.ImageSize), im.Vector)
			n++
		}
	}
	t.Logf("%d texts differ by up to %.3g, %d pictures by up to %.3g; the least cosine is %.8f", len(want.InputIDs), texts, n, worst, least)
	if n == 0 || !(max(texts, worst) <= tolerance) || least < 0.9999 {
		t.Error("the vectors differ from those of transformers")
	}
}

// TestGoldenCLIP compares both towers with transformers 5.24.0.
func TestGoldenCLIP(t *testing.T) {
	for folder, file := range map[string]string{
		"tiny": "expected.json.gz", "tiny-eos": "expected-eos.json.gz",
		"st-legacy/0_CLIPModel": "expected.json.gz", "st-new": "expected.json.gz",
	} {
		t.Run(folder, func(t *testing.T) {
			dir := golden(t, "embedders", "clip")
			needRuntime(t)
			var want expectedCLIP
			readGolden(t, filepath.Join(dir, file), &want)
			testCLIP(t, filepath.Join(dir, folder), want)
		})
	}
}
