package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"sort"
	"unicode/utf8"
)

// MaxHeader is the longest header that is accepted, in bytes, as in the
// reference library.
const MaxHeader = 100_000_000

// Info describes one tensor of a file.
type Info struct {
	Name  string
	DType DType
	Shape []int // no dimension at all is a single value

	offset, size int64 // in the file, bytes
	count        int64 // values
}

// Len returns the number of values.
func (t Info) Len() int { return int(t.count) }

// Size returns the number of bytes that the values take in the file.
func (t Info) Size() int64 { return t.size }

// File is an open safetensors file. Its methods may be called from several
// goroutines at once.
type File struct {
	r        io.ReaderAt
	closer   io.Closer
	path     string
	tensors  map[string]Info
	names    []string
	metadata map[string]string
}

// Open reads the header of the file path and keeps the file open: Close it.
func Open(path string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read safetensors: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("read safetensors: %w", err)
	}
	t, err := read(f, info.Size(), path)
	if err != nil {
		f.Close()
		return nil, err
	}
	t.closer = f
	return t, nil
}

// New reads the header of the size bytes behind r, which File goes on to read
// from.
func New(r io.ReaderAt, size int64) (*File, error) { return read(r, size, "input") }

func read(r io.ReaderAt, size int64, path string) (*File, error) {
	f := &File{r: r, path: path}
	if err := f.readHeader(size); err != nil {
		return nil, fmt.Errorf("read safetensors %s: %w", path, err)
	}
	return f, nil
}

func (f *File) readHeader(size int64) error {
	if size < 8 {
		return fmt.Errorf("%d bytes are too few for a safetensors file", size)
	}
	var b [8]byte
	if err := readAt(f.r, b[:], 0); err != nil {
		return err
	}
	n := binary.LittleEndian.Uint64(b[:])
	switch {
	case n > MaxHeader:
		return fmt.Errorf("the header would have %d bytes: this is not a safetensors file, or it is damaged", n)
	case n > uint64(size-8):
		return fmt.Errorf("the header would have %d bytes, but %d follow: the file is truncated or not a safetensors file", n, size-8)
	}
	header := make([]byte, n)
	if err := readAt(f.r, header, 8); err != nil {
		return err
	}
	if err := f.parseHeader(header); err != nil {
		return fmt.Errorf("header: %w", err)
	}
	return f.layOut(int64(n)+8, size)
}

// parseHeader fills f from the JSON text. It walks the object by hand because
// a map would hide a name that stands there twice.
func (f *File) parseHeader(header []byte) error {
	if !utf8.Valid(header) {
		return errors.New("not valid UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(header))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.New("not a JSON object")
	}
	f.tensors = map[string]Info{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name, ok := t.(string)
		if !ok {
			return errors.New("not a JSON object")
		}
		if name == "__metadata__" {
			if f.metadata != nil {
				return errors.New("__metadata__ stands there twice")
			}
			if err := d.Decode(&f.metadata); err != nil {
				return fmt.Errorf("__metadata__ is not a map of strings: %w", err)
			}
			if f.metadata == nil { // null
				f.metadata = map[string]string{}
			}
			continue
		}
		if _, ok := f.tensors[name]; ok {
			return fmt.Errorf("tensor %q stands there twice", name)
		}
		info, err := parseInfo(d, name)
		if err != nil {
			return fmt.Errorf("tensor %q: %w", name, err)
		}
		f.tensors[name] = info
		f.names = append(f.names, name)
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more text follows the JSON object")
	}
	slices.Sort(f.names)
	return nil
}

func parseInfo(d *json.Decoder, name string) (Info, error) {
	var v struct {
		DType   *DType  `json:"dtype"`
		Shape   []int64 `json:"shape"`
		Offsets []int64 `json:"data_offsets"`
	}
	if err := d.Decode(&v); err != nil {
		return Info{}, err
	}
	if v.DType == nil || v.Shape == nil || len(v.Offsets) != 2 {
		return Info{}, errors.New("dtype, shape and two data_offsets are needed")
	}
	bits := v.DType.bits()
	if bits == 0 {
		return Info{}, fmt.Errorf("unknown dtype %q", *v.DType)
	}
	t := Info{Name: name, DType: *v.DType, Shape: make([]int, len(v.Shape)), count: 1}
	for i, n := range v.Shape {
		if n < 0 || n > math.MaxInt {
			return Info{}, fmt.Errorf("dimension %d of the shape is out of range", n)
		}
		t.Shape[i] = int(n)
	}
	// A zero anywhere makes the tensor empty, however large the others are.
	if slices.Contains(v.Shape, 0) {
		t.count = 0
	} else {
		for _, n := range v.Shape {
			if t.count > math.MaxInt/64/n {
				return Info{}, fmt.Errorf("shape %v has too many values", v.Shape)
			}
			t.count *= n
		}
	}
	if t.count*bits%8 != 0 {
		return Info{}, fmt.Errorf("%d values of %s do not fill whole bytes", t.count, t.DType)
	}
	t.size = t.count * bits / 8
	t.offset = v.Offsets[0]
	if v.Offsets[0] < 0 || v.Offsets[1] < v.Offsets[0] || v.Offsets[1]-v.Offsets[0] != t.size {
		return Info{}, fmt.Errorf("data_offsets %v do not hold the %d bytes of %s with shape %v", v.Offsets, t.size, t.DType, v.Shape)
	}
	return t, nil
}

// layOut checks that the tensors tile the bytes after the header without a
// gap or an overlap, and makes their offsets count from the start of the file.
func (f *File) layOut(start, size int64) error {
	byOffset := slices.Clone(f.names)
	sort.SliceStable(byOffset, func(i, j int) bool {
		a, b := f.tensors[byOffset[i]], f.tensors[byOffset[j]]
		if a.offset != b.offset {
			return a.offset < b.offset
		}
		return a.size < b.size // empty ones first
	})
	end := int64(0)
	for _, name := range byOffset {
		t := f.tensors[name]
		if t.offset != end {
			return fmt.Errorf("tensor %q begins at byte %d of the values, not at %d: tensors overlap or leave a gap", name, t.offset, end)
		}
		if t.size > size-start-end {
			return fmt.Errorf("tensor %q ends at byte %d of the values, but the file holds %d: it is truncated", name, end+t.size, size-start)
		}
		end += t.size
		t.offset += start
		f.tensors[name] = t
	}
	if start+end != size {
		return fmt.Errorf("%d bytes follow the last tensor", size-start-end)
	}
	return nil
}

// Close closes the file that Open opened.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

// Names returns the names of the tensors in ascending order. The slice is the
// caller's.
func (f *File) Names() []string { return slices.Clone(f.names) }

// Metadata returns the strings of "__metadata__", nil if there is none. It is
// not to be changed.
func (f *File) Metadata() map[string]string { return f.metadata }

// Lookup describes a tensor.
func (f *File) Lookup(name string) (Info, bool) {
	t, ok := f.tensors[name]
	t.Shape = slices.Clone(t.Shape)
	return t, ok
}

// Section returns a reader over the raw bytes of a tensor.
func (f *File) Section(name string) (*io.SectionReader, error) {
	t, ok := f.tensors[name]
	if !ok {
		return nil, f.missing(name)
	}
	return io.NewSectionReader(f.r, t.offset, t.size), nil
}

// Float32 reads a tensor of F32, F16, BF16 or F64 values; F64 is rounded.
func (f *File) Float32(name string) ([]float32, Info, error) {
	t, ok := f.Lookup(name)
	if !ok {
		return nil, t, f.missing(name)
	}
	decode := t.DType.decodeFloat32()
	if decode == nil {
		return nil, t, fmt.Errorf("read safetensors %s: tensor %q holds %s, not floating-point numbers", f.path, name, t.DType)
	}
	out := make([]float32, t.count)
	return out, t, readChunks(f, t, out, decode)
}

// Float64 reads a tensor of F64, F32, F16 or BF16 values, all exactly.
func (f *File) Float64(name string) ([]float64, Info, error) {
	t, ok := f.Lookup(name)
	if !ok {
		return nil, t, f.missing(name)
	}
	if t.DType != F64 {
		v, t, err := f.Float32(name)
		if err != nil {
			return nil, t, err
		}
		out := make([]float64, len(v))
		for i, x := range v {
			out[i] = float64(x)
		}
		return out, t, nil
	}
	out := make([]float64, t.count)
	return out, t, readChunks(f, t, out, func(dst []float64, src []byte) {
		for i := range dst {
			dst[i] = math.Float64frombits(binary.LittleEndian.Uint64(src[8*i:]))
		}
	})
}

// Int64 reads a tensor of whole numbers or booleans (0 and 1), U64 excepted.
func (f *File) Int64(name string) ([]int64, Info, error) {
	t, ok := f.Lookup(name)
	if !ok {
		return nil, t, f.missing(name)
	}
	decode := t.DType.decodeInt64()
	if decode == nil {
		return nil, t, fmt.Errorf("read safetensors %s: tensor %q holds %s, not whole numbers of 64 bits or fewer", f.path, name, t.DType)
	}
	out := make([]int64, t.count)
	return out, t, readChunks(f, t, out, decode)
}

// Bytes reads the raw bytes of a tensor of any type.
func (f *File) Bytes(name string) ([]byte, Info, error) {
	t, ok := f.Lookup(name)
	if !ok {
		return nil, t, f.missing(name)
	}
	out := make([]byte, t.size)
	if err := readAt(f.r, out, t.offset); err != nil {
		return nil, t, fmt.Errorf("read safetensors %s: tensor %q: %w", f.path, name, err)
	}
	return out, t, nil
}

func (f *File) missing(name string) error {
	return fmt.Errorf("read safetensors %s: there is no tensor %q", f.path, name)
}

// readChunks decodes the values of t into dst through a buffer of fixed size,
// so that a tensor takes its own memory once.
func readChunks[T any](f *File, t Info, dst []T, decode func([]T, []byte)) error {
	const chunk = 1 << 16 // values
	width := int(t.DType.bits() / 8)
	buf := make([]byte, min(chunk, len(dst))*width)
	for i := 0; i < len(dst); i += chunk {
		n := min(chunk, len(dst)-i)
		if err := readAt(f.r, buf[:n*width], t.offset+int64(i)*int64(width)); err != nil {
			return fmt.Errorf("read safetensors %s: tensor %q: %w", f.path, t.Name, err)
		}
		decode(dst[i:i+n], buf[:n*width])
	}
	return nil
}

func readAt(r io.ReaderAt, p []byte, off int64) error {
	n, err := r.ReadAt(p, off)
	if n == len(p) {
		return nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}
