package corpus

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
)

type document struct {
	ID    int64    `parquet:"id"`
	Text  *string  `parquet:"text,optional"`
	Image []string `parquet:"image,list"`
	Path  string   `parquet:"path"`
	Label string   `parquet:"label,dict"`
	Score float64  `parquet:"score"`
	Raw   []byte   `parquet:"raw"`
}

func parquetFile(t *testing.T) string {
	t.Helper()
	s := func(s string) *string { return &s }
	var b bytes.Buffer
	err := parquet.Write(&b, []document{
		{ID: 10, Text: s("one"), Image: []string{"a.png", "", "b.png"}, Path: "p.png", Label: "x", Raw: []byte("ok")},
		{ID: 11, Text: s(""), Path: "", Label: "y", Raw: []byte("a\xffb")},
		{ID: 12, Label: "x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestParquet(t *testing.T) {
	content := parquetFile(t)
	want := []Row{
		{ID: "10", Text: "one", HasText: true, Images: []string{"a.png", "b.png"}, Class: "x"},
		{ID: "11", Index: 1, HasText: true, Class: "y"},
		{ID: "12", Index: 2, Class: "x"},
	}
	path := write(t, "c.parquet", content)
	for name, o := range map[string]Options{
		"file":  {Path: path},
		"gz":    {Path: write(t, "c.parquet.gz", zipped(content))},
		"stdin": {Path: "-", Stdin: strings.NewReader(content)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			o.Class = "label"
			o.BaseDir = "."
			got, err := readAll(o)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("rows (-want +got):\n%s", d)
			}
			if left, _ := os.ReadDir(os.TempDir()); len(left) != 0 {
				t.Errorf("%s is left", left[0].Name())
			}
		})
	}
	got, err := readAll(Options{Path: path, Text: "label", Image: "path", BaseDir: "d"})
	if err != nil || got[0].Text != "x" || got[0].Images[0] != "d/p.png" || got[1].Images != nil {
		t.Errorf("other columns: %+v, %v", got, err)
	}
	got, err = readAll(Options{Path: path, Text: "raw", InvalidUTF8: "replace"})
	if err != nil || got[1].Text != "a\ufffdb" {
		t.Errorf("replaced: %+v, %v", got, err)
	}
}

func TestParquetFaults(t *testing.T) {
	content := parquetFile(t)
	for _, c := range []struct {
		name, content string
		o             Options
		want          string
	}{
		{"no column", content, Options{Text: "texts"},
			`standard input: column "texts": there is no such column for the text; the columns are: "id", "text", "image", "path", "label", "score", "raw" (did you mean "text"?)`},
		{"number for text", content, Options{Text: "id"}, `standard input: column "id": expected strings for the text, found whole numbers`},
		{"list for text", content, Options{Text: "image"}, `standard input: column "image": expected one value a row for the text, found lists`},
		{"float for class", content, Options{Class: "score"}, `standard input: column "score": expected strings or whole numbers for the class, found floating-point numbers`},
		{"invalid UTF-8", content, Options{Text: "raw"},
			`standard input: row 1: column "raw": invalid UTF-8 at byte 1 of the value (byte 0xff) (write the column as UTF-8, or set invalid UTF-8 to be replaced)`},
		{"id twice", content, Options{ID: "label"}, `standard input: row 2: the id "x" is that of row 0 already (ids must be unique; leave the id column out to number the rows)`},
		{"id empty", content, Options{ID: "path"}, `standard input: row 1: column "path": this row has no id (give every row an id, or leave the id column out to number the rows)`},
		{"cut", content[:len(content)-50], Options{}, `standard input: open Parquet file: the Parquet file has no footer: it is truncated`},
		{"gz cut", zipped(content)[:300], Options{}, `standard input: the gzip data ends early: the file is truncated: unexpected EOF (fetch or compress it again)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("TMPDIR", t.TempDir())
			c.o.Path, c.o.Format, c.o.Stdin = "-", "parquet", strings.NewReader(c.content)
			_, err := readAll(c.o)
			var e *Error
			if !errors.As(err, &e) || err.Error() != c.want {
				t.Errorf("error\n%v\nwant\n%s", err, c.want)
			}
			if left, _ := os.ReadDir(os.TempDir()); len(left) != 0 {
				t.Errorf("%s is left", left[0].Name())
			}
		})
	}
}

func TestParquetHash(t *testing.T) {
	content := parquetFile(t)
	a, errA := sum(Options{Path: write(t, "c.parquet", content)})
	b, errB := sum(Options{Path: "-", Stdin: strings.NewReader(content)})
	if a != b || a == "" || errA != nil || errB != nil {
		t.Errorf("%q %v, %q %v", a, errA, b, errB)
	}
}

func sum(o Options) (string, error) {
	r, err := Open(context.Background(), o)
	if err != nil {
		return "", err
	}
	defer r.Close()
	for _, err := range r.All() {
		if err != nil {
			return "", err
		}
	}
	return r.SHA256()
}
