package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/conformance"
)

// built builds this program and bertopic.
func built(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds programs and starts processes")
	}
	dir := t.TempDir()
	for name, pkg := range map[string]string{"bertopic-embedder-spacyish": ".", "bertopic": "../../cmd/bertopic"} {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, name), pkg).CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", pkg, err, out)
		}
	}
	return dir
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// The program conforms, and the example runs: with the tiny pipeline, on a
// corpus of three subjects in its words.
func TestPrograms(t *testing.T) {
	dir := built(t)
	tiny := absolute(t, filepath.Join("testdata", "tiny"))
	report := conformance.Test(t, conformance.Config{Program: "spacyish", Dirs: []string{dir}, Options: map[string]any{"model": tiny}})
	if report != nil && !report.Conforms {
		t.Error("it does not conform")
	}
	subjects := [][]string{
		strings.Fields("rain river hills coast bridge night winter train"),
		strings.Fields("match goalkeeper team won votes last good finance"),
		strings.Fields("song violinist played kitchen drawer letter grandmother midnight"),
	}
	var corpus strings.Builder
	for i := range 120 {
		words := subjects[i%3]
		text := fmt.Sprintf("The %s (%s), a %s and %s.", words[i%8], words[(i/3)%8], words[(i/5)%8], words[(i/7)%8])
		fmt.Fprintf(&corpus, "{\"id\": \"%d\", \"text\": %q, \"class\": \"%d\"}\n", i, text, i%3)
	}
	work := t.TempDir()
	if err := os.WriteFile(filepath.Join(work, "corpus.jsonl"), []byte(corpus.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dir, "bertopic"), "run", absolute(t, "../../examples/spacyish.toml"),
		"--set", "embedder.options.model="+tiny, "--set", "corpus.path="+filepath.Join(work, "corpus.jsonl"),
		"--set", "run.out="+filepath.Join(work, "out"), "--set", "cluster.min_cluster_size=10")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(work, "out", "run.json"))
	if err != nil {
		t.Fatal(err)
	}
	var run map[string]any
	if err := json.Unmarshal(text, &run); err != nil || !strings.Contains(string(text), "spacyish") {
		t.Errorf("run.json: %v\n%.500s", err, text)
	}
}
