package corpus

import (
	"bytes"
	"io"
	"unicode/utf8"
)

// validReader passes valid UTF-8 through. At the first byte that is none it
// stops with an *Error, after all that stands before it; or it replaces each
// such byte by U+FFFD, whatever the sizes of the reads.
type validReader struct {
	r       io.Reader
	replace bool
	offset  int64 // of the first byte not yet passed on
	line    int   // that it is in
	buf     []byte
	ready   []byte // valid, to be handed out
	rest    []byte // a rune that is not whole yet; aliases buf
	err     error  // to be returned once ready is empty
}

func (v *validReader) Read(p []byte) (int, error) {
	for len(v.ready) == 0 {
		if v.err != nil {
			return 0, v.err
		}
		v.fill()
	}
	n := copy(p, v.ready)
	v.ready = v.ready[n:]
	return n, nil
}

func (v *validReader) fill() {
	if v.buf == nil {
		v.buf = make([]byte, bufferSize)
	}
	n := copy(v.buf, v.rest)
	v.rest = nil
	m, err := v.r.Read(v.buf[n:])
	b := v.buf[:n+m]
	if err == nil {
		whole := len(b) - partial(b)
		b, v.rest = b[:whole], b[whole:]
	} else {
		v.err = err
	}
	if !utf8.Valid(b) {
		if v.replace {
			v.offset += int64(len(b))
			b = replaceInvalid(b)
			v.line += bytes.Count(b, []byte{'\n'})
			v.ready = b
			return
		}
		good := validPrefix(b)
		e := fault("invalid UTF-8 (byte %#02x)", b[good]).
			hint("convert the file to UTF-8, or set invalid UTF-8 to be replaced")
		e.Offset = v.offset + int64(good)
		e.Line = v.line + bytes.Count(b[:good], []byte{'\n'})
		v.err = e
		b = b[:good]
	}
	v.offset += int64(len(b))
	v.line += bytes.Count(b, []byte{'\n'})
	v.ready = b
}

// partial returns how many bytes at the end of b begin a rune whose other
// bytes may still come.
func partial(b []byte) int {
	for k := 1; k < utf8.UTFMax && k <= len(b); k++ {
		if tail := b[len(b)-k:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return k
		}
	}
	return 0
}

func validPrefix(b []byte) int {
	i := 0
	for i < len(b) {
		r, n := utf8.DecodeRune(b[i:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		i += n
	}
	return i
}

func replaceInvalid(b []byte) []byte {
	out := make([]byte, 0, len(b)+64)
	for len(b) > 0 {
		n := validPrefix(b)
		out = append(out, b[:n]...)
		if b = b[n:]; len(b) > 0 {
			out = utf8.AppendRune(out, utf8.RuneError)
			b = b[1:]
		}
	}
	return out
}
