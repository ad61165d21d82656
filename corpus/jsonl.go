package corpus

import (
	"bytes"
	"errors"
	"io"
)

// jsonl is the format jsonl.
type jsonl struct {
	r       *lineReader
	wanted  [roles]wanted
	replace bool
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
	j := &jsonl{r: newLineReader(r), wanted: o.wanted(), replace: o.replace(), known: map[string]bool{}}
	if j.wanted[roleText].name == "" && j.wanted[roleImage].name == "" {
		return nil, noContent(j.wanted, nil)
	}
	return j, nil
}

func (j *jsonl) next(row *Row) error {
	var line []byte
	for len(bytes.TrimLeft(line, " \t\r")) == 0 { // blank lines are not rows
		var err error
		if line, err = j.r.next(); err == io.EOF {
			return j.end()
		} else if err != nil {
			return err
		}
	}
	row.Line = j.r.line
	p := jsonText{b: line}
	if p.peek() == '[' && j.rows == 0 {
		return fault("this is a JSON list; one object a line is read").hint("write the elements of the list on lines of their own, for example by: jq -c '.[]'")
	}
	var has [roles]bool
	err := p.object(func(key, value []byte) error { return j.member(row, &has, key, value) })
	var bad *syntaxError
	if errors.As(err, &bad) {
		e := fault("not valid JSON, byte %d of the line: %s", bad.at+1, bad.msg)
		if bad.at >= len(line) {
			e.hint("an object must stand on one line of its own")
		}
		return e
	}
	if err != nil {
		return err
	}
	return j.check(&has)
}

// member takes one key and its value into the row.
func (j *jsonl) member(row *Row, has *[roles]bool, quoted, value []byte) error {
	key := quoted[1 : len(quoted)-1]
	if bytes.IndexByte(key, '\\') >= 0 {
		s, _ := unquote(quoted)
		key = []byte(s)
	}
	if !j.known[string(key)] && len(j.columns) < maxColumns {
		j.known[string(key)] = true
		j.columns = append(j.columns, string(key))
	}
	for role := range j.wanted {
		if j.wanted[role].name == "" || j.wanted[role].name != string(key) {
			continue
		}
		if has[role] {
			return fault("the key stands there twice").at(string(key))
		}
		has[role], j.found[role] = true, true
		if err := j.take(row, role, value); err != nil {
			err.Column = string(key)
			return err
		}
	}
	return nil
}

func (j *jsonl) take(row *Row, role int, value []byte) *Error {
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
		s, err := j.unquote(value)
		row.Text, row.HasText = s, true
		return err
	case roleImage:
		return j.images(row, value)
	}
	s, err := j.scalar(value)
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

func (j *jsonl) images(row *Row, value []byte) *Error {
	add := func(value []byte) *Error {
		if value[0] != '"' {
			return fault("expected a path, a list of paths or null, found %s", kind(value))
		}
		s, err := j.unquote(value)
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
func (j *jsonl) scalar(value []byte) (string, *Error) {
	switch value[0] {
	case '"':
		return j.unquote(value)
	case '{', '[':
		return "", fault("expected a string or a number, found %s", kind(value))
	}
	return string(value), nil
}

func (j *jsonl) unquote(value []byte) (string, *Error) {
	s, ok := unquote(value)
	if !ok && !j.replace {
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
	id := j.wanted[roleID]
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
	if w := j.wanted[roleText]; w.explicit {
		return missingColumn(roleText, w.name, j.columns)
	}
	if w := j.wanted[roleImage]; w.explicit {
		return missingColumn(roleImage, w.name, j.columns)
	}
	return noContent(j.wanted, j.columns)
}

// end returns io.EOF, or what is wrong with the corpus as a whole.
func (j *jsonl) end() error {
	if err := j.content(); err != nil {
		return err
	}
	for role, w := range j.wanted {
		if w.explicit && !j.found[role] && j.rows > 0 {
			return missingColumn(role, w.name, j.columns)
		}
	}
	return io.EOF
}

func (j *jsonl) close() error { return nil }
