package corpus

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestColumnsAreNamedWhateverTheyAreCalled(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		content string
		want    []string
	}{
		"a.jsonl": {"{\"b\": 1, \"body\": \"x\"}\n{\"c\": 2}\n", []string{"b", "body", "c"}},
		"a.csv":   {"b,body\n1,x\n", []string{"b", "body"}},
		"a.tsv":   {"b\tbody\n1\tx\n", []string{"b", "body"}},
		"a.txt":   {"one\ntwo\n", nil},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(c.content), 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := Columns(context.Background(), Options{Path: path})
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, c.want)
		}
	}
	if got, err := Columns(context.Background(), Options{Path: dir}); err != nil || got != nil {
		t.Errorf("a folder: %v, %v", got, err)
	}
	if _, err := Columns(context.Background(), Options{Path: filepath.Join(dir, "none")}); err == nil {
		t.Error("a corpus that is not there has columns")
	}
}
