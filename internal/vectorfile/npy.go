package vectorfile

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"unsafe"

	"github.com/bertopic-go/bertopic/internal/mapfile"
	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/plain"
	"github.com/bertopic-go/bertopic/internal/safetensors"
)

// MapFrom is the size of a .npy file in bytes from which on its values, if they
// are little-endian float32 in rows, are mapped into memory and not read: they
// can't be written to, and the file must not be cut short while they are in use.
const MapFrom = 1 << 20

// The format is numpy.lib.format: a magic, a version, the length of a header,
// the header as a Python dictionary, the values.
const (
	npyMagic     = "\x93NUMPY"
	maxNPYHeader = 1 << 20
)

// array is the header of a .npy file.
type array struct {
	kind    byte   // of the type: f, i, u, b, S, U
	width   int    // bytes a value
	big     bool   // big-endian
	descr   string // as it stands
	fortran bool
	shape   []int
	count   int // values
}

func (a *array) bytes() int64 { return int64(a.count) * int64(a.width) }

// readHeader reads a header from r; size is how many bytes r holds, and n how
// many of them the header takes.
func readHeader(r io.Reader, size int64) (a *array, n int64, err error) {
	var fixed [12]byte
	if _, err := io.ReadFull(r, fixed[:8]); err != nil {
		return nil, 0, fmt.Errorf("npy header: %w", early(err))
	}
	if string(fixed[:6]) != npyMagic {
		return nil, 0, fmt.Errorf("npy header: does not begin as .npy does")
	}
	var length int64
	switch fixed[6] {
	case 1:
		if _, err := io.ReadFull(r, fixed[8:10]); err != nil {
			return nil, 0, fmt.Errorf("npy header: %w", early(err))
		}
		length, n = int64(binary.LittleEndian.Uint16(fixed[8:])), 10
	case 2, 3:
		if _, err := io.ReadFull(r, fixed[8:12]); err != nil {
			return nil, 0, fmt.Errorf("npy header: %w", early(err))
		}
		length, n = int64(binary.LittleEndian.Uint32(fixed[8:])), 12
	default:
		return nil, 0, fmt.Errorf("npy header: version %d is not known", fixed[6])
	}
	if length > maxNPYHeader || length > size-n {
		return nil, 0, fmt.Errorf("npy header: it would have %d bytes: the file is truncated or damaged", length)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, 0, fmt.Errorf("npy header: %w", early(err))
	}
	n += length
	if a, err = parseHeader(string(text)); err != nil {
		return nil, 0, fmt.Errorf("npy header: %w", err)
	}
	if a.bytes() != size-n {
		return nil, 0, fmt.Errorf("%d bytes of values where the shape %s of type %s needs %d: the file is truncated or damaged", size-n, shape(a.shape), a.descr, a.bytes())
	}
	return a, n, nil
}

func early(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return fmt.Errorf("the data ends early: %w", io.ErrUnexpectedEOF)
	}
	return err
}

func shape(s []int) string {
	parts := make([]string, len(s))
	for i, n := range s {
		parts[i] = strconv.Itoa(n)
	}
	return "(" + strings.Join(parts, ", ") + ")"
}

// parseHeader parses the dictionary, of which NumPy writes three keys.
func parseHeader(text string) (*array, error) {
	p := &literal{s: text}
	a := &array{}
	if !p.take("{") {
		return nil, fmt.Errorf("no dictionary")
	}
	seen := map[string]bool{}
	for !p.take("}") {
		key, ok := p.str()
		if !ok || !p.take(":") || seen[key] {
			return nil, fmt.Errorf("the dictionary is not one that NumPy writes")
		}
		seen[key] = true
		switch key {
		case "descr":
			if p.peek() == '[' {
				return nil, fmt.Errorf("an array of records holds no vectors")
			}
			a.descr, ok = p.str()
		case "fortran_order":
			a.fortran = p.take("True")
			ok = a.fortran || p.take("False")
		case "shape":
			a.shape, ok = p.tuple()
		default:
			return nil, fmt.Errorf("unknown key %q", key)
		}
		if !ok {
			return nil, fmt.Errorf("%s is not what NumPy writes", key)
		}
		if !p.take(",") && p.peek() != '}' {
			return nil, fmt.Errorf("the dictionary is not one that NumPy writes")
		}
	}
	if p.peek() != 0 || len(seen) != 3 {
		return nil, fmt.Errorf("descr, fortran_order and shape are needed and nothing else")
	}
	return a, a.settle()
}

// settle works out the type and the number of values.
func (a *array) settle() error {
	d := a.descr
	if strings.Contains(d, "O") {
		return fmt.Errorf("an array of Python objects cannot be read: save it as float32, for example numpy.save(path, numpy.asarray(x, dtype=\"float32\"))")
	}
	if len(d) < 3 {
		return fmt.Errorf("unknown type %q", d)
	}
	if !strings.Contains("<>|=", d[:1]) {
		return fmt.Errorf("unknown type %q", d)
	}
	a.big = d[0] == '>'
	a.kind = d[1]
	w, err := strconv.Atoi(d[2:])
	if err != nil || w < 0 || w > 1<<16 {
		return fmt.Errorf("unknown type %q", d)
	}
	a.width = w
	known := strings.Contains(" f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1 ", " "+d[1:]+" ")
	if a.kind == 'U' {
		a.width *= 4
	} else if a.kind != 'S' && !known {
		return fmt.Errorf("type %q is not read: save the array as float32", d)
	}
	a.count = 1
	for _, n := range a.shape {
		if n > 0 && a.count > math.MaxInt/8/n {
			return fmt.Errorf("the shape %s is too large", shape(a.shape))
		}
		a.count *= n
	}
	if a.count > math.MaxInt/max(1, a.width) {
		return fmt.Errorf("the shape %s is too large", shape(a.shape))
	}
	return nil
}

// literal reads the few Python literals that stand in a header.
type literal struct {
	s string
	i int
}

func (p *literal) peek() byte {
	for p.i < len(p.s) && strings.IndexByte(" \t\r\n", p.s[p.i]) >= 0 {
		p.i++
	}
	if p.i == len(p.s) {
		return 0
	}
	return p.s[p.i]
}

func (p *literal) take(word string) bool {
	p.peek()
	if !strings.HasPrefix(p.s[p.i:], word) {
		return false
	}
	p.i += len(word)
	return true
}

func (p *literal) str() (string, bool) {
	q := p.peek()
	if q != '\'' && q != '"' {
		return "", false
	}
	end := strings.IndexByte(p.s[p.i+1:], q)
	if end < 0 {
		return "", false
	}
	s := p.s[p.i+1 : p.i+1+end]
	p.i += end + 2
	return s, !strings.Contains(s, `\`)
}

func (p *literal) tuple() (v []int, ok bool) {
	if !p.take("(") {
		return nil, false
	}
	for !p.take(")") {
		p.peek()
		start := p.i
		for p.i < len(p.s) && '0' <= p.s[p.i] && p.s[p.i] <= '9' {
			p.i++
		}
		n, err := strconv.Atoi(p.s[start:p.i])
		p.take("L") // as Python 2 wrote it
		if err != nil || len(v) == 32 || !p.take(",") && p.peek() != ')' {
			return nil, false
		}
		v = append(v, n)
	}
	return v, true
}

func readNPY(in input, o Options) (*Vectors, error) {
	a, n, r, err := openNPY(in)
	if err != nil {
		return nil, err
	}
	if v := a.mapped(in, n); v != nil {
		return v, nil
	}
	return a.dense(r, o.Folder)
}

// mapped are the values as they lie in the file, from byte n on, where they lie
// there as in memory; else nil.
func (a *array) mapped(in input, n int64) *Vectors {
	f, ok := in.ReaderAt.(*os.File)
	if !ok || in.size < MapFrom || a.fortran || a.kind != 'f' || a.width != 4 || a.big || len(a.shape) != 2 || a.shape[1] == 0 || n%4 != 0 || !plain.LittleEndian {
		return nil
	}
	data, err := mapfile.Map(f, in.size)
	if err != nil {
		return nil // some file systems can't: it is read
	}
	m := &matrix.Dense{Rows: a.shape[0], Cols: a.shape[1], Data: unsafe.Slice((*float32)(unsafe.Pointer(&data[n])), a.count)}
	return &Vectors{Matrix: m, Mapped: data, OffHeap: true}
}

func openNPY(in input) (*array, int64, io.Reader, error) {
	r := io.NewSectionReader(in, 0, in.size)
	a, n, err := readHeader(r, in.size)
	return a, n, r, err
}

// dense reads the values of a two-dimensional array: into a file in folder,
// where one is named and they are many, else into memory.
func (a *array) dense(r io.Reader, folder string) (*Vectors, error) {
	switch {
	case a.kind == 'S' || a.kind == 'U':
		return nil, fmt.Errorf("the array holds strings, not vectors")
	case len(a.shape) != 2:
		return nil, fmt.Errorf("the array has the shape %s; vectors need two dimensions, (documents, dimensions)", shape(a.shape))
	}
	rows, cols := a.shape[0], a.shape[1]
	if cols == 0 && rows > 0 {
		return nil, fmt.Errorf("the array has the shape %s: its vectors have no dimension", shape(a.shape))
	}
	if folder != "" && a.convertible() {
		return a.converted(r, folder)
	}
	m := matrix.NewDense(rows, cols)
	v := &Vectors{Matrix: m}
	if !a.fortran {
		return v, a.pieces(r, func(at, n int, b []byte) { a.float32s(m.Data[at:at+n], b) })
	}
	i, j := 0, 0 // of the next value: down the columns
	return v, a.each(r, func(_ int, v []float32) {
		for _, x := range v {
			m.Data[i*cols+j] = x
			if i++; i == rows {
				i, j = 0, j+1
			}
		}
	})
}

// each reads the values as float32 and hands them on in pieces, with the
// index of their first; a piece is valid during the call.
func (a *array) each(r io.Reader, f func(at int, v []float32)) error {
	out := make([]float32, min(piece, a.count))
	return a.pieces(r, func(at, n int, b []byte) {
		a.float32s(out[:n], b)
		f(at, out[:n])
	})
}

// piece is how many values are read at a time.
const piece = 1 << 14

// pieces reads the bytes of the values and hands them on, n values from value
// at on; b is the caller's during the call.
func (a *array) pieces(r io.Reader, f func(at, n int, b []byte)) error {
	buf := make([]byte, min(piece, a.count)*a.width)
	for at := 0; at < a.count; at += piece {
		n := min(piece, a.count-at)
		if _, err := io.ReadFull(r, buf[:n*a.width]); err != nil {
			return early(err)
		}
		f(at, n, buf)
	}
	return nil
}

// float32s decodes len(dst) values of src, whose bytes it may reorder.
func (a *array) float32s(dst []float32, src []byte) {
	a.littleEndian(src[:len(dst)*a.width])
	le := binary.LittleEndian
	switch {
	case a.kind == 'f' && a.width == 2:
		for i := range dst {
			dst[i] = safetensors.Half(le.Uint16(src[2*i:]))
		}
	case a.kind == 'f' && a.width == 4:
		for i := range dst {
			dst[i] = math.Float32frombits(le.Uint32(src[4*i:]))
		}
	case a.kind == 'f':
		for i := range dst {
			dst[i] = float32(math.Float64frombits(le.Uint64(src[8*i:])))
		}
	case a.kind == 'u' && a.width == 8:
		for i := range dst {
			dst[i] = float32(le.Uint64(src[8*i:]))
		}
	default:
		for i := range dst {
			dst[i] = float32(a.int(src, i))
		}
	}
}

// littleEndian turns the bytes of big-endian values round.
func (a *array) littleEndian(b []byte) {
	if !a.big || a.width == 1 {
		return
	}
	for value := range slices.Chunk(b, a.width) {
		slices.Reverse(value)
	}
}

// int returns the little-endian whole number i of src; bool is one too.
func (a *array) int(src []byte, i int) int64 {
	signed := a.kind == 'i'
	le := binary.LittleEndian
	switch a.width {
	case 1:
		if signed {
			return int64(int8(src[i]))
		}
		return int64(src[i])
	case 2:
		v := le.Uint16(src[2*i:])
		if signed {
			return int64(int16(v))
		}
		return int64(v)
	case 4:
		v := le.Uint32(src[4*i:])
		if signed {
			return int64(int32(v))
		}
		return int64(v)
	}
	return int64(le.Uint64(src[8*i:]))
}

// int64s reads a one-dimensional array of whole numbers.
func (a *array) int64s(r io.Reader) ([]int64, error) {
	if len(a.shape) != 1 || a.kind != 'i' && (a.kind != 'u' || a.width == 8) {
		return nil, fmt.Errorf("shape %s of type %s where a list of whole numbers is needed", shape(a.shape), a.descr)
	}
	const chunk = 1 << 14
	out := make([]int64, a.count)
	buf := make([]byte, chunk*a.width)
	for at := 0; at < a.count; at += chunk {
		part := out[at:min(at+chunk, a.count)]
		if _, err := io.ReadFull(r, buf[:len(part)*a.width]); err != nil {
			return nil, early(err)
		}
		a.littleEndian(buf[:len(part)*a.width])
		for i := range part {
			part[i] = a.int(buf, i)
		}
	}
	return out, nil
}

// text reads a single string.
func (a *array) text(r io.Reader) (string, error) {
	if a.count != 1 || a.kind != 'S' && a.kind != 'U' {
		return "", fmt.Errorf("shape %s of type %s where one string is needed", shape(a.shape), a.descr)
	}
	b := make([]byte, a.width)
	if _, err := io.ReadFull(r, b); err != nil {
		return "", early(err)
	}
	if a.kind == 'U' {
		var s []rune
		for i := 0; i < len(b); i += 4 {
			c := binary.LittleEndian.Uint32(b[i:])
			if a.big {
				c = binary.BigEndian.Uint32(b[i:])
			}
			s = append(s, rune(c))
		}
		b = []byte(string(s))
	}
	return strings.TrimRight(string(b), "\x00"), nil
}
