package main

import (
	"math/bits"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/clipperhouse/uax29/v2/words"

	"github.com/bertopic-go/bertopic/internal/tokenize"
)

// tokens calls f with the words of a text.
func (o *options) tokens(text string, f func(word string)) {
	if o.Lowercase {
		text = strings.ToLower(text)
	}
	switch o.Tokenizer {
	case cutSpace:
		pythonFields(text, f)
	case cutWords:
		for it := words.FromString(text); it.Next(); {
			if w := it.Value(); strings.ContainsFunc(w, isWordRune) {
				f(w)
			}
		}
	case cutFlair:
		for _, w := range tokenize.FlairWords(text) {
			f(w)
		}
	}
}

func isWordRune(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }

// pythonFields cuts at what str.split of Python takes for white space, which is
// Unicode's and the four separators of ASCII. It looks at 64 bytes at a time: a loop
// over the bytes of a word has an end that a processor guesses wrong.
func pythonFields(text string, f func(word string)) {
	start := 0
	for at := 0; at < len(text); at += 64 {
		for marks := suspects(text[at:]); marks != 0; marks &= marks - 1 {
			i, n := at+bits.TrailingZeros64(marks), 1
			switch class[text[i]] {
			case letter:
				continue
			case further: // a byte within a character is none, and so no space
				var r rune
				if r, n = utf8.DecodeRuneInString(text[i:]); !unicode.IsSpace(r) {
					continue
				}
			}
			if start < i {
				f(text[start:i])
			}
			start = i + n
		}
	}
	if start < len(text) {
		f(text[start:])
	}
}

// suspects has a bit for each of the first 64 bytes of a text that may be white
// space or the beginning of it: those up to the space, and those from 0x80.
func suspects(text string) (marks uint64) {
	if len(text) < 64 {
		for i := range len(text) {
			if c := text[i]; c <= ' ' || c >= utf8.RuneSelf {
				marks |= 1 << i
			}
		}
		return marks
	}
	const (
		ones = 0x0101010101010101
		high = 0x80 * ones
	)
	for i := 0; i < 64; i += 8 {
		b := text[i : i+8]
		x := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 |
			uint64(b[4])<<32 | uint64(b[5])<<40 | uint64(b[6])<<48 | uint64(b[7])<<56
		above := x&^high + (0x7f-' ')*ones // the high bit of a byte: its low seven bits are above the space
		marks |= ((above&^x&high ^ high) >> 7) * 0x0102040810204080 >> 56 << i
	}
	return marks
}

// class tells for a byte whether it is white space, or begins a character that
// may be.
var class = func() (c [256]byte) {
	for b := range c {
		switch r := rune(b); {
		case r >= utf8.RuneSelf:
			c[b] = further
		case unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f:
			c[b] = space
		}
	}
	return c
}()

const (
	letter = iota
	space
	further
)

// flairForms are the forms under which Flair looks a word up, in their order,
// after the word itself.
func flairForms(word string, f func(form string) bool) {
	lower := strings.ToLower(word)
	if lower != word && f(lower) || !strings.ContainsFunc(lower, unicode.IsDigit) {
		return
	}
	for _, digit := range []rune{'#', '0'} {
		if f(strings.Map(func(r rune) rune {
			if unicode.IsDigit(r) {
				return digit
			}
			return r
		}, lower)) {
			return
		}
	}
}
