package corpus

import (
	"bytes"
	"errors"
	"io"

	"github.com/bertopic-go/bertopic/internal/par"
)

// jsonl is the format jsonl.
type jsonl struct {
	p       lineParser
	r       *lineReader // of a pipe: a line is a row as soon as it is there
	windows *windows    // of a file: its lines are parsed many at a time
	ready   []parsed    // rows of a window that are not handed out
	rows    int
	ids     bool // the rows have ids: settled by the first
	found   [roles]bool
	columns []string // keys seen, in order, for messages
	known   map[string]bool
}

// Missing columns are reported once this many rows were read without a text or
// an image, or else at the end.
const (
	patience   = 1000
	maxColumns = 1000
)

func newJSONL(s *stream, o Options) (*jsonl, error) {
	r, err := s.text(o)
	if err != nil {
		return nil, err
	}
	j := &jsonl{p: lineParser{wanted: o.wanted(), replace: o.replace()}, known: map[string]bool{}}
	if j.p.wanted[roleText].name == "" && j.p.wanted[roleImage].name == "" {
		return nil, noContent(j.p.wanted, nil)
	}
	if s.once {
		j.r = newLineReader(r)
	} else {
		j.windows = &windows{r: r}
	}
	return j, nil
}

func (j *jsonl) next(row *Row) error {
	p, err := j.parsed()
	if err == io.EOF {
		return j.end()
	} else if err != nil {
		return err
	}
	p.row.Index = row.Index
	*row = p.row
	if p.list && j.rows == 0 {
		return fault("this is a JSON list; one object a line is read").hint("write the elements of the list on lines of their own, for example by: jq -c '.[]'")
	}
	for _, key := range p.keys {
		if !j.known[key] && len(j.columns) < maxColumns {
			j.known[key] = true
			j.columns = append(j.columns, key)
		}
	}
	for role, has := range p.has {
		j.found[role] = j.found[role] || has
	}
	if p.err != nil {
		return p.err
	}
	return j.check(&p.has)
}

// parsed returns the next line that is not blank.
func (j *jsonl) parsed() (*parsed, error) {
	if j.r != nil {
		for {
			line, err := j.r.next()
			if err != nil {
				return nil, err
			}
			if !blank(line) {
				p := j.p.parse(line, j.r.line)
				return &p, nil
			}
		}
	}
	for len(j.ready) == 0 {
		lines, err := j.windows.next()
		if err != nil {
			return nil, err
		}
		j.ready = parseLines(&j.p, lines)
	}
	p := &j.ready[0]
	j.ready = j.ready[1:]
	return p, nil
}

// parseLines parses lines on all cores; what comes of each is a function of the
// line alone.
func parseLines(p *lineParser, lines []textLine) []parsed {
	out := make([]parsed, len(lines))
	par.Blocks(0, len(lines), 64, func(_, lo, hi int) {
		p := lineParser{wanted: p.wanted, replace: p.replace}
		for i, l := range lines[lo:hi] {
			out[lo+i] = p.parse(l.text, l.number)
		}
	})
	return out
}

func blank(line []byte) bool { return len(bytes.TrimLeft(line, " \t\r")) == 0 }

// parsed is what a line holds, whatever stands before it.
type parsed struct {
	row  Row
	has  [roles]bool
	keys []string // with their escapes resolved; none where the line before had them
	list bool     // it begins as a JSON list
	err  error
}

// lineParser parses lines. It remembers the keys of the last, so as not to name
// those of every line.
type lineParser struct {
	wanted  [roles]wanted
	replace bool
	keys    []string
}

func (l *lineParser) parse(line []byte, number int) (out parsed) {
	out.row.Line = number
	t := jsonText{b: line}
	out.list = t.peek() == '['
	keys := 0
	err := t.object(func(quoted, value []byte) error {
		key := quoted[1 : len(quoted)-1]
		if bytes.IndexByte(key, '\\') >= 0 {
			s, _ := unquote(quoted)
			key = []byte(s)
		}
		if out.keys == nil && keys < len(l.keys) && l.keys[keys] == string(key) {
			keys++
		} else {
			if out.keys == nil {
				out.keys = append(out.keys, l.keys[:keys]...)
			}
			out.keys = append(out.keys, string(key))
		}
		return l.member(&out, key, value)
	})
	if out.keys != nil {
		l.keys = out.keys
	}
	var bad *syntaxError
	if errors.As(err, &bad) {
		e := fault("not valid JSON, byte %d of the line: %s", bad.at+1, bad.msg)
		if bad.at >= len(line) {
			e.hint("an object must stand on one line of its own")
		}
		err = e
	}
	out.err = err
	return out
}

// member takes one key and its value into the row.
func (l *lineParser) member(out *parsed, key, value []byte) error {
	for role := range l.wanted {
		if l.wanted[role].name == "" || l.wanted[role].name != string(key) {
			continue
		}
		if out.has[role] {
			return fault("the key stands there twice").at(string(key))
		}
		out.has[role] = true
		if err := l.take(&out.row, role, value); err != nil {
			err.Column = string(key)
			return err
		}
	}
	return nil
}

func (l *lineParser) take(row *Row, role int, value []byte) *Error {
	if value[0] == 'n' { // null
		if role == roleID {
			return noID("")
		}
		return nil
	}
	switch role {
	case roleText:
		if value[0] != '"' {
			return fault("expected a string or null, found %s", kind(value)).hint("a text stands in double quotes")
		}
		s, err := l.unquote(value)
		row.Text, row.HasText = s, true
		return err
	case roleImage:
		return l.images(row, value)
	}
	s, err := l.scalar(value)
	switch role {
	case roleID:
		if err == nil && s == "" {
			err = noID("")
		}
		row.ID = s
	case roleTimestamp:
		row.Timestamp = s
	case roleClass:
		row.Class = s
	}
	return err
}

func (l *lineParser) images(row *Row, value []byte) *Error {
	add := func(value []byte) *Error {
		if value[0] != '"' {
			return fault("expected a path, a list of paths or null, found %s", kind(value))
		}
		s, err := l.unquote(value)
		if s != "" {
			row.Images = append(row.Images, s)
		}
		return err
	}
	if value[0] != '[' {
		return add(value)
	}
	p := jsonText{b: value}
	var fail *Error
	p.list(1, func(value []byte) error { // the text was checked before
		if fail == nil {
			fail = add(value)
		}
		return nil
	})
	return fail
}

// scalar returns a string's content, or a number or truth value as it stands.
func (l *lineParser) scalar(value []byte) (string, *Error) {
	switch value[0] {
	case '"':
		return l.unquote(value)
	case '{', '[':
		return "", fault("expected a string or a number, found %s", kind(value))
	}
	return string(value), nil
}

func (l *lineParser) unquote(value []byte) (string, *Error) {
	s, ok := unquote(value)
	if !ok && !l.replace {
		return "", fault("the text holds half of a surrogate pair, which is not a character").
			hint("write the text again from its source, or set invalid UTF-8 to be replaced")
	}
	return s, nil
}

func kind(value []byte) string {
	switch value[0] {
	case '"':
		return "a string"
	case '{':
		return "an object"
	case '[':
		return "a list"
	case 't', 'f':
		return "a truth value"
	case 'n':
		return "null"
	}
	return "a number"
}

// check holds what all rows must agree on.
func (j *jsonl) check(has *[roles]bool) error {
	id := j.p.wanted[roleID]
	if j.rows == 0 {
		j.ids = has[roleID] || id.explicit
	}
	j.rows++
	switch {
	case j.ids && !has[roleID] && j.found[roleID]:
		return noID(id.name)
	case j.ids && !has[roleID]:
		return missingColumn(roleID, id.name, j.columns)
	case !j.ids && has[roleID]:
		return fault("this row has an id and the rows before it have none").at(id.name).hint("give every row an id, or read the corpus without ids by the column name %q", NoColumn)
	}
	if j.rows == patience {
		return j.content()
	}
	return nil
}

// content reports a corpus that shows neither texts nor pictures.
func (j *jsonl) content() error {
	if j.rows == 0 || j.found[roleText] || j.found[roleImage] {
		return nil
	}
	if w := j.p.wanted[roleText]; w.explicit {
		return missingColumn(roleText, w.name, j.columns)
	}
	if w := j.p.wanted[roleImage]; w.explicit {
		return missingColumn(roleImage, w.name, j.columns)
	}
	return noContent(j.p.wanted, j.columns)
}

// end returns io.EOF, or what is wrong with the corpus as a whole.
func (j *jsonl) end() error {
	if err := j.content(); err != nil {
		return err
	}
	for role, w := range j.p.wanted {
		if w.explicit && !j.found[role] && j.rows > 0 {
			return missingColumn(role, w.name, j.columns)
		}
	}
	return io.EOF
}

func (j *jsonl) close() error { return nil }
