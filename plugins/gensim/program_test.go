package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/bertopic-go/bertopic/conformance"
)

// built builds this program and bertopic.
func built(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds programs and starts processes")
	}
	dir := t.TempDir()
	for name, pkg := range map[string]string{"bertopic-embedder-gensim": ".", "bertopic": "../../cmd/bertopic"} {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, name), pkg).CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", pkg, err, out)
		}
	}
	return dir
}

// TestPrograms: the program conforms, with a fit and without, and the example
// runs where its corpus and vectors are.
func TestPrograms(t *testing.T) {
	dir := built(t)
	for _, file := range []string{"conformance.toml", "conformance-tfidf.toml"} {
		t.Run(file, func(t *testing.T) {
			var f struct {
				Embedder struct{ Options map[string]any }
			}
			if _, err := toml.DecodeFile(filepath.Join("testdata", file), &f); err != nil {
				t.Fatal(err)
			}
			report := conformance.Test(t, conformance.Config{
				Program: "gensim", Dirs: []string{dir}, Options: f.Embedder.Options, BaseDir: absolute(t, "testdata"), CacheDir: t.TempDir(),
			})
			if report != nil && !report.Conforms {
				t.Error("it does not conform")
			}
		})
	}
	t.Run("example", func(t *testing.T) {
		glove(t)
		if _, err := os.Stat(filepath.Join("..", "..", "data", "bbc_news.jsonl")); err != nil {
			t.Skip("the articles of BBC News are not here: `make setup` brings them")
		}
		out := filepath.Join(t.TempDir(), "out")
		cmd := exec.Command(filepath.Join(dir, "bertopic"), "run", "../../examples/gensim.toml", "--out", out)
		text, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if i := strings.Index(string(text), "2225 rows"); i >= 0 {
			t.Log(strings.SplitN(string(text)[i:], "\n", 2)[0])
		}
		b, err := os.ReadFile(filepath.Join(out, "run.json"))
		if err != nil {
			t.Fatal(err)
		}
		var run struct {
			Quality struct {
				NMI float64 `json:"class_nmi"`
			}
		}
		if err := json.Unmarshal(b, &run); err != nil {
			t.Fatal(err)
		}
		if run.Quality.NMI < 0.7 {
			t.Errorf("NMI with the classes is %v", run.Quality.NMI)
		}
	})
}
