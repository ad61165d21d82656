package corpus

import (
	"fmt"
	"strings"
)

// Error is a fault of a corpus: where it is, what it is and what to do.
type Error struct {
	Path   string // the file; for a folder, the file in it
	Line   int    // line of the file, from 1; 0 for none
	Row    int    // row, from 0; -1 for none
	Offset int64  // byte of the file (after decompression), from 0; -1 for none
	Column string // "" for none
	Msg    string
	Hint   string
	Err    error // the cause, if any

	whole bool // of the corpus, not of the row at which it was seen
}

// fault makes an Error without a place; at, hint and by add to it.
func fault(format string, args ...any) *Error {
	return &Error{Row: -1, Offset: -1, Msg: fmt.Sprintf(format, args...)}
}

func (e *Error) at(column string) *Error { e.Column = column; return e }

func (e *Error) by(cause error) *Error { e.Err = cause; return e }

func (e *Error) hint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// Error returns PATH:LINE: row ROW: column "COLUMN": MSG, byte OFFSET of the
// file: CAUSE (HINT), without the parts that are unknown.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Path)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	if e.Row >= 0 {
		fmt.Fprintf(&b, ": row %d", e.Row)
	}
	if e.Column != "" {
		fmt.Fprintf(&b, ": column %q", e.Column)
	}
	if e.Msg != "" {
		fmt.Fprintf(&b, ": %s", e.Msg)
	}
	if e.Offset >= 0 {
		fmt.Fprintf(&b, ", byte %d of the file", e.Offset)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, ": %v", e.Err)
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, " (%s)", e.Hint)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }
