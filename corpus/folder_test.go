package corpus

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		p := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

func TestFolderOfTexts(t *testing.T) {
	root := tree(t, map[string]string{
		"sci.space/49960":      "orbit\r\nmoon",
		"sci.space/deep/b.txt": "\ufeffdeep",
		"sci-fi.TXT":           "",
		"a.txt.gz":             zipped("packed"),
		"table.csv":            "text\nno\n",
		".hidden/x.txt":        "no",
		"sci.space/.DS_Store":  "no",
	})
	o := Options{Path: root, Class: "folder"}
	r, err := Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.Format() != "texts" {
		t.Errorf("format %q", r.Format())
	}
	if d := cmp.Diff([]string{"table.csv"}, r.Skipped()); d != "" {
		t.Errorf("skipped: %s", d)
	}
	got, err := readAll(o)
	if err != nil {
		t.Fatal(err)
	}
	// By the bytes of the whole path: "-" comes before "." comes before "/".
	want := []Row{
		{ID: "a.txt.gz", Index: 0, Text: "packed", HasText: true},
		{ID: "sci-fi.TXT", Index: 1, HasText: true},
		{ID: "sci.space/49960", Index: 2, Text: "orbit\nmoon", HasText: true, Class: "sci.space"},
		{ID: "sci.space/deep/b.txt", Index: 3, Text: "deep", HasText: true, Class: "sci.space"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("rows (-want +got):\n%s", d)
	}
}

func TestFolderOfPictures(t *testing.T) {
	root := tree(t, map[string]string{"cats/1.JPG": "", "dogs/2.webp": "", "0.png": "", "about.pdf": ""})
	got, err := readAll(Options{Path: root, Class: "folder"})
	if err != nil {
		t.Fatal(err)
	}
	want := []Row{
		{ID: "0.png", Images: []string{filepath.Join(root, "0.png")}},
		{ID: "cats/1.JPG", Index: 1, Images: []string{filepath.Join(root, "cats", "1.JPG")}, Class: "cats"},
		{ID: "dogs/2.webp", Index: 2, Images: []string{filepath.Join(root, "dogs", "2.webp")}, Class: "dogs"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("rows (-want +got):\n%s", d)
	}
}

func TestFolderFaults(t *testing.T) {
	root := tree(t, map[string]string{"a.txt": "fine", "b/c.txt": "x\ny\xff", "d.png": ""})
	if _, err := readAll(Options{Path: root}); err == nil || !strings.Contains(err.Error(), "2 texts and 1 pictures") {
		t.Errorf("mixed folder: %v", err)
	}
	rows, err := readAll(Options{Path: root, Format: "texts"})
	var e *Error
	if !errors.As(err, &e) || len(rows) != 1 || e.Path != filepath.Join(root, "b", "c.txt") || e.Row != 1 || e.Line != 2 || e.Offset != 3 {
		t.Errorf("%d rows, then %v", len(rows), err)
	}
	rows, err = readAll(Options{Path: root, Format: "texts", InvalidUTF8: "replace"})
	if err != nil || rows[1].Text != "x\ny\ufffd" {
		t.Errorf("replaced: %v %v", rows, err)
	}
	if _, err := readAll(Options{Path: root, Format: "texts", Class: "label"}); err == nil {
		t.Error("a class column of a folder gave no error")
	}
	if rows, err := readAll(Options{Path: t.TempDir()}); rows != nil || err != nil {
		t.Errorf("empty folder: %v, %v", rows, err)
	}
}

func TestSHA256(t *testing.T) {
	const content = "{\"text\":\"a\"}\n"
	sum := func(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }
	packed := zipped(content)
	root := tree(t, map[string]string{"b/x.txt": "1", "a.txt": "2", "skipped.csv": ""})
	manifest := sum("2") + "  a.txt\n" + sum("1") + "  b/x.txt\n"
	for name, c := range map[string]struct {
		o    Options
		want string
	}{
		"file":         {Options{Path: write(t, "c.jsonl", content)}, sum(content)},
		"gz":           {Options{Path: write(t, "c.jsonl.gz", packed)}, sum(packed)},
		"stdin":        {from("jsonl", content), sum(content)},
		"stdin gz":     {from("jsonl", packed), sum(packed)},
		"folder":       {Options{Path: root}, sum(manifest)},
		"beside":       {Options{Path: write(t, "c.jsonl", content), Hash: true}, sum(content)},
		"stdin beside": {Options{Path: "-", Format: "jsonl", Stdin: strings.NewReader(content), Hash: true}, sum(content)},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := Open(context.Background(), c.o)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if c.o.Path == "-" {
				if got, err := r.SHA256(); err == nil {
					t.Errorf("%q before the end of standard input", got)
				}
			}
			for _, err := range r.All() {
				if err != nil {
					t.Fatal(err)
				}
			}
			if got, err := r.SHA256(); got != c.want || err != nil {
				t.Errorf("%q, %v; want %q", got, err, c.want)
			}
		})
	}
}
