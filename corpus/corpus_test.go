package corpus

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// from reads a corpus from a text, as standard input.
func from(format, text string) Options {
	return Options{Path: "-", Format: format, Stdin: strings.NewReader(text)}
}

func readAll(o Options) ([]Row, error) {
	r, err := Open(context.Background(), o)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var rows []Row
	for row, err := range r.All() {
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func write(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func zipped(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, s)
	z.Close()
	return b.String()
}

func text(index, line int, s string) Row {
	return Row{ID: string(rune('0' + index)), Index: index, Line: line, Text: s, HasText: true}
}

func TestRows(t *testing.T) {
	long := strings.Repeat("wörd ", 60_000) // 360 kB: past every buffer
	for _, c := range []struct {
		name string
		o    Options
		want []Row
	}{
		{"txt", from("txt", "one\n\n two \r\nlast"), []Row{text(0, 1, "one"), text(1, 2, ""), text(2, 3, " two "), text(3, 4, "last")}},
		{"txt mark", from("txt", "\ufeffone\n"), []Row{text(0, 1, "one")}},
		{"txt long", from("txt", long+"\n"+long), []Row{text(0, 1, long), text(1, 2, long)}},
		{"txt empty", from("txt", ""), nil},
		{"txt one end", from("txt", "\n"), []Row{text(0, 1, "")}},
		{"jsonl", from("jsonl", `{"text":"a\n\"b\" \u00e9\ud83d\ude00\/","x":[1,{"y":null}],"label":3}`+"\r\n\n  \n"+`{"text":""}`),
			[]Row{text(0, 1, "a\n\"b\" é😀/"), text(1, 4, "")}},
		{"jsonl mark and long", from("jsonl", "\ufeff{\"text\":\""+long+"\"}\n"), []Row{text(0, 1, long)}},
		{"jsonl empty", from("jsonl", "\n"), nil},
		{"jsonl subsets", from("jsonl", `{"id":7,"text":null,"image":"a.png"}
{"id":"x","image":["b.png","","c/d.png"],"text":"t"}
{"id":-1.50,"other":true}
{"id":true,"image":null,"text":"u"}`), []Row{
			{ID: "7", Index: 0, Line: 1, Images: []string{"a.png"}},
			{ID: "x", Index: 1, Line: 2, Text: "t", HasText: true, Images: []string{"b.png", "c/d.png"}},
			{ID: "-1.50", Index: 2, Line: 3},
			{ID: "true", Index: 3, Line: 4, Text: "u", HasText: true}}},
		{"jsonl columns", Options{Path: "-", Format: "jsonl", Text: "body", ID: "doc", Timestamp: "when", Class: "label", Image: NoColumn,
			Stdin: strings.NewReader(`{"b\u006fdy":"t","doc":"d","when":1999,"label":"l","image":"no"}` + "\n" + `{"doc":"e"}`)}, []Row{
			{ID: "d", Line: 1, Text: "t", HasText: true, Timestamp: "1999", Class: "l"},
			{ID: "e", Index: 1, Line: 2}}},
		{"csv", from("csv", "id,text,other\r\na,\"x, \"\"y\"\"\r\nz\",1\r\nb,plain,2"), []Row{
			{ID: "a", Line: 2, Text: "x, \"y\"\nz", HasText: true},
			{ID: "b", Index: 1, Line: 4, Text: "plain", HasText: true}}},
		{"csv mark and blank", from("csv", "\ufefftext\n\none\n\"\"\n"), []Row{text(0, 3, "one"), {ID: "1", Index: 1, Line: 4}}},
		{"csv images", from("csv", "text,image\nt,a.png\n,\"[\"\"b.png\"\",\"\"c.png\"\"]\"\n,\n,[x].png\n"), []Row{
			{ID: "0", Line: 2, Text: "t", HasText: true, Images: []string{"a.png"}},
			{ID: "1", Index: 1, Line: 3, Images: []string{"b.png", "c.png"}},
			{ID: "2", Index: 2, Line: 4},
			{ID: "3", Index: 3, Line: 5, Images: []string{"[x].png"}}}},
		{"csv long", from("csv", "text\n\""+long+"\n"+long+"\"\n"), []Row{text(0, 2, long+"\n"+long)}},
		{"csv header only", from("csv", "text\n"), nil},
		{"csv empty", from("csv", ""), nil},
		{"tsv", from("tsv", "text\tid\na, b\t1\n\"c\td\"\t2\n"), []Row{
			{ID: "1", Line: 2, Text: "a, b", HasText: true}, {ID: "2", Index: 1, Line: 3, Text: "c\td", HasText: true}}},
		{"gz", from("", zipped("\ufeff{\"text\":\"x\"}")), []Row{text(0, 1, "x")}},
		{"gz members", from("txt", zipped("a\n")+zipped("b")), []Row{text(0, 1, "a"), text(1, 2, "b")}},
		{"sniff jsonl", from("", " \n{\"text\":\"x\"}"), []Row{text(0, 2, "x")}},
		{"sniff csv", from("", "\"text\",b\nx,y\n"), []Row{text(0, 2, "x")}},
		{"sniff tsv", from("", "b\ttext\r\nx,\ty\n"), []Row{text(0, 2, "y")}},
		{"sniff nothing", from("", ""), nil},
		{"by name", Options{Path: write(t, "C.JSONL.gz", zipped(`{"text":"x"}`))}, []Row{text(0, 1, "x")}},
		{"replace", Options{Path: "-", Format: "txt", InvalidUTF8: "replace", Stdin: strings.NewReader("a\xff\xfeb\n\xe2\x82\n\xe2\x82\xac\xc3")},
			[]Row{text(0, 1, "a\ufffd\ufffdb"), text(1, 2, "\ufffd\ufffd"), text(2, 3, "€\ufffd")}},
		{"replace surrogate", Options{Path: "-", Format: "jsonl", InvalidUTF8: "replace", Stdin: strings.NewReader(`{"text":"\ud800x\udc00\ud800\u0041"}`)},
			[]Row{text(0, 1, "\ufffdx\ufffd\ufffdA")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := readAll(c.o)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got); d != "" {
				if len(d) > 2000 {
					d = d[:2000]
				}
				t.Errorf("rows (-want +got):\n%s", d)
			}
		})
	}
}

func TestFaults(t *testing.T) {
	const column = "a\nb\n"
	many := strings.Repeat("{\"body\":\"x\"}\n", 1500)
	for _, c := range []struct {
		name string
		o    Options
		want string // the whole message
	}{
		{"utf8 txt", from("txt", "ab\nc\xffd\n"),
			`standard input:2: row 1: invalid UTF-8 (byte 0xff), byte 4 of the file (convert the file to UTF-8, or set invalid UTF-8 to be replaced)`},
		{"utf8 after mark", from("txt", "\ufeff\xc3("),
			`standard input:1: row 0: invalid UTF-8 (byte 0xc3), byte 3 of the file (convert the file to UTF-8, or set invalid UTF-8 to be replaced)`},
		{"utf8 cut at the end", from("jsonl", "{\"text\":\"a\"}\n{\"text\":\"\xe2\x82"),
			`standard input:2: row 1: invalid UTF-8 (byte 0xe2), byte 22 of the file (convert the file to UTF-8, or set invalid UTF-8 to be replaced)`},
		{"utf8 csv", from("csv", "text\n\"a\n\xff\"\n"),
			`standard input:3: row 0: invalid UTF-8 (byte 0xff), byte 8 of the file (convert the file to UTF-8, or set invalid UTF-8 to be replaced)`},
		{"surrogate", from("jsonl", `{"text":"\ud800"}`),
			`standard input:1: row 0: column "text": the text holds half of a surrogate pair, which is not a character (write the text again from its source, or set invalid UTF-8 to be replaced)`},
		{"number for text", from("jsonl", "{\"text\":\"a\"}\n\n{\"text\": 3}"),
			`standard input:3: row 1: column "text": expected a string or null, found a number (a text stands in double quotes)`},
		{"object for text", from("jsonl", `{"text":{}}`),
			`standard input:1: row 0: column "text": expected a string or null, found an object (a text stands in double quotes)`},
		{"number in images", from("jsonl", `{"image":["a",1]}`),
			`standard input:1: row 0: column "image": expected a path, a list of paths or null, found a number`},
		{"key twice", from("jsonl", `{"text":"a","text":"b"}`),
			`standard input:1: row 0: column "text": the key stands there twice`},
		{"bad JSON", from("jsonl", "{\"text\":\"a\"}\n{\"text\" \"b\"}"),
			`standard input:2: row 1: not valid JSON, byte 9 of the line: expected a colon after the key "text", found '"'`},
		{"pretty JSON", from("jsonl", "{\n \"text\": \"a\"\n}"),
			`standard input:1: row 0: not valid JSON, byte 2 of the line: expected a key in double quotes, found the end of the line (an object must stand on one line of its own)`},
		{"JSON list", from("", `[{"text":"a"}]`),
			`standard input:1: row 0: this is a JSON list; one object a line is read (write the elements of the list on lines of their own, for example by: jq -c '.[]')`},
		{"NaN", from("jsonl", `{"text":NaN}`),
			`standard input:1: row 0: not valid JSON, byte 9 of the line: NaN is not JSON: write a missing value as null`},
		{"no column jsonl", from("jsonl", `{"txet":"a","n":1}`),
			`standard input: there is no column "text" or "image"; the columns are: "txet", "n" (did you mean "txet" for the text?)`},
		{"no column early", Options{Path: "-", Format: "jsonl", Text: "bodies", Stdin: io.MultiReader(strings.NewReader(many), explosive{})},
			`standard input: column "bodies": there is no such column for the text; the columns are: "body"`},
		{"no class jsonl", Options{Path: "-", Format: "jsonl", Class: "lable", Stdin: strings.NewReader(`{"text":"a","label":1}`)},
			`standard input: column "lable": there is no such column for the class; the columns are: "text", "label" (did you mean "label"?)`},
		{"no id jsonl", Options{Path: "-", Format: "jsonl", ID: "uid", Stdin: strings.NewReader(`{"text":"a","uuid":1}`)},
			`standard input: column "uid": there is no such column for the id; the columns are: "text", "uuid" (did you mean "uuid"?)`},
		{"id lost", from("jsonl", "{\"id\":1,\"text\":\"\"}\n{\"text\":\"\"}"),
			`standard input:2: row 1: column "id": this row has no id (give every row an id, or leave the id column out to number the rows)`},
		{"id null", from("jsonl", "{\"id\":null,\"text\":\"\"}"),
			`standard input:1: row 0: column "id": this row has no id (give every row an id, or leave the id column out to number the rows)`},
		{"id late", from("jsonl", "{\"text\":\"\"}\n{\"id\":1,\"text\":\"\"}"),
			`standard input:2: row 1: column "id": this row has an id and the rows before it have none (give every row an id, or read the corpus without ids by the column name "-")`},
		{"id twice", from("csv", "id,text\na,x\nb,y\na,z\n"),
			`standard input:4: row 2: the id "a" is that of row 0 already (ids must be unique; leave the id column out to number the rows)`},
		{"id empty", from("csv", "id,text\n,x\n"),
			`standard input:2: row 0: column "id": this row has no id (give every row an id, or leave the id column out to number the rows)`},
		{"no column csv", Options{Path: "-", Format: "csv", Text: "Txt", Stdin: strings.NewReader("\nid,text\n")},
			`standard input:2: column "Txt": there is no such column for the text; the columns are: "id", "text" (did you mean "text"?)`},
		{"separator", from("csv", "id;text\na;b\n"),
			`standard input:1: there is no column "text" or "image"; the columns are: "id;text" (the header looks separated by ";": csv takes commas, tsv takes tabs)`},
		{"column twice", from("csv", "text,text\na,b\n"),
			`standard input:1: column "text": the header names this column twice (rename one of the two)`},
		{"ragged", from("csv", "id,text\n1,\"a\nb\"\n2,c,d\n"),
			`standard input:4: row 1: 3 fields where the header has 2 (a field that holds the separator or a line break needs double quotes around it)`},
		{"bare quote", from("csv", "id,text\n1,5\" disk\n"),
			`standard input:2: row 0: a double quote inside a field without quotes, byte 4 of the line (write the field as "...", each quote in it doubled)`},
		{"open quote", from("csv", "text\na\n\"b\nc\nd"),
			`standard input:3: row 1: a quoted field that is not closed, or text after its closing quote (line 5, byte 2) (write the field as "...", each quote in it doubled)`},
		{"gz cut", from("txt", zipped(column)[:15]),
			`standard input: the gzip data ends early: the file is truncated: unexpected EOF (fetch or compress it again)`},
		{"gz cut in the header", from("txt", zipped(column)[:5]),
			`standard input: the gzip data ends early: the file is truncated: unexpected EOF (fetch or compress it again)`},
		{"gz damaged", from("txt", flip(zipped(column))),
			`standard input: the gzip data is damaged: gzip: invalid checksum (fetch or compress it again)`},
		{"zip", from("txt", "PK\x03\x04..."),
			`standard input: this is a zip archive (or an Office document), not one of the formats: jsonl, csv, tsv, parquet, txt, texts, images (unpack or convert it first)`},
		{"utf-16", from("csv", "\xff\xfet\x00e\x00"),
			`standard input: this is UTF-16 text, not one of the formats: jsonl, csv, tsv, parquet, txt, texts, images (unpack or convert it first)`},
		{"unknown", from("", "hello, world\n"),
			`standard input: the format cannot be told from the name or the content (give the format: jsonl, csv, tsv, parquet, txt)`},
		{"txt column", Options{Path: "-", Format: "txt", Text: "body", Stdin: strings.NewReader("")},
			`standard input: column "body": a txt corpus has no columns (leave the names of the columns out)`},
		{"missing", Options{Path: "none.csv"}, `none.csv: open corpus: no such file or directory`},
		{"file as folder", Options{Path: "doc.go", Format: "texts"}, `doc.go: this is not a folder, but the format is texts`},
		{"folder as file", Options{Path: ".", Format: "csv"}, `.: this is a folder, but the format is csv (name a file, or the format texts or images)`},
		{"no content", Options{Path: "-", Format: "jsonl", Text: "-", Image: "-", Stdin: strings.NewReader("{}")}, `standard input: neither a text nor an image column is to be read`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := readAll(c.o)
			var e *Error
			if !errors.As(err, &e) || err.Error() != c.want {
				t.Errorf("error\n%v\nwant\n%s", err, c.want)
			}
		})
	}
}

// flip damages the check sum of gzip data.
func flip(s string) string {
	b := []byte(s)
	b[len(b)-8] ^= 1
	return string(b)
}

// A file that was cut late gives all that comes before.
func TestTruncatedLate(t *testing.T) {
	var b strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&b, "%d %x\n", i, i*i*7919)
	}
	z := zipped(b.String())
	rows, err := readAll(from("txt", z[:len(z)-20]))
	var e *Error
	if !errors.As(err, &e) || !errors.Is(err, io.ErrUnexpectedEOF) || e.Row != len(rows) || e.Row < 40_000 {
		t.Errorf("%d rows, then %v", len(rows), err)
	}
}

// explosive is a file that must not be read to its end.
type explosive struct{}

func (explosive) Read([]byte) (int, error) { return 0, errors.New("read too far") }

func TestErrorFields(t *testing.T) {
	_, err := readAll(from("jsonl", "{\"text\":\"a\"}\n{\"text\":1}\n"))
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%T", err)
	}
	if e.Path != "standard input" || e.Line != 2 || e.Row != 1 || e.Column != "text" || e.Offset != -1 || e.Hint == "" {
		t.Errorf("%+v", e)
	}
}

func TestValidateReportsAll(t *testing.T) {
	err := Options{Format: "jsnl", InvalidUTF8: "ignore"}.Validate()
	for _, want := range []string{"path of the corpus is empty", `did you mean "jsonl"`, `"ignore": error or replace`} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
	if _, err := Open(context.Background(), Options{Path: "-"}); err == nil {
		t.Error("standard input without a reader gave no error")
	}
}

func TestErrorsAreFinal(t *testing.T) {
	r, err := Open(context.Background(), from("jsonl", "{\"text\":1}\n{\"text\":\"a\"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, first := r.Next()
	if _, again := r.Next(); first == nil || again != first {
		t.Errorf("first %v, then %v", first, again)
	}
	r.Close()
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	r, err := Open(ctx, from("txt", "a\nb\n"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.Next()
	cancel()
	if _, err := r.Next(); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if _, err := Open(ctx, from("txt", "")); !errors.Is(err, context.Canceled) {
		t.Errorf("open: %v", err)
	}
}

// Images are relative to the corpus file, whatever the current folder.
func TestImagePaths(t *testing.T) {
	abs, _ := filepath.Abs("x.png")
	path := write(t, "data/c.jsonl", `{"image":["a/b.png","../c.png","http://host/d.png",`+quote(abs)+`]}`)
	dir := filepath.Dir(path)
	for base, want := range map[string][]string{
		"":      {filepath.Join(dir, "a", "b.png"), filepath.Join(filepath.Dir(dir), "c.png"), "http://host/d.png", abs},
		"other": {filepath.Join("other", "a", "b.png"), "c.png", "http://host/d.png", abs},
	} {
		rows, err := readAll(Options{Path: path, BaseDir: base})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, rows[0].Images); d != "" {
			t.Errorf("base %q: %s", base, d)
		}
	}
}

func quote(s string) string { return `"` + strings.ReplaceAll(s, `\`, `\\`) + `"` }

// The rows of a text do not depend on how it arrives.
func TestReadSizes(t *testing.T) {
	const in = "\ufeffid,text\na,\"é\xff\r\n😀\"\r\nb,\xe2\x82\xac\xe2\n"
	o := Options{Path: "-", Format: "csv", InvalidUTF8: "replace", Stdin: strings.NewReader(in)}
	want, err := readAll(o)
	if err != nil || len(want) != 2 {
		t.Fatal(want, err)
	}
	for n := 1; n < len(in); n++ {
		o.Stdin = &chunks{[]byte(in), n}
		got, err := readAll(o)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Fatalf("by %d bytes: %v %s", n, err, d)
		}
	}
}

type chunks struct {
	b []byte
	n int
}

func (c *chunks) Read(p []byte) (int, error) {
	if len(c.b) == 0 {
		return 0, io.EOF
	}
	n := copy(p, c.b[:min(c.n, len(c.b))])
	c.b = c.b[n:]
	return n, nil
}

// shared finds a file of the measuring data beside the repository.
func shared(tb testing.TB, name string) string {
	tb.Helper()
	path := filepath.Join("..", "..", "shared", "data", name)
	if _, err := os.Stat(path); err != nil {
		tb.Skip("the measuring data is not beside the repository")
	}
	return path
}

func Benchmark20ng(b *testing.B) {
	path := shared(b, "20ng.jsonl.gz")
	for b.Loop() {
		rows, err := readAll(Options{Path: path, Class: "label"})
		if err != nil || len(rows) != 18_331 {
			b.Fatal(len(rows), err)
		}
	}
}
