package parquetcol

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

func open(t testing.TB, b []byte) *File {
	t.Helper()
	f, err := Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// read returns the rows of a column, each as Format writes its values.
func read(f *File, name string) ([]string, error) {
	c, err := f.Column(name)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var out []string
	for {
		row, err := c.Next()
		if err == io.EOF {
			return out, c.Close()
		}
		if err != nil {
			return out, err
		}
		var parts []string
		for _, v := range row {
			s, ok := c.Format(v)
			switch {
			case v.IsNull():
				s = "null"
			case !ok:
				s = v.String()
			}
			parts = append(parts, s)
		}
		out = append(out, strings.Join(parts, "|"))
	}
}

// Every structure that pyarrow writes for the columns in question.
func TestReadsPyarrow(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "types.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	f := open(t, b)
	for name, want := range map[string][]string{
		"text":    {"a", "", "", "ünï"},
		"dict":    {"x", "y", "x", "x"},
		"int":     {"1", "-2", "", "9223372036854775807"},
		"uint":    {"1", "2", "3", "18446744073709551615"},
		"bool":    {"true", "false", "", "true"},
		"list":    {"p|q", "", "", "r|null"},
		"vector":  {"1|2", "3|4", "", "-0.5|0"},
		"fixed":   {"1|2", "3|4", "5|6", "7|8"},
		"ts_ms":   {"2026-11-26T12:00:00Z", "1969-12-31T23:59:59.999Z", "", "1970-01-01T00:00:00Z"},
		"ts_us":   {"2026-11-26T12:00:00Z", "1969-12-31T23:59:59.999999Z", "", "1970-01-01T00:00:00Z"},
		"ts_ns":   {"2026-11-26T12:00:00Z", "1969-12-31T23:59:59.999999999Z", "", "1970-01-01T00:00:00Z"},
		"date":    {"2026-11-26", "1969-12-31", "", "1970-01-01"},
		"missing": nil,
		"record":  nil,
		"nested":  nil,
	} {
		got, err := read(f, name)
		if !reflect.DeepEqual(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, want)
		}
	}
}

func TestInt96(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "int96.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := read(open(t, b), "ts")
	if want := []string{"2026-11-26T12:00:00Z", "1969-12-31T23:59:59.999999999Z"}; err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%q, %v", got, err)
	}
}

// Rows come out whole from small pages, several row groups and long lists.
func TestPagesAndGroups(t *testing.T) {
	type row struct {
		Text  string    `parquet:"text,optional"`
		List  []string  `parquet:"list,list"`
		Plain []float32 `parquet:"plain"`
	}
	var b bytes.Buffer
	w := parquet.NewGenericWriter[row](&b, parquet.PageBufferSize(100), parquet.MaxRowsPerRowGroup(500))
	var texts, lists, plains []string
	for i := range 2200 {
		r := row{Text: strings.Repeat("x", i%7)}
		for k := range i % 11 {
			r.List = append(r.List, fmt.Sprintf("%d-%d", i, k))
			r.Plain = append(r.Plain, float32(k))
		}
		if i == 1000 {
			for k := range 5000 {
				r.List = append(r.List, fmt.Sprint(k))
			}
		}
		texts = append(texts, r.Text)
		lists = append(lists, strings.Join(r.List, "|"))
		plains = append(plains, strings.ReplaceAll(strings.Trim(fmt.Sprint(r.Plain), "[]"), " ", "|"))
		if _, err := w.Write([]row{r}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	f := open(t, b.Bytes())
	if f.NumRows() != 2200 || !reflect.DeepEqual(f.Columns(), []string{"text", "list", "plain"}) {
		t.Errorf("%d rows, columns %v", f.NumRows(), f.Columns())
	}
	for name, want := range map[string][]string{"text": texts, "list": lists, "plain": plains} {
		got, err := read(f, name)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d rows, %v", name, len(got), err)
		}
	}
}

func TestNotParquet(t *testing.T) {
	good, err := os.ReadFile(filepath.Join("testdata", "types.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	long := bytes.Clone(good)
	copy(long[len(long)-8:], "\xff\xff\xff\xff")
	for want, b := range map[string][]byte{
		"too few":   nil,
		"not a":     []byte("hello, hello, hello"),
		"truncated": good[:len(good)-100],
		"longer":    long,
		"encrypted": []byte("PARE12345678PARE"),
	} {
		if _, err := Open(bytes.NewReader(b), int64(len(b))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestRefusesUnboundedCompression(t *testing.T) {
	type row struct{ X int64 }
	var b bytes.Buffer
	if err := parquet.Write(&b, []row{{1}}, parquet.Compression(&parquet.Lz4Raw)); err != nil {
		t.Fatal(err)
	}
	if _, err := read(open(t, b.Bytes()), "X"); err == nil || !strings.Contains(err.Error(), "write it with snappy") {
		t.Errorf("error %v", err)
	}
}

// A damaged file gives an error or other values, never a panic.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"types.parquet", "int96.parquet"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := Open(bytes.NewReader(b), int64(len(b)))
		if err != nil || x.NumRows() > 1000 {
			return
		}
		for _, name := range x.Columns() {
			read(x, name)
		}
	})
}
