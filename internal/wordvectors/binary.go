package wordvectors

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// counter is a buffered reader that knows where it stands.
type counter struct {
	r   *bufio.Reader
	ctx context.Context
	at  int64
}

func newCounter(ctx context.Context, r io.Reader) *counter {
	return &counter{r: bufio.NewReaderSize(r, 1<<20), ctx: ctx}
}

func (c *counter) full(p []byte) error {
	n, err := io.ReadFull(c.r, p)
	c.at += int64(n)
	if err == nil {
		return c.ctx.Err()
	}
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (c *counter) byte() (byte, error) {
	b, err := c.r.ReadByte()
	if err == nil {
		c.at++
	}
	return b, err
}

func (c *counter) int32() (int, error) {
	var b [4]byte
	err := c.full(b[:])
	return int(int32(binary.LittleEndian.Uint32(b[:]))), err
}

func (c *counter) int64() (int64, error) {
	var b [8]byte
	err := c.full(b[:])
	return int64(binary.LittleEndian.Uint64(b[:])), err
}

// until appends what comes before the byte end to dst, at most limit bytes of
// it, and steps over end.
func (c *counter) until(dst []byte, end byte, limit int) ([]byte, error) {
	for n := 0; ; {
		part, err := c.r.ReadSlice(end)
		c.at += int64(len(part))
		n += len(part)
		dst = append(dst, part...)
		switch {
		case n > limit+1:
			return dst, errTooLong
		case err == nil:
			return dst[:len(dst)-1], nil
		case err == io.EOF:
			return dst, io.ErrUnexpectedEOF
		case err != bufio.ErrBufferFull:
			return dst, err
		}
	}
}

var errTooLong = errors.New("no end of a word")

// notFinite returns the index of the first value of raw that is NaN or infinite,
// or -1.
func notFinite(raw []byte) int {
	const exponent = 0x7f800000
	for i := 0; i+4 <= len(raw); i += 4 {
		if binary.LittleEndian.Uint32(raw[i:])&exponent == exponent {
			return i / 4
		}
	}
	return -1
}

func valueAt(raw []byte, i int) float32 {
	return math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
}

// readBinary reads word2vec's binary form: the header as a line, then for each
// word the word, a space, the values, and perhaps a line's end. It tells take of
// each and of where its values begin.
func readBinary(ctx context.Context, r io.Reader, take func(word []byte, at int64, raw []byte) error) error {
	c := newCounter(ctx, r)
	line, err := c.until(nil, '\n', 256)
	h, ok := parseHeader(line)
	if err != nil || !ok {
		return errors.New("byte 0: no line of two numbers, as word2vec's binary form begins with")
	}
	if err := h.check(); err != nil {
		return err
	}
	raw := make([]byte, 4*h.dim)
	var word []byte
	for i := range h.rows {
		start := c.at
		word, err = c.until(word[:0], ' ', maxWord)
		word = bytes.TrimLeft(word, "\n") // some writers put it there
		switch {
		case err == errTooLong:
			return fmt.Errorf("byte %d: word %d of %d has more than %d bytes: the file is damaged, or its first line (%d words of %d values) is wrong", start, i+1, h.rows, maxWord, h.rows, h.dim)
		case err == io.ErrUnexpectedEOF && len(bytes.TrimSpace(word)) == 0:
			return fmt.Errorf("byte %d: the file ends after %d of %d words: it was cut off, or its first line is wrong", c.at, i, h.rows)
		case err == io.ErrUnexpectedEOF:
			return fmt.Errorf("byte %d: the file ends within word %d of %d: it was cut off, or its first line (%d words of %d values) is wrong", c.at, i+1, h.rows, h.rows, h.dim)
		case err != nil:
			return fmt.Errorf("byte %d: %w", start, err)
		}
		at := c.at
		switch err := c.full(raw); {
		case err == io.ErrUnexpectedEOF:
			return fmt.Errorf("byte %d: the file ends within the vector of word %d of %d, %q: it was cut off, or its first line (%d words of %d values) is wrong", c.at, i+1, h.rows, clip(word), h.rows, h.dim)
		case err != nil:
			return err
		}
		if j := notFinite(raw); j >= 0 {
			return fmt.Errorf("byte %d: value %d of the vector of word %d, %q, is %v: the file is damaged", at+int64(4*j), j+1, i+1, clip(word), valueAt(raw, j))
		}
		if err := take(word, at, raw); err != nil {
			return err
		}
	}
	for {
		b, err := c.byte()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if b != '\n' && b != '\r' && b != ' ' {
			return fmt.Errorf("byte %d: the file goes on after its %d words of %d values: it is damaged, or its first line is wrong", c.at-1, h.rows, h.dim)
		}
	}
}
