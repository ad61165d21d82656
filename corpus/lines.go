package corpus

import (
	"bufio"
	"bytes"
	"io"
	"slices"
)

// lineReader cuts text into lines of any length.
type lineReader struct {
	r    *bufio.Reader
	long []byte
	line int // number of the line last read, from 1
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, bufferSize)}
}

// next returns a line without its end ("\n" or "\r\n"), valid until the next
// call. The last line may lack its end; an end does not begin another line.
func (l *lineReader) next() ([]byte, error) {
	b, err := l.r.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		l.long = l.long[:0]
		for err == bufio.ErrBufferFull {
			l.long = append(l.long, b...)
			b, err = l.r.ReadSlice('\n')
		}
		l.long = append(l.long, b...)
		b = l.long
	}
	if err == io.EOF && len(b) > 0 {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	l.line++
	if n := len(b); b[n-1] == '\n' {
		b = b[:n-1]
	}
	if n := len(b); n > 0 && b[n-1] == '\r' {
		b = b[:n-1]
	}
	return b, nil
}

// textLine is a line without its end, and its number from 1.
type textLine struct {
	text   []byte
	number int
}

// windows cuts text into lines, many at a time.
type windows struct {
	r     io.Reader
	buf   []byte // what was read
	used  int    // how much of it has been handed out
	line  int    // number of the last line handed out
	lines []textLine
	err   error // of r, once what stands before it is handed out
}

// windowSize is about how much text is handed out at a time. Tests make it
// small.
var windowSize = 1 << 20

// next returns lines that are not blank, valid until the next call: those of
// which a reader line by line would tell before the error that ends them. It
// may return none.
func (w *windows) next() ([]textLine, error) {
	if w.err != nil {
		return nil, w.err
	}
	end := w.fill()
	w.lines = w.lines[:0]
	for w.used < end {
		text := w.buf[w.used:end]
		if i := bytes.IndexByte(text, '\n'); i >= 0 {
			text = text[:i]
			w.used++
		}
		w.used += len(text)
		w.line++
		if text = bytes.TrimSuffix(text, []byte{'\r'}); !blank(text) {
			w.lines = append(w.lines, textLine{text, w.line})
		}
	}
	return w.lines, nil
}

// fill reads on until there are whole lines, and returns where they end.
func (w *windows) fill() (end int) {
	rest := copy(w.buf, w.buf[w.used:])
	w.buf, w.used = w.buf[:rest], 0
	scanned := rest // no line ends before
	for w.err == nil {
		if len(w.buf) == cap(w.buf) {
			w.buf = slices.Grow(w.buf, max(windowSize, len(w.buf)))
		}
		n, err := w.r.Read(w.buf[len(w.buf):cap(w.buf)])
		w.buf, w.err = w.buf[:len(w.buf)+n], err
		if len(w.buf) < windowSize && err == nil {
			continue
		}
		if i := bytes.LastIndexByte(w.buf[scanned:], '\n'); i >= 0 {
			end = scanned + i + 1
		}
		if end > 0 {
			break
		}
		scanned = len(w.buf)
	}
	if w.err == io.EOF {
		end = len(w.buf) // the last line may lack its end
	}
	return end
}

// lines is the format txt.
type lines struct{ r *lineReader }

func newLines(s *stream, o Options) (*lines, error) {
	if err := noColumns(o, "a txt corpus", true); err != nil {
		return nil, err
	}
	r, err := s.text(o)
	if err != nil {
		return nil, err
	}
	return &lines{newLineReader(r)}, nil
}

// noColumns refuses names of columns other than the default ones.
func noColumns(o Options, what string, class bool) error {
	for role, w := range o.wanted() {
		if w.explicit && w.name != roleNames[role] && (class || role != roleClass) {
			return fault("%s has no columns", what).at(w.name).hint("leave the names of the columns out")
		}
	}
	return nil
}

func (l *lines) next(row *Row) error {
	b, err := l.r.next()
	if err != nil {
		return err
	}
	row.Text, row.HasText, row.Line = string(b), true, l.r.line
	return nil
}

func (l *lines) close() error { return nil }
