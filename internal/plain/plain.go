// Package plain shows numbers as the bytes that files hold, little end first,
// without a copy where they lie in memory like that.
package plain

import (
	"encoding/binary"
	"io"
	"slices"
	"unsafe"
)

// Number is a type of fixed size that files hold.
type Number interface {
	uint8 | int32 | int64 | float32 | float64
}

// LittleEndian tells whether numbers lie in memory as in most files.
var LittleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// chunk is how much is handed on at a time: little enough to be still in a
// cache when a writer looks at it twice.
const chunk = 256 << 10

// Write writes the bytes of v.
func Write[T Number](w io.Writer, v []T) error {
	if len(v) == 0 {
		return nil
	}
	size := int(unsafe.Sizeof(v[0]))
	for part := range slices.Chunk(v, chunk/size) {
		var err error
		if LittleEndian {
			_, err = w.Write(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(part))), size*len(part)))
		} else {
			err = binary.Write(w, binary.LittleEndian, part)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
