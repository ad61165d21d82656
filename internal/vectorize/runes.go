package vectorize

import (
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// isWord reports whether r is a \w of Python: a letter, a number of any kind
// or the underscore. Marks are not.
func isWord(r rune) bool {
	return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r)
}

// isSpace reports whether r is white space for Python's str.isspace. Beyond
// unicode.IsSpace these are the four separators of ASCII.
func isSpace(r rune) bool {
	return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f
}

const (
	dottedI = '\u0130' // the only letter that lower-cases to two: i and U+0307
	sigma   = '\u03a3' // lower-cases by its place in the word
)

// runeInfo is the lower case of a letter, with a bit that tells whether it is
// a word character. Special letters have specialRune alone.
type runeInfo uint32

const (
	wordRune    runeInfo = 1 << 31
	specialRune runeInfo = 1 << 30
	runeMask    runeInfo = 1<<21 - 1
)

func infoOf(r rune) runeInfo {
	if r == dottedI || r == sigma {
		return specialRune
	}
	l := unicode.ToLower(r)
	info := runeInfo(l)
	if isWord(l) {
		info |= wordRune
	}
	return info
}

// planeInfo holds infoOf for the first 65,536 code points.
var planeInfo = sync.OnceValue(func() *[1 << 16]runeInfo {
	var t [1 << 16]runeInfo
	for r := range t {
		t[r] = infoOf(rune(r))
	}
	return &t
})

// lowerASCII and keepASCII map a byte to the word character that it becomes,
// or to 0 where it is none.
var lowerASCII, keepASCII = func() (lower, keep [256]byte) {
	for c := range rune(utf8.RuneSelf) {
		if isWord(c) {
			lower[c], keep[c] = byte(unicode.ToLower(c)), byte(c)
		}
	}
	return lower, keep
}()

// finalSigma reports whether the capital sigma at text[i:] ends a word, so
// that it lower-cases to U+03C2: a cased letter precedes it and none follows,
// not counting characters that case ignores (Unicode, Final_Sigma).
func finalSigma(text string, i int) bool {
	before := false
	for j := i; j > 0; {
		r, size := utf8.DecodeLastRuneInString(text[:j])
		j -= size
		if !caseIgnorable(r) {
			before = cased(r)
			break
		}
	}
	if !before {
		return false
	}
	for j := i + utf8.RuneLen(sigma); j < len(text); {
		r, size := utf8.DecodeRuneInString(text[j:])
		j += size
		if !caseIgnorable(r) {
			return !cased(r)
		}
	}
	return true
}

func cased(r rune) bool {
	return unicode.In(r, unicode.Ll, unicode.Lu, unicode.Lt, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

func caseIgnorable(r rune) bool {
	switch r {
	case '\'', '.', ':', '\u00b7', '\u0387', '\u055f', '\u05f4', '\u2018', '\u2019', '\u2024', '\u2027',
		'\ufe13', '\ufe52', '\ufe55', '\uff07', '\uff0e', '\uff1a':
		return true
	}
	return unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf, unicode.Lm, unicode.Sk)
}

// appendLower appends text in lower case as Python's str.lower makes it.
func appendLower(dst []byte, text string) []byte {
	plane := planeInfo()
	for i := 0; i < len(text); {
		c := text[i]
		if c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == dottedI:
			dst = append(dst, "i\u0307"...)
		case r == sigma:
			if finalSigma(text, i) {
				dst = append(dst, "\u03c2"...)
			} else {
				dst = append(dst, "\u03c3"...)
			}
		case r < 1<<16:
			dst = utf8.AppendRune(dst, rune(plane[r]&runeMask))
		default:
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		}
		i += size
	}
	return dst
}

func lowerString(s string) string { return string(appendLower(nil, s)) }

// appendStripped appends text in compatibility decomposition (NFKD) without
// its combining characters or, with ascii, without all that is not ASCII.
func appendStripped(dst []byte, text string, ascii bool) []byte {
	var buf [64]byte
	for i := 0; i < len(text); {
		if text[i] < utf8.RuneSelf {
			dst = append(dst, text[i])
			i++
			continue
		}
		// One character at a time: a longer text would get a joiner after
		// thirty combining characters, which Python doesn't put there. Their
		// order doesn't matter, since all of them go.
		_, size := utf8.DecodeRuneInString(text[i:])
		for d := norm.NFKD.AppendString(buf[:0], text[i:i+size]); len(d) > 0; {
			r, n := utf8.DecodeRune(d)
			if ascii {
				if r < utf8.RuneSelf {
					dst = append(dst, byte(r))
				}
			} else if norm.NFKD.Properties(d).CCC() == 0 {
				dst = append(dst, d[:n]...)
			}
			d = d[n:]
		}
		i += size
	}
	return dst
}

// isASCII reports whether s has ASCII alone.
func isASCII(s string) bool { return asciiPrefix(s) == len(s) }

// asciiPrefix is the number of bytes before the first that is not ASCII.
func asciiPrefix(s string) int {
	i := 0
	for ; i+8 <= len(s); i += 8 {
		b := s[i : i+8] // one load of eight bytes
		if x := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56; x&0x8080808080808080 != 0 {
			break
		}
	}
	for i < len(s) && s[i] < utf8.RuneSelf {
		i++
	}
	return i
}
