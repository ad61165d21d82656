//go:build !unix

package mapfile

import (
	"io"
	"os"
)

// Maps tells whether Map maps, and does not read.
const Maps = false

// Map reads the file, where mapping one is not known how: its memory is not
// shared then.
func Map(f *os.File, size int64) ([]byte, error) {
	data := make([]byte, size)
	_, err := io.ReadFull(io.NewSectionReader(f, 0, size), data)
	return data, err
}

// Scattered does nothing.
func Scattered([]byte) {}

// Unmap does nothing.
func Unmap([]byte) error { return nil }
