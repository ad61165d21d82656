//go:build !unix

package wordvectors

import (
	"io"
	"os"
)

// mapFile reads a file where mapping one is not known how: its memory is not
// shared then.
func mapFile(f *os.File, size int64) ([]byte, error) {
	data := make([]byte, size)
	_, err := io.ReadFull(io.NewSectionReader(f, 0, size), data)
	return data, err
}

func unmap([]byte) error { return nil }

// lockFile lets everybody in: two processes may make the same file, and one of
// the two stays.
func lockFile(*os.File) (bool, error) { return true, nil }
