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
	start := -1
	for i := 0; i < len(text); {
		r, n := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(text[i:])
		}
		switch space := unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f; {
		case space && start >= 0:
			f(text[start:i])
			start = -1
		case !space && start < 0:
			start = i
		}
		i += n
	}
	if start >= 0 {
		f(text[start:])
	}
}

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
