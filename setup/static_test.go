package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/hub"
)

func TestWordllama(t *testing.T) {
	offline(t)
	where := folders{data: t.TempDir(), cache: t.TempDir()}
	kept := wordllamaFiles
	t.Cleanup(func() { wordllamaFiles = kept })
	a := find(t, "wordllama")
	try := func(entries map[string]string) error {
		sum := pack(t, where, "w.whl", entries)
		a.wheels = map[string]wheel{"any": {pkg: "w==1", file: "w.whl", sha256: sum}}
		return install(context.Background(), a, where, "linux/amd64", &strings.Builder{})
	}
	entries := map[string]string{}
	for _, f := range kept {
		entries[f.from] = "content of " + f.name
	}
	if err := try(entries); err == nil || !strings.Contains(err.Error(), "has the SHA-256") {
		t.Errorf("a wrong table: %v", err)
	}
	wordllamaFiles = nil
	for _, f := range kept {
		f.sha256 = hexSum(entries[f.from])
		wordllamaFiles = append(wordllamaFiles, f)
	}
	delete(entries, kept[1].from)
	if err := try(entries); err == nil || !strings.Contains(err.Error(), kept[1].from) {
		t.Errorf("no tokenizer: %v", err)
	}
	entries[kept[1].from] = "content of " + kept[1].name
	if err := try(entries); err != nil {
		t.Fatal(err)
	}
	dir, err := hub.Resolve(filepath.Join(where.cache, "models"), where.data, wordllamaName)
	if err != nil || dir != a.target(where) {
		t.Fatalf("found at %s, %v", dir, err)
	}
	if m, err := hub.ReadManifest(dir); err != nil || len(m.Files) != 2 || m.Whole(dir) != nil || m.Name != wordllamaName {
		t.Errorf("manifest %+v, %v", m, err)
	}
	if err := install(context.Background(), a, where, "linux/amd64", &strings.Builder{}); err != nil {
		t.Errorf("the second time: %v", err)
	}
	os.Remove(filepath.Join(dir, "tokenizer.json"))
	if err := install(context.Background(), a, where, "linux/amd64", &strings.Builder{}); err == nil || !strings.Contains(err.Error(), "python3 is missing") {
		t.Errorf("half a model is taken: %v", err)
	}
}
