package tokenize

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// A matcher finds the next match, never an empty one, at or after byte from;
// start is -1 if there is none.
type matcher interface {
	next(text []byte, from int) (start, end int)
}

// literal matches a string.
type literal struct{ text []byte }

func (m literal) next(text []byte, from int) (int, int) {
	i := bytes.Index(text[from:], m.text)
	if i < 0 {
		return -1, -1
	}
	return from + i, from + i + len(m.text)
}

// runeSet matches each character of the classes.
type runeSet struct {
	classes *[0x110000]uint8
	mask    uint8
	run     bool // a whole run is one match
}

func (m runeSet) next(text []byte, from int) (int, int) {
	for i := from; i < len(text); {
		r, size := decode(text, i)
		if m.classes[r]&m.mask != 0 {
			end := i + size
			for m.run && end < len(text) {
				r, size := decode(text, end)
				if m.classes[r]&m.mask == 0 {
					break
				}
				end += size
			}
			return i, end
		}
		i += size
	}
	return -1, -1
}

// decode is utf8.DecodeRune with a short way for ASCII.
func decode(text []byte, i int) (rune, int) {
	if b := text[i]; b < utf8.RuneSelf {
		return rune(b), 1
	}
	return utf8.DecodeRune(text[i:])
}

// blanks matches runs of two blanks or more.
type blanks struct{}

func (blanks) next(text []byte, from int) (int, int) {
	for i := from; i+1 < len(text); i++ {
		if text[i] != ' ' || text[i+1] != ' ' {
			continue
		}
		end := i + 2
		for end < len(text) && text[end] == ' ' {
			end++
		}
		return i, end
	}
	return -1, -1
}

// gptWords matches the words of GPT-2's pattern:
//
//	's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
type gptWords struct{ classes *[0x110000]uint8 }

func (m gptWords) next(text []byte, from int) (int, int) {
	if from >= len(text) {
		return -1, -1
	}
	if n := contraction(text[from:]); n > 0 {
		return from, from + n
	}
	const kinds = classLetter | classNumber | classSpace
	i := from
	r, size := decode(text, i)
	kind := m.classes[r] & kinds
	if r == ' ' && i+1 < len(text) { // a blank goes with the word it stands before
		if r2, size2 := decode(text, i+1); m.classes[r2]&classSpace == 0 {
			i, size, kind = i+1, size2, m.classes[r2]&kinds
		}
	}
	end := i + size
	last := i // where the last character of the run starts
	for end < len(text) {
		r, size = decode(text, end)
		if m.classes[r]&kinds != kind {
			if kind == classSpace && last > i { // white space leaves its last character to the next word
				return from, last
			}
			return from, end
		}
		last = end
		end += size
	}
	return from, end
}

// contraction returns the length of 's, 't, 're, 've, 'm, 'll or 'd at the
// start of text, 0 if there is none.
func contraction(text []byte) int {
	if len(text) < 2 || text[0] != '\'' {
		return 0
	}
	switch text[1] {
	case 's', 't', 'm', 'd':
		return 2
	case 'r', 'v':
		if len(text) > 2 && text[2] == 'e' {
			return 3
		}
	case 'l':
		if len(text) > 2 && text[2] == 'l' {
			return 3
		}
	}
	return 0
}

// clipWords matches the words of CLIP's pattern, after the literals that some
// files put before it:
//
//	's|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+
type clipWords struct {
	classes  *[0x110000]uint8
	literals [][]byte
}

const clipPattern = `'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`

func (m clipWords) next(text []byte, from int) (int, int) {
	const kinds = classLetter | classNumber | classSpace
	for i := from; i < len(text); {
		for _, l := range m.literals {
			if bytes.HasPrefix(text[i:], l) {
				return i, i + len(l)
			}
		}
		if n := contraction(text[i:]); n > 0 {
			return i, i + n
		}
		r, size := decode(text, i)
		kind := m.classes[r] & kinds
		if kind == classSpace {
			i += size
			continue
		}
		end := i + size
		for kind != classNumber && end < len(text) {
			r, size = decode(text, end)
			if m.classes[r]&kinds != kind {
				break
			}
			end += size
		}
		return i, end
	}
	return -1, -1
}

// pattern matches a regular expression. Where its end is `\s+(?!\S)|\s+`, the
// first group holds that part: white space before a word leaves its last
// character to the word.
type pattern struct {
	re   *regexp.Regexp
	tail bool
}

func (m pattern) next(text []byte, from int) (int, int) {
	for from <= len(text) {
		// The pattern sees the text from there on: look-behind is not supported, so nothing before matters.
		loc := m.re.FindSubmatchIndex(text[from:])
		if loc == nil {
			return -1, -1
		}
		start, end := from+loc[0], from+loc[1]
		if start == end {
			if start >= len(text) {
				return -1, -1
			}
			_, size := decode(text, start)
			from = start + size
			continue
		}
		if m.tail && loc[2] >= 0 && end < len(text) {
			if _, size := utf8.DecodeLastRune(text[start:end]); end-size > start {
				end -= size
			}
		}
		return start, end
	}
	return -1, -1
}

// compile reads a regular expression of the file. The frequent ones have a
// scanner of their own; others run on Go's regexp, in which Unicode meanings
// of \s, \d and \w are spelled out and look-around is refused.
func compile(expr string) (matcher, error) {
	switch expr {
	case `\s+`:
		return runeSet{runeClasses(), classSpace, true}, nil
	case `\s`:
		return runeSet{runeClasses(), classSpace, false}, nil
	case ` {2,}`:
		return blanks{}, nil
	case gptPattern:
		return gptWords{runeClasses()}, nil
	case clipPattern:
		return clipWords{classes: runeClasses()}, nil
	case `<\|startoftext\|>|<\|endoftext\|>|` + clipPattern:
		return clipWords{runeClasses(), [][]byte{[]byte("<|startoftext|>"), []byte("<|endoftext|>")}}, nil
	}
	const tail = `\s+(?!\S)|\s+`
	var m pattern
	body := expr
	if rest, ok := strings.CutSuffix(expr, tail); ok && (rest == "" || strings.HasSuffix(rest, "|")) {
		body, m.tail = rest, true
		if strings.Contains(withoutNonCapturing(rest), "(") {
			return nil, fmt.Errorf("regular expression %q: groups are not supported here", expr)
		}
	}
	goExpr, err := translate(body)
	if err != nil {
		return nil, fmt.Errorf("regular expression %q: %w", expr, err)
	}
	if m.tail {
		goExpr += `([` + spaceRanges + `]+)`
	}
	m.re, err = regexp.Compile(goExpr)
	if err != nil {
		return nil, fmt.Errorf("regular expression %q is not supported: %w", expr, err)
	}
	return m, nil
}

const gptPattern = `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`

// withoutNonCapturing blanks out the openings of groups that do not capture,
// and escaped parentheses.
func withoutNonCapturing(expr string) string {
	return strings.NewReplacer(`\\`, "", `\(`, "", "(?:", "", "(?i:", "").Replace(expr)
}

// Unicode meanings of the classes, for use inside brackets.
const (
	spaceRanges = `\t-\r \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}`
	// Alphabetic, marks, decimal digits, connectors, and the six Latin-1 numbers Oniguruma adds.
	wordRanges = `\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{24B6}-\x{24E9}\x{1F130}-\x{1F149}\x{1F150}-\x{1F169}\x{1F170}-\x{1F189}` +
		`\x{B2}\x{B3}\x{B9}\x{BC}-\x{BE}`
)

// translate rewrites a pattern for Go's regexp.
func translate(expr string) (string, error) {
	var b strings.Builder
	inClass := false
	for i := 0; i < len(expr); i++ {
		c := expr[i]
		switch {
		case c == '\\' && i+1 < len(expr):
			i++
			var set string
			switch expr[i] {
			case 's', 'S':
				set = spaceRanges
			case 'd', 'D':
				set = `\p{Nd}`
			case 'w', 'W':
				set = wordRanges
			case 'b', 'B', 'G', 'K', 'h', 'H', 'R', 'X':
				return "", fmt.Errorf(`\%c is not supported`, expr[i])
			case 'p', 'P':
				n := property(expr[i:])
				b.WriteString(expr[i-1 : i+n])
				i += n - 1
				continue
			default:
				b.WriteByte('\\')
				b.WriteByte(expr[i])
				continue
			}
			negated := expr[i] >= 'A' && expr[i] <= 'Z'
			switch {
			case inClass && negated:
				return "", fmt.Errorf(`\%c inside brackets is not supported`, expr[i])
			case inClass:
				b.WriteString(set)
			case negated:
				b.WriteString("[^" + set + "]")
			default:
				b.WriteString("[" + set + "]")
			}
		case c == '[' && !inClass:
			inClass = true
			b.WriteByte(c)
		case c == ']' && inClass:
			inClass = false
			b.WriteByte(c)
		case (c == '[' || c == '&') && inClass && strings.HasPrefix(expr[i:], "&&"), c == '[' && inClass:
			return "", fmt.Errorf("a set operation inside brackets is not supported")
		case c == '(' && !inClass && strings.HasPrefix(expr[i:], "(?") &&
			!strings.HasPrefix(expr[i:], "(?:") && !strings.HasPrefix(expr[i:], "(?i:") && !strings.HasPrefix(expr[i:], "(?i)"):
			return "", fmt.Errorf("look-around and named groups are not supported")
		case !inClass && (strings.IndexByte("*+?", c) >= 0 || c == '{'):
			n := repetition(expr[i:])
			if i+n < len(expr) && expr[i+n] == '+' {
				return "", fmt.Errorf("possessive repetition is not supported")
			}
			b.WriteString(expr[i : i+n])
			i += n - 1
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

// property returns the length of p{Name} or pN at the start of expr.
func property(expr string) int {
	if len(expr) > 1 && expr[1] == '{' {
		if end := strings.IndexByte(expr, '}'); end > 0 {
			return end + 1
		}
	}
	return min(2, len(expr))
}

// repetition returns the length of *, +, ? or {n,m} at the start of expr, the
// ? of a lazy one included.
func repetition(expr string) int {
	n := 1
	if expr[0] == '{' {
		end := strings.IndexByte(expr, '}')
		if end < 0 {
			return 1
		}
		n = end + 1
	}
	if n < len(expr) && expr[n] == '?' {
		n++
	}
	return n
}

// wordOrSymbols matches \w+|[^\w\s]+.
type wordOrSymbols struct{ classes *[0x110000]uint8 }

func (m wordOrSymbols) next(text []byte, from int) (int, int) {
	const kinds = classWord | classSpace
	for i := from; i < len(text); {
		r, size := decode(text, i)
		kind := m.classes[r] & kinds
		if kind == classSpace {
			i += size
			continue
		}
		end := i + size
		for end < len(text) {
			r, size = decode(text, end)
			if m.classes[r]&kinds != kind {
				break
			}
			end += size
		}
		return i, end
	}
	return -1, -1
}
