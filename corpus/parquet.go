package corpus

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"unicode/utf8"

	"github.com/bertopic-go/bertopic/internal/parquetcol"
)

// parquetSource is the format parquet. Only the wanted columns are read.
type parquetSource struct {
	file    *os.File
	temp    bool // file is a copy of ours
	replace bool
	left    int64
	columns [roles]*parquetcol.Column
}

func newParquet(ctx context.Context, s *stream, o Options) (source, error) {
	p := &parquetSource{replace: o.replace()}
	if err := p.open(ctx, s, o); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *parquetSource) open(ctx context.Context, s *stream, o Options) (err error) {
	if s.gzip || s.once { // Parquet is read from its end
		p.temp = true
		p.file, err = spool(ctx, s.plain)
	} else {
		p.file, err = os.Open(s.path)
	}
	if err != nil {
		return err
	}
	info, err := p.file.Stat()
	if err != nil {
		return err
	}
	f, err := parquetcol.Open(p.file, info.Size())
	if err != nil {
		return fault("open Parquet file").by(err)
	}
	p.left = f.NumRows()
	at, err := bind(f.Columns(), o.wanted())
	if err != nil {
		return err
	}
	for role, i := range at {
		if i < 0 {
			continue
		}
		name := f.Columns()[i]
		if p.columns[role], err = f.Column(name); err != nil {
			return fault("this column cannot be the %s", roleNames[role]).at(name).by(err)
		}
		if err := fits(role, p.columns[role]); err != nil {
			return err
		}
	}
	return nil
}

// fits refuses a column whose values cannot play the role.
func fits(role int, c *parquetcol.Column) error {
	found := "another type"
	switch c.Kind {
	case parquetcol.Bytes:
		found = "strings"
	case parquetcol.Bool:
		found = "truth values"
	case parquetcol.Int:
		found = "whole numbers"
	case parquetcol.Float, parquetcol.Double:
		found = "floating-point numbers"
	}
	isFloat := c.Kind == parquetcol.Float || c.Kind == parquetcol.Double
	switch {
	case c.List && role != roleImage:
		return fault("expected one value a row for the %s, found lists", roleNames[role]).at(c.Name)
	case (role == roleText || role == roleImage) && c.Kind != parquetcol.Bytes:
		return fault("expected strings for the %s, found %s", roleNames[role], found).at(c.Name)
	case isFloat:
		return fault("expected strings or whole numbers for the %s, found %s", roleNames[role], found).at(c.Name)
	}
	return nil
}

// spool copies r to a temporary file.
func spool(ctx context.Context, r *bufio.Reader) (*os.File, error) {
	f, err := os.CreateTemp("", "bertopic-corpus-*.parquet")
	if err != nil {
		return nil, fault("keep a copy of the Parquet data").by(err)
	}
	if _, err := io.Copy(f, &ctxReader{ctx, r}); err != nil {
		f.Close()
		os.Remove(f.Name())
		var e *Error
		if errors.As(err, &e) || ctx.Err() != nil {
			return nil, err
		}
		return nil, fault("keep a copy of the Parquet data").by(err)
	}
	return f, nil
}

func (p *parquetSource) next(row *Row) error {
	if p.left == 0 {
		return io.EOF
	}
	p.left--
	for role, c := range p.columns {
		if c == nil {
			continue
		}
		values, err := c.Next()
		if err != nil {
			return fault("read Parquet data").at(c.Name).by(err)
		}
		for _, v := range values {
			if v.IsNull() {
				continue
			}
			s, ok := c.Format(v)
			if !ok {
				return fault("this type cannot be the %s", roleNames[role]).at(c.Name)
			}
			if !utf8.ValidString(s) {
				var bad *Error
				if s, bad = p.repair(s); bad != nil {
					return bad.at(c.Name)
				}
			}
			take(row, role, s)
		}
		if role == roleID && row.ID == "" {
			return noID(c.Name)
		}
	}
	return nil
}

func take(row *Row, role int, s string) {
	switch role {
	case roleText:
		row.Text, row.HasText = s, true
	case roleImage:
		if s != "" {
			row.Images = append(row.Images, s)
		}
	case roleID:
		row.ID = s
	case roleTimestamp:
		row.Timestamp = s
	case roleClass:
		row.Class = s
	}
}

// repair replaces what is not UTF-8, or says where it is.
func (p *parquetSource) repair(s string) (string, *Error) {
	if p.replace {
		return string(replaceInvalid([]byte(s))), nil
	}
	i := validPrefix([]byte(s))
	return "", fault("invalid UTF-8 at byte %d of the value (byte %#02x)", i, s[i]).
		hint("write the column as UTF-8, or set invalid UTF-8 to be replaced")
}

func (p *parquetSource) close() error {
	var errs []error
	for _, c := range p.columns {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	if p.file != nil {
		errs = append(errs, p.file.Close())
		if p.temp {
			errs = append(errs, os.Remove(p.file.Name()))
		}
	}
	return errors.Join(errs...)
}
