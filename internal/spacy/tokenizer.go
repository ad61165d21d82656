package spacy

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bertopic-go/bertopic/internal/spacy/pyregex"
)

// Token is a token of a text.
type Token struct {
	Text  string
	Space bool // a blank follows it, which is no token

	starts bool // a phrase may begin with it
}

// maxWord is how many code points a run without white space may have to be cut:
// cutting takes time by the square of it. A longer one is one token.
const maxWord = 5000

// The words that a Tokenizer keeps the tokens of.
const (
	keptWords  = 1 << 15
	keptLength = 64
)

// Tokenizer cuts texts by the rules of a pipeline. It isn't for several
// goroutines at once: each takes its own.
type Tokenizer struct {
	rules   *rules
	machine pyregex.Machine
	kept    map[string][]Token
	runes   []rune
	offsets []int
	found   [][2]int
	matches []match
}

// match is a special in the tokens from start to end.
type match struct{ start, end int }

func newTokenizer(r *rules) *Tokenizer { return &Tokenizer{rules: r, kept: map[string][]Token{}} }

// Tokens appends the tokens of text to dst. A token's text may share memory
// with text.
func (t *Tokenizer) Tokens(dst []Token, text string) []Token {
	if !utf8.ValidString(text) {
		text = strings.ToValidUTF8(text, "\ufffd")
	}
	base := len(dst)
	dst = t.split(dst, text, true)
	return append(dst[:base], t.applySpecials(dst[base:])...)
}

// split cuts text at white space and each piece by the rules. A single blank
// between pieces is no token; other white space is. specials says whether
// specials count.
func (t *Tokenizer) split(dst []Token, text string, specials bool) []Token {
	start := 0
	space := false
	for i, r := range text {
		if i == 0 {
			space = pyregex.Space(r)
			continue
		}
		if pyregex.Space(r) == space {
			continue
		}
		if start < i {
			dst = t.piece(dst, text[start:i], specials)
		}
		start = i
		if r == ' ' {
			if len(dst) > 0 {
				dst[len(dst)-1].Space = true
			}
			start = i + 1
		}
		space = !space
	}
	if start < len(text) {
		dst = t.piece(dst, text[start:], specials)
	}
	return dst
}

// piece appends the tokens of a piece of text, which it keeps for the next time.
func (t *Tokenizer) piece(dst []Token, piece string, specials bool) []Token {
	if !specials {
		return t.cut(dst, piece, false)
	}
	if kept, ok := t.kept[piece]; ok {
		return append(dst, kept...)
	}
	if len(piece) > keptLength {
		return t.cut(dst, piece, true)
	}
	piece = strings.Clone(piece)
	tokens := t.cut(nil, piece, true)
	if len(t.kept) >= keptWords {
		clear(t.kept)
	}
	t.kept[piece] = tokens
	return append(dst, tokens...)
}

// cut takes prefixes and suffixes off a piece until nothing changes, and cuts
// what is left at infixes. It follows the order in which spaCy asks: a whole
// special or token goes before a prefix, the longer rest before the shorter.
func (t *Tokenizer) cut(dst []Token, piece string, specials bool) []Token {
	t.index(piece)
	if len(t.runes) > maxWord {
		return append(dst, t.token(piece))
	}
	sub := func(from, to int) string { return piece[t.offsets[from]:t.offsets[to]] }
	special := func(from, to int) bool {
		return specials && from < to && t.rules.specials[sub(from, to)] != nil
	}
	from, to, last := 0, len(t.runes), -1
	var suffixes []string
	for from < to && to-from != last {
		last = to - from
		if t.isToken(t.runes[from:to]) || special(from, to) {
			break
		}
		before := t.prefixLength(t.runes[from:to])
		if before > 0 && special(from+before, to) {
			dst = append(dst, t.token(sub(from, from+before)))
			from += before
			break
		}
		after := t.suffixLength(t.runes[from+before : to])
		if after > 0 && special(from, to-after) {
			suffixes = append(suffixes, sub(to-after, to))
			to -= after
			break
		}
		if before > 0 {
			dst = append(dst, t.token(sub(from, from+before)))
			from += before
		}
		if after > 0 {
			suffixes = append(suffixes, sub(to-after, to))
			to -= after
		}
	}
	dst = t.middle(dst, from, to, sub, specials)
	for _, s := range slices.Backward(suffixes) {
		dst = append(dst, t.token(s))
	}
	return dst
}

// middle appends what is left between prefixes and suffixes.
func (t *Tokenizer) middle(dst []Token, from, to int, sub func(from, to int) string, specials bool) []Token {
	if from == to {
		return dst
	}
	if specials {
		if parts := t.rules.specials[sub(from, to)]; parts != nil {
			for _, p := range parts {
				dst = append(dst, t.token(p))
			}
			return dst
		}
	}
	text := t.runes[from:to]
	if t.rules.infix == nil || t.isToken(text) || t.isURL(text) {
		return append(dst, t.token(sub(from, to)))
	}
	start := 0
	t.found = t.rules.infix.FindAll(&t.machine, text, t.found[:0])
	for _, f := range t.found {
		if f[0] == 0 {
			continue
		}
		if f[0] > start {
			dst = append(dst, t.token(sub(from+start, from+f[0])))
		}
		if f[1] > f[0] {
			dst = append(dst, t.token(sub(from+f[0], from+f[1])))
		}
		start = f[1]
	}
	if from+start < to {
		dst = append(dst, t.token(sub(from+start, to)))
	}
	return dst
}

func (t *Tokenizer) token(text string) Token {
	return Token{Text: text, starts: t.rules.phrases.next[text] != nil}
}

// index spreads a piece into code points and notes where each begins.
func (t *Tokenizer) index(piece string) {
	t.runes, t.offsets = t.runes[:0], t.offsets[:0]
	for i, r := range piece {
		t.runes, t.offsets = append(t.runes, r), append(t.offsets, i)
	}
	t.offsets = append(t.offsets, len(piece))
}

func (t *Tokenizer) isToken(text []rune) bool { return t.holds(t.rules.token, text) }
func (t *Tokenizer) isURL(text []rune) bool   { return t.holds(t.rules.url, text) }

func (t *Tokenizer) holds(re *pyregex.Regexp, text []rune) bool {
	if re == nil {
		return false
	}
	_, ok := re.Match(&t.machine, text)
	return ok
}

// prefixLength is the length of the prefix rule's match, wherever that is.
func (t *Tokenizer) prefixLength(text []rune) int { return t.length(t.rules.prefix, text) }
func (t *Tokenizer) suffixLength(text []rune) int { return t.length(t.rules.suffix, text) }

func (t *Tokenizer) length(re *pyregex.Regexp, text []rune) int {
	if re == nil || len(text) > maxWord {
		return 0
	}
	start, end, _ := re.Search(&t.machine, text)
	return end - start
}

func (t *Tokenizer) hasInfix(text []rune) bool {
	if t.rules.infix == nil || len(text) > maxWord {
		return false
	}
	_, _, ok := t.rules.infix.Search(&t.machine, text)
	return ok
}

// applySpecials puts specials in the place of tokens that spell them: those
// that other rules have cut, or that hold white space. Of matches that overlap
// the longest counts, and of equals the first.
func (t *Tokenizer) applySpecials(tokens []Token) []Token {
	t.matches = t.matches[:0]
	for i, token := range tokens {
		if !token.starts {
			continue
		}
		at := t.rules.phrases
		for j := i; j < len(tokens); j++ {
			if at = at.next[tokens[j].Text]; at == nil {
				break
			}
			if at.end {
				t.matches = append(t.matches, match{i, j + 1})
			}
		}
	}
	if len(t.matches) == 0 {
		return tokens
	}
	var out []Token
	done := 0
	for _, m := range longest(t.matches) {
		parts := t.rules.specials[spelling(tokens[m.start:m.end])]
		if parts == nil {
			continue
		}
		out = append(out, tokens[done:m.start]...)
		for _, p := range parts {
			out = append(out, t.token(p))
		}
		out[len(out)-1].Space = tokens[m.end-1].Space
		done = m.end
	}
	return append(out, tokens[done:]...)
}

// longest returns the matches that don't overlap a longer one, in their order.
func longest(matches []match) []match {
	slices.SortFunc(matches, func(a, b match) int {
		if a.end-a.start != b.end-b.start {
			return (b.end - b.start) - (a.end - a.start)
		}
		return a.start - b.start
	})
	taken := map[int]bool{}
	var out []match
	for _, m := range matches {
		if !taken[m.start] && !taken[m.end-1] {
			out = append(out, m)
		}
		for i := m.start; i < m.end; i++ {
			taken[i] = true
		}
	}
	slices.SortFunc(out, func(a, b match) int { return a.start - b.start })
	return out
}

// spelling is the text that tokens stand for.
func spelling(tokens []Token) string {
	var b strings.Builder
	for i, t := range tokens {
		b.WriteString(t.Text)
		if t.Space && i < len(tokens)-1 {
			b.WriteByte(' ')
		}
	}
	return b.String()
}
