package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/gif"
	"image/png"
	"io"
	"os"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
)

// Open reads the picture at path. An error is an *Error.
func Open(path string, l Limits) (*Image, error) {
	return (&Decoder{Limits: l}).Open(path)
}

// Decode reads a picture from its bytes, as Open does.
func Decode(data []byte, l Limits) (*Image, error) {
	return (&Decoder{Limits: l}).Decode(data)
}

// Decoder reads pictures one after the other and keeps its memory for the next
// one. Its zero value is ready. It is for one goroutine at a time.
type Decoder struct {
	Limits Limits
	// Reserve, where it is not nil, is told before a picture is decoded how many
	// bytes that takes at most, nearly. An error of it is Open's.
	Reserve func(bytes int64) error
	// Lying leaves a picture as it lies in its file, with Turn set, which saves
	// the turning of pixels that Preprocessor.Pixels throws away.
	Lying bool

	file  []byte
	jpeg  jpegDecoder
	png   pngDecoder
	image Image // the one that Open and Decode return
	work  Image // before it is turned upright
}

// Open reads the picture at path. It is d's and lasts until the next call. An
// error is an *Error, or Reserve's.
func (d *Decoder) Open(path string) (*Image, error) {
	m, err := d.open(path)
	if e, ok := err.(*Error); ok {
		e.Path = path
	}
	return m, err
}

func (d *Decoder) open(path string) (*Image, error) {
	if e := d.read(path); e != nil {
		return nil, e
	}
	return d.Decode(d.file)
}

// read brings the content of a file into d.file.
func (d *Decoder) read(path string) *Error {
	limits := d.Limits.withDefaults()
	if strings.Contains(path, "://") {
		return fault(Missing, "it is an address, and only files are read: bring the picture here first")
	}
	info, err := os.Stat(path) // a pipe must not be opened: that waits for a writer
	switch {
	case err != nil:
		return fileFault(err)
	case info.IsDir():
		return fault(NotAFile, "it is a folder, not a picture")
	case !info.Mode().IsRegular():
		return fault(NotAFile, "it is a pipe or a device, not a file")
	}
	if e := limits.checkSize(info.Size()); e != nil {
		return e
	}
	f, err := os.Open(path)
	if err != nil {
		return fileFault(err)
	}
	defer f.Close()
	const keep = 16 << 20
	if n := info.Size() + 512; int64(cap(d.file)) < n || cap(d.file) > keep && n < keep {
		d.file = make([]byte, 0, n)
	}
	buffer := bytes.NewBuffer(d.file[:0])
	// The file may have grown since.
	if _, err := buffer.ReadFrom(io.LimitReader(f, limits.MaxFileSize+1)); err != nil {
		return fileFault(err)
	}
	d.file = buffer.Bytes()
	return limits.checkSize(int64(len(d.file)))
}

// Decode reads a picture from its bytes. It is d's and lasts until the next
// call.
func (d *Decoder) Decode(data []byte) (*Image, error) {
	limits := d.Limits.withDefaults()
	if e := limits.checkSize(int64(len(data))); e != nil {
		return nil, e
	}
	format, e := sniff(data)
	if e != nil {
		return nil, e
	}
	var width, height int
	var tenths int64
	e = d.protect(format, func() (err error) {
		width, height, tenths, err = header(format, data)
		return err
	})
	if e == nil {
		e = limits.checkSides(format, width, height)
	}
	if e != nil {
		return nil, e
	}
	if d.Reserve != nil {
		tenths += 30 // as an Image
		if !d.Lying {
			tenths += 30 // and as one that must be turned
		}
		if err := d.Reserve(int64(width) * int64(height) * tenths / 10); err != nil {
			return nil, err
		}
	}
	turn := orientation(format, data)
	target := &d.image
	if turn != upright && !d.Lying {
		target = &d.work
	}
	e = d.protect(format, func() error { return d.decodePixels(target, format, data, width, height) })
	switch {
	case e != nil:
		return nil, e
	case turn == upright:
		d.image.Turn = 0
	case d.Lying:
		d.image.Turn = turn
	default:
		d.image.turn(&d.work, turn)
		d.image.Turn = 0
	}
	return &d.image, nil
}

// Trim gives back memory that a large picture has taken. What Open returned last
// is then no longer to be used.
func (d *Decoder) Trim() {
	const keep = 128 << 20
	held := cap(d.file) + cap(d.png.packed) + 3*cap(d.image.R) + 3*cap(d.work.R)
	for _, c := range d.jpeg.components {
		held += cap(c.plane) + 2*cap(c.coefficients)
	}
	if held > keep {
		*d = Decoder{Limits: d.Limits, Reserve: d.Reserve, Lying: d.Lying}
	}
}

// decodedTenths is how many bytes a pixel takes at most in the form that a
// decoder gives, in tenths.
var decodedTenths = map[Format]int64{PNG: 80, GIF: 10, WebP: 80, BMP: 40, TIFF: 80}

// protect makes an Error of what a decoder says, panics included.
func (d *Decoder) protect(f Format, decode func() error) (e *Error) {
	defer func() {
		if p := recover(); p != nil {
			e = fault(Damaged, "the %s is damaged: its decoder stopped: %v", f, p)
		}
	}()
	err := decode()
	if err == nil {
		return nil
	}
	if own, ok := err.(*Error); ok {
		return own
	}
	return decodeFault(f, err)
}

func decodeFault(f Format, err error) *Error {
	switch err {
	case io.EOF, io.ErrUnexpectedEOF:
		return fault(Damaged, "the %s is damaged: it ends too early", f)
	case bmp.ErrUnsupported:
		return fault(Unsupported, "it is a BMP of a kind that is not read: convert it to PNG")
	}
	switch err.(type) {
	case png.UnsupportedError, tiff.UnsupportedError:
		return &Error{Kind: Unsupported, Detail: fmt.Sprintf("it is a %s of a kind that is not read: convert it to PNG", f), Err: err}
	}
	return &Error{Kind: Damaged, Detail: fmt.Sprintf("the %s is damaged", f), Err: err}
}

// header reads the sides of a picture, and how many bytes a pixel takes while it
// is decoded, in tenths.
func header(f Format, data []byte) (width, height int, tenths int64, err error) {
	if f == JPEG {
		return jpegHeader(data)
	}
	var c image.Config
	r := bytes.NewReader(data)
	switch f {
	case PNG:
		c, err = png.DecodeConfig(r)
	case GIF:
		c, err = gif.DecodeConfig(r)
	case BMP:
		c, err = bmp.DecodeConfig(r)
	case TIFF:
		c, err = tiff.DecodeConfig(r)
	case WebP:
		c.Width, c.Height, err = webpDimensions(data)
	}
	tenths = decodedTenths[f]
	if f == PNG && !isInterlaced(data) { // row by row
		tenths = 10
	}
	return c.Width, c.Height, tenths, err
}

// decodePixels decodes a picture of width x height pixels into m, as it lies in
// the file.
func (d *Decoder) decodePixels(m *Image, f Format, data []byte, width, height int) error {
	r := bytes.NewReader(data)
	var decoded image.Image
	var err error
	switch f {
	case JPEG:
		return d.jpeg.decode(m, data)
	case PNG:
		return d.png.decode(m, data)
	case GIF:
		decoded, err = gif.Decode(r)
	case BMP:
		decoded, err = bmp.Decode(r)
	case TIFF:
		decoded, err = tiff.Decode(r)
	case WebP:
		return decodeWebP(m, data, width, height)
	}
	if err != nil {
		return err
	}
	if b := decoded.Bounds(); f != GIF && (b.Dx() != width || b.Dy() != height) {
		return fault(Damaged, "the %s is damaged: its header says %d x %d pixels, and there are %d x %d", f, width, height, b.Dx(), b.Dy())
	}
	m.resize(width, height)
	if f == GIF { // a first frame may be smaller than the picture
		m.fill(255)
	}
	return m.take(decoded)
}
