package corpus

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/bertopic-go/bertopic/internal/nearest"
)

// Formats lists what Options.Format accepts, besides "".
func Formats() []string { return slices.Clone(formats) }

var formats = []string{"jsonl", "csv", "tsv", "parquet", "txt", "texts", "images"}

// NoColumn as the name of a column says that the corpus is to be read without
// it, even if a column of the default name is there.
const NoColumn = "-"

// Options say what to read and how.
type Options struct {
	// Path is a file, a folder, or "-" for Stdin.
	Path string
	// Format is one of Formats; "" tells it from the name and the content.
	Format string

	// Text, Image and ID name columns; "" means "text", "image" and "id" where
	// the corpus has such columns. A name that is given must be there. Without
	// an id column a row's id is its number. An image cell is a path or a list
	// of paths (in CSV written as a JSON list).
	//
	// Files without columns (txt, texts, images) leave them empty.
	Text, Image, ID string
	// Timestamp and Class name columns; "" means none. For a folder, Class
	// "folder" makes the first level of folders the class.
	Timestamp, Class string

	// InvalidUTF8 is "error" ("" too), or "replace", which puts U+FFFD in the
	// place of each byte that is not UTF-8 and of each lone surrogate in JSON.
	InvalidUTF8 string
	// Stdin is read where Path is "-".
	Stdin io.Reader
	// Hash says that SHA256 will be asked for: a file is hashed beside the
	// reading then, not after it.
	Hash bool
	// BaseDir is what image paths are relative to; "" means the folder of
	// Path, or the current one for "-". For a folder of pictures it is Path.
	BaseDir string
}

// Validate reports every fault of o that can be seen without opening the
// corpus.
func (o Options) Validate() error {
	var errs []error
	if o.Path == "" {
		errs = append(errs, errors.New("the path of the corpus is empty"))
	}
	if o.Path == "-" && o.Stdin == nil {
		errs = append(errs, errors.New("the corpus is standard input, but none is given"))
	}
	if o.Format != "" && !slices.Contains(formats, o.Format) {
		hint := ""
		if near, ok := nearest.Name(o.Format, formats); ok {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		errs = append(errs, fmt.Errorf("unknown corpus format %q: one of %s%s", o.Format, strings.Join(formats, ", "), hint))
	}
	if o.InvalidUTF8 != "" && o.InvalidUTF8 != "error" && o.InvalidUTF8 != "replace" {
		errs = append(errs, fmt.Errorf("invalid UTF-8 is handled by %q: error or replace", o.InvalidUTF8))
	}
	return errors.Join(errs...)
}

func (o Options) replace() bool { return o.InvalidUTF8 == "replace" }

// The roles that a column can have.
const (
	roleText = iota
	roleImage
	roleID
	roleTimestamp
	roleClass
	roles
)

var roleNames = [roles]string{"text", "image", "id", "timestamp", "class"}

// wanted is a column to be looked for, name "" for none.
type wanted struct {
	name     string
	explicit bool // asked for by the user, so that it must be there
}

func (o Options) wanted() (w [roles]wanted) {
	for role, name := range [roles]string{o.Text, o.Image, o.ID, o.Timestamp, o.Class} {
		switch {
		case name == NoColumn:
		case name != "":
			w[role] = wanted{name, true}
		case role <= roleID:
			w[role] = wanted{roleNames[role], false}
		}
	}
	return w
}

// bind finds the place of every wanted column in a header, -1 for none.
func bind(columns []string, w [roles]wanted) (at [roles]int, err error) {
	for role, c := range w {
		at[role] = -1
		if c.name == "" {
			continue
		}
		at[role] = slices.Index(columns, c.name)
		if at[role] < 0 && c.explicit {
			return at, missingColumn(role, c.name, columns)
		}
		if at[role] >= 0 && slices.Contains(columns[at[role]+1:], c.name) {
			return at, fault("the header names this column twice").at(c.name).hint("rename one of the two")
		}
	}
	if at[roleText] < 0 && at[roleImage] < 0 {
		return at, noContent(w, columns)
	}
	return at, nil
}

func missingColumn(role int, name string, columns []string) *Error {
	e := fault("there is no such column for the %s; the columns are: %s", roleNames[role], list(columns)).at(name)
	e.whole = true
	if near, ok := nearest.Name(name, columns); ok {
		e.hint("did you mean %q?", near)
	}
	return e
}

func noContent(w [roles]wanted, columns []string) *Error {
	var names []string
	for _, role := range []int{roleText, roleImage} {
		if w[role].name != "" {
			names = append(names, fmt.Sprintf("%q", w[role].name))
		}
	}
	if len(names) == 0 {
		return fault("neither a text nor an image column is to be read")
	}
	e := fault("there is no column %s; the columns are: %s", strings.Join(names, " or "), list(columns)).
		hint("name the column of the texts, or that of the pictures")
	e.whole = true
	if len(columns) == 1 {
		for _, sep := range []string{";", "\t", "|", ","} {
			if strings.Contains(columns[0], sep) {
				return e.hint("the header looks separated by %q: csv takes commas, tsv takes tabs", sep)
			}
		}
	}
	for _, role := range []int{roleText, roleImage} {
		if near, ok := nearest.Name(w[role].name, columns); ok && w[role].name != "" {
			return e.hint("did you mean %q for the %s?", near, roleNames[role])
		}
	}
	return e
}

// list quotes names, at most 50 of them.
func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	var b strings.Builder
	for i, n := range names {
		if i == 50 {
			fmt.Fprintf(&b, " and %d more", len(names)-i)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", n)
	}
	return b.String()
}
