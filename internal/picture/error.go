package picture

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Kind says what is wrong with a picture.
type Kind int

// The kinds of errors.
const (
	Missing      Kind = iota + 1 // there is no such file
	NoPermission                 // the file may not be read
	NotAFile                     // a folder, a pipe, a device
	NotAPicture                  // text, a document, nothing at all
	Unsupported                  // a picture of a kind that is not read
	Damaged                      // the content is not whole or makes no sense
	TooLarge                     // beyond a limit
	Unreadable                   // the system failed to read the file
)

// Error is what is wrong with one picture.
type Error struct {
	Kind   Kind
	Path   string // empty for bytes
	Detail string // what is wrong, and what to do where something can be done
	Err    error  // the cause, or nil
}

func (e *Error) Error() string {
	text := "read picture"
	if e.Path != "" {
		text += " " + e.Path
	}
	text += ": " + e.Detail
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *Error) Unwrap() error { return e.Err }

// fault is an Error without a cause.
func fault(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Detail: fmt.Sprintf(format, args...)}
}

// fileFault says why the system gives no content.
func fileFault(err error) *Error {
	var where *fs.PathError
	if errors.As(err, &where) {
		err = where.Err // the path is said once
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault(Missing, "there is no such file")
	case errors.Is(err, fs.ErrPermission):
		return fault(NoPermission, "there is no permission to read it")
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fault(Unreadable, "the file can't be read in time")
	}
	return &Error{Kind: Unreadable, Detail: "the file can't be read", Err: err}
}
