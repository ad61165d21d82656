package vectorfile

import (
	"fmt"
	"io"
	"os"
	"unsafe"

	"github.com/bertopic-go/bertopic/internal/mapfile"
	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/plain"
)

// convertible tells whether the values, which are not float32 as memory holds
// them, are many and lie in rows: then they are better off in a file.
func (a *array) convertible() bool {
	return mapfile.Maps && plain.LittleEndian && !a.fortran && int64(a.count) >= MapFrom/4
}

// converted turns the values into float32 in a file in folder, and maps it. The
// file has no name and goes with the last use of it. Memory holds a block of the
// values at a time; what is mapped is no part of the heap, and the system can
// take it back and read it again where memory is short.
//
// The file is written, not filled by way of the mapping, since a full disk is an
// error there and the end of the program here.
func (a *array) converted(r io.Reader, folder string) (*Vectors, error) {
	f, err := os.CreateTemp(folder, ".vectors-")
	if err != nil {
		return nil, fmt.Errorf("convert to float32: %w", err)
	}
	defer f.Close()
	if err := os.Remove(f.Name()); err != nil {
		return nil, fmt.Errorf("convert to float32: %w", err)
	}
	if err := a.convert(r, f); err != nil {
		return nil, fmt.Errorf("convert to float32 in %s: %w", folder, err)
	}
	data, err := mapfile.Map(f, 4*int64(a.count))
	if err != nil {
		return nil, fmt.Errorf("convert to float32 in %s: %w", folder, err)
	}
	m := &matrix.Dense{Rows: a.shape[0], Cols: a.shape[1], Data: unsafe.Slice((*float32)(unsafe.Pointer(unsafe.SliceData(data))), a.count)}
	return &Vectors{Matrix: m, OffHeap: true}, nil
}

// convert writes the values to w as float32, converted on all cores.
func (a *array) convert(r io.Reader, w io.Writer) error {
	const part = 1 << 16 // values that a thread converts at a time
	block := min(16*part, a.count)
	src, dst := make([]byte, block*a.width), make([]float32, block)
	for at := 0; at < a.count; at += block {
		n := min(block, a.count-at)
		if _, err := io.ReadFull(r, src[:n*a.width]); err != nil {
			return early(err)
		}
		par.Blocks(0, n, part, func(_, lo, hi int) { a.float32s(dst[lo:hi], src[lo*a.width:]) })
		if err := plain.Write(w, dst[:n]); err != nil {
			return err
		}
	}
	return nil
}
