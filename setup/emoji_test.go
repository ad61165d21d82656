package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// packEmoji puts a package of emoji where setup takes it for one that npm has
// brought, and returns its SHA-256.
func packEmoji(t *testing.T, where folders, file string, entries []emojiEntry, without string) string {
	t.Helper()
	dir := filepath.Join(where.cache, "packages")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	zw := gzip.NewWriter(f)
	tw := tar.NewWriter(zw)
	add := func(name, content string) {
		if err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}); err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(tw, content)
	}
	for _, e := range entries {
		if e.Image != without {
			add("package/img/google/64/"+e.Image, "picture of "+e.Name)
		}
		add("package/img/google/128/"+e.Image, "another size")
	}
	list, err := json.Marshal(entries)
	if err != nil {
		t.Fatal(err)
	}
	add("package/emoji.json", string(list))
	for _, c := range []interface{ Close() error }{tw, zw, f} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	sum, err := fileSum(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

func TestEmoji(t *testing.T) {
	offline(t)
	where := folders{data: t.TempDir(), cache: t.TempDir()}
	entries := []emojiEntry{ // not in their order
		{"BANANA", "banana", "b.png", "Food & Drink", 30}, {"APPLE", "apple", "a.png", "Food & Drink", 20}, {"CHERRIES", "cherries", "c.png", "Food & Drink", 40},
		{"SKIN", "skin-tone-2", "s.png", "Component", 1}, {"Japan Flag", "flag-jp", "j.png", "Flags", 60}, {"DOG", "dog", "d.png", "Animals & Nature", 70},
	}
	kept, list := emojiCount, emojiHeldOut
	t.Cleanup(func() { emojiCount, emojiHeldOut = kept, list })
	emojiCount, emojiHeldOut = 5, filepath.Join(where.data, "held_out.txt")
	if err := os.WriteFile(emojiHeldOut, []byte("d.png\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	a := find(t, "mixed")
	if !a.asked {
		t.Error("every set-up brings the emoji")
	}
	try := func(without string) error {
		sum := packEmoji(t, where, "e.tgz", entries, without)
		a.wheels = map[string]wheel{"any": {pkg: "e@1", npm: true, file: "e.tgz", sha256: sum}}
		return install(context.Background(), a, where, "linux/amd64", &strings.Builder{})
	}
	if err := try("b.png"); err == nil || !strings.Contains(err.Error(), "no picture b.png of BANANA") {
		t.Errorf("a picture is missing: %v", err)
	}
	dir := filepath.Join(where.data, "emoji")
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("after a fault there are %v", left)
	}
	if err := try(""); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"corpus.jsonl": `{"id":"apple","class":"Food & Drink","text":"apple"}
{"id":"banana","class":"Food & Drink","image":"img/banana.png"}
{"id":"cherries","class":"Food & Drink","text":"cherries","image":"img/cherries.png"}
{"id":"flag-jp","class":"Flags","text":"japan flag"}
`,
		"img/banana.png": "picture of BANANA", "img/cherries.png": "picture of CHERRIES", "new/animals-nature/dog.png": "picture of DOG",
	} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != want {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	if pictures, _ := filepath.Glob(filepath.Join(dir, "img", "*")); len(pictures) != 2 {
		t.Errorf("pictures %v", pictures)
	}
	entries[0].ShortName = "../banana"
	if err := try(""); err == nil || !strings.Contains(err.Error(), "no name of a file") {
		t.Errorf("a name that leaves the folder: %v", err)
	}
	entries[0].ShortName = "banana"
	if err := os.WriteFile(emojiHeldOut, []byte("d.png\nx.png\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	entries[0].Name = "BANANAS" // so that the package is another one
	if err := try(""); err == nil || !strings.Contains(err.Error(), "1 of the 2 new pictures") {
		t.Errorf("a new picture is missing: %v", err)
	}
	os.RemoveAll(where.cache)
	if err := install(context.Background(), a, where, "linux/amd64", &strings.Builder{}); err == nil || !strings.Contains(err.Error(), "npm is missing: install Node.js") {
		t.Errorf("without npm: %v", err)
	}
	var out strings.Builder
	if err := run(context.Background(), []string{"mixd"}, &out); err == nil || !strings.Contains(err.Error(), "there are bbc-news, onnxruntime, minilm, ") || !strings.HasSuffix(err.Error(), ", mixed") {
		t.Errorf("an unknown asset: %v", err)
	}
}
