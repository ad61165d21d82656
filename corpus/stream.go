package corpus

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// bufferSize is that of every buffer between the file and the parser.
const bufferSize = 1 << 16

// stream is the content of one file: decompressed, without a byte order mark
// and, once text is called, valid UTF-8.
type stream struct {
	path  string // "-" for standard input
	once  bool   // standard input or a pipe: it can't be read twice
	file  io.Closer
	raw   *bufio.Reader // the file as it is
	sum   hash.Hash     // of raw, as it passes; only with once
	plain *bufio.Reader // after decompression
	gzip  bool
}

func openStream(o Options) (*stream, error) {
	if o.Path == "-" {
		return newStream("-", true, o.Stdin, nil)
	}
	f, err := os.Open(o.Path)
	if err != nil {
		return nil, fault("open corpus").by(cause(err))
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fault("open corpus").by(cause(err))
	}
	s, err := newStream(o.Path, !info.Mode().IsRegular(), f, f)
	if err != nil {
		f.Close()
		return nil, err
	}
	return s, nil
}

func newStream(path string, once bool, r io.Reader, file io.Closer) (*stream, error) {
	s := &stream{path: path, once: once, file: file}
	if once {
		s.sum = sha256.New()
		r = io.TeeReader(r, s.sum)
	}
	s.raw = bufio.NewReaderSize(r, bufferSize)
	s.plain = s.raw
	head, err := peek(s.raw, 6)
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(s.raw)
		if err != nil {
			return nil, gzipError(err)
		}
		s.gzip = true
		s.plain = bufio.NewReaderSize(gzipReader{z}, bufferSize)
		if head, err = peek(s.plain, 6); err != nil {
			return nil, err
		}
	}
	if kind := foreign(head); kind != "" {
		return nil, fault("this is %s, not one of the formats: %s", kind, strings.Join(formats, ", ")).hint("unpack or convert it first")
	}
	return s, nil
}

// peek is Peek that takes a short file for what it is.
func peek(r *bufio.Reader, n int) ([]byte, error) {
	b, err := r.Peek(n)
	if err == io.EOF {
		err = nil
	}
	return b, err
}

// foreign names a format that is often tried and not read, by its first bytes.
func foreign(head []byte) string {
	for _, f := range []struct{ magic, name string }{
		{"PK\x03\x04", "a zip archive (or an Office document)"},
		{"\x28\xb5\x2f\xfd", "zstd-compressed"},
		{"BZh", "bzip2-compressed"},
		{"\xfd7zXZ\x00", "xz-compressed"},
		{"\x1f\x8b", "gzip-compressed twice"},
		{"%PDF-", "a PDF document"},
		{"\xff\xfe", "UTF-16 text"},
		{"\xfe\xff", "UTF-16 text"},
	} {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return f.name
		}
	}
	return ""
}

// gzipReader says what is wrong with a gzip file.
type gzipReader struct{ z *gzip.Reader }

func (r gzipReader) Read(p []byte) (int, error) {
	n, err := r.z.Read(p)
	return n, gzipError(err)
}

func gzipError(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fault("the gzip data ends early: the file is truncated").hint("fetch or compress it again").by(err)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt):
		return fault("the gzip data is damaged").hint("fetch or compress it again").by(err)
	}
	return err
}

// text returns the content as text. A byte order mark is dropped; its bytes
// count in offsets.
func (s *stream) text(o Options) (io.Reader, error) {
	head, err := peek(s.plain, 3)
	if err != nil {
		return nil, err
	}
	v := &validReader{r: s.plain, replace: o.replace(), line: 1}
	if string(head) == "\ufeff" {
		s.plain.Discard(3)
		v.offset = 3
	}
	return v, nil
}

// extensions maps the ends of file names to formats.
var extensions = map[string]string{
	".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl",
	".csv": "csv", ".tsv": "tsv", ".tab": "tsv",
	".parquet": "parquet", ".pq": "parquet",
	".txt": "txt", ".text": "txt",
}

// sniff tells the format from the name, else from the first 64 KiB: Parquet's
// magic, an opening brace, or a first line that names a wanted column.
func (s *stream) sniff(o Options) (string, error) {
	name := strings.ToLower(filepath.Base(s.path))
	name = strings.TrimSuffix(name, ".gz")
	if f, ok := extensions[filepath.Ext(name)]; ok {
		return f, nil
	}
	head, err := peek(s.plain, bufferSize)
	if err != nil {
		return "", err
	}
	if bytes.HasPrefix(head, []byte("PAR1")) {
		return "parquet", nil
	}
	head = bytes.TrimPrefix(head, []byte("\ufeff"))
	if trimmed := bytes.TrimLeft(head, " \t\r\n"); len(trimmed) > 0 && (trimmed[0] == '{' || trimmed[0] == '[') {
		return "jsonl", nil
	}
	line, _, _ := bytes.Cut(head, []byte("\n"))
	for _, f := range []struct{ format, sep string }{{"tsv", "\t"}, {"csv", ","}} {
		columns := strings.Split(strings.TrimRight(string(line), "\r"), f.sep)
		for i, c := range columns {
			columns[i] = strings.Trim(c, `"`)
		}
		for _, w := range o.wanted() {
			if w.name != "" && slices.Contains(columns, w.name) {
				return f.format, nil
			}
		}
	}
	if len(head) == 0 {
		return "txt", nil // no rows in any format
	}
	return "", fault("the format cannot be told from the name or the content").
		hint("give the format: %s", strings.Join(formats[:5], ", "))
}

func (s *stream) close() error {
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}
