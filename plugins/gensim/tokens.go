package main

import (
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
// Unicode's and the four separators of ASCII.
func pythonFields(text string, f func(word string)) {
	start := 0
	for i := 0; i < len(text); {
		n := 1
		switch class[text[i]] {
		case letter:
			i++
			continue
		case further:
			var r rune
			if r, n = utf8.DecodeRuneInString(text[i:]); !unicode.IsSpace(r) {
				i += n
				continue
			}
		}
		if start < i {
			f(text[start:i])
		}
		i += n
		start = i
	}
	if start < len(text) {
		f(text[start:])
	}
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
