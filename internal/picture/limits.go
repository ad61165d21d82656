package picture

// Limits are what a picture may take. They are held against the file's size and
// the header, before pixels are decoded.
type Limits struct {
	MaxFileSize int64 // bytes; 0: DefaultMaxFileSize
	MaxPixels   int64 // width x height; 0: DefaultMaxPixels
	MaxSide     int   // width or height; 0: DefaultMaxSide
}

// Defaults of Limits: what the largest cameras make fits well, and a picture
// takes at most some hundred megabytes while it is decoded.
const (
	DefaultMaxFileSize = 256 << 20
	DefaultMaxPixels   = 100_000_000
	DefaultMaxSide     = 65_535
)

func (l Limits) withDefaults() Limits {
	if l.MaxFileSize <= 0 {
		l.MaxFileSize = DefaultMaxFileSize
	}
	if l.MaxPixels <= 0 {
		l.MaxPixels = DefaultMaxPixels
	}
	if l.MaxSide <= 0 {
		l.MaxSide = DefaultMaxSide
	}
	return l
}

func (l Limits) checkSize(bytes int64) *Error {
	if bytes <= l.MaxFileSize {
		return nil
	}
	return fault(TooLarge, "the file has %d bytes, and max_file_size allows %d: raise it if the picture is wanted", bytes, l.MaxFileSize)
}

func (l Limits) checkSides(f Format, width, height int) *Error {
	switch pixels := int64(width) * int64(height); {
	case width <= 0 || height <= 0:
		return fault(Damaged, "the %s is %d x %d pixels: there is nothing in it", f, width, height)
	case width > l.MaxSide || height > l.MaxSide:
		return fault(TooLarge, "the %s is %d x %d pixels, and max_side allows %d: raise it if the picture is wanted", f, width, height, l.MaxSide)
	case pixels > l.MaxPixels:
		return fault(TooLarge, "the %s is %d x %d, which is %d pixels, and max_pixels allows %d: raise it if the picture is wanted", f, width, height, pixels, l.MaxPixels)
	}
	return nil
}
