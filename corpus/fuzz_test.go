package corpus

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzJSON holds the parser against encoding/json: they accept the same lines
// and see the same text.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{
		`{"text":"a"}`, `{"text":"\u00e9\ud83d\ude00\ud800x","b":[1.5e-3,true,{"c":null}],"d":-0}`, ` { } `, `{"text":01}`,
		`{"text":1.}`, `{"a":"\x"}`, `{"a":[1,]}`, `{"":{}}`, `{"a":tru}`, `{"a":"` + "\x01" + `"}`, `[1]`, `"a"`, `{"a":1}{}`, `{"a":1,}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.ContainsAny(line, "\n") || !utf8.Valid(line) || bytes.Count(line, []byte{'['})+bytes.Count(line, []byte{'{'}) > maxDepth {
			return
		}
		var keys []string
		values := map[string]string{}
		p := jsonText{b: line}
		err := p.object(func(key, value []byte) error {
			k, _ := unquote(key)
			keys = append(keys, k)
			delete(values, k) // of one key, the last counts
			if value[0] == '"' {
				values[k], _ = unquote(value)
			}
			return nil
		})
		var want map[string]any
		wantErr := json.Unmarshal(line, &want)
		if wantErr == nil && want == nil {
			wantErr = errors.New("null")
		}
		if (err == nil) != (wantErr == nil) && !strings.Contains(errString(wantErr), "cannot unmarshal number") {
			t.Fatalf("%q: %v, encoding/json says %v", line, err, wantErr)
		}
		if err != nil {
			return
		}
		for _, k := range keys {
			s, isString := want[k].(string)
			if got, ok := values[k]; ok != isString || got != s {
				t.Fatalf("%q: key %q is %q, encoding/json says %v", line, k, got, want[k])
			}
		}
	})
}

func errString(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// fuzzRows reads any input in one format: rows or a named error come out,
// rows in order with unique ids and valid text.
func fuzzRows(t *testing.T, format string, in []byte) []Row {
	var strict, lenient []Row
	for _, invalid := range []string{"error", "replace"} {
		rows, err := readAll(Options{Path: "-", Format: format, InvalidUTF8: invalid, Stdin: bytes.NewReader(in)})
		var e *Error
		if err != nil && (!errors.As(err, &e) || e.Path == "" || e.Msg == "") {
			t.Fatalf("error without a place: %v", err)
		}
		seen := map[string]bool{}
		for i, r := range rows {
			if r.Index != i || r.ID == "" || seen[r.ID] || !utf8.ValidString(r.Text) || !r.HasText && r.Text != "" {
				t.Fatalf("row %d is %+v", i, r)
			}
			seen[r.ID] = true
		}
		if invalid == "error" {
			strict = rows
		} else {
			lenient = rows
		}
		if err != nil {
			return nil
		}
	}
	if len(strict) != len(lenient) {
		t.Fatalf("%d rows, but %d with replacement", len(strict), len(lenient))
	}
	return strict
}

func FuzzJSONL(f *testing.F) {
	f.Add([]byte("\ufeff{\"text\":\"a\"}\r\n\n{\"text\":null,\"image\":[\"x\"]}"))
	f.Add([]byte("{\"id\":1,\"text\":\"\xff\"}\n{\"id\":1}"))
	f.Add([]byte(zipped("{\"text\":\"a\"}\n")))
	f.Add([]byte("{\"text\":\"a\",\"b\":1}\n{\"b\":2}\n \n{\"text\":\"\\ud800\"}\r\n{\"c\":0,\"text\":7}\n[]"))
	f.Fuzz(func(t *testing.T, b []byte) {
		fuzzRows(t, "jsonl", b)
		byWindows(t, b)
	})
}

// byWindows holds the rows of a file, which is parsed many lines at a time,
// equal to those of a pipe, and what is wrong with it.
func byWindows(t *testing.T, b []byte) {
	path := filepath.Join(t.TempDir(), "x")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	o := Options{Path: "-", Format: "jsonl", Stdin: bytes.NewReader(b), BaseDir: "/"}
	want, wantErr := readAll(o)
	o.Path = path
	defer func(was int) { windowSize = was }(windowSize)
	for _, windowSize = range []int{1, 40, 1 << 20} {
		got, err := readAll(o)
		where := strings.ReplaceAll(errString(err), path, "standard input")
		if !reflect.DeepEqual(got, want) || where != errString(wantErr) {
			t.Fatalf("windows of %d bytes: %d rows, %v; a line at a time: %d rows, %v", windowSize, len(got), err, len(want), wantErr)
		}
	}
}

func TestWindows(t *testing.T) {
	var b bytes.Buffer
	for i := range 2000 {
		fmt.Fprintf(&b, "{\"n\":%d,\"text\":\"%s\",\"id\":\"r%d\"}\n", i, strings.Repeat("\\n\u00e9 x", i%90), i)
	}
	byWindows(t, b.Bytes())
	byWindows(t, append(b.Bytes(), "{\"text\":1}\n{\"text\":\"\xff\"}\n"...))
	byWindows(t, append(b.Bytes(), "{\"text\":\"\xff\"}\n{\"text\":1}\n"...))
	byWindows(t, append(b.Bytes(), "{\"text\":\"the last line lacks its end\",\"id\":0}"...))
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("id,text\n1,\"a\nb\"\"\"\r\n2,c"))
	f.Add([]byte("\ufefftext,image\n\xff,\"[\"\"a\"\"]\"\n\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		rows := fuzzRows(t, "csv", b)
		if rows == nil || bytes.HasPrefix(b, []byte{0x1f, 0x8b}) {
			return
		}
		// Each row begins on the line of the file that it names.
		r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(b, []byte("\ufeff"))))
		header, _ := r.Read()
		at := slices.Index(header, "text")
		for _, row := range rows {
			rec, err := r.Read()
			line, _ := r.FieldPos(0)
			if err != nil || line != row.Line || at >= 0 && rec[at] != row.Text {
				t.Fatalf("row %+v, encoding/csv has %q on line %d, %v", row, rec, line, err)
			}
		}
		if _, err := r.Read(); err != io.EOF {
			t.Fatalf("%d rows, then %v", len(rows), err)
		}
	})
}

func FuzzSniff(f *testing.F) {
	f.Add([]byte("text\tid\na\tb\n"))
	f.Add([]byte("PAR1"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if !bytes.HasPrefix(b, []byte("PAR1")) { // has a fuzz target of its own
			fuzzRows(t, "", b)
		}
	})
}
