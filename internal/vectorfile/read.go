package vectorfile

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/bertopic-go/bertopic/internal/matrix"
)

// Options name parts of a file. The zero value takes the only array there is.
type Options struct {
	// Column is the Parquet column of the vectors; "" takes the only list
	// column of floating-point numbers.
	Column string
	// ID is the Parquet column of the rows' ids; "" takes "id" if it is there.
	ID string
	// Array is the name of a dense array in a .npz file; "" takes the only one.
	Array string
	// Folder takes the float32 values of arrays of other types (float16, say) and
	// of compressed ones, 4 bytes a value, in a file that has no name and is
	// mapped; "": they are held in memory. Arrays below MapFrom, or column after
	// column, always are.
	Folder string
}

// Vectors are the content of a file.
type Vectors struct {
	// Matrix is n x d: *matrix.Dense, or *matrix.CSR for a sparse .npz. A
	// Parquet row without a vector reads as NaN, a value beyond float32 as an
	// infinity.
	Matrix matrix.Matrix
	// IDs are those of the rows, unique; nil where the file has none.
	IDs []string
	// Mapped is the whole file where Matrix lies in it, else nil.
	Mapped []byte
	// OffHeap says that the values of Matrix are mapped, from this file or from
	// one that they were converted into.
	OffHeap bool
}

// AsWritten tells whether the file is mapped and, byte for byte, what WriteDense
// makes of Matrix.
func (v *Vectors) AsWritten() bool {
	m, ok := v.Matrix.(*matrix.Dense)
	return ok && len(v.Mapped) == headerSize+4*len(m.Data) && bytes.HasPrefix(v.Mapped, denseHeader(m))
}

// Read reads the vectors of a file. The format follows from the first bytes;
// .fvecs, which has no mark of its own, from the name.
func Read(ctx context.Context, path string, o Options) (*Vectors, error) {
	v, err := read(ctx, path, o)
	if err != nil {
		return nil, fmt.Errorf("read vectors %s: %w", path, err)
	}
	return v, nil
}

// input is a file of known size that stops reading when its context ends.
type input struct {
	io.ReaderAt
	ctx  context.Context
	size int64
}

func (in input) ReadAt(p []byte, off int64) (int, error) {
	if err := in.ctx.Err(); err != nil {
		return 0, err
	}
	return in.ReaderAt.ReadAt(p, off)
}

func read(ctx context.Context, path string, o Options) (*Vectors, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err.(*os.PathError).Err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("not a regular file")
	}
	return readInput(input{f, ctx, info.Size()}, strings.ToLower(filepath.Ext(path)), o)
}

func readInput(in input, ext string, o Options) (*Vectors, error) {
	head := make([]byte, min(6, in.size))
	if _, err := in.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, err
	}
	var m matrix.Matrix
	var err error
	switch magic := string(head); {
	case magic == npyMagic:
		return readNPY(in, o)
	case strings.HasPrefix(magic, "PK\x03\x04"), strings.HasPrefix(magic, "PK\x05\x06"):
		return readNPZ(in, o)
	case strings.HasPrefix(magic, "PAR1"):
		return readParquet(in, o)
	case ext == ".fvecs":
		m, err = readFvecs(in)
	case strings.HasPrefix(magic, "\x1f\x8b"):
		return nil, fmt.Errorf("compressed by gzip: unpack it first")
	default:
		return nil, fmt.Errorf("not a .npy, .npz, Parquet or .fvecs file: its first bytes are %q", head)
	}
	if err != nil {
		return nil, err
	}
	return &Vectors{Matrix: m}, nil
}
