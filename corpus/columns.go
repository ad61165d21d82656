package corpus

import (
	"context"
	"io"
	"os"

	"github.com/bertopic-go/bertopic/internal/parquetcol"
)

// Columns returns the names of the columns of a corpus, in their order, and
// nil for formats that have none. Of JSON lines it looks at the first hundred.
// The columns that o names don't matter.
func Columns(ctx context.Context, o Options) ([]string, error) {
	o.Text, o.Image, o.ID, o.Timestamp, o.Class = "", "", "", "", ""
	if err := o.Validate(); err != nil {
		return nil, err
	}
	r := &Reader{ctx: ctx, path: o.Path}
	names, err := columns(ctx, o)
	if err != nil {
		return nil, r.locate(err, -1, 0)
	}
	return names, nil
}

func columns(ctx context.Context, o Options) ([]string, error) {
	if o.Path != "-" {
		info, err := os.Stat(o.Path)
		if err != nil {
			return nil, fault("open corpus").by(cause(err))
		}
		if info.IsDir() {
			return nil, nil
		}
	}
	s, err := openStream(o)
	if err != nil {
		return nil, err
	}
	defer s.close()
	format := o.Format
	if format == "" {
		if format, err = s.sniff(o); err != nil {
			return nil, err
		}
	}
	switch format {
	case "jsonl":
		j, err := newJSONL(s, o)
		if err != nil {
			return nil, err
		}
		for range 100 {
			var row Row
			if err := j.next(&row); err != nil {
				if err != io.EOF && len(j.columns) == 0 {
					return nil, err
				}
				break
			}
		}
		return j.columns, nil
	case "csv", "tsv":
		comma := ','
		if format == "tsv" {
			comma = '\t'
		}
		c, err := newCSV(s, o, comma)
		if c != nil && len(c.columns) > 0 {
			return c.columns, nil // whether they have the usual names is another question
		}
		return nil, err
	case "parquet":
		f := (*os.File)(nil)
		if s.gzip || s.once {
			if f, err = spool(ctx, s.plain); err == nil {
				defer os.Remove(f.Name())
			}
		} else {
			f, err = os.Open(s.path)
		}
		if err != nil {
			return nil, err
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return nil, err
		}
		p, err := parquetcol.Open(f, info.Size())
		if err != nil {
			return nil, fault("open Parquet file").by(err)
		}
		return p.Columns(), nil
	}
	return nil, nil
}
