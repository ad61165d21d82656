package vectorfile

import (
	"fmt"
	"io"
)

// Layout tells where the values of a two-dimensional .npy file lie.
type Layout struct {
	Rows, Columns int
	Offset        int64 // of the first value
	// Plain says that the values are little-endian float32, row after row, so
	// that they can be read where they lie.
	Plain bool
}

// NPYLayout reads the header of a .npy file of size bytes.
func NPYLayout(r io.ReaderAt, size int64) (Layout, error) {
	a, offset, err := readHeader(io.NewSectionReader(r, 0, size), size)
	if err != nil {
		return Layout{}, err
	}
	if len(a.shape) != 2 {
		return Layout{}, fmt.Errorf("the array has the shape %s; vectors need two dimensions, (words, dimensions)", shape(a.shape))
	}
	if a.kind == 'S' || a.kind == 'U' {
		return Layout{}, fmt.Errorf("the array holds strings, not vectors")
	}
	return Layout{
		Rows: a.shape[0], Columns: a.shape[1], Offset: offset,
		Plain: a.kind == 'f' && a.width == 4 && !a.big && !a.fortran,
	}, nil
}
