package corpus

import (
	"bufio"
	"io"
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
