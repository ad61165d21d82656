// Package parquetcol reads single columns of a Parquet file row by row, so
// that a wide file costs no more than the columns that are wanted.
//
// It stands between this module and parquet-go: files are treated as hostile,
// and a panic of the library on a damaged file becomes an error.
package parquetcol

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// File is an open Parquet file.
type File struct {
	f       *parquet.File
	columns []string
}

// Open reads the footer of the size bytes behind r.
func Open(r io.ReaderAt, size int64) (f *File, err error) {
	defer guard(&err)
	if err := checkFrame(r, size); err != nil {
		return nil, err
	}
	p, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	f = &File{f: p}
	for _, field := range p.Schema().Fields() {
		f.columns = append(f.columns, field.Name())
	}
	if p.NumRows() < 0 {
		return nil, fmt.Errorf("the footer says that there are %d rows", p.NumRows())
	}
	return f, nil
}

// checkFrame looks at the ends of the file before the library does, which
// would allocate whatever length the footer claims.
func checkFrame(r io.ReaderAt, size int64) error {
	var head [4]byte
	var tail [8]byte
	if size < 12 {
		return fmt.Errorf("%d bytes are too few for a Parquet file", size)
	}
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return err
	}
	if _, err := r.ReadAt(tail[:], size-8); err != nil && err != io.EOF {
		return err
	}
	switch {
	case string(head[:]) == "PARE" || string(tail[4:]) == "PARE":
		return errors.New("the Parquet file is encrypted")
	case string(head[:]) != "PAR1":
		return errors.New("not a Parquet file")
	case string(tail[4:]) != "PAR1":
		return errors.New("the Parquet file has no footer: it is truncated")
	case int64(binary.LittleEndian.Uint32(tail[:4])) > size-12:
		return errors.New("the footer is longer than the Parquet file: it is damaged")
	}
	return nil
}

// guard turns a panic of the library into an error.
func guard(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the Parquet file is damaged: %v", p)
	}
}

// Columns returns the names of the top-level columns in their order.
func (f *File) Columns() []string { return f.columns }

// NumRows returns the number of rows.
func (f *File) NumRows() int64 { return f.f.NumRows() }

// Kind is the type of a column's values.
type Kind int

// The kinds that are told apart.
const (
	Other Kind = iota
	Bool
	Int
	Float
	Double
	Bytes // byte arrays: strings, by the usual writers
)

// Column reads one column from the first row on.
type Column struct {
	Name string
	Kind Kind
	List bool // rows hold lists of values

	leaf   parquet.LeafColumn
	groups []parquet.RowGroup
	pages  parquet.Pages
	page   parquet.Page
	values parquet.ValueReader
	buf    []parquet.Value
	at, n  int
	left   int64 // rows
	row    []parquet.Value
}

// Column returns a reader for the top-level column name. Its rows must hold
// single values or lists of them; another structure is an error. Close it.
func (f *File) Column(name string) (c *Column, err error) {
	defer guard(&err)
	var leaves [][]string
	for _, path := range f.f.Schema().Columns() {
		if path[0] == name {
			leaves = append(leaves, path)
		}
	}
	if len(leaves) == 0 {
		return nil, fmt.Errorf("there is no column %q", name)
	}
	leaf, ok := f.f.Schema().Lookup(leaves[0]...)
	// A list is one repeated level down to one leaf: "x" repeated, or the
	// groups x.list.element that most writers make.
	single := len(leaves) == 1 && leaf.MaxRepetitionLevel <= 1 &&
		(len(leaves[0]) == 1 || leaf.MaxRepetitionLevel == 1 && len(leaves[0]) <= 3)
	if !ok || !single {
		return nil, fmt.Errorf("column %q holds records or nested lists (%d parts), not values", name, len(leaves))
	}
	for _, g := range f.f.Metadata().RowGroups {
		// The library decompresses LZ4 without a bound: a damaged page takes
		// all memory there is.
		if codec := g.Columns[leaf.ColumnIndex].MetaData.Codec; codec == format.Lz4Raw {
			return nil, fmt.Errorf("column %q is compressed by %s, which is not read: write it with snappy, zstd, gzip or none", name, codec)
		}
	}
	c = &Column{Name: name, List: leaf.MaxRepetitionLevel == 1, leaf: leaf, groups: f.f.RowGroups(), left: f.f.NumRows(), buf: make([]parquet.Value, 1024)}
	switch leaf.Node.Type().Kind() {
	case parquet.Boolean:
		c.Kind = Bool
	case parquet.Int32, parquet.Int64:
		c.Kind = Int
	case parquet.Float:
		c.Kind = Float
	case parquet.Double:
		c.Kind = Double
	case parquet.ByteArray:
		c.Kind = Bytes
	}
	return c, nil
}

// Value is one value of a row.
type Value = parquet.Value

// Next returns the values of the next row, io.EOF after the last. A null or
// an empty list has none; a null within a list is a null Value. The slice and
// what the values point to are valid until the next call.
func (c *Column) Next() (row []Value, err error) {
	defer guard(&err)
	c.row = c.row[:0]
	if c.left == 0 {
		return nil, io.EOF
	}
	v, err := c.peek()
	if err == io.EOF {
		return nil, fmt.Errorf("column %q ends %d rows early: the Parquet file is damaged", c.Name, c.left)
	}
	for first := true; err == nil && (first || v.RepetitionLevel() > 0); first = false {
		if !c.absent(v) {
			if c.List && c.Kind == Bytes { // a list may go on in a page that takes the memory of this one
				v = v.Clone()
			}
			c.row = append(c.row, v)
		}
		c.at++
		if !c.List {
			break
		}
		v, err = c.peek()
	}
	if err != nil && err != io.EOF {
		return nil, err
	}
	c.left--
	return c.row, nil
}

// absent tells a row without values from a null within a list. In the usual
// three groups an element that is null is defined one level below a value.
func (c *Column) absent(v Value) bool {
	if !v.IsNull() {
		return false
	}
	return !c.List || !c.leaf.Node.Optional() || v.DefinitionLevel() < c.leaf.MaxDefinitionLevel-1
}

// peek returns the value at hand, reading further as needed.
func (c *Column) peek() (Value, error) {
	for c.at == c.n {
		if err := c.read(); err != nil {
			return Value{}, err
		}
	}
	return c.buf[c.at], nil
}

func (c *Column) read() error {
	c.at, c.n = 0, 0
	if c.values != nil {
		n, err := c.values.ReadValues(c.buf)
		c.n = n
		if err != io.EOF {
			if err == nil && n == 0 {
				err = io.ErrNoProgress
			}
			return err
		}
		c.values = nil
		if n > 0 {
			return nil
		}
	}
	c.release()
	if c.pages == nil {
		if len(c.groups) == 0 {
			return io.EOF
		}
		c.pages = c.groups[0].ColumnChunks()[c.leaf.ColumnIndex].Pages()
		c.groups = c.groups[1:]
	}
	page, err := c.pages.ReadPage()
	if err == io.EOF {
		err = c.pages.Close()
		c.pages = nil
		return err
	}
	if err != nil {
		return err
	}
	c.page, c.values = page, page.Values()
	return nil
}

func (c *Column) release() {
	if c.page != nil {
		parquet.Release(c.page)
		c.page = nil
	}
}

// Close frees what the reader holds.
func (c *Column) Close() (err error) {
	defer guard(&err)
	c.release()
	if c.pages == nil {
		return nil
	}
	p := c.pages
	c.pages = nil
	return p.Close()
}

// Format writes a value as text: strings as they are, whole numbers in
// decimal, truth values, and dates and times (RFC 3339, UTC) where the column
// is annotated as such. ok is false for floating-point numbers and anything
// else.
func (c *Column) Format(v Value) (s string, ok bool) {
	switch v.Kind() {
	case parquet.ByteArray:
		return string(v.ByteArray()), true
	case parquet.Boolean:
		return strconv.FormatBool(v.Boolean()), true
	case parquet.Int96:
		// Nanoseconds of the day, then the Julian day.
		i := v.Int96()
		nanos := int64(uint64(i[1])<<32 | uint64(i[0]))
		return stamp(time.Unix((int64(i[2])-2440588)*86400, nanos)), true
	case parquet.Int32, parquet.Int64:
		return c.formatInt(v), true
	}
	return "", false
}

func (c *Column) formatInt(v Value) string {
	n := v.Int64()
	if v.Kind() == parquet.Int32 {
		n = int64(v.Int32())
	}
	t := c.leaf.Node.Type().LogicalType()
	if t == nil {
		return strconv.FormatInt(n, 10)
	}
	switch t := t.Value.(type) {
	case *format.DateType:
		return time.Unix(n*86400, 0).UTC().Format(time.DateOnly)
	case *format.TimestampType:
		switch t.Unit.Value.(type) {
		case *format.MilliSeconds:
			return stamp(time.UnixMilli(n))
		case *format.MicroSeconds:
			return stamp(time.UnixMicro(n))
		case *format.NanoSeconds:
			return stamp(time.Unix(0, n))
		}
	case *format.IntType:
		if !t.IsSigned && v.Kind() == parquet.Int64 {
			return strconv.FormatUint(uint64(n), 10)
		}
		if !t.IsSigned {
			return strconv.FormatUint(uint64(uint32(n)), 10)
		}
	}
	return strconv.FormatInt(n, 10)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
