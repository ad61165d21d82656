package tokenize

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A normalizer appends the normal form of src to dst and returns it. src is
// valid UTF-8 that dst does not share memory with.
type normalizer interface {
	normalize(dst, src []byte, w *work) []byte
}

// bertNormalizer is BERT's text clean-up: control characters dropped, white
// space made blanks, ideographs set apart, accents stripped, lower case.
type bertNormalizer struct {
	clean, han, strip, lower bool
	ascii                    [utf8.RuneSelf]byte // what an ASCII byte becomes; 0: dropped
	classes                  *[0x110000]uint8
}

func newBertNormalizer(clean, han, strip, lowercase bool) *bertNormalizer {
	n := &bertNormalizer{clean: clean, han: han, strip: strip, lower: lowercase, classes: runeClasses()}
	for i := range n.ascii {
		b := byte(i)
		switch {
		case clean && (b == '\t' || b == '\n' || b == '\r'):
			b = ' '
		case clean && n.classes[b]&classOther != 0:
			b = 0
		case lowercase && 'A' <= b && b <= 'Z':
			b += 'a' - 'A'
		}
		n.ascii[i] = b
	}
	return n
}

func (n *bertNormalizer) normalize(dst, src []byte, _ *work) []byte {
	for i := 0; i < len(src); {
		b := src[i]
		if b < utf8.RuneSelf {
			if c := n.ascii[b]; c != 0 || !n.clean {
				dst = append(dst, c)
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(src[i:])
		i += size
		class := n.classes[r]
		switch {
		case n.clean && (class&classOther != 0 || r == utf8.RuneError):
		case n.clean && class&classSpace != 0:
			dst = append(dst, ' ')
		case n.han && class&classHan != 0:
			dst = append(dst, ' ')
			dst = n.one(dst, r, src[i-size:i])
			dst = append(dst, ' ')
		default:
			dst = n.one(dst, r, src[i-size:i])
		}
	}
	return dst
}

// one appends a rune stripped and lowered. Marks are dropped wherever they
// stand, so their canonical order does not matter when strip is set and a rune
// can be decomposed by itself.
func (n *bertNormalizer) one(dst []byte, r rune, enc []byte) []byte {
	if !n.strip {
		return n.appendLower(dst, r)
	}
	if n.classes[r]&classMark != 0 {
		return dst
	}
	d := norm.NFD.Properties(enc).Decomposition()
	if d == nil || inBlocks(laterForms, r) {
		if isHangul(r) {
			var h [3]rune
			for _, c := range decomposeHangul(h[:0], r) {
				dst = utf8.AppendRune(dst, c)
			}
			return dst
		}
		return n.appendLower(dst, r)
	}
	for len(d) > 0 {
		c, size := utf8.DecodeRune(d)
		d = d[size:]
		if n.classes[c]&classMark == 0 {
			dst = n.appendLower(dst, c)
		}
	}
	return dst
}

func (n *bertNormalizer) appendLower(dst []byte, r rune) []byte {
	if !n.lower {
		return utf8.AppendRune(dst, r)
	}
	return appendLower(dst, r)
}

func appendLower(dst []byte, r rune) []byte {
	a, b := lower(r)
	dst = utf8.AppendRune(dst, a)
	if b != 0 {
		dst = utf8.AppendRune(dst, b)
	}
	return dst
}

// lowercase lowers rune by rune (no final sigma).
type lowercase struct{}

func (lowercase) normalize(dst, src []byte, _ *work) []byte {
	for i := 0; i < len(src); {
		b := src[i]
		if b < utf8.RuneSelf {
			if 'A' <= b && b <= 'Z' {
				b += 'a' - 'A'
			}
			dst = append(dst, b)
			i++
			continue
		}
		r, size := utf8.DecodeRune(src[i:])
		dst = appendLower(dst, r)
		i += size
	}
	return dst
}

// stripMarks drops combining marks (M).
type stripMarks struct{}

func (stripMarks) normalize(dst, src []byte, _ *work) []byte {
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRune(src[i:])
		if r < utf8.RuneSelf || !unicode.Is(unicode.M, r) || inBlocks(laterCombining, r) {
			dst = append(dst, src[i:i+size]...)
		}
		i += size
	}
	return dst
}

// strip drops white space at the ends.
type strip struct{ left, right bool }

func (n strip) normalize(dst, src []byte, _ *work) []byte {
	if n.left {
		src = bytes.TrimLeftFunc(src, unicode.IsSpace)
	}
	if n.right {
		src = bytes.TrimRightFunc(src, unicode.IsSpace)
	}
	return append(dst, src...)
}

// prepend puts a string before a text that is not empty.
type prepend struct{ text string }

func (n prepend) normalize(dst, src []byte, _ *work) []byte {
	if len(src) > 0 {
		dst = append(dst, n.text...)
	}
	return append(dst, src...)
}

// nmt is the clean-up of the normaliser of that name: control characters
// dropped, some separators and marks made blanks.
type nmt struct{}

func (nmt) normalize(dst, src []byte, _ *work) []byte {
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRune(src[i:])
		switch {
		case r >= 0x01 && r <= 0x08, r == 0x0B, r >= 0x0E && r <= 0x1F, r == 0x7F, r == 0x8F, r == 0x9F:
		case r == '\t', r == '\n', r == '\f', r == '\r', r == 0x1680, r >= 0x200B && r <= 0x200F,
			r == 0x2028, r == 0x2029, r == 0x2581, r == 0xFEFF, r == utf8.RuneError:
			dst = append(dst, ' ')
		default:
			dst = append(dst, src[i:i+size]...)
		}
		i += size
	}
	return dst
}

// replace puts content in the place of every match.
type replace struct {
	pattern matcher
	content string
}

func (n replace) normalize(dst, src []byte, _ *work) []byte {
	for i := 0; ; {
		start, end := n.pattern.next(src, i)
		if start < 0 {
			return append(dst, src[i:]...)
		}
		dst = append(dst, src[i:start]...)
		dst = append(dst, n.content...)
		i = end
	}
}
