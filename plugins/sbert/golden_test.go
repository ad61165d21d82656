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
	"github.com/bertopic-go/bertopic/internal/tokenize"
	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/sdktest"
)

// goldenPath is where values lie that Python libraries made, beside the
// repository; path is below it. It is empty where they are not.
func goldenPath(t testing.TB, path string) string {
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
		return ""
	}
	return dir
}

// goldenDir is goldenPath, and skips a test that can't do without.
func goldenDir(t testing.TB, path string) string {
	t.Helper()
	dir := goldenPath(t, path)
	if dir == "" {
		t.Skip("the folder shared/golden is not beside the repository")
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

// start configures a program with options.
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
	dir := filepath.Join("testdata", "st") // some of them
	if all := goldenPath(t, "embedders/st"); all != "" {
		dir = all
	}
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

// TestEncoders compares plain Hugging Face folders of every architecture with
// what sentence-transformers and the transformers pipeline make of them.
func TestEncoders(t *testing.T) {
	needRuntime(t)
	dir := goldenDir(t, "embedders/encoders")
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		t.Run(entry.Name(), func(t *testing.T) {
			var g struct {
				MaxTokens int `json:"max_tokens"`
				Texts     []string
				Lengths   []int     `json:"untruncated_length"`
				IDs       [][]int64 `json:"input_ids"`
				Pooling   map[string][][]float64
				HF        [][]float64 `json:"bertopic_hf_pipeline"`
			}
			folder := filepath.Join(dir, entry.Name())
			readGolden(t, filepath.Join(folder, "expected.json.gz"), &g)
			var worst float64
			for preset, want := range map[string][][]float64{presetNone: g.Pooling["mean"], presetHF: g.HF} {
				e := loaded(t, map[string]any{"model": folder, "preset": preset}, 0, "")
				if e.model.info.MaxTokens != g.MaxTokens || e.model.info.UnitLength != (preset == presetHF) {
					t.Errorf("preset %q: %+v", preset, e.model.info)
				}
				v, err := e.EmbedWords(t.Context(), g.Texts)
				if err != nil {
					t.Fatal(err)
				}
				worst = max(worst, compare(t, g.Texts, v, want, 2e-5))
				for i, text := range g.Texts {
					if strings.TrimSpace(text) == "" {
						continue
					}
					var enc tokenize.Encoding
					parts, lost, err := e.model.reader.read(&enc, i, text)
					if err != nil || len(parts) != 1 || !slices.Equal(parts[0].ids, g.IDs[i]) {
						t.Errorf("text %d: ids %v, want %v", i, parts, g.IDs[i])
					}
					if want := max(0, g.Lengths[i]-g.MaxTokens); lost != want {
						t.Errorf("text %d: %d tokens lost, want %d", i, lost, want)
					}
				}
			}
			t.Logf("largest difference %.2g", worst)
		})
	}
}

// TestFlair compares the preset with Flair's TransformerDocumentEmbeddings: its
// words, its tokens, and its vectors, both from its tokens and from the text.
// Flair's ModernBERT lacks the last normalisation, and is left out.
func TestFlair(t *testing.T) {
	needRuntime(t)
	dir := goldenDir(t, "embedders")
	var g struct {
		Texts    []string
		Tokens   [][]string `json:"flair_tokens"`
		Document map[string]struct {
			IDs     [][]int64 `json:"input_ids"`
			Vectors [][]float64
		}
	}
	readGolden(t, filepath.Join(dir, "flair", "expected.json.gz"), &g)
	for i, text := range g.Texts {
		if words := tokenize.FlairWords(text); len(words) != len(g.Tokens[i]) || len(words) > 0 && !slices.Equal(words, g.Tokens[i]) {
			t.Errorf("text %d: words %q, Flair's %q", i, words, g.Tokens[i])
		}
	}
	for _, name := range []string{"bert", "bert-cased", "distilbert", "roberta", "xlm-roberta", "mpnet"} {
		want := g.Document[name]
		e := loaded(t, map[string]any{"model": filepath.Join(dir, "encoders", name), "preset": presetFlair}, 0, "")
		sequences := make([]sequence, len(g.Texts))
		for i, ids := range want.IDs {
			sequences[i] = sequence{row: i, ids: ids, types: make([]int64, len(ids))}
		}
		d := e.model.network.dimension()
		out := make([]float32, len(sequences)*d)
		if err := e.model.network.forward(t.Context(), sequences, out, func(int) {}); err != nil {
			t.Fatal(err)
		}
		v, err := e.EmbedWords(t.Context(), g.Texts)
		if err != nil {
			t.Fatal(err)
		}
		var worst float64
		for i, text := range g.Texts {
			worst = max(worst, difference(t, out[i*d:(i+1)*d], want.Vectors[i]))
			if strings.TrimSpace(text) == "" {
				continue // to Flair an empty text is "an empty document"
			}
			var enc tokenize.Encoding
			if parts, _, err := e.model.reader.read(&enc, i, text); err != nil || !slices.Equal(parts[0].ids, want.IDs[i]) {
				t.Errorf("%s, text %d: ids %v (%v), want %v", name, i, parts, err, want.IDs[i])
			}
			worst = max(worst, difference(t, row(v, i), want.Vectors[i]))
		}
		if worst > 2e-5 {
			t.Errorf("%s: a vector differs by %.2g", name, worst)
		}
	}
}

// TestModel2Vec compares folders of model2vec with what model2vec makes of them,
// and with what sentence-transformers does, which keeps unknown tokens.
func TestModel2Vec(t *testing.T) {
	dir := filepath.Join("testdata", "model2vec")
	var g map[string]json.RawMessage
	readGolden(t, filepath.Join(dir, "expected.json.gz"), &g)
	var texts []string
	if err := json.Unmarshal(g["texts"], &texts); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"plain", "unnormalized", "weighted-mapped", "int8-weighted"} {
		var want struct {
			IDs     [][]int64 `json:"ids"`
			Unknown int64     `json:"unk_token_id"`
			Median  int       `json:"median_token_length"`
			Vectors [][]float64
			ST      [][]float64 `json:"sentence_transformers"`
		}
		if err := json.Unmarshal(g[name], &want); err != nil {
			t.Fatal(err)
		}
		e := loaded(t, map[string]any{"model": filepath.Join(dir, name)}, 0, "")
		if m := e.model.reader.m2v; m == nil || m.unknown != want.Unknown || m.chars != 512*want.Median || e.model.info.MaxTokens != 512 {
			t.Fatalf("%s: %+v, %+v", name, m, e.model.info)
		}
		v, err := e.EmbedWords(t.Context(), texts)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: largest difference to model2vec %.2g", name, compare(t, texts, v, want.Vectors, 1e-6))
		for i, text := range texts {
			var enc tokenize.Encoding
			if len(text) > 512*want.Median {
				continue // the tokens there are of the whole text
			}
			if parts, _, err := e.model.reader.read(&enc, i, text); err == nil && !slices.Equal(parts[0].ids, want.IDs[i]) || err != nil && len(want.IDs[i]) > 0 {
				t.Errorf("%s: text %d has the tokens %v (%v), want %v", name, i, parts, err, want.IDs[i])
			}
		}
		p := start(t, map[string]any{"model": filepath.Join(dir, name), "preset": presetST})
		t.Logf("%s: largest difference to sentence-transformers %.2g", name, compare(t, texts, p.Embed(sdktest.Texts(texts...)...), want.ST, 2e-5))
	}
}

// TestMiniLM compares the real all-MiniLM-L6-v2 with sentence-transformers.
func TestMiniLM(t *testing.T) {
	folder := miniLM(t)
	var g struct {
		Texts      []string
		IDs        [][]int64
		Embeddings [][]float64
	}
	readGolden(t, filepath.Join("testdata", "minilm.json.gz"), &g)
	e := loaded(t, map[string]any{"model": folder}, 2, t.TempDir())
	for i, text := range g.Texts {
		var enc tokenize.Encoding
		parts, _, err := e.model.reader.read(&enc, i, text)
		if err == nil && !slices.Equal(parts[0].ids, g.IDs[i]) || err != nil && len(g.IDs[i]) != 2 {
			t.Errorf("text %d: ids %v (%v), want %v", i, parts, err, g.IDs[i])
		}
	}
	v, err := e.EmbedWords(t.Context(), g.Texts)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("largest difference %.2g", compare(t, g.Texts, v, g.Embeddings, 1e-5))
	for i, text := range g.Texts {
		alone, err := e.EmbedWords(t.Context(), []string{text})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(row(alone, 0), row(v, i)) {
			t.Errorf("text %d %.40q has other bits alone", i, text)
		}
	}
}

// TestBits embeds texts alone, together and in a new process' stead, on one
// thread and two. A row's bits must not change.
func TestBits(t *testing.T) {
	folder := miniLM(t)
	docs := newsgroups(t, 64)
	for _, precision := range []string{precisionFull, precisionInt8} {
		t.Run(precision, func(t *testing.T) {
			options := map[string]any{"model": folder, "precision": precision, "max_seq_length": 24}
			cache := t.TempDir()
			first := loaded(t, options, 1, cache)
			want := embedAll(t, first, docs, len(docs))
			if again := embedAll(t, loaded(t, options, 2, cache), docs, len(docs)); !slices.Equal(again, want) {
				t.Error("two threads give other bits than one")
			}
			if again := embedAll(t, loaded(t, options, 2, ""), docs, 7); !slices.Equal(again, want) {
				t.Error("batches of 7 give other bits")
			}
			if alone := embedAll(t, first, docs, 1); !slices.Equal(alone, want) {
				t.Error("texts alone have other bits")
			}
			slices.Reverse(docs)
			back := embedAll(t, first, docs, len(docs))
			slices.Reverse(docs)
			d := first.model.network.dimension()
			for i := range docs {
				if !slices.Equal(back[(len(docs)-1-i)*d:(len(docs)-i)*d], want[i*d:(i+1)*d]) {
					t.Errorf("text %d has other bits in reverse order", i)
				}
			}
		})
	}
}
