package corpus

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
)

// csvSource is the formats csv and tsv.
type csvSource struct {
	r       *csv.Reader
	columns []string
	at      [roles]int
}

func newCSV(s *stream, o Options, comma rune) (*csvSource, error) {
	text, err := s.text(o)
	if err != nil {
		return nil, err
	}
	c := &csvSource{r: csv.NewReader(text)}
	c.r.Comma = comma
	c.r.ReuseRecord = true
	c.r.FieldsPerRecord = -1 // counted here, for a better message
	header, err := c.r.Read()
	if err == io.EOF {
		return c, nil // an empty file has no rows
	}
	if err != nil {
		return nil, csvError(err)
	}
	c.columns = make([]string, len(header))
	for i, name := range header {
		c.columns[i] = strings.Clone(name)
	}
	if c.at, err = bind(c.columns, o.wanted()); err != nil {
		var e *Error
		if errors.As(err, &e) {
			e.Line, _ = c.r.FieldPos(0)
		}
	}
	return c, err
}

func (c *csvSource) next(row *Row) error {
	record, err := c.r.Read()
	if err == io.EOF {
		return err
	}
	if err != nil {
		return csvError(err)
	}
	row.Line, _ = c.r.FieldPos(0)
	if len(record) != len(c.columns) {
		return fault("%d fields where the header has %d", len(record), len(c.columns)).
			hint("a field that holds the separator or a line break needs double quotes around it")
	}
	// A field is cut from its whole row: cloned, it does not keep that alive.
	field := func(role int) string {
		if c.at[role] < 0 {
			return ""
		}
		return strings.Clone(record[c.at[role]])
	}
	row.Text = field(roleText)
	row.HasText = row.Text != ""
	row.Timestamp, row.Class = field(roleTimestamp), field(roleClass)
	if row.ID = field(roleID); row.ID == "" && c.at[roleID] >= 0 {
		return noID(c.columns[c.at[roleID]])
	}
	if cell := field(roleImage); cell != "" {
		row.Images = imageCell(cell)
	}
	return nil
}

func noID(column string) *Error {
	return fault("this row has no id").at(column).hint("give every row an id, or leave the id column out to number the rows")
}

// imageCell takes a JSON list of strings for a list of paths, anything else
// for one path.
func imageCell(cell string) []string {
	if strings.HasPrefix(cell, "[") && strings.HasSuffix(cell, "]") {
		var paths []string
		if json.Unmarshal([]byte(cell), &paths) == nil {
			return slices.DeleteFunc(paths, func(p string) bool { return p == "" })
		}
	}
	return []string{cell}
}

func csvError(err error) error {
	var p *csv.ParseError
	if !errors.As(err, &p) {
		return err
	}
	var e *Error
	switch {
	case errors.As(p.Err, &e): // of the stream below
		return e
	case errors.Is(p.Err, csv.ErrBareQuote):
		e = fault(`a double quote inside a field without quotes, byte %d of the line`, p.Column).
			hint(`write the field as "...", each quote in it doubled`)
		e.Line = p.Line
	case errors.Is(p.Err, csv.ErrQuote):
		e = fault(`a quoted field that is not closed, or text after its closing quote (line %d, byte %d)`, p.Line, p.Column).
			hint(`write the field as "...", each quote in it doubled`)
		e.Line = p.StartLine
	default:
		e = fault("not valid CSV").by(p.Err)
		e.Line = p.Line
	}
	return e
}

func (c *csvSource) close() error { return nil }
