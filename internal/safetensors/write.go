package safetensors

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/bertopic-go/bertopic/internal/atomicfile"
	"github.com/bertopic-go/bertopic/internal/plain"
)

// Tensor is a tensor to be written: make one with Float32, Float64, Int64,
// Int32, Uint8, Rows or Raw. It keeps the caller's slice, which must not change
// before the file is written.
type Tensor struct {
	name  string
	dtype DType
	shape []int
	count int
	write func(w io.Writer) error
}

// Float32 is a tensor of F32 values in row-major order. Without a shape it is
// a vector, here and below; the shape []int{}... makes a single value.
func Float32(name string, values []float32, shape ...int) Tensor {
	return tensor(name, F32, shape, values)
}

// Float64 is a tensor of F64 values.
func Float64(name string, values []float64, shape ...int) Tensor {
	return tensor(name, F64, shape, values)
}

// Int64 is a tensor of I64 values.
func Int64(name string, values []int64, shape ...int) Tensor {
	return tensor(name, I64, shape, values)
}

// Int32 is a tensor of I32 values.
func Int32(name string, values []int32, shape ...int) Tensor {
	return tensor(name, I32, shape, values)
}

// Uint8 is a tensor of U8 values.
func Uint8(name string, values []uint8, shape ...int) Tensor {
	return tensor(name, U8, shape, values)
}

// Raw is a tensor of any type from its bytes in the file's own layout.
func Raw(name string, dtype DType, data []byte, shape ...int) Tensor {
	t := Tensor{name: name, dtype: dtype, shape: shape, write: func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}}
	if bits := int(dtype.bits()); bits != 0 && len(data)*8%bits == 0 {
		t.count = len(data) * 8 / bits
	} else {
		t.count = -1
	}
	if shape == nil {
		t.shape = []int{t.count}
	}
	return t
}

func tensor[T plain.Number](name string, d DType, shape []int, values []T) Tensor {
	if shape == nil {
		shape = []int{len(values)}
	}
	return Tensor{name, d, shape, len(values), func(w io.Writer) error { return plain.Write(w, values) }}
}

// Rows is a tensor of F32 values, n x columns, of rows that lie anywhere.
func Rows(name string, n, columns int, row func(i int) []float32) Tensor {
	const together = 256 // rows a write
	return Tensor{name, F32, []int{n, columns}, n * columns, func(w io.Writer) error {
		buffer := make([]float32, 0, together*columns)
		for lo := 0; lo < n; lo += together {
			buffer = buffer[:0]
			for i := lo; i < min(n, lo+together); i++ {
				buffer = append(buffer, row(i)...)
			}
			if err := plain.Write(w, buffer); err != nil {
				return err
			}
		}
		return nil
	}}
}

// Joined is a vector of the values of parts, which are of one type; its name is
// that of the first.
func Joined(parts ...Tensor) Tensor {
	t := Tensor{name: parts[0].name, dtype: parts[0].dtype, write: func(w io.Writer) error {
		for _, p := range parts {
			if err := p.write(w); err != nil {
				return err
			}
		}
		return nil
	}}
	for _, p := range parts {
		if p.dtype != t.dtype {
			panic("safetensors: parts of a vector must be of one type")
		}
		t.count += p.count
	}
	t.shape = []int{t.count}
	return t
}

func (t Tensor) check() error {
	if t.count < 0 {
		return fmt.Errorf("tensor %q: the bytes are not whole values of type %q", t.name, t.dtype)
	}
	n := 1
	for _, d := range t.shape {
		if d < 0 {
			return fmt.Errorf("tensor %q: the shape %v has a negative dimension", t.name, t.shape)
		}
		n *= d
	}
	switch {
	case t.name == "__metadata__":
		return fmt.Errorf("tensor %q: this name is reserved", t.name)
	case n != t.count:
		return fmt.Errorf("tensor %q: %d values do not fill the shape %v", t.name, t.count, t.shape)
	}
	return nil
}

// Write writes a safetensors file. The bytes are a function of the tensors and
// the metadata alone, whatever the order of tensors: types of wider values come
// first, so that every tensor is aligned to its values, then by name; the
// header is padded with spaces to a multiple of 8 bytes. Nil metadata is left
// out. Two tensors of one name are an error.
func Write(w io.Writer, tensors []Tensor, metadata map[string]string) error {
	sorted := slices.Clone(tensors)
	slices.SortStableFunc(sorted, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(b.dtype.bits(), a.dtype.bits()), cmp.Compare(a.name, b.name))
	})
	header, err := makeHeader(sorted, metadata)
	if err != nil {
		return fmt.Errorf("write safetensors: %w", err)
	}
	if _, err := w.Write(header); err != nil {
		return fmt.Errorf("write safetensors: %w", err)
	}
	for _, t := range sorted {
		if err := t.write(w); err != nil {
			return fmt.Errorf("write safetensors: tensor %q: %w", t.name, err)
		}
	}
	return nil
}

// WriteFile is Write into the file path, whole or not at all.
func WriteFile(path string, tensors []Tensor, metadata map[string]string) error {
	return atomicfile.WriteFile(path, func(w io.Writer) error { return Write(w, tensors, metadata) })
}

// makeHeader returns the length and the JSON text.
func makeHeader(sorted []Tensor, metadata map[string]string) ([]byte, error) {
	var b bytes.Buffer
	b.Write(make([]byte, 8))
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	encode := func(v any, end byte) error {
		if err := e.Encode(v); err != nil {
			return err
		}
		b.Bytes()[b.Len()-1] = end // Encode ends with a newline
		return nil
	}
	put := func(key string, value any) error {
		return errors.Join(encode(key, ':'), encode(value, ','))
	}
	b.WriteByte('{')
	if metadata != nil {
		if err := put("__metadata__", metadata); err != nil {
			return nil, err
		}
	}
	seen := map[string]bool{}
	offset := int64(0)
	for _, t := range sorted {
		if err := t.check(); err != nil {
			return nil, err
		}
		if seen[t.name] {
			return nil, fmt.Errorf("tensor %q is given twice", t.name)
		}
		seen[t.name] = true
		size := int64(t.count) * t.dtype.bits() / 8
		err := put(t.name, struct {
			DType   DType    `json:"dtype"`
			Shape   []int    `json:"shape"`
			Offsets [2]int64 `json:"data_offsets"`
		}{t.dtype, t.shape, [2]int64{offset, offset + size}})
		if err != nil {
			return nil, err
		}
		offset += size
	}
	if b.Len() > 9 {
		b.Truncate(b.Len() - 1) // the last comma
	}
	b.WriteByte('}')
	for b.Len()%8 != 0 {
		b.WriteByte(' ')
	}
	out := b.Bytes()
	if len(out)-8 > MaxHeader {
		return nil, fmt.Errorf("the header has %d bytes, at most %d can be read back", len(out)-8, MaxHeader)
	}
	binary.LittleEndian.PutUint64(out, uint64(len(out)-8))
	return out, nil
}
