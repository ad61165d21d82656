package vectorfile

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// Array is the header of a .npy file, for a caller that maps the values or
// reads them piece by piece.
type Array struct {
	Shape  []int
	Offset int64 // of the first value
	a      *array
}

// ReadArray reads the header of a .npy file of size bytes from r, which stands
// at the first value then.
func ReadArray(r io.Reader, size int64) (*Array, error) {
	a, n, err := readHeader(r, size)
	if err != nil {
		return nil, err
	}
	return &Array{Shape: a.shape, Offset: n, a: a}, nil
}

// Plain tells whether the values lie row by row as little-endian float32.
func (a *Array) Plain() bool {
	return a.a.kind == 'f' && a.a.width == 4 && !a.a.big && (!a.a.fortran || len(a.Shape) < 2)
}

// Fortran tells whether the values lie column by column.
func (a *Array) Fortran() bool { return a.a.fortran && len(a.Shape) > 1 }

// Text tells whether the values are strings.
func (a *Array) Text() bool { return a.a.kind == 'S' || a.a.kind == 'U' }

// Type is the type of the values, as NumPy writes it.
func (a *Array) Type() string { return a.a.descr }

// Float32s reads the values as float32 and hands them on in pieces, in the
// order of the file, with the index of their first. A piece is valid during the
// call; an error of f ends the reading.
func (a *Array) Float32s(r io.Reader, f func(at int, v []float32) error) error {
	if a.Text() {
		return fmt.Errorf("the array holds strings, not numbers")
	}
	var failed error
	err := a.a.each(r, func(at int, v []float32) {
		if failed == nil {
			failed = f(at, v)
		}
	})
	if failed != nil {
		return failed
	}
	return err
}

// Strings reads the values of an array of strings; f gets them one by one.
func (a *Array) Strings(r io.Reader, f func(i int, s []byte) error) error {
	if !a.Text() {
		return fmt.Errorf("the array holds numbers (type %s), not strings", a.a.descr)
	}
	b := make([]byte, a.a.width)
	var text []byte
	for i := range a.a.count {
		if _, err := io.ReadFull(r, b); err != nil {
			return early(err)
		}
		text = text[:0]
		if a.a.kind == 'S' {
			text = append(text, strings.TrimRight(string(b), "\x00")...)
		} else {
			text = a.a.appendUTF8(text, b)
		}
		if err := f(i, text); err != nil {
			return err
		}
	}
	return nil
}

// appendUTF8 appends a string of UTF-32 without the zeros at its end.
func (a *array) appendUTF8(dst, b []byte) []byte {
	order := binary.ByteOrder(binary.LittleEndian)
	if a.big {
		order = binary.BigEndian
	}
	n := len(b)
	for n >= 4 && order.Uint32(b[n-4:]) == 0 {
		n -= 4
	}
	for i := 0; i < n; i += 4 {
		dst = append(dst, string(rune(order.Uint32(b[i:])))...)
	}
	return dst
}
