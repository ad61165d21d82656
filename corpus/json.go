package corpus

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// This file is a JSON parser for one line: it checks the whole of it (RFC
// 8259) and decodes only the values that are wanted. It is several times as
// fast as encoding/json, which parses a row twice to reach some of its values,
// and it tells a lone surrogate from a replacement character.

// maxDepth bounds the nesting of values, and so the stack.
const maxDepth = 1000

// syntaxError is a fault of the JSON text, at a byte of it.
type syntaxError struct {
	at  int
	msg string
}

func (e *syntaxError) Error() string { return e.msg }

type jsonText struct {
	b []byte
	i int
}

func (p *jsonText) fail(format string, args ...any) error {
	return &syntaxError{p.i, fmt.Sprintf(format, args...)}
}

func (p *jsonText) space() {
	for p.i < len(p.b) {
		switch p.b[p.i] {
		case ' ', '\t', '\r', '\n':
			p.i++
		default:
			return
		}
	}
}

// peek returns the next byte that is not white space, 0 at the end.
func (p *jsonText) peek() byte {
	p.space()
	if p.i < len(p.b) {
		return p.b[p.i]
	}
	return 0
}

// found describes what stands at the place of the parser.
func (p *jsonText) found() string {
	if p.i >= len(p.b) {
		return "the end of the line"
	}
	r, _ := utf8.DecodeRune(p.b[p.i:])
	return strconv.QuoteRune(r)
}

// object parses a whole text as one object and calls member for each key
// (quotes and escapes as they stand) and value.
func (p *jsonText) object(member func(key, value []byte) error) error {
	if p.peek() != '{' {
		return p.fail("expected an object, {...}, found %s", p.found())
	}
	err := p.members(1, member)
	if err != nil {
		return err
	}
	if p.peek() != 0 || p.i < len(p.b) {
		return p.fail("expected the end of the line after the object, found %s", p.found())
	}
	return nil
}

func (p *jsonText) members(depth int, member func(key, value []byte) error) error {
	p.i++ // {
	if p.peek() == '}' {
		p.i++
		return nil
	}
	for {
		if p.peek() != '"' {
			return p.fail("expected a key in double quotes, found %s", p.found())
		}
		start := p.i
		if err := p.str(); err != nil {
			return err
		}
		key := p.b[start:p.i]
		if p.peek() != ':' {
			return p.fail("expected a colon after the key %s, found %s", key, p.found())
		}
		p.i++
		p.space()
		start = p.i
		if err := p.value(depth); err != nil {
			return err
		}
		if member != nil {
			if err := member(key, p.b[start:p.i]); err != nil {
				return err
			}
		}
		switch p.peek() {
		case ',':
			p.i++
		case '}':
			p.i++
			return nil
		default:
			return p.fail("expected a comma or } after a value, found %s", p.found())
		}
	}
}

func (p *jsonText) list(depth int, element func(value []byte) error) error {
	p.i++ // [
	if p.peek() == ']' {
		p.i++
		return nil
	}
	for {
		p.space()
		start := p.i
		if err := p.value(depth); err != nil {
			return err
		}
		if element != nil {
			if err := element(p.b[start:p.i]); err != nil {
				return err
			}
		}
		switch p.peek() {
		case ',':
			p.i++
		case ']':
			p.i++
			return nil
		default:
			return p.fail("expected a comma or ] after a value, found %s", p.found())
		}
	}
}

// value skips a value, which it checks.
func (p *jsonText) value(depth int) error {
	if depth > maxDepth {
		return p.fail("values are nested more than %d deep", maxDepth)
	}
	switch c := p.peek(); {
	case c == '"':
		return p.str()
	case c == '{':
		return p.members(depth+1, nil)
	case c == '[':
		return p.list(depth+1, nil)
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	}
	for _, word := range []string{"true", "false", "null"} {
		if bytes.HasPrefix(p.b[p.i:], []byte(word)) {
			p.i += len(word)
			return nil
		}
	}
	for _, word := range []string{"NaN", "Infinity"} {
		if bytes.HasPrefix(p.b[p.i:], []byte(word)) {
			return p.fail("%s is not JSON: write a missing value as null", word)
		}
	}
	return p.fail("expected a value, found %s", p.found())
}

// str skips a string.
func (p *jsonText) str() error {
	b := p.b
	for i := p.i + 1; i < len(b); i++ {
		i += plainBytes(b[i:])
		if i == len(b) {
			break
		}
		switch c := b[i]; {
		case c == '"':
			p.i = i + 1
			return nil
		case c == '\\':
			i++
			if i < len(b) && b[i] == 'u' {
				for range 4 {
					if i++; i >= len(b) || hexDigit(b[i]) < 0 {
						p.i = min(i, len(b))
						return p.fail(`expected four hexadecimal digits after \u, found %s`, p.found())
					}
				}
			} else if i < len(b) && bytes.IndexByte([]byte(`"\/bfnrt`), b[i]) < 0 {
				p.i = i
				return p.fail(`%s after a backslash is no escape of JSON`, p.found())
			}
		case c < ' ':
			p.i = i
			return p.fail(`a control character (byte %#02x) in a string: write it as \u%04x`, c, c)
		}
	}
	p.i = len(b)
	return p.fail("the line ends inside a string")
}

// plainBytes returns how many bytes at the start of b, but for the last few, are
// neither quotes nor backslashes nor control characters.
func plainBytes(b []byte) (n int) {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	below := func(x, n uint64) uint64 { return (x - n*ones) &^ x & tops } // a bit at the lowest byte below n, and perhaps above it
	for ; len(b) >= 8; b = b[8:] {
		x := binary.LittleEndian.Uint64(b)
		if m := below(x, ' ') | below(x^'"'*ones, 1) | below(x^'\\'*ones, 1); m != 0 {
			return n + bits.TrailingZeros64(m)/8
		}
		n += 8
	}
	return n
}

func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func (p *jsonText) number() error {
	digits := func() bool {
		start := p.i
		for p.i < len(p.b) && '0' <= p.b[p.i] && p.b[p.i] <= '9' {
			p.i++
		}
		return p.i > start
	}
	at := func(c string) bool {
		return p.i < len(p.b) && bytes.IndexByte([]byte(c), p.b[p.i]) >= 0
	}
	if at("-") {
		p.i++
	}
	if at("I") {
		return p.fail("-Infinity is not JSON: write a missing value as null")
	}
	if at("0") {
		p.i++
	} else if !digits() {
		return p.fail("expected a digit, found %s", p.found())
	}
	if at(".") {
		p.i++
		if !digits() {
			return p.fail("expected a digit after the point, found %s", p.found())
		}
	}
	if at("eE") {
		p.i++
		if at("+-") {
			p.i++
		}
		if !digits() {
			return p.fail("expected a digit in the exponent, found %s", p.found())
		}
	}
	return nil
}

// unquote decodes a string that str accepted. ok is false if it holds half of
// a surrogate pair, which becomes U+FFFD.
func unquote(quoted []byte) (s string, ok bool) {
	b := quoted[1 : len(quoted)-1]
	i := bytes.IndexByte(b, '\\')
	if i < 0 {
		return string(b), true
	}
	ok = true
	var out strings.Builder
	out.Grow(len(b))
	for i >= 0 {
		out.Write(b[:i])
		c := b[i+1]
		b = b[i+2:]
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := hex4(b)
			b = b[4:]
			if utf16.IsSurrogate(r) {
				pair := rune(utf8.RuneError)
				if len(b) >= 6 && b[0] == '\\' && b[1] == 'u' {
					pair = utf16.DecodeRune(r, hex4(b[2:]))
				}
				if r = pair; r == utf8.RuneError {
					ok = false
				} else {
					b = b[6:]
				}
			}
			out.WriteRune(r)
			i = bytes.IndexByte(b, '\\')
			continue
		}
		out.WriteByte(c)
		i = bytes.IndexByte(b, '\\')
	}
	out.Write(b)
	if s = out.String(); out.Cap() > 2*len(s) { // of escapes, mostly
		s = strings.Clone(s)
	}
	return s, ok
}

func hex4(b []byte) rune {
	return rune(hexDigit(b[0])<<12 | hexDigit(b[1])<<8 | hexDigit(b[2])<<4 | hexDigit(b[3]))
}
