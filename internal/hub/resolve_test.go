package hub

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func put(t *testing.T, parts ...string) string {
	t.Helper()
	path := filepath.Join(parts...)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	return filepath.Dir(path)
}

func TestResolve(t *testing.T) {
	root := t.TempDir()
	models, base, home := filepath.Join(root, "models"), filepath.Join(root, "project"), filepath.Join(root, "home")
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	mini := put(t, models, "sentence-transformers", "mini", "config.json")
	bge := put(t, models, "BAAI", "bge", "modules.json")
	put(t, models, "one", "twice", "config.json")
	put(t, models, "two", "twice", "config.json")
	bare := put(t, models, "bare", "config.json")
	put(t, models, "sentence-transformers", ".hidden.part", "config.json")
	local := put(t, base, "local", "config.json")
	shadow := put(t, base, "shadow", "config.json")
	put(t, models, "sentence-transformers", "shadow", "config.json")
	put(t, base, "mini", "notes.txt") // a folder of that name that is no model
	odd := put(t, base, "odd", "weights.bin")
	deep := put(t, base, "a", "b", "c", "tokenizer.json")
	mine := put(t, home, "mine", "config.json")
	put(t, base, "file")

	good := map[string]string{
		"mini": mini, "sentence-transformers/mini": mini, "bge": bge, "BAAI/bge": bge, "one/twice": filepath.Join(models, "one", "twice"), "bare": bare,
		"local": local, "./local": local, local: local, "shadow": shadow, "sentence-transformers/shadow": filepath.Join(models, "sentence-transformers", "shadow"),
		"./odd": odd, "a/b/c": deep, "~/mine": mine, "local/": local, "../project/local": local,
	}
	for name, want := range good {
		if got, err := Resolve(models, base, name); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", name, got, err, want)
		}
	}
	bad := map[string]string{
		"":             "no model is named",
		"twice":        "one/twice or two/twice",
		"./mine":       "there is no folder",
		"odd":          "holds no model, and the models folder",
		"nowhere":      "has BAAI/bge, bare, one/twice, sentence-transformers/mini, sentence-transformers/shadow, two/twice; `bertopic models get sentence-transformers/nowhere`",
		"x/none":       "`bertopic models get x/none`",
		"file":         "is a file",
		"./file":       "is a file",
		"a b":          "the model a b is not here",
		".hidden.part": "not here", "sentence-transformers/.hidden.part": "not here", "../models/none": "there is no folder",
	}
	for name, want := range bad {
		_, err := Resolve(models, base, name)
		var e *NotFoundError
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
	if _, err := Resolve(filepath.Join(root, "none"), base, "x"); err == nil || !strings.Contains(err.Error(), "is empty") {
		t.Errorf("no models folder: %v", err)
	}
	t.Setenv("XDG_CACHE_HOME", filepath.Join(root, "cache"))
	if dir, err := ModelsDir(); err == nil && strings.HasPrefix(dir, root) {
		there := put(t, dir, "sentence-transformers", "default", "config.json")
		if got, err := Resolve("", "", "default"); err != nil || got != there {
			t.Errorf("the default folder: %s, %v", got, err)
		}
	}
}

func TestList(t *testing.T) {
	models := t.TempDir()
	if got, err := List(filepath.Join(models, "none")); err != nil || got != nil {
		t.Errorf("no folder: %v, %v", got, err)
	}
	put(t, models, "org", "own", "config.json")
	put(t, models, "org", "empty", "notes.txt")
	put(t, models, "org", ".half.part", "files", "config.json")
	put(t, models, "stray.txt")
	strange := put(t, models, "org", "strange", "config.json")
	os.WriteFile(filepath.Join(strange, manifestName), []byte(`{"format":1,"files":[{"path":"../x","size":1}]}`), 0o644)
	newer := put(t, models, "org", "newer", "config.json")
	os.WriteFile(filepath.Join(newer, manifestName), []byte(`{"format":2}`), 0o644)
	got, err := List(models)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct{ name, fault string }{
		{"org/empty", "holds no model"}, {"org/newer", "format is 2"}, {"org/own", ""}, {"org/strange", "leaves the model's folder"}, {"org/half", ""},
	}
	if len(got) != len(want) {
		t.Fatalf("listed %+v", got)
	}
	for i, w := range want {
		if got[i].Name != w.name || !strings.Contains(got[i].Fault, w.fault) || w.fault == "" && got[i].Fault != "" || got[i].Unfinished != (w.name == "org/half") || got[i].Bytes == 0 {
			t.Errorf("%d: %+v, want %+v", i, got[i], w)
		}
	}
}
