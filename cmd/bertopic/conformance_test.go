package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/run"
)

func TestConformance(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_DATA_HOME", filepath.Join(dir, "data"))
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	try := func(code int, args ...string) (stdout, stderr string) {
		t.Helper()
		var out, errs bytes.Buffer
		args = append([]string{"conformance", "--dir", programs}, args...)
		if got := runMain(t.Context(), args, strings.NewReader(""), &out, &errs); got != code {
			t.Fatalf("bertopic %s: exit code %d, not %d\n%s%s", strings.Join(args, " "), got, code, out.String(), errs.String())
		}
		return out.String(), errs.String()
	}

	junit := filepath.Join(dir, "junit.xml")
	config := write("run.toml", "[run]\nseed = 1\n[embedder]\nplugin = \"hashing\"\n[embedder.options]\ndimension = 64\n")
	corpus := write("corpus.txt", strings.Repeat("a document a line\nand another one\n", 20))
	out, _ := try(run.ExitDone, "hashing", "--options", config, "--sample", corpus, "--junit", junit)
	if !strings.Contains(out, "hashing 0.1.0 conforms to embedder protocol 1") {
		t.Errorf("got %s", out)
	}
	if text, err := os.ReadFile(junit); err != nil || !bytes.Contains(text, []byte(`failures="0"`)) {
		t.Errorf("got %s, %v", text, err)
	}

	bad := write("bad.json", `{"fault": "norm", "poison": "minister of finance counted the seeds"}`)
	out, errs := try(run.ExitEmbedder, "specimen", "--options", bad, "--json")
	var report struct{ Conforms bool }
	if err := json.Unmarshal([]byte(out), &report); err != nil || report.Conforms || !strings.Contains(errs, "broken: EMB-027") {
		t.Errorf("got %+v, %v, %s", report, err, errs)
	}

	// What came of it is remembered, until the program changes.
	list := func() string {
		var out, errs bytes.Buffer
		if code := runMain(t.Context(), []string{"plugins", "list", "--dir", programs}, strings.NewReader(""), &out, &errs); code != 0 {
			t.Fatalf("exit code %d: %s", code, errs.String())
		}
		return out.String()
	}
	for _, want := range []string{`hashing +0\.1\.0 +conforms \(\d\d of \d\d\)`, `specimen +0\.1\.0 +fails EMB-027`, `tfidf +0\.1\.0 +not checked`} {
		if out := list(); !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
	belongings := filepath.Join(programs, "bertopic-embedder-hashing.d")
	if err := os.Mkdir(belongings, 0o755); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(belongings)
	if out := list(); !regexp.MustCompile(`hashing +0\.1\.0 +changed since`).MatchString(out) {
		t.Errorf("got\n%s", out)
	}

	for _, args := range [][]string{{}, {"nothing"}, {"hashing", "--options", filepath.Join(dir, "none.toml")}, {"hashing", "--options", write("odd.toml", "= 1")}} {
		try(run.ExitUsage, args...)
	}
	try(run.ExitInput, "hashing", "--sample", write("empty.txt", ""))
	_, errs = try(run.ExitInput, "hashing", "--sample", write("pictures.jsonl", `{"image": "a.png"}`))
	if !strings.Contains(errs, "pictures.jsonl: none of the 1 rows of the sample is one that the program takes, which is rows of nothing but [text]") {
		t.Error(errs)
	}
}
