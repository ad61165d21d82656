package picture

import (
	"slices"
)

// jpegDecoder decodes JPEG files: baseline, extended and progressive, with 8
// bits a sample and Huffman codes. Its pixels are those of libjpeg (with its
// accurate inverse transform and its smooth upsampling), which is what Pillow
// gives; the decoder of the standard library puts coarse colours on fine ones
// and differs by dozens of steps at coloured edges. It keeps its memory.
type jpegDecoder struct {
	data []byte
	at   int

	width, height int
	progressive   bool
	components    []component
	hMax, vMax    int
	mcusX, mcusY  int
	restart       int // MCUs between restarts; 0: none
	jfif, adobe   bool
	transform     byte // of Adobe

	quant   [4][64]int32 // row-major
	hasQ    [4]bool
	huffman [2][4]huffman // of DC and AC
	bits    bitReader
	eobRun  int // blocks of a progressive scan that are known to have ended

	block [64]int16
	rows  [2]upsampled
}

// component is a channel of the file.
type component struct {
	id, q           byte
	h, v            int // samples of an MCU, in blocks
	width, height   int // in samples
	blocksX, stride int // blocks in a row that are kept, samples in a row of plane
	blocksY         int
	plane           []uint8
	coefficients    []int16 // of a progressive file, by blocks
	seen            bool    // a scan had it

	dc, ac byte // tables of the current scan
	last   int32
}

// maxScans keeps a small file from keeping a processor busy for minutes. Files
// that are meant to be looked at have about ten.
const maxScans = 500

// zigzag is where the k-th coefficient of a block belongs.
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// Markers.
const (
	mSOF0 = 0xc0
	mSOF1 = 0xc1
	mSOF2 = 0xc2
	mDHT  = 0xc4
	mRST0 = 0xd0
	mRST7 = 0xd7
	mSOI  = 0xd8
	mEOI  = 0xd9
	mSOS  = 0xda
	mDQT  = 0xdb
	mDRI  = 0xdd
	mAPP0 = 0xe0
	mAPPE = 0xee
	mTEM  = 0x01
)

func damagedJPEG(format string, args ...any) *Error {
	return fault(Damaged, "the JPEG is damaged: "+format, args...)
}

func tooShort() *Error { return damagedJPEG("it ends too early") }

// jpegHeader reads the header: the sides, and how many bytes a pixel takes while
// it is decoded, in tenths.
func jpegHeader(data []byte) (width, height int, tenths int64, err error) {
	d := jpegDecoder{data: data}
	for {
		marker, segment, e := d.next()
		if e != nil {
			return 0, 0, 0, e
		}
		switch {
		case isFrame(marker):
			if e := d.frameHeader(marker, segment); e != nil {
				return 0, 0, 0, e
			}
			for _, c := range d.components {
				tenths += int64(10 * c.h * c.v)
			}
			tenths /= int64(d.hMax * d.vMax)
			if d.progressive { // coefficients of two bytes as well
				tenths *= 3
			}
			return d.width, d.height, tenths, nil
		case marker == mSOS || marker == mEOI:
			return 0, 0, 0, damagedJPEG("it has no header of a frame")
		}
	}
}

// isFrame is true for the markers that begin a frame.
func isFrame(marker byte) bool {
	return marker >= 0xc0 && marker <= 0xcf && marker != mDHT && marker != 0xc8 && marker != 0xcc
}

// next returns the next marker and its segment.
func (d *jpegDecoder) next() (marker byte, segment []byte, e *Error) {
	for {
		for d.at < len(d.data) && d.data[d.at] != 0xff { // what doesn't belong there is skipped, as libjpeg does
			d.at++
		}
		for d.at < len(d.data) && d.data[d.at] == 0xff {
			d.at++
		}
		if d.at >= len(d.data) {
			return 0, nil, tooShort()
		}
		marker = d.data[d.at]
		d.at++
		switch {
		case marker == 0 || marker == mTEM || marker == mSOI || marker >= mRST0 && marker <= mRST7:
			continue
		case marker == mEOI:
			return marker, nil, nil
		}
		if d.at+2 > len(d.data) {
			return 0, nil, tooShort()
		}
		n := int(d.data[d.at])<<8 | int(d.data[d.at+1])
		if n < 2 {
			return 0, nil, damagedJPEG("a segment has the length %d", n)
		}
		if d.at+n > len(d.data) {
			return 0, nil, tooShort()
		}
		segment = d.data[d.at+2 : d.at+n]
		d.at += n
		return marker, segment, nil
	}
}

// decode decodes a file into m.
func (d *jpegDecoder) decode(m *Image, data []byte) error {
	d.data, d.at = data, 0
	d.width, d.height, d.restart = 0, 0, 0
	d.jfif, d.adobe, d.transform = false, false, 0
	d.hasQ = [4]bool{}
	for i := range d.huffman {
		for j := range d.huffman[i] {
			d.huffman[i][j].set = false
		}
	}
	if e := d.scans(); e != nil {
		return e
	}
	if d.progressive {
		for i := range d.components {
			d.transformAll(&d.components[i])
		}
	}
	m.resize(d.width, d.height)
	if e := d.color(m); e != nil {
		return e
	}
	return nil
}

// scans reads the file up to its end.
func (d *jpegDecoder) scans() *Error {
	count := 0
	for {
		marker, segment, e := d.next()
		if e != nil {
			// A whole picture whose end mark is missing is whole.
			if d.at >= len(d.data) && d.width > 0 && !d.progressive && d.complete() {
				return nil
			}
			return e
		}
		switch {
		case isFrame(marker):
			if d.width > 0 {
				return damagedJPEG("it has two frames")
			}
			if e := d.frameHeader(marker, segment); e != nil {
				return e
			}
			d.allocate()
		case marker == mSOS:
			if count++; count > maxScans {
				return damagedJPEG("it has more than %d scans", maxScans)
			}
			if e := d.scan(segment); e != nil {
				return e
			}
		case marker == mEOI:
			if !d.complete() {
				return tooShort()
			}
			return nil
		case marker == mDHT:
			e = d.readHuffman(segment)
		case marker == mDQT:
			e = d.readQuant(segment)
		case marker == mDRI:
			if len(segment) < 2 {
				return damagedJPEG("a restart interval is cut off")
			}
			d.restart = int(segment[0])<<8 | int(segment[1])
		case marker == mAPP0:
			d.jfif = d.jfif || len(segment) >= 5 && string(segment[:5]) == "JFIF\x00"
		case marker == mAPPE:
			if len(segment) >= 12 && string(segment[:5]) == "Adobe" {
				d.adobe, d.transform = true, segment[11]
			}
		}
		if e != nil {
			return e
		}
	}
}

// complete tells whether every component has been in a scan.
func (d *jpegDecoder) complete() bool {
	return len(d.components) > 0 && !slices.ContainsFunc(d.components, func(c component) bool { return !c.seen })
}

func (d *jpegDecoder) frameHeader(marker byte, s []byte) *Error {
	if marker > mSOF2 {
		return fault(Unsupported, "it is a JPEG of a rare kind (lossless, hierarchical or with arithmetic codes), which is not read: convert it to PNG")
	}
	if len(s) < 6 || len(s) < 6+3*int(s[5]) {
		return damagedJPEG("the header of its frame is cut off")
	}
	if s[0] != 8 {
		return fault(Unsupported, "it is a JPEG with %d bits a sample, which is not read: convert it to PNG", s[0])
	}
	d.progressive = marker == mSOF2
	d.height, d.width = int(s[1])<<8|int(s[2]), int(s[3])<<8|int(s[4])
	n := int(s[5])
	if n != 1 && n != 3 && n != 4 {
		return fault(Unsupported, "it is a JPEG of %d channels, which is not read: convert it to PNG", n)
	}
	if d.width == 0 || d.height == 0 {
		return damagedJPEG("it is %d x %d pixels", d.width, d.height)
	}
	if len(d.components) != n {
		d.components = make([]component, n)
	}
	d.hMax, d.vMax = 1, 1
	for i := range d.components {
		p := s[6+3*i:]
		c := &d.components[i]
		c.id, c.h, c.v, c.q, c.seen = p[0], int(p[1]>>4), int(p[1]&15), p[2], false
		if c.h < 1 || c.h > 4 || c.v < 1 || c.v > 4 || c.q > 3 {
			return damagedJPEG("channel %d has the sampling %d x %d and the table %d", i+1, c.h, c.v, c.q)
		}
		d.hMax, d.vMax = max(d.hMax, c.h), max(d.vMax, c.v)
	}
	if n == 1 { // its blocks lie in rows, whatever the factors
		d.components[0].h, d.components[0].v, d.hMax, d.vMax = 1, 1, 1, 1
	}
	for _, c := range d.components {
		if d.hMax%c.h != 0 || d.vMax%c.v != 0 {
			return fault(Unsupported, "it is a JPEG whose channels have sizes that are no multiples of each other, which is not read: convert it to PNG")
		}
	}
	d.mcusX, d.mcusY = ceilDiv(d.width, 8*d.hMax), ceilDiv(d.height, 8*d.vMax)
	return nil
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// allocate makes room for the frame.
func (d *jpegDecoder) allocate() {
	for i := range d.components {
		c := &d.components[i]
		c.width, c.height = ceilDiv(d.width*c.h, d.hMax), ceilDiv(d.height*c.v, d.vMax)
		c.blocksX, c.blocksY = d.mcusX*c.h, d.mcusY*c.v
		c.stride = 8 * c.blocksX
		n := c.stride * 8 * c.blocksY
		if cap(c.plane) < n {
			c.plane = make([]uint8, n)
		}
		c.plane = c.plane[:n]
		if !d.progressive {
			continue
		}
		if cap(c.coefficients) < n {
			c.coefficients = make([]int16, n)
		}
		c.coefficients = c.coefficients[:n]
		clear(c.coefficients)
	}
}

func (d *jpegDecoder) readQuant(s []byte) *Error {
	for len(s) > 0 {
		wide, id := s[0]>>4, s[0]&15
		n := 64 * (1 + int(wide))
		if wide > 1 || id > 3 || len(s) < 1+n {
			return damagedJPEG("a table of quantisation is cut off or of an unknown kind")
		}
		for k := range 64 {
			v := int32(s[1+k])
			if wide == 1 {
				v = int32(s[1+2*k])<<8 | int32(s[2+2*k])
			}
			d.quant[id][zigzag[k]] = v
		}
		d.hasQ[id] = true
		s = s[1+n:]
	}
	return nil
}

// scan reads one scan: its header and its entropy-coded data.
func (d *jpegDecoder) scan(s []byte) *Error {
	if d.width == 0 {
		return damagedJPEG("a scan comes before the frame")
	}
	if len(s) < 1 || len(s) < 4+2*int(s[0]) || s[0] < 1 || int(s[0]) > len(d.components) {
		return damagedJPEG("the header of a scan is cut off")
	}
	var in []*component
	for i := range int(s[0]) {
		id, tables := s[1+2*i], s[2+2*i]
		at := slices.IndexFunc(d.components, func(c component) bool { return c.id == id })
		if at < 0 || slices.Contains(in, &d.components[at]) {
			return damagedJPEG("a scan names a channel that is not there")
		}
		c := &d.components[at]
		c.dc, c.ac, c.seen = tables>>4, tables&15, true
		if c.dc > 3 || c.ac > 3 {
			return damagedJPEG("a scan names a table that is not there")
		}
		if !d.hasQ[c.q] {
			return damagedJPEG("a table of quantisation is missing")
		}
		in = append(in, c)
	}
	tail := s[1+2*len(in):]
	p := pass{first: int(tail[0]), last: int(tail[1]), high: uint(tail[2] >> 4), low: uint(tail[2] & 15)}
	if !d.progressive {
		p = pass{last: 63}
	}
	if p.first > p.last || p.last > 63 || p.first == 0 && p.last > 0 && d.progressive || p.first > 0 && len(in) > 1 || p.low > 13 || p.high > 0 && p.high != p.low+1 {
		return damagedJPEG("a scan covers the coefficients %d to %d at the bits %d to %d", p.first, p.last, p.high, p.low)
	}
	for _, c := range in {
		if needsDC := p.first == 0 && p.high == 0; needsDC && !d.huffman[0][c.dc].set || p.last > 0 && !d.huffman[1][c.ac].set {
			return damagedJPEG("a table of codes is missing")
		}
	}
	return d.readScan(in, p)
}

// pass is which part of the coefficients a scan brings.
type pass struct {
	first, last int
	high, low   uint // successive approximation: the bit before, and this one
}

// readScan decodes the data of a scan.
func (d *jpegDecoder) readScan(in []*component, p pass) *Error {
	d.bits.begin(d.data, d.at)
	mcusX, mcusY := d.mcusX, d.mcusY
	if len(in) == 1 { // not in MCUs: the blocks that have pixels in them
		mcusX, mcusY = ceilDiv(in[0].width, 8), ceilDiv(in[0].height, 8)
	}
	left, number := d.restart, byte(0)
	d.beginInterval(in)
	for my := range mcusY {
		for mx := range mcusX {
			if d.restart > 0 && left == 0 {
				if !d.bits.skipRestart(number) {
					return damagedJPEG("a restart mark is missing")
				}
				number, left = (number+1)&7, d.restart
				d.beginInterval(in)
			}
			left--
			if len(in) == 1 {
				if e := d.readBlock(in[0], mx, my, p); e != nil {
					return e
				}
				continue
			}
			for _, c := range in {
				for v := range c.v {
					for h := range c.h {
						if e := d.readBlock(c, mx*c.h+h, my*c.v+v, p); e != nil {
							return e
						}
					}
				}
			}
		}
		if d.bits.overrun() {
			return d.short()
		}
	}
	d.at = d.bits.position()
	return nil
}

// short says why the data of a scan did not suffice.
func (d *jpegDecoder) short() *Error {
	if d.bits.at >= len(d.data) {
		return tooShort()
	}
	return damagedJPEG("a scan ends too early")
}

func (d *jpegDecoder) beginInterval(in []*component) {
	for _, c := range in {
		c.last = 0
	}
	d.eobRun = 0
}

// readBlock decodes the block (x, y) of a component.
func (d *jpegDecoder) readBlock(c *component, x, y int, p pass) *Error {
	ok := true
	if !d.progressive {
		d.block = [64]int16{}
		var most int
		if most, ok = d.bits.block(&d.block, &d.huffman[0][c.dc], &d.huffman[1][c.ac], &c.last); ok {
			inverse(c.plane[y*8*c.stride+x*8:], c.stride, &d.block, &d.quant[c.q], most)
			return nil
		}
	} else {
		b := (*[64]int16)(c.coefficients[(y*c.blocksX+x)*64:])
		switch {
		case p.first == 0 && p.high == 0:
			ok = d.bits.firstDC(b, &d.huffman[0][c.dc], &c.last, p.low)
		case p.first == 0:
			if d.bits.bit() {
				b[0] |= 1 << p.low
			}
		case p.high == 0:
			ok = d.firstAC(b, &d.huffman[1][c.ac], p)
		default:
			ok = d.refineAC(b, &d.huffman[1][c.ac], p)
		}
		if ok {
			return nil
		}
	}
	if d.bits.overrun() {
		return d.short()
	}
	return damagedJPEG("a code is not in its table")
}

// transformAll makes samples of the coefficients of a progressive file.
func (d *jpegDecoder) transformAll(c *component) {
	for y := range c.blocksY {
		for x := range c.blocksX {
			b := (*[64]int16)(c.coefficients[(y*c.blocksX+x)*64:])
			inverse(c.plane[y*8*c.stride+x*8:], c.stride, b, &d.quant[c.q], 63)
		}
	}
}
