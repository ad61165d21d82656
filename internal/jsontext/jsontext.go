// Package jsontext writes JSON where there is too much of it for reflection.
package jsontext

import "unicode/utf8"

const hex = "0123456789abcdef"

// short are the escapes of two characters, by the character that they stand
// for; 1 is for one that has none and needs one, 0 for one that stands as it is.
var short = func() (t [utf8.RuneSelf]byte) {
	for c := range byte(' ') {
		t[c] = 1
	}
	t['\b'], t['\f'], t['\n'], t['\r'], t['\t'] = 'b', 'f', 'n', 'r', 't'
	t['"'], t['\\'] = '"', '\\'
	t['<'], t['>'], t['&'] = 1, 1, 1
	return t
}()

// AppendString appends s in quotes, byte for byte as encoding/json does: <, >
// and & escaped, so that it can stand in a script element, and a byte that is
// not UTF-8 as U+FFFD.
func AppendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			e := short[c]
			if e == 0 {
				i++
				continue
			}
			dst = append(append(dst, s[start:i]...), '\\')
			if e == 1 {
				dst = append(dst, 'u', '0', '0', hex[c>>4], hex[c&15])
			} else {
				dst = append(dst, e)
			}
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			dst = append(append(dst, s[start:i]...), `\ufffd`...)
			start = i + n
		case r == '\u2028' || r == '\u2029': // ends of lines to JavaScript
			dst = append(append(append(dst, s[start:i]...), `\u202`...), hex[r&15])
			start = i + n
		}
		i += n
	}
	return append(append(dst, s[start:]...), '"')
}
