package picture

import "encoding/binary"

// lookBits is how many bits of a code are looked up at once.
const lookBits = 10

// huffman is a table of codes.
type huffman struct {
	set bool
	// look holds, for the next lookBits bits, the length of the code that they
	// begin with in the low 8 bits and its symbol above; 0 where the code is
	// longer.
	look [1 << lookBits]uint16
	// whole, of an AC table, also holds the coefficient where it fits into these
	// bits: value<<16 | run<<8 | length; 0 where it doesn't.
	whole [1 << lookBits]int32

	symbols [256]byte
	// Codes of n bits are those below limit[n], when both are shifted to 16
	// bits; their symbols begin at symbols[offset[n]+code].
	limit  [18]uint32
	offset [17]int32
}

// readHuffman reads a segment of tables.
func (d *jpegDecoder) readHuffman(s []byte) *Error {
	for len(s) > 0 {
		if len(s) < 17 {
			return damagedJPEG("a table of codes is cut off")
		}
		class, id := s[0]>>4, s[0]&15
		total := 0
		for _, n := range s[1:17] {
			total += int(n)
		}
		if class > 1 || id > 3 || total > 256 || len(s) < 17+total {
			return damagedJPEG("a table of codes is cut off or of an unknown kind")
		}
		if !d.huffman[class][id].fill(s[1:17], s[17:17+total], class == 1) {
			return damagedJPEG("a table of codes has more codes than there are")
		}
		s = s[17+total:]
	}
	return nil
}

// fill makes the tables of the numbers of codes by length and their symbols.
func (h *huffman) fill(counts, symbols []byte, ac bool) bool {
	h.look, h.whole = [1 << lookBits]uint16{}, [1 << lookBits]int32{}
	copy(h.symbols[:], symbols)
	code, k := uint32(0), 0
	for n := 1; n <= 16; n++ {
		h.offset[n] = int32(k) - int32(code)
		for range counts[n-1] {
			if code >= 1<<n {
				return false
			}
			if n <= lookBits {
				for i := range uint32(1) << (lookBits - n) {
					h.look[code<<(lookBits-n)|i] = uint16(n) | uint16(symbols[k])<<8
				}
			}
			code++
			k++
		}
		h.limit[n] = code << (16 - n)
		code <<= 1
	}
	h.limit[17] = 1 << 31
	h.set = true
	if ac {
		h.fillWhole()
	}
	return true
}

func (h *huffman) fillWhole() {
	for i, e := range h.look {
		n, run, size := int(e&255), int32(e>>12), int(e>>8&15)
		if n == 0 || size == 0 || n+size > lookBits {
			continue
		}
		raw := int32(i>>(lookBits-n-size)) & (1<<size - 1)
		h.whole[i] = extend(raw, size)<<16 | run<<8 | int32(n+size)
	}
}

// extend is the value for which n bits stand.
func extend(v int32, n int) int32 {
	if v < 1<<(n-1) {
		v += -1<<n + 1
	}
	return v
}

// bitReader reads the entropy-coded data of a scan.
type bitReader struct {
	data []byte
	at   int
	acc  uint64 // the next bits, from the top
	n    int    // how many there are
	pad  int    // how many of them were made up, since the data ended
}

func (b *bitReader) begin(data []byte, at int) {
	*b = bitReader{data: data, at: at}
}

// refill makes at least 32 bits ready, zeros where the data has ended.
func (b *bitReader) refill() {
	if b.at+4 <= len(b.data) {
		v := binary.BigEndian.Uint32(b.data[b.at:])
		if (^v-0x01010101)&v&0x80808080 == 0 { // no byte is 0xff
			b.acc |= uint64(v) << (32 - b.n)
			b.n += 32
			b.at += 4
			return
		}
	}
	for b.n <= 48 {
		v := uint64(0)
		switch {
		case b.at < len(b.data) && b.data[b.at] != 0xff:
			v = uint64(b.data[b.at])
			b.at++
		case b.at+1 < len(b.data) && b.data[b.at+1] == 0:
			v = 0xff
			b.at += 2
		default: // the end, or a marker
			b.pad += 8
		}
		b.acc |= v << (56 - b.n)
		b.n += 8
	}
}

// overrun tells whether bits were taken that are not in the data.
func (b *bitReader) overrun() bool { return b.pad > b.n }

// position is where the data after the scan begins.
func (b *bitReader) position() int {
	// Whole bytes that were not taken are given back.
	for unread := (b.n - b.pad) / 8; unread > 0 && b.at > 0; unread-- {
		b.at--
		if b.data[b.at] == 0 && b.at > 0 && b.data[b.at-1] == 0xff {
			b.at--
		}
	}
	return b.at
}

// skipRestart goes on behind the restart mark of a number.
func (b *bitReader) skipRestart(number byte) bool {
	at := b.position()
	// Fill bytes may stand before it.
	for at+1 < len(b.data) && b.data[at] == 0xff && b.data[at+1] == 0xff {
		at++
	}
	if b.overrun() || at+1 >= len(b.data) || b.data[at] != 0xff || b.data[at+1] != mRST0+number {
		return false
	}
	b.begin(b.data, at+2)
	return true
}

func (b *bitReader) bit() bool {
	if b.n < 1 {
		b.refill()
	}
	v := b.acc>>63 != 0
	b.acc <<= 1
	b.n--
	return v
}

// take returns the next n bits, 1 to 16.
func (b *bitReader) take(n int) int32 {
	if b.n < 32 {
		b.refill()
	}
	v := int32(b.acc >> (64 - n))
	b.acc <<= n
	b.n -= n
	return v
}

// symbol decodes one code.
func (b *bitReader) symbol(h *huffman) (byte, bool) {
	if b.n < 32 {
		b.refill()
	}
	if e := h.look[b.acc>>(64-lookBits)]; e != 0 {
		b.acc <<= e & 255
		b.n -= int(e & 255)
		return byte(e >> 8), true
	}
	return b.long(h)
}

// long decodes a code of more than lookBits bits.
func (b *bitReader) long(h *huffman) (byte, bool) {
	top := uint32(b.acc >> 48)
	n := lookBits + 1
	for top >= h.limit[n] {
		n++
	}
	if n > 16 {
		return 0, false
	}
	at := h.offset[n] + int32(top>>(16-n))
	b.acc <<= n
	b.n -= n
	return h.symbols[byte(at)], true
}

// dcDifference decodes the change of a DC coefficient.
func (b *bitReader) dcDifference(h *huffman) (int32, bool) {
	size, ok := b.symbol(h)
	if !ok || size > 15 {
		return 0, false
	}
	if size == 0 {
		return 0, true
	}
	return extend(b.take(int(size)), int(size)), true
}

// block decodes a block of a baseline scan into dst, which is zeros before. most
// is the largest k of a coefficient that is not zero, in zigzag order.
func (b *bitReader) block(dst *[64]int16, dc, ac *huffman, last *int32) (most int, ok bool) {
	difference, ok := b.dcDifference(dc)
	if !ok {
		return 0, false
	}
	*last += difference
	dst[0] = int16(*last)
	acc, n := b.acc, b.n
	for k := 1; k < 64; {
		if n < 32 {
			b.acc, b.n = acc, n
			b.refill()
			acc, n = b.acc, b.n
		}
		look := acc >> (64 - lookBits)
		if e := ac.whole[look&(1<<lookBits-1)]; e != 0 {
			k += int(e >> 8 & 15)
			if k > 63 {
				return 0, false
			}
			dst[zigzag[k&63]&63] = int16(e >> 16)
			most = k
			k++
			acc <<= uint(e & 15)
			n -= int(e & 15)
			continue
		}
		var symbol byte
		if e := ac.look[look&(1<<lookBits-1)]; e != 0 {
			acc <<= e & 255
			n -= int(e & 255)
			symbol = byte(e >> 8)
		} else {
			b.acc, b.n = acc, n
			if symbol, ok = b.long(ac); !ok {
				return 0, false
			}
			acc, n = b.acc, b.n
		}
		run, size := int(symbol>>4), int(symbol&15)
		if size == 0 {
			if run != 15 {
				break
			}
			k += 16
			continue
		}
		if k += run; k > 63 {
			return 0, false
		}
		if n < size { // after a long code
			b.acc, b.n = acc, n
			b.refill()
			acc, n = b.acc, b.n
		}
		dst[zigzag[k&63]&63] = int16(extend(int32(acc>>(64-size)), size))
		most = k
		k++
		acc <<= size
		n -= size
	}
	b.acc, b.n = acc, n
	return most, true
}

// firstDC decodes a DC coefficient of a progressive scan.
func (b *bitReader) firstDC(dst *[64]int16, h *huffman, last *int32, low uint) bool {
	difference, ok := b.dcDifference(h)
	*last += difference
	dst[0] = int16(*last << low)
	return ok
}

// firstAC decodes the first bits of AC coefficients.
func (d *jpegDecoder) firstAC(dst *[64]int16, h *huffman, p pass) bool {
	if d.eobRun > 0 {
		d.eobRun--
		return true
	}
	for k := p.first; k <= p.last; k++ {
		symbol, ok := d.bits.symbol(h)
		if !ok {
			return false
		}
		run, size := int(symbol>>4), int(symbol&15)
		switch {
		case size > 0:
			if k += run; k > 63 {
				return false
			}
			dst[zigzag[k]] = int16(extend(d.bits.take(size), size) << p.low)
		case run == 15:
			k += 15
		default:
			d.eobRun = 1<<run - 1
			if run > 0 {
				d.eobRun += int(d.bits.take(run))
			}
			return true
		}
	}
	return true
}

// refineAC decodes one more bit of AC coefficients.
func (d *jpegDecoder) refineAC(dst *[64]int16, h *huffman, p pass) bool {
	delta := int16(1) << p.low
	k := p.first
	if d.eobRun == 0 {
		for k <= p.last {
			symbol, ok := d.bits.symbol(h)
			if !ok {
				return false
			}
			run, size := int(symbol>>4), int(symbol&15)
			value := int16(0)
			switch {
			case size == 1:
				value = -delta
				if d.bits.bit() {
					value = delta
				}
			case size > 1:
				return false
			case run < 15:
				d.eobRun = 1 << run
				if run > 0 {
					d.eobRun += int(d.bits.take(run))
				}
			}
			if d.eobRun > 0 {
				break
			}
			k = d.refine(dst, k, p.last, run, delta)
			if value != 0 {
				if k > p.last {
					return false
				}
				dst[zigzag[k]] = value
			}
			k++
		}
	}
	if d.eobRun > 0 {
		d.eobRun--
		d.refine(dst, k, p.last, -1, delta)
	}
	return true
}

// refine reads a bit for each coefficient from k on that is not zero, past so
// many zeros, and returns where it stopped: at the next zero, or behind last.
func (d *jpegDecoder) refine(dst *[64]int16, k, last, zeros int, delta int16) int {
	for ; k <= last; k++ {
		v := &dst[zigzag[k]]
		if *v == 0 {
			if zeros == 0 {
				break
			}
			zeros--
			continue
		}
		if !d.bits.bit() || *v&delta != 0 && *v > 0 || *v < 0 && -*v&delta != 0 {
			continue
		}
		if *v > 0 {
			*v += delta
		} else {
			*v -= delta
		}
	}
	return k
}
