package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bertopic-go/bertopic/internal/encoder"
	"github.com/bertopic-go/bertopic/internal/session"
	"github.com/bertopic-go/bertopic/internal/tokenize"
	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/sdktest"
)

// small is a folder of BERT with random weights: mean, unit length, 32 tokens.
var small = filepath.Join("testdata", "st", "mean-normalize")

func TestStatuses(t *testing.T) {
	needRuntime(t)
	p := start(t, map[string]any{"model": small})
	texts := []string{
		"", " \t\n\u00a0", "\u0007\u0001\u200b", "🚀🐈", "river",
		strings.Repeat("river ", 30), strings.Repeat("river ", 31), strings.Repeat("lamp river ", 50_000),
		strings.Repeat("x", 1_000_000),
	}
	v := p.Embed(sdktest.Texts(texts...)...)
	want := []sdk.RowStatus{
		{Row: 0, Status: sdk.Empty},
		{Row: 1, Status: sdk.Empty},
		{Row: 2, Status: sdk.OOV},
		{Row: 6, Status: sdk.Truncated, TokensLost: 1},
		{Row: 7, Status: sdk.Truncated, TokensLost: 100_000 - 30},
	}
	if !slices.Equal(v.Statuses, want) {
		t.Errorf("statuses %v, want %v", v.Statuses, want)
	}
	if !slices.Equal(row(v, 5), row(v, 6)) {
		t.Error("what is cut off changes the vector")
	}
	if v := p.Embed(); v.Dense.Rows != 0 {
		t.Errorf("%d rows for none", v.Dense.Rows)
	}
	words := p.EmbedWords("river", "", "🚀")
	if want := []sdk.RowStatus{{Row: 1, Status: sdk.Empty}}; !slices.Equal(words.Statuses, want) || !slices.Equal(row(words, 0), row(v, 4)) {
		t.Errorf("words: %v; or their vectors are not those of texts", words.Statuses)
	}
}

// A text in chunk mode is the mean of its parts, weighted by their length.
func TestChunks(t *testing.T) {
	needRuntime(t)
	part := func(word string, n int) string { return strings.TrimSpace(strings.Repeat(word+" ", n)) }
	p := start(t, map[string]any{"model": small, "long_text": "chunk"})
	if p.Info.MaxTokens != 0 {
		t.Errorf("%d tokens at most, where a text may have any number", p.Info.MaxTokens)
	}
	v := p.Embed(sdktest.Texts(part("river", 30)+" "+part("lamp", 30)+" "+part("garden", 10), part("river", 30), part("lamp", 30), part("garden", 10))...)
	if len(v.Statuses) > 0 {
		t.Errorf("statuses %v, want none", v.Statuses)
	}
	want := make([]float32, v.Dense.Columns)
	for j := range want {
		want[j] = 3*row(v, 1)[j] + 3*row(v, 2)[j] + row(v, 3)[j]
	}
	normalize(want)
	for j, x := range row(v, 0) {
		if math.Abs(float64(x-want[j])) > 1e-6 {
			t.Fatalf("value %d is %v, want %v", j, x, want[j])
		}
	}
}

// With a prompt each part has it.
func TestCutKeepsPrompt(t *testing.T) {
	f, err := readFolder(small)
	if err != nil {
		t.Fatal(err)
	}
	tokenizer, err := f.tokenizer()
	if err != nil {
		t.Fatal(err)
	}
	r := newReader(tokenizer, f, "the lamp ", chunk)
	if r.promptTokens != 2 || r.specialTokens != 2 || r.leading != 1 || r.promptEnd() != 3 {
		t.Fatalf("%+v", r)
	}
	if err := r.limit(4); err == nil || !strings.Contains(err.Error(), "5 or more") {
		t.Errorf("a limit of 4 tokens: %v", err)
	}
	if err := r.limit(6); err != nil {
		t.Fatal(err)
	}
	var e, whole tokenize.Encoding
	parts, lost, err := r.read(&e, 7, "river garden river garden river")
	if err != nil || lost != 0 || len(parts) != 3 {
		t.Fatal(parts, lost, err)
	}
	for i, text := range []string{"the lamp river garden", "the lamp river garden", "the lamp river"} {
		tokenizer.Encode(&whole, text, 0)
		if !slices.Equal(parts[i].ids, whole.IDs) || parts[i].row != 7 {
			t.Errorf("part %d is %v, want %v", i, parts[i], whole.IDs)
		}
	}
	if parts[0].weight != 2 || parts[2].weight != 1 {
		t.Errorf("weights %d and %d, want 2 and 1", parts[0].weight, parts[2].weight)
	}
}

func TestOptionsAreRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		options map[string]any
		option  string
		want    string
	}{
		{"no model", map[string]any{"model": " "}, "model", "model is empty"},
		{"unknown model", map[string]any{"model": "no-such-model"}, "model", "no-such-model"},
		{"no such folder", map[string]any{"model": "./nowhere"}, "model", "there is no folder"},
		{"device", map[string]any{"model": small, "device": "tpu"}, "device", "auto, cpu, cuda or cuda:N"},
		{"half precision on a CPU", map[string]any{"model": small, "device": "cpu", "precision": "fp16"}, "precision", "for a GPU"},
		{"negative length", map[string]any{"model": small, "max_seq_length": -1}, "max_seq_length", "it must be a number of tokens"},
		{"short length", map[string]any{"model": small, "max_seq_length": 2}, "max_seq_length", "it must be 3 or more"},
		{"length past the positions", map[string]any{"model": small, "max_seq_length": 65}, "max_seq_length", "positions for 64 tokens"},
		{"prompt of a wrong type", map[string]any{"model": small, "prompt": 3}, "prompt", "must be a string"},
		{"two prompts", map[string]any{"model": small, "prompt": "a: ", "prompt_name": "query"}, "prompt", "leave one out"},
		{"unknown prompt", map[string]any{"model": small, "prompt_name": "quary"}, "prompt_name", "document, query"},
		{"preset of a table", map[string]any{"model": filepath.Join("testdata", "st", "static-embedding"), "preset": "hf"}, "preset", "leave preset out"},
		{"GPU for a table", map[string]any{"model": filepath.Join("testdata", "st", "static-embedding"), "device": "cuda"}, "device", "use cpu or auto"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.option == "max_seq_length" || c.option == "precision" {
				needRuntime(t)
			}
			p := sdktest.Start(t, &embedder{})
			remarks, err := p.TryConfigure(c.options)
			if err == nil || len(remarks) == 0 {
				t.Fatalf("not refused: %v %v", err, remarks)
			}
			if r := remarks[len(remarks)-1]; r.Option != c.option || !strings.Contains(r.Summary, c.want) {
				t.Errorf("%+v, want %q about %s", r, c.want, c.option)
			}
		})
	}
}

// A GPU that is asked for and is not there is an error.
func TestNoGPU(t *testing.T) {
	needRuntime(t)
	if _, err := os.Stat("/dev/nvidiactl"); err == nil {
		t.Skip("there is a GPU here")
	}
	p := sdktest.Start(t, &embedder{})
	remarks, err := p.TryConfigure(map[string]any{"model": small, "device": "cuda:1"})
	if err == nil || len(remarks) != 1 || remarks[0].Option != "device" || !strings.Contains(remarks[0].Summary, "ORT_LIBRARY") {
		t.Errorf("%v %+v", err, remarks)
	}
	p.Configure(map[string]any{"model": small, "device": "auto"})
	if p.Info.Device != "cpu" {
		t.Errorf("device %q", p.Info.Device)
	}
}

// copyModel is a copy of a model folder that a test may spoil.
func copyModel(t *testing.T, from string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return to
}

func TestSpoiledFolders(t *testing.T) {
	needRuntime(t)
	write := func(t *testing.T, text string, path ...string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(path...)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(path...), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	modules := func(t *testing.T, dir string, types ...string) {
		t.Helper()
		var list []module
		for i, typ := range types {
			path := ""
			if i > 0 {
				path = "m"
			}
			list = append(list, module{Idx: i, Path: path, Type: typ})
		}
		text, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		write(t, string(text), dir, "modules.json")
	}
	const st = "sentence_transformers.models."
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, dir string)
		want  string
	}{
		{"an empty folder", func(t *testing.T, dir string) { os.RemoveAll(dir); os.Mkdir(dir, 0o777) }, "neither a modules.json nor a config.json"},
		{"modules.json cut", func(t *testing.T, dir string) { write(t, `[{"idx": 0`, dir, "modules.json") }, "unexpected end"},
		{"no module", func(t *testing.T, dir string) { write(t, `[]`, dir, "modules.json") }, "names no module"},
		{"no pooling", func(t *testing.T, dir string) { modules(t, dir, st+"Transformer") }, "no Pooling follows"},
		{"a module of CNN", func(t *testing.T, dir string) { modules(t, dir, st+"Transformer", st+"CNN", st+"Pooling") }, "before they are pooled"},
		{"code of the model's own", func(t *testing.T, dir string) { modules(t, dir, "custom_st.Transformer") }, "its code is its author's own"},
		{"clip", func(t *testing.T, dir string) { modules(t, dir, st+"CLIPModel") }, "use the clip embedder"},
		{"two transformers", func(t *testing.T, dir string) { modules(t, dir, st+"Transformer", st+"Transformer") }, "there is one before it"},
		{"a word model", func(t *testing.T, dir string) { modules(t, dir, st+"WordEmbeddings", st+"Pooling") }, "first module must be"},
		{"an unknown head", func(t *testing.T, dir string) {
			modules(t, dir, st+"Transformer", st+"Pooling", st+"WordWeights")
			write(t, `{"pooling_mode": "mean"}`, dir, "m", "config.json")
		}, "supported are Transformer"},
		{"a path out of the folder", func(t *testing.T, dir string) {
			write(t, `[{"idx":0,"path":"../..","type":"sentence_transformers.models.Transformer"}]`, dir, "modules.json")
		}, "leads out of the folder"},
		{"an unknown pooling mode", func(t *testing.T, dir string) {
			write(t, `{"pooling_mode": "median"}`, dir, "1_Pooling", "config.json")
		}, `"median" is none of`},
		{"no pooling config", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "1_Pooling", "config.json")) }, "not complete"},
		{"another task", func(t *testing.T, dir string) {
			write(t, `{"transformer_task": "fill-mask"}`, dir, "sentence_bert_config.json")
		}, "use the Python plugin"},
		{"no tokenizer", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "tokenizer.json")) }, "there is no tokenizer.json"},
		{"tokenizer cut", func(t *testing.T, dir string) { write(t, `{"model": {`, dir, "tokenizer.json") }, "tokenizer.json"},
		{"no weights", func(t *testing.T, dir string) { os.Remove(filepath.Join(dir, "model.safetensors")) }, "safetensors"},
		{"weights cut", func(t *testing.T, dir string) {
			if err := os.Truncate(filepath.Join(dir, "model.safetensors"), 100_000); err != nil {
				t.Fatal(err)
			}
		}, "model.safetensors"},
		{"unknown architecture", func(t *testing.T, dir string) { write(t, `{"model_type": "reformer"}`, dir, "config.json") }, `"reformer" is not built here`},
		{"an unknown default prompt", func(t *testing.T, dir string) {
			write(t, `{"prompts": {"query": "q"}, "default_prompt_name": "q"}`, dir, "config_sentence_transformers.json")
		}, "none of the prompts"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := copyModel(t, small)
			c.spoil(t, dir)
			p := sdktest.Start(t, &embedder{})
			remarks, err := p.TryConfigure(map[string]any{"model": dir})
			if err == nil || len(remarks) == 0 {
				t.Fatalf("not refused: %v %v", err, remarks)
			}
			if r := remarks[len(remarks)-1]; r.Option != "model" || !strings.Contains(r.Summary, c.want) {
				t.Errorf("%+v, want %q", r, c.want)
			}
		})
	}
}

// The preset spacy-trf is the dense layer of BERT's pooler over the first token.
func TestSpacy(t *testing.T) {
	needRuntime(t)
	first := start(t, map[string]any{"model": small, "preset": "flair"})
	p := start(t, map[string]any{"model": small, "preset": "spacy-trf"})
	x, got := first.Embed(sdktest.Texts("a small river")...).Dense.Data, p.Embed(sdktest.Texts("a small river")...).Dense.Data
	weight, bias, err := readPair(filepath.Join(small, "model.safetensors"), "pooler.dense.weight", "pooler.dense.bias")
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range bias {
		sum := float64(b)
		for j, v := range x {
			sum += float64(weight[i*len(x)+j]) * float64(v)
		}
		if math.Abs(math.Tanh(sum)-float64(got[i])) > 1e-6 {
			t.Fatalf("value %d is %v, want %v", i, got[i], math.Tanh(sum))
		}
	}
	without := filepath.Join(goldenDir(t, "embedders/encoders"), "distilbert")
	remarks, err := sdktest.Start(t, &embedder{}).TryConfigure(map[string]any{"model": without, "preset": "spacy-trf"})
	if err == nil || len(remarks) != 1 || !strings.Contains(remarks[0].Summary, "the model has none") {
		t.Errorf("a model without a pooler: %v %+v", err, remarks)
	}
}

func TestFlairWords(t *testing.T) {
	for text, want := range map[string][]string{
		"":                                  nil,
		"They'll say it isn't; WE DON'T.":   {"They", "'ll", "say", "it", "is", "n't", ";", "WE", "DO", "N'T", "."},
		"river-garden 3,400 1,a 12.5% a.b.": {"river-garden", "3,400", "1", ",", "a", "12.5", "%", "a.b", "."},
		"n't -x x- 'tis":                    {"n", "'t", "-", "x", "x", "-", "'", "tis"},
		"wow!! (yes)...":                    {"wow", "!", "!", "(", "yes", ")..."},
	} {
		if got := tokenize.FlairWords(text); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// A graph that was kept is used again, and made again where it is damaged or
// the model has changed.
func TestGraphIsKept(t *testing.T) {
	needRuntime(t)
	dir, cache := copyModel(t, small), t.TempDir()
	options := map[string]any{"model": dir}
	texts := []string{"a small river", "the old lamp"}
	first := loaded(t, options, 1, cache)
	want := embedAll(t, first, texts, 2)
	files, err := filepath.Glob(filepath.Join(cache, "graphs", "*"))
	if err != nil || len(files) != 3 {
		t.Fatalf("kept: %v %v", files, err)
	}
	for _, suffix := range []string{".onnx", ".json", ".weights"} {
		for _, path := range files {
			if filepath.Ext(path) == suffix {
				if err := os.Truncate(path, 10); err != nil {
					t.Fatal(err)
				}
			}
		}
		if again := embedAll(t, loaded(t, options, 1, cache), texts, 2); !slices.Equal(again, want) {
			t.Errorf("after damage to the %s file: other vectors", suffix)
		}
	}
	weights, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	start := 8 + binary.LittleEndian.Uint64(weights) // the first value is of a layer norm
	other := slices.Concat(weights[:start], []byte{0, 0, 0, 0x3f}, weights[start+4:])
	if bytes.Equal(other, weights) {
		t.Fatal("the weights are the same")
	}
	if err := os.WriteFile(filepath.Join(dir, "model.safetensors"), other, 0o666); err != nil {
		t.Fatal(err)
	}
	changed := loaded(t, options, 1, cache)
	if changed.model.info.ModelSHA256 == first.model.info.ModelSHA256 {
		t.Error("another model has the same hash")
	}
	if again := embedAll(t, changed, texts, 2); slices.Equal(again, want) {
		t.Error("another model has the same vectors")
	}
}

// A model may be put away while texts are embedded: they are, or an error tells.
func TestCloseMeanwhile(t *testing.T) {
	needRuntime(t)
	e := loaded(t, map[string]any{"model": small}, 2, "")
	started, ended := make(chan struct{}), make(chan error)
	go func() {
		close(started)
		for {
			if _, err := e.EmbedWords(t.Context(), []string{"river", "a small lamp", strings.Repeat("garden ", 30)}); err != nil {
				ended <- err
				return
			}
		}
	}()
	<-started
	time.Sleep(20 * time.Millisecond)
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !strings.Contains(err.Error(), "no model") && !strings.Contains(err.Error(), "put away") {
		t.Error(err)
	}
}

// The plan holds every sequence once, keeps to the budget, and without padding
// joins none of different lengths.
func TestPlan(t *testing.T) {
	lengths := []int{5, 3, 5, 900, 5, 3, 5, 4, 5}
	for _, padded := range []bool{false, true} {
		seen := make([]int, len(lengths))
		for _, b := range plan(lengths, 16, padded) {
			for _, m := range b.members {
				seen[m]++
				if lengths[m] > b.length || !padded && lengths[m] != b.length {
					t.Errorf("padded %t: length %d in a batch of %d", padded, lengths[m], b.length)
				}
			}
			if len(b.members) > 1 && len(b.members)*b.length > 16 {
				t.Errorf("padded %t: %d x %d tokens in a batch", padded, len(b.members), b.length)
			}
		}
		for i, n := range seen {
			if n != 1 {
				t.Errorf("padded %t: sequence %d is there %d times", padded, i, n)
			}
		}
	}
}

// The padded graph, which a GPU gets, gives the same vectors, and in half
// precision nearly the same.
func TestPadded(t *testing.T) {
	needRuntime(t)
	f, err := readFolder(small)
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{"river", "the small river crosses the green garden", "a lamp", "an old lamp near the station"}
	e := loaded(t, map[string]any{"model": small}, 1, "")
	want := embedAll(t, e, texts, len(texts))
	for precision, tolerance := range map[string]float64{precisionFull: 1e-6, precisionHalf: 5e-3} {
		spec := graphSpec{folder: f, precision: encoder.Precision(precision), padded: true}
		p, err := session.Load(t.Context(), spec.source("", ""), session.Device{Kind: session.CPU}, 2)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		e = loaded(t, map[string]any{"model": small}, 1, "")
		if err := e.model.network.close(); err != nil {
			t.Fatal(err)
		}
		e.model.network = newTransformer(p, true)
		for i, x := range embedAll(t, e, texts, len(texts)) {
			if math.Abs(float64(x-want[i])) > tolerance {
				t.Fatalf("%s: value %d is %v, want %v", precision, i, x, want[i])
			}
		}
	}
}

// A folder with an ONNX file in place of weights gives the same vectors, and a
// text's bits don't depend on the batch even where the file is padded and masked.
func TestOnnxFile(t *testing.T) {
	needRuntime(t)
	m, err := encoder.Build(t.Context(), encoder.Spec{Dir: small})
	if err != nil {
		t.Fatal(err)
	}
	graph, err := m.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	dir := copyModel(t, small)
	err = errors.Join(os.Remove(filepath.Join(dir, "model.safetensors")), os.Mkdir(filepath.Join(dir, "onnx"), 0o777),
		os.WriteFile(filepath.Join(dir, "onnx", "model.onnx"), graph, 0o666))
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{"river", "the small river crosses the green garden", "a lamp", "the lamp"}
	cache := t.TempDir()
	want := embedAll(t, loaded(t, map[string]any{"model": small}, 1, ""), texts, len(texts))
	for _, cache := range []string{"", cache, cache} {
		e := loaded(t, map[string]any{"model": dir}, 2, cache)
		got := embedAll(t, e, texts, len(texts))
		for i, x := range got {
			if math.Abs(float64(x-want[i])) > 1e-6 {
				t.Fatalf("value %d is %v, want %v", i, x, want[i])
			}
		}
		if alone := embedAll(t, e, texts, 1); !slices.Equal(alone, got) {
			t.Error("texts alone have other bits")
		}
	}
	for _, c := range []struct{ option, value, want string }{
		{"precision", "int8", "used as it is"},
		{"preset", "spacy-trf", "the model has none"},
	} {
		remarks, err := sdktest.Start(t, &embedder{}).TryConfigure(map[string]any{"model": dir, c.option: c.value})
		if err == nil || len(remarks) != 1 || !strings.Contains(remarks[0].Summary, c.want) {
			t.Errorf("%s = %s: %v %+v", c.option, c.value, err, remarks)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "onnx", "model.onnx"), graph[:len(graph)/2], 0o666); err != nil {
		t.Fatal(err)
	}
	if remarks, err := sdktest.Start(t, &embedder{}).TryConfigure(map[string]any{"model": dir}); err == nil || len(remarks) != 1 || remarks[0].Option != "model" {
		t.Errorf("half an ONNX file: %v %+v", err, remarks)
	}
}

// FuzzFolder reads modules.json and the configs of pooling and prompts.
func FuzzFolder(f *testing.F) {
	f.Add(`[{"idx":0,"path":"","type":"sentence_transformers.models.Transformer"},{"idx":1,"path":"p","type":"sentence_transformers.models.Pooling"}]`, `{"pooling_mode":["cls","mean"],"include_prompt":false}`, `{"prompts":{"a":"b"},"default_prompt_name":"a"}`, `{"max_seq_length":1e30}`)
	f.Add(`[{"idx":0,"path":".","type":"sentence_transformers.models.StaticEmbedding"}]`, `{}`, `{}`, `{}`)
	f.Fuzz(func(t *testing.T, modules, pooling, prompts, encoder string) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, "p"), 0o777); err != nil {
			t.Fatal(err)
		}
		for name, text := range map[string]string{
			"modules.json": modules, "p/config.json": pooling, "config_sentence_transformers.json": prompts, "sentence_bert_config.json": encoder,
		} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		got, err := readFolder(dir)
		if err != nil {
			return
		}
		if got.maxTokens < 0 || got.static == (got.pooling != nil) || !strings.HasPrefix(got.encoder, dir) {
			t.Errorf("%+v", got)
		}
	})
}
