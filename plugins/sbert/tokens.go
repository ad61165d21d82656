package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"

	"github.com/bertopic-go/bertopic/internal/tokenize"
)

// sequence is what goes through the encoder as one: the tokens of a text, or of
// a part of it.
type sequence struct {
	row    int
	ids    []int64
	types  []int64
	weight int // tokens of the text itself
}

// reader turns texts into sequences. It may be used by several goroutines at
// once, each with an encoding of its own.
type reader struct {
	tokenizer *tokenize.Tokenizer
	lowerCase bool
	prompt    string
	special   bool // the special tokens of the tokenizer's template are kept
	max       int  // tokens of a sequence; 0: no limit
	chunk     bool
	encode    func(e *tokenize.Encoding, text string, limit int)
	m2v       *modelToVec // nil: of another library

	promptTokens  int // of the prompt itself
	specialTokens int // that a text gets
	leading       int // special tokens that stand before the text
}

// newReader looks at how the tokenizer frames a text.
func newReader(t *tokenize.Tokenizer, f *folder, prompt, longText string) *reader {
	r := &reader{tokenizer: t, lowerCase: f.lowerCase, prompt: prompt, special: !f.static, chunk: longText == chunk, encode: t.Encode, m2v: f.modelToVec}
	var e tokenize.Encoding
	t.Encode(&e, r.lower(prompt), 0)
	for i, special := range e.Special {
		switch {
		case !special:
			r.promptTokens++
		case r.special:
			r.specialTokens++
			if r.specialTokens == i+1 {
				r.leading++
			}
		}
	}
	if r.special && r.promptTokens == 0 { // nothing shows which of them come first
		t.Encode(&e, "a", 0)
		r.leading = max(0, slices.Index(e.Special, false))
	}
	return r
}

// promptEnd is where the prompt's tokens end. It is 0 without a prompt.
func (r *reader) promptEnd() int {
	if r.prompt == "" {
		return 0
	}
	return r.leading + r.promptTokens
}

// limit sets the number of tokens of a sequence; 0 is no limit. It fails where
// that leaves no room for a text.
func (r *reader) limit(n int) error {
	if least := r.specialTokens + r.promptTokens + 1; n > 0 && n < least {
		return fmt.Errorf("a limit of %d tokens leaves no room for the text: with %d special tokens and %d of the prompt it must be %d or more", n, r.specialTokens, r.promptTokens, least)
	}
	r.max = n
	return nil
}

// lower is Python's str.lower, special cases of Unicode included.
func (r *reader) lower(text string) string {
	if !r.lowerCase {
		return text
	}
	return cases.Lower(language.Und).String(text)
}

var (
	errEmpty = errors.New("nothing but white space")
	errOOV   = errors.New("no token")
)

// read returns the sequences of a text, and how many of its tokens are in none.
// It fails with errEmpty or errOOV where there is nothing to embed. e is working
// memory.
func (r *reader) read(e *tokenize.Encoding, row int, text string) (sequences []sequence, lost int, err error) {
	if strings.TrimSpace(text) == "" {
		return nil, 0, errEmpty
	}
	limit := r.max
	if r.chunk || !r.special {
		limit = 0
	}
	if r.m2v != nil {
		lost = r.encodeModelToVec(e, text)
	} else {
		r.encode(e, r.lower(r.prompt+text), limit)
		if !r.special {
			r.dropSpecial(e)
		}
	}
	content := len(e.IDs) - r.specialTokens
	if content <= r.promptTokens && !r.hasTokens(e, text, limit) {
		return nil, 0, errOOV
	}
	if r.max > 0 && len(e.IDs) > r.max {
		if r.chunk {
			return r.cut(e, row), 0, nil
		}
		lost += len(e.IDs) - r.max // of a static table: it has no special tokens
		e.IDs, e.TypeIDs = e.IDs[:r.max], e.TypeIDs[:r.max]
	}
	one := sequence{row: row, ids: slices.Clone(e.IDs), types: slices.Clone(e.TypeIDs), weight: content}
	return []sequence{one}, lost + e.TokensLost, nil
}

// encodeModelToVec tokenises as model2vec does: the beginning of the text, of
// that so many tokens, and of those the known ones. lost counts the tokens of the
// rest, where a word that is cut counts on both sides.
func (r *reader) encodeModelToVec(e *tokenize.Encoding, text string) (lost int) {
	text, rest := r.prompt+text, ""
	if !r.chunk {
		text, rest = r.m2v.split(text)
	}
	if rest != "" {
		r.encode(e, rest, 0)
		r.dropSpecial(e)
		lost = len(e.IDs)
	}
	r.encode(e, text, 0)
	r.dropSpecial(e)
	if n := len(e.IDs) - r.max; r.max > 0 && n > 0 && !r.chunk {
		lost += n
		e.IDs, e.TypeIDs, e.Special = e.IDs[:r.max], e.TypeIDs[:r.max], e.Special[:r.max]
	}
	r.m2v.drop(e)
	return lost
}

// hasTokens tells whether a text has tokens of its own, where the count with the
// prompt leaves that open. e is kept as it was.
func (r *reader) hasTokens(e *tokenize.Encoding, text string, limit int) bool {
	if r.promptTokens == 0 {
		return len(e.IDs) > r.specialTokens
	}
	var alone tokenize.Encoding
	r.encode(&alone, r.lower(text), limit)
	if r.m2v != nil {
		r.m2v.drop(&alone)
	}
	return slices.Contains(alone.Special, false)
}

// dropSpecial removes the tokens that the template put in.
func (r *reader) dropSpecial(e *tokenize.Encoding) {
	k := 0
	for i, special := range e.Special {
		if !special {
			e.IDs[k], e.TypeIDs[k], e.Special[k] = e.IDs[i], e.TypeIDs[i], false
			k++
		}
	}
	e.IDs, e.TypeIDs, e.Special = e.IDs[:k], e.TypeIDs[:k], e.Special[:k]
}

// cut cuts the tokens of a long text into parts that fit, one after the other.
// Each part has the special tokens and the prompt around it that the whole has.
func (r *reader) cut(e *tokenize.Encoding, row int) []sequence {
	start := r.leading + r.promptTokens
	end := len(e.IDs) - (r.specialTokens - r.leading)
	room := r.max - r.specialTokens - r.promptTokens
	var out []sequence
	for from := start; from < end; from += room {
		to := min(from+room, end)
		out = append(out, sequence{
			row: row, weight: to - from,
			ids:   slices.Concat(e.IDs[:start], e.IDs[from:to], e.IDs[end:]),
			types: slices.Concat(e.TypeIDs[:start], e.TypeIDs[from:to], e.TypeIDs[end:]),
		})
	}
	return out
}
