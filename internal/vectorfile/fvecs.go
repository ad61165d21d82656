package vectorfile

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/bertopic-go/bertopic/internal/matrix"
)

// readFvecs reads the format of the TEXMEX corpora (Jégou and others): each
// row is its dimension as a little-endian int32, then as many float32.
func readFvecs(in input) (matrix.Matrix, error) {
	if in.size == 0 {
		return matrix.NewDense(0, 0), nil
	}
	r := bufio.NewReaderSize(io.NewSectionReader(in, 0, in.size), 1<<16)
	head, err := r.Peek(4)
	if err != nil {
		return nil, early(err)
	}
	cols := int64(int32(binary.LittleEndian.Uint32(head)))
	stride := 4 * (cols + 1)
	if cols <= 0 || in.size%stride != 0 {
		return nil, fmt.Errorf("fvecs: %d bytes are not whole rows of %d dimensions: the file is truncated or of another format", in.size, cols)
	}
	m := matrix.NewDense(int(in.size/stride), int(cols))
	buf := make([]byte, stride)
	for i := range m.Rows {
		if _, err := io.ReadFull(r, buf); err != nil {
			return nil, early(err)
		}
		if d := int64(int32(binary.LittleEndian.Uint32(buf))); d != cols {
			return nil, fmt.Errorf("fvecs: row %d has %d dimensions, row 0 has %d", i, d, cols)
		}
		for j := range m.Row(i) {
			m.Data[i*m.Cols+j] = math.Float32frombits(binary.LittleEndian.Uint32(buf[4*(j+1):]))
		}
	}
	return m, nil
}
