package vectorfile

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/nearest"
	"github.com/bertopic-go/bertopic/internal/parquetcol"
)

func readParquet(in input, o Options) (*Vectors, error) {
	f, err := parquetcol.Open(in, in.size)
	if err != nil {
		return nil, err
	}
	c, err := vectorColumn(f, o.Column)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	m, err := readLists(c, f.NumRows(), in.size)
	if err != nil {
		return nil, fmt.Errorf("column %q: %w", c.Name, err)
	}
	v := &Vectors{Matrix: m}
	name := o.ID
	if name == "" {
		name = "id"
	}
	if o.ID != "" || slices.Contains(f.Columns(), name) {
		if v.IDs, err = readIDs(f, name); err != nil {
			return nil, fmt.Errorf("column %q: %w", name, err)
		}
	}
	return v, nil
}

func isVectors(c *parquetcol.Column) bool {
	return c.List && (c.Kind == parquetcol.Float || c.Kind == parquetcol.Double)
}

func vectorColumn(f *parquetcol.File, name string) (*parquetcol.Column, error) {
	if name != "" {
		if !slices.Contains(f.Columns(), name) {
			return nil, missing(f, name)
		}
		c, err := f.Column(name)
		if err == nil && !isVectors(c) {
			err = fmt.Errorf("column %q holds no lists of floating-point numbers", name)
		}
		return c, err
	}
	var found []*parquetcol.Column
	var names []string
	for _, name := range f.Columns() {
		// A column of another structure is none of the candidates.
		if c, err := f.Column(name); err == nil && isVectors(c) {
			found = append(found, c)
			names = append(names, name)
		}
	}
	switch len(found) {
	case 0:
		return nil, fmt.Errorf("no column holds lists of floating-point numbers; the columns are: %s", strings.Join(f.Columns(), ", "))
	case 1:
		return found[0], nil
	}
	return nil, fmt.Errorf("which column holds the vectors? candidates are: %s", strings.Join(names, ", "))
}

func missing(f *parquetcol.File, name string) error {
	hint := ""
	if near, ok := nearest.Name(name, f.Columns()); ok {
		hint = fmt.Sprintf(" (did you mean %q?)", near)
	}
	return fmt.Errorf("there is no column %q; the columns are: %s%s", name, strings.Join(f.Columns(), ", "), hint)
}

// readLists reads rows of one length. A row that is null becomes NaN.
func readLists(c *parquetcol.Column, rows, size int64) (*matrix.Dense, error) {
	nan := float32(math.NaN())
	m := &matrix.Dense{Rows: int(rows)}
	nulls := 0 // rows before the first vector
	// Rows without a vector take next to no room in the file and a full row
	// here, so a small file may not ask for any number of them.
	limit := max(1<<26, 1024*float64(size))
	for i := range int(rows) {
		values, err := c.Next()
		switch {
		case err != nil:
			return nil, err
		case len(values) == 0 && m.Cols == 0:
			nulls++
			continue
		case len(values) == 0:
			for range m.Cols {
				m.Data = append(m.Data, nan)
			}
			if float64(len(m.Data)) > limit {
				return nil, fmt.Errorf("by row %d nearly all rows are without a vector", i)
			}
			continue
		case m.Cols == 0:
			m.Cols = len(values)
			// Vectors hardly compress: the file's size bounds what to expect.
			m.Data = make([]float32, 0, int(min(float64(rows)*float64(m.Cols), float64(size))))
			if float64(nulls)*float64(m.Cols) > limit {
				return nil, fmt.Errorf("the first %d rows have no vector", nulls)
			}
			for range nulls * m.Cols {
				m.Data = append(m.Data, nan)
			}
		case len(values) != m.Cols:
			return nil, fmt.Errorf("row %d has %d dimensions, the rows before it have %d", i, len(values), m.Cols)
		}
		for _, v := range values {
			switch {
			case v.IsNull():
				m.Data = append(m.Data, nan)
			case c.Kind == parquetcol.Float:
				m.Data = append(m.Data, v.Float())
			default:
				m.Data = append(m.Data, float32(v.Double()))
			}
		}
	}
	if nulls > 0 && m.Cols == 0 {
		return nil, fmt.Errorf("none of the %d rows has a vector", rows)
	}
	return m, nil
}

func readIDs(f *parquetcol.File, name string) ([]string, error) {
	if !slices.Contains(f.Columns(), name) {
		return nil, missing(f, name)
	}
	c, err := f.Column(name)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	var ids []string
	seen := map[string]int{}
	for i := 0; ; i++ {
		values, err := c.Next()
		if err == io.EOF {
			return ids, nil
		}
		if err != nil {
			return nil, err
		}
		if len(values) != 1 {
			return nil, fmt.Errorf("row %d has %d ids, not one", i, len(values))
		}
		id, ok := c.Format(values[0])
		if !ok || id == "" {
			return nil, fmt.Errorf("row %d has no id: strings or whole numbers are needed", i)
		}
		if first, ok := seen[id]; ok {
			return nil, fmt.Errorf("rows %d and %d have the same id %q", first, i, id)
		}
		seen[id] = i
		ids = append(ids, id)
	}
}
