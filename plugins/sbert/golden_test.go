package main

import (
	"compress/gzip"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/ortlib"
	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/sdktest"
)

// goldenDir is the folder of values that Python libraries made, beside the
// repository; path is below it.
func goldenDir(t testing.TB, path string) string {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for !isFile(filepath.Join(dir, "go.mod")) {
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	dir = filepath.Join(dir, "..", "shared", "golden", path)
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("the golden values are not beside the repository: %v", err)
	}
	return dir
}

func readGolden(t testing.TB, path string, into any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(into); err != nil {
		t.Fatal(err)
	}
}

// needRuntime skips a test where ONNX Runtime is not installed.
func needRuntime(t testing.TB) {
	t.Helper()
	if _, err := ortlib.Path(); err != nil {
		t.Skip(err)
	}
}

// start configures a program with options and a cache of its own.
func start(t testing.TB, options map[string]any) *sdktest.Program {
	t.Helper()
	p := sdktest.Start(t, &embedder{})
	p.Configure(options)
	return p
}

// difference is the largest absolute one between a vector and its golden values.
func difference(t testing.TB, got []float32, want []float64) float64 {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("a vector of %d values, want %d", len(got), len(want))
	}
	var worst float64
	for i, x := range got {
		worst = max(worst, math.Abs(float64(x)-want[i]))
	}
	return worst
}

func row(v sdk.Vectors, i int) []float32 {
	return v.Dense.Data[i*v.Dense.Columns : (i+1)*v.Dense.Columns]
}

// compare holds vectors against golden ones, but for texts of white space.
func compare(t *testing.T, texts []string, v sdk.Vectors, want [][]float64, tolerance float64) (worst float64) {
	t.Helper()
	for i, text := range texts {
		if strings.TrimSpace(text) == "" {
			if !slices.Contains(v.Statuses, sdk.RowStatus{Row: i, Status: sdk.Empty}) {
				t.Errorf("text %d %q is not empty", i, text)
			}
			continue
		}
		d := difference(t, row(v, i), want[i])
		if d > tolerance {
			t.Errorf("text %d %.40q differs by %.2g", i, text, d)
		}
		worst = max(worst, d)
	}
	return worst
}

// TestSentenceTransformers compares folders of every layout with what
// sentence-transformers 6.2 gives for them, in one batch and alone.
func TestSentenceTransformers(t *testing.T) {
	needRuntime(t)
	dir := goldenDir(t, "embedders/st")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		t.Run(entry.Name(), func(t *testing.T) {
			var g struct {
				Dim          int
				MaxSeqLength int `json:"max_seq_length"`
				Texts        []string
				Vectors      [][]float64
				Words        map[string][]float64
				PromptName   map[string][][]float64 `json:"prompt_name"`
				PromptFree   struct {
					Prompt  string
					Vectors [][]float64
				} `json:"prompt_free_text"`
				PromptEmpty [][]float64 `json:"prompt_empty"`
			}
			folder := filepath.Join(dir, entry.Name())
			readGolden(t, filepath.Join(folder, "expected.json.gz"), &g)
			p := start(t, map[string]any{"model": folder})
			if p.Info.Dimension != g.Dim || p.Info.MaxTokens != g.MaxSeqLength {
				t.Errorf("dimension %d and %d tokens, want %d and %d", p.Info.Dimension, p.Info.MaxTokens, g.Dim, g.MaxSeqLength)
			}
			v := p.Embed(sdktest.Texts(g.Texts...)...)
			worst := compare(t, g.Texts, v, g.Vectors, 2e-5)
			for i, text := range g.Texts {
				alone := p.Embed(sdktest.Texts(text)...)
				if !slices.Equal(row(alone, 0), row(v, i)) {
					t.Errorf("text %d %.40q has other bits alone", i, text)
				}
			}
			for word, want := range g.Words {
				worst = max(worst, compare(t, []string{word}, p.EmbedWords(word), [][]float64{want}, 2e-5))
			}
			for name, want := range g.PromptName {
				p := start(t, map[string]any{"model": folder, "prompt_name": name})
				worst = max(worst, compare(t, g.Texts, p.Embed(sdktest.Texts(g.Texts...)...), want, 2e-5))
			}
			if g.PromptEmpty != nil {
				p := start(t, map[string]any{"model": folder, "prompt": ""})
				worst = max(worst, compare(t, g.Texts, p.Embed(sdktest.Texts(g.Texts...)...), g.PromptEmpty, 2e-5))
				p = start(t, map[string]any{"model": folder, "prompt": g.PromptFree.Prompt})
				worst = max(worst, compare(t, g.Texts, p.Embed(sdktest.Texts(g.Texts...)...), g.PromptFree.Vectors, 2e-5))
			}
			t.Logf("largest difference %.2g", worst)
		})
	}
}
