package main

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/spacy"
	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/sdktest"
)

const pipelines = "../../internal/spacy/testdata"

func unzip(t testing.TB, path string) []byte {
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
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// folder is a copy of one of the pipelines.
func folder(t testing.TB, name string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(pipelines, name))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tokenizer"), unzip(t, filepath.Join(pipelines, "tokenizer.gz")), 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

func start(t testing.TB, options map[string]any) *sdktest.Program {
	t.Helper()
	p := sdktest.Start(t, &embedder{})
	p.Configure(options)
	return p
}

func row(v sdk.Vectors, i int) []float32 {
	return v.Dense.Data[i*v.Dense.Columns : (i+1)*v.Dense.Columns]
}

func status(v sdk.Vectors, i int) sdk.Status {
	for _, s := range v.Statuses {
		if s.Row == i {
			return s.Status
		}
	}
	return sdk.OK
}

// Vectors are those of Doc.vector, bit for bit but for floret's; where a text
// has none, BERTopic stops with E046 and here the row has a status.
func TestDocVector(t *testing.T) {
	var all map[string]struct {
		Texts []string
		Docs  []struct {
			Tokens []string
			Vector []float32
			Has    []bool `json:"token_has_vector"`
		}
		BERTopic []json.RawMessage `json:"bertopic_spacy"`
	}
	if err := json.Unmarshal(unzip(t, filepath.Join(pipelines, "expected-spacy.json.gz")), &all); err != nil {
		t.Fatal(err)
	}
	for name, want := range all {
		p := start(t, map[string]any{"model": folder(t, name)})
		v := p.Embed(sdktest.Texts(want.Texts...)...)
		var worst float64
		crashes := 0
		for i, text := range want.Texts {
			var crash struct{ Error string }
			if json.Unmarshal(want.BERTopic[i], &crash) == nil && crash.Error != "" {
				crashes++
				if st := status(v, i); st != sdk.OOV && st != sdk.Empty {
					t.Errorf("%s: %q has the status %d, where BERTopic stops", name, text, st)
				}
			}
			if status(v, i) != sdk.OK {
				continue
			}
			for j, x := range row(v, i) {
				worst = max(worst, math.Abs(float64(x-want.Docs[i].Vector[j])))
			}
			if alone := p.Embed(sdktest.Texts(text)...); !slices.Equal(row(alone, 0), row(v, i)) {
				t.Errorf("%s: %q has other bits alone", name, text)
			}
		}
		if worst > 1e-6 || name != "floret" && worst > 0 {
			t.Errorf("%s: a value differs by %v", name, worst)
		}
		t.Logf("%s: largest difference %.2g; %d texts of %d stop BERTopic", name, worst, crashes, len(want.Texts))
	}
}

func TestStatuses(t *testing.T) {
	p := start(t, map[string]any{"model": folder(t, "plain")})
	v := p.Embed(sdktest.Texts("river", "", " \t\n\u00a0\x1c", "unknownword", "River", "twin", "river unknownword", "\u0007", strings.Repeat("river ", 200_000))...)
	want := map[int]sdk.Status{1: sdk.Empty, 2: sdk.Empty, 3: sdk.OOV, 4: sdk.OOV, 5: sdk.OOV, 7: sdk.OOV}
	for i := range 9 {
		if got := status(v, i); got != want[i] {
			t.Errorf("row %d has the status %d, want %d", i, got, want[i])
		}
	}
	for j, x := range row(v, 6) {
		if x != row(v, 0)[j]/2 {
			t.Errorf("value %d is %v: an unknown word must count", j, x)
		}
	}
	if v := p.EmbedWords("lantern", "", "lamp"); !slices.Equal(row(v, 0), row(v, 2)) || status(v, 1) != sdk.Empty {
		t.Errorf("words that share a row: %v %v", row(v, 0), row(v, 2))
	}
}

func TestOptions(t *testing.T) {
	dir := folder(t, "plain")
	spacyish := func(options map[string]any, texts ...string) sdk.Vectors {
		options["model"] = dir
		return start(t, options).Embed(sdktest.Texts(texts...)...)
	}
	plain := spacyish(map[string]any{}, "river", "lamp")
	skip := spacyish(map[string]any{"oov": "skip"}, "river unknownword lamp")
	most := spacyish(map[string]any{"pooling": "max"}, "lamp river unknownword")
	mostKnown := spacyish(map[string]any{"pooling": "max", "oov": "skip"}, "unknownword lamp river")
	for j := range 12 {
		a, b := row(plain, 0)[j], row(plain, 1)[j]
		if got := skip.Dense.Data[j]; got != (a+b)/2 {
			t.Errorf("skip: value %d is %v, want %v", j, got, (a+b)/2)
		}
		if got := most.Dense.Data[j]; got != max(a, b, 0) {
			t.Errorf("max: value %d is %v, want %v", j, got, max(a, b, 0))
		}
		if got := mostKnown.Dense.Data[j]; got != max(a, b) {
			t.Errorf("max of known words: value %d is %v, want %v", j, got, max(a, b))
		}
	}
	if low := spacyish(map[string]any{"lowercase": true}, "RIVER"); !slices.Equal(row(low, 0), row(plain, 0)) {
		t.Error("lowercase finds no river")
	}
}

// Vectors that come to zeros have no direction.
func TestZeros(t *testing.T) {
	dir := folder(t, "plain")
	data, err := os.ReadFile(filepath.Join(dir, "vocab", "vectors"))
	if err != nil {
		t.Fatal(err)
	}
	clear(data[128:])
	if err := os.WriteFile(filepath.Join(dir, "vocab", "vectors"), data, 0o666); err != nil {
		t.Fatal(err)
	}
	v := start(t, map[string]any{"model": dir}).Embed(sdktest.Texts("river")...)
	if len(v.Statuses) != 1 || v.Statuses[0].Status != sdk.Failed || !strings.Contains(v.Statuses[0].Reason, "zeros") {
		t.Errorf("%+v", v.Statuses)
	}
}

func TestRefused(t *testing.T) {
	trf := folder(t, "plain")
	if err := os.WriteFile(filepath.Join(trf, "config.cfg"), []byte("[components.transformer]\nfactory = \"transformer\"\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	small := folder(t, "plain")
	if err := os.Remove(filepath.Join(small, "vocab", "vectors")); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		options map[string]any
		want    string
	}{
		"empty":       {map[string]any{"model": " "}, "model is empty"},
		"missing":     {map[string]any{"model": "no_such_pipeline"}, "python -m spacy download no_such_pipeline"},
		"no folder":   {map[string]any{"model": "./nowhere"}, "there is no folder"},
		"not spaCy's": {map[string]any{"model": "./" + pipelines}, "nlp.to_disk"},
		"transformer": {map[string]any{"model": trf}, `preset = "spacy-trf"`},
		"no vectors":  {map[string]any{"model": small}, "_md or _lg"},
	} {
		remarks, err := sdktest.Start(t, &embedder{}).TryConfigure(c.options)
		if err == nil || len(remarks) != 1 || !remarks[0].Error || remarks[0].Option != "model" || !strings.Contains(remarks[0].Summary, c.want) {
			t.Errorf("%s: %v %+v", name, err, remarks)
		}
	}
	if _, err := sdktest.Start(t, &embedder{}).TryEmbed(t.Context(), sdktest.Texts("a")...); err == nil {
		t.Error("embeds without a model")
	}
}

// An installed package resolves to the folder in it.
func TestPackage(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "en_core_web_md-3.8.0"), os.DirFS(folder(t, "plain"))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "meta.json"), []byte(`{"lang": "en", "name": "core_web_md", "version": "3.8.0"}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if p := start(t, map[string]any{"model": dir}); p.Info.Dimension != 12 || len(p.Info.ModelSHA256) != 64 || !p.Info.Words || !p.Info.BatchInvariant {
		t.Errorf("%+v", p.Info)
	}
}

// The bits are the same on any number of threads, in batches of any size.
func TestBits(t *testing.T) {
	texts := strings.Split(strings.Repeat("the river|a lamp, and the garden|Don't!|it's old letters|crosses.|x", 30), "|")
	for _, name := range []string{"plain", "floret"} {
		dir := folder(t, name)
		var want []float32
		for _, c := range []struct{ threads, size int }{{1, len(texts)}, {2, len(texts)}, {2, 7}, {1, 1}} {
			p, err := spacy.Open(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			m, err := newModel(t.Context(), p, options{Pooling: poolSpacy, OOV: oovZero}, c.threads)
			if err != nil {
				t.Fatal(err)
			}
			var got []float32
			for part := range slices.Chunk(texts, c.size) {
				v, err := m.embed(t.Context(), part)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, v.Dense.Data...)
			}
			if want == nil {
				want = got
			} else if !slices.Equal(got, want) {
				t.Errorf("%s: %+v gives other bits", name, c)
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// The pipeline may be put away while texts are embedded.
func TestCloseMeanwhile(t *testing.T) {
	e := &embedder{}
	options, faults := sdk.CheckOptions(e.Describe(), map[string]any{"model": folder(t, "plain")})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if _, remarks, err := e.Configure(t.Context(), sdk.Settings{Options: options}); err != nil || remarks.Refused() {
		t.Fatal(err, remarks)
	}
	begun, ended := make(chan struct{}), make(chan error)
	go func() {
		for i := 0; ; i++ {
			if _, err := e.EmbedWords(t.Context(), []string{"river", "lamp", strings.Repeat("garden ", 100)}); err != nil {
				ended <- err
				return
			}
			if i == 0 {
				close(begun)
			}
		}
	}()
	<-begun
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; !strings.Contains(err.Error(), "configure it first") {
		t.Error(err)
	}
}
