package corpus

import (
	"context"
	"errors"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Row is one document.
type Row struct {
	// ID names the document, unique in the corpus: of the id column, the path
	// in a folder (with slashes), else the row number.
	ID string
	// Index is the row number, from 0.
	Index int
	// Line is the line of the file where the row begins, from 1; 0 for files
	// without lines and for folders.
	Line int
	// Text is the document's text. HasText is false where there is none (null,
	// no such key, an empty CSV cell); a text that is present may be "".
	Text    string
	HasText bool
	// Images are the paths of the document's pictures, absolute or joined to
	// the base folder. Whether they exist has not been looked at.
	Images []string
	// Timestamp and Class are as they stand, "" if there is none. Dates of a
	// Parquet file are written as RFC 3339 has them.
	Timestamp, Class string
}

// source is a format. It fills a zeroed row and leaves ID empty where the
// corpus names no ids. After io.EOF or an error it is only closed.
type source interface {
	next(row *Row) error
	close() error
}

// Reader reads the rows of a corpus. It is not safe for concurrent use.
type Reader struct {
	ctx     context.Context
	path    string // as messages name it
	format  string
	src     source
	stream  *stream // of the file, nil for a folder
	base    string
	ids     map[string]int
	index   int
	err     error
	skipped []string
	hashed  *hashing // of a file, where it was asked for beforehand
}

// Open opens the corpus and reads as far as its header. It returns an *Error
// for a corpus that is missing or faulty. Close the reader.
func Open(ctx context.Context, o Options) (*Reader, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	r := &Reader{ctx: ctx, path: o.Path, base: o.BaseDir, ids: map[string]int{}}
	err := r.open(o)
	if err != nil {
		r.Close()
		return nil, r.locate(err, -1, 0)
	}
	return r, nil
}

func (r *Reader) open(o Options) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	folder := false
	if o.Path == "-" {
		r.path = "standard input"
	} else {
		info, err := os.Stat(o.Path)
		if err != nil {
			return fault("open corpus").by(cause(err))
		}
		folder = info.IsDir()
		if r.base == "" && !folder {
			r.base = filepath.Dir(o.Path)
		}
	}
	switch isFolderFormat := o.Format == "texts" || o.Format == "images"; {
	case folder && o.Format != "" && !isFolderFormat:
		return fault("this is a folder, but the format is %s", o.Format).hint("name a file, or the format texts or images")
	case !folder && isFolderFormat:
		return fault("this is not a folder, but the format is %s", o.Format)
	case folder:
		return r.openFolder(o)
	}
	s, err := openStream(o)
	if err != nil {
		return err
	}
	r.stream = s
	if o.Hash && !s.once {
		r.hashed = hashBeside(r.ctx, s.path)
	}
	if r.format = o.Format; r.format == "" {
		if r.format, err = s.sniff(o); err != nil {
			return err
		}
	}
	switch r.format {
	case "jsonl":
		r.src, err = newJSONL(s, o)
	case "csv":
		r.src, err = newCSV(s, o, ',')
	case "tsv":
		r.src, err = newCSV(s, o, '\t')
	case "txt":
		r.src, err = newLines(s, o)
	case "parquet":
		r.src, err = newParquet(r.ctx, s, o)
	}
	return err
}

// Format returns the format that is being read.
func (r *Reader) Format() string { return r.format }

// Skipped returns the files of a folder that are not documents of its format,
// as paths relative to it.
func (r *Reader) Skipped() []string { return r.skipped }

// Next returns the next row, or io.EOF after the last. Any other error is an
// *Error or that of the context, and final.
func (r *Reader) Next() (Row, error) {
	if r.err == nil {
		r.err = r.ctx.Err()
	}
	if r.err != nil {
		return Row{}, r.err
	}
	row := Row{Index: r.index}
	err := r.src.next(&row)
	if err == nil {
		err = r.finish(&row)
	}
	if err != nil {
		if err != io.EOF {
			err = r.locate(err, r.index, row.Line)
		}
		r.err = err
		return Row{}, err
	}
	r.index++
	return row, nil
}

// finish gives the row its id and its pictures their folder.
func (r *Reader) finish(row *Row) error {
	if row.ID == "" {
		row.ID = strconv.Itoa(row.Index)
	} else if r.stream != nil { // paths in a folder cannot repeat
		if first, ok := r.ids[row.ID]; ok {
			return fault("the id %q is that of row %d already", row.ID, first).
				hint("ids must be unique; leave the id column out to number the rows")
		}
		r.ids[row.ID] = row.Index
	}
	for i, p := range row.Images {
		if p = filepath.FromSlash(p); !filepath.IsAbs(p) && !strings.Contains(row.Images[i], "://") {
			row.Images[i] = filepath.Join(r.base, p)
		}
	}
	return nil
}

// locate makes err an *Error with at least a path.
func (r *Reader) locate(err error, row, line int) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	var e *Error
	if !errors.As(err, &e) {
		e = fault("read corpus").by(cause(err))
	}
	if e.Path == "" {
		e.Path = r.path
	}
	if e.whole {
		return e
	}
	if e.Line == 0 {
		e.Line = line
	}
	e.Row = row
	return e
}

// cause takes the path off an error of the file system, since ours says it.
func cause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

// All ranges over the rows that are left. It ends after the first error.
func (r *Reader) All() iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for {
			row, err := r.Next()
			if err == io.EOF {
				return
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// Close closes the files of the corpus. Standard input stays open.
func (r *Reader) Close() error {
	var errs []error
	if r.hashed != nil {
		r.hashed.end()
	}
	if r.src != nil {
		errs = append(errs, r.src.close())
	}
	if r.stream != nil {
		errs = append(errs, r.stream.close())
	}
	if r.err == nil {
		r.err = errors.New("read corpus: the reader is closed")
	}
	return errors.Join(errs...)
}
