package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/ortlib"
	"github.com/bertopic-go/bertopic/internal/safetensors"
	"github.com/bertopic-go/bertopic/internal/tokenize"
	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/sdktest"
)

var plainTable = filepath.Join("testdata", "model2vec", "plain")

// A table needs no ONNX Runtime.
func TestTableWithoutRuntime(t *testing.T) {
	t.Setenv(ortlib.EnvVar, filepath.Join(t.TempDir(), "none"))
	p := start(t, map[string]any{"model": plainTable})
	if v := p.Embed(sdktest.Texts("river")...); len(v.Statuses) > 0 {
		t.Errorf("%+v", v.Statuses)
	}
}

// Unknown tokens don't count, and what is too long is told.
func TestModel2VecStatuses(t *testing.T) {
	p := start(t, map[string]any{"model": plainTable})
	unknown := "♞" // of none of the alphabets that the vocabulary has
	v := p.Embed(sdktest.Texts("", "river", unknown, "river "+unknown, strings.Repeat("river ", 256), strings.Repeat("river ", 600), strings.Repeat("a ", 700))...)
	want := []sdk.RowStatus{
		{Row: 0, Status: sdk.Empty}, {Row: 2, Status: sdk.OOV},
		{Row: 5, Status: sdk.Truncated, TokensLost: 600 - 256}, // 1,536 characters are 256 words
		{Row: 6, Status: sdk.Truncated, TokensLost: 700 - 512},
	}
	if !slices.Equal(v.Statuses, want) {
		t.Errorf("statuses %v, want %v", v.Statuses, want)
	}
	if !slices.Equal(row(v, 1), row(v, 3)) {
		t.Error("an unknown token changes the vector")
	}
	short := start(t, map[string]any{"model": plainTable, "max_seq_length": 2})
	s := short.Embed(sdktest.Texts("a a a a")...)
	if want := []sdk.RowStatus{{Status: sdk.Truncated, TokensLost: 2}}; !slices.Equal(s.Statuses, want) || short.Info.MaxTokens != 2 {
		t.Errorf("of two tokens: %v, %+v", s.Statuses, short.Info)
	}
	parts := start(t, map[string]any{"model": plainTable, "max_seq_length": 2, "long_text": "chunk"}).Embed(sdktest.Texts("river lamp "+unknown+" garden", "river lamp garden")...)
	if len(parts.Statuses) > 0 || !slices.Equal(row(parts, 0), row(parts, 1)) {
		t.Errorf("parts: %v", parts.Statuses)
	}
	prompt := start(t, map[string]any{"model": plainTable, "prompt": "river "}).Embed(sdktest.Texts(unknown, "lamp")...)
	if want := []sdk.RowStatus{{Status: sdk.OOV}}; !slices.Equal(prompt.Statuses, want) {
		t.Errorf("behind a prompt: %v", prompt.Statuses)
	}
}

// model2vec's config settles how much is read.
func TestModel2VecLimit(t *testing.T) {
	for text, want := range map[string]int{`{"normalize": true}`: 512, `{"max_length": 7}`: 7, `{"max_length": null}`: 0} {
		dir := copyModel(t, plainTable)
		if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if p := start(t, map[string]any{"model": dir}); p.Info.MaxTokens != want || p.Info.UnitLength != strings.Contains(text, "normalize") {
			t.Errorf("%s: %+v", text, p.Info)
		}
	}
}

// writeTable writes a folder of one table, beside the tokenizer of plainTable.
func writeTable(t *testing.T, name string, tensors ...safetensors.Tensor) string {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile(filepath.Join(plainTable, "tokenizer.json"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "tokenizer.json"), text, 0o666)
	}
	if err == nil {
		err = safetensors.WriteFile(filepath.Join(dir, name), tensors, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// A table and a tokenizer are enough, as wordllama has them: all tokens count,
// as many as there are.
func TestBareTable(t *testing.T) {
	file, err := safetensors.Open(filepath.Join(plainTable, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	values, info, err := file.Float32("embeddings")
	if err != nil {
		t.Fatal(err)
	}
	dir := writeTable(t, "l2_256.safetensors", safetensors.Float32("embedding.weight", values, info.Shape...))
	texts := []string{"river", "a lamp ♞", strings.Repeat("a ", 1000)}
	p := start(t, map[string]any{"model": dir})
	v := p.Embed(sdktest.Texts(texts...)...)
	if p.Info.MaxTokens != 0 || p.Info.UnitLength || len(v.Statuses) > 0 {
		t.Errorf("%+v, %v", p.Info, v.Statuses)
	}
	e := loaded(t, map[string]any{"model": dir}, 1, "")
	for i, text := range texts {
		var want []float64
		var enc tokenize.Encoding
		parts, _, err := e.model.reader.read(&enc, i, text)
		if err != nil {
			t.Fatal(err)
		}
		want = make([]float64, 16)
		for _, id := range parts[0].ids {
			for j := range want {
				want[j] += float64(values[int(id)*16+j]) / float64(len(parts[0].ids))
			}
		}
		if d := difference(t, row(v, i), want); d > 1e-6 {
			t.Errorf("%q differs by %v", text, d)
		}
	}
}

func TestSpoiledTables(t *testing.T) {
	config := func(text string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, dir string)
		want  string
	}{
		{"config cut", config(`{"normalize"`), "config.json"},
		{"limit of a wrong type", config(`{"max_length": "all"}`), "not a number of tokens"},
		{"limit below 0", config(`{"max_length": -1}`), "not a number of tokens"},
		{"no config", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "config.json")) }, "not complete"},
		{"table cut", func(t *testing.T, dir string) {
			os.Remove(filepath.Join(dir, "modules.json"))
			if err := os.Truncate(filepath.Join(dir, "model.safetensors"), 1000); err != nil {
				t.Fatal(err)
			}
		}, "model.safetensors"},
		{"few rows", func(t *testing.T, dir string) {
			rewrite(t, dir, safetensors.Float32("embeddings", make([]float32, 6), 3, 2))
		}, "vectors of 3 tokens, where the tokenizer has 600"},
		{"no width", func(t *testing.T, dir string) {
			rewrite(t, dir, safetensors.Float32("embeddings", nil, 600, 0))
		}, "not tokens x dimension"},
		{"few weights", func(t *testing.T, dir string) {
			rewrite(t, dir, safetensors.Float32("embeddings", make([]float32, 600), 600, 1), safetensors.Float32("weights", make([]float32, 3), 3))
		}, "3 weights for 600 tokens"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := copyModel(t, plainTable)
			c.spoil(t, dir)
			remarks, err := sdktest.Start(t, &embedder{}).TryConfigure(map[string]any{"model": dir})
			if err == nil || len(remarks) != 1 || remarks[0].Option != "model" || !strings.Contains(remarks[0].Summary, c.want) {
				t.Errorf("%v %+v, want %q", err, remarks, c.want)
			}
		})
	}
}

func rewrite(t *testing.T, dir string, tensors ...safetensors.Tensor) {
	t.Helper()
	if err := safetensors.WriteFile(filepath.Join(dir, "model.safetensors"), tensors, nil); err != nil {
		t.Fatal(err)
	}
}

func FuzzModelToVecConfig(f *testing.F) {
	f.Add(`{"normalize": true, "max_length": 512}`)
	f.Add(`{"max_length": null}`)
	f.Fuzz(func(t *testing.T, text string) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		m := &folder{dir: dir}
		if err := m.readModelToVec(); err == nil && (m.maxTokens < 0 || !json.Valid([]byte(text))) {
			t.Error(fmt.Sprint(text, m.maxTokens))
		}
	})
}

// The example of a static table runs as it stands, with another table and a
// corpus of three subjects in its words, and with no ONNX Runtime.
func TestStaticExample(t *testing.T) {
	if testing.Short() {
		t.Skip("builds programs and starts processes")
	}
	dir := t.TempDir()
	for name, pkg := range map[string]string{"bertopic-embedder-sbert": ".", "bertopic": "../../cmd/bertopic"} {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, name), pkg).CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", pkg, err, out)
		}
	}
	table, err := filepath.Abs(plainTable)
	if err != nil {
		t.Fatal(err)
	}
	subjects := [][]string{strings.Fields("river garden forest mountain"), strings.Fields("lamp kitchen window bottle"), strings.Fields("train engine harbour bridge")}
	var corpus strings.Builder
	for i := range 120 {
		words := subjects[i%3]
		fmt.Fprintf(&corpus, "{\"id\": \"%d\", \"text\": \"%s and %s, %s\", \"class\": \"%d\"}\n", i, words[i%4], words[(i/3)%4], words[(i/12)%4], i%3)
	}
	if err := os.WriteFile(filepath.Join(dir, "corpus.jsonl"), []byte(corpus.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dir, "bertopic"), "run", "../../examples/static.toml", "--set", "embedder.options.model="+table,
		"--set", "corpus.path="+filepath.Join(dir, "corpus.jsonl"), "--set", "run.out="+filepath.Join(dir, "out"), "--set", "cluster.min_cluster_size=10")
	cmd.Env = append(os.Environ(), ortlib.EnvVar+"="+filepath.Join(dir, "none"))
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "120 rows") {
		t.Errorf("%v\n%s", err, out)
	}
}
