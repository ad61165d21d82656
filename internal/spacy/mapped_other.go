//go:build !unix

package spacy

import (
	"io"
	"os"
)

// mapFile reads a file where it can't be mapped.
func mapFile(f *os.File, size int64) (data []byte, unmap func() error, err error) {
	data = make([]byte, size)
	_, err = io.ReadFull(f, data)
	return data, func() error { return nil }, err
}
