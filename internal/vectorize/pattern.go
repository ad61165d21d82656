package vectorize

import (
	"fmt"
	"regexp/syntax"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// pattern is a regular expression of Python's syntax. The standard library's
// \w, \d, \s and \b know ASCII only, so the classes are written out and the
// program that regexp/syntax compiles runs on a machine whose word boundary is
// Python's.
type pattern struct {
	prog  *syntax.Prog
	group bool // it has a group, which stands for the whole match
}

// compilePattern compiles a token_pattern.
func compilePattern(expr string) (*pattern, error) {
	translated, err := fromPython(expr)
	if err != nil {
		return nil, fmt.Errorf("token_pattern %q: %w", expr, err)
	}
	re, err := syntax.Parse(translated, syntax.Perl)
	if err != nil {
		return nil, fmt.Errorf("token_pattern %q: %w (look-around and back references are not supported)", expr, err)
	}
	if n := re.MaxCap(); n > 1 {
		return nil, fmt.Errorf("token_pattern %q has %d groups: it may have one; write (?:...) for the others", expr, n)
	}
	group := re.MaxCap() == 1
	prog, err := syntax.Compile(re.Simplify())
	if err != nil {
		return nil, fmt.Errorf("token_pattern %q: %w", expr, err)
	}
	return &pattern{prog: prog, group: group}, nil
}

const (
	wordClass  = `\p{L}\p{N}_`
	spaceClass = `\t-\r\x{1c}- \x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}`
)

// complement writes the code points for which f is false as the inside of a
// character class.
func complement(f func(rune) bool) string {
	var b strings.Builder
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if f(r) {
			continue
		}
		lo := r
		for r < unicode.MaxRune && !f(r+1) {
			r++
		}
		fmt.Fprintf(&b, `\x{%x}-\x{%x}`, lo, r)
	}
	return b.String()
}

var (
	nonWordClass  = sync.OnceValue(func() string { return complement(isWord) })
	nonSpaceClass = sync.OnceValue(func() string { return complement(isSpace) })
)

// fromPython writes a pattern of Python's re in the syntax of regexp/syntax.
func fromPython(expr string) (string, error) {
	var b strings.Builder
	inClass := false
	for i := 0; i < len(expr); i++ {
		c := expr[i]
		switch {
		case c == '\\' && i+1 < len(expr):
			i++
			skip, err := escape(&b, expr[i:], inClass)
			if err != nil {
				return "", err
			}
			i += skip
		case inClass:
			switch c {
			case ']':
				inClass = false
			case '[':
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		case c == '[':
			inClass = true
			b.WriteByte(c)
			if i+1 < len(expr) && expr[i+1] == '^' {
				i++
				b.WriteByte('^')
			}
			if i+1 < len(expr) && expr[i+1] == ']' {
				i++
				b.WriteString(`\]`)
			}
		case c == '(' && strings.HasPrefix(expr[i:], "(?"):
			text, skip, err := flags(expr[i:])
			if err != nil {
				return "", err
			}
			b.WriteString(text)
			i += skip - 1
		case c == '{' && strings.HasPrefix(expr[i:], "{,"):
			b.WriteString("{0")
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

// escape writes the escape sequence whose letter is s[0] and returns how many
// bytes beyond that it took.
func escape(b *strings.Builder, s string, inClass bool) (int, error) {
	open, negated, end := "[", "[^", "]"
	if inClass {
		open, end = "", ""
	}
	hex := func(digits int) (int, error) {
		if len(s) < 1+digits {
			return 0, fmt.Errorf(`incomplete escape \%s`, s)
		}
		b.WriteString(`\x{` + s[1:1+digits] + `}`)
		return digits, nil
	}
	switch c := s[0]; c {
	case 'w':
		b.WriteString(open + wordClass + end)
	case 's':
		b.WriteString(open + spaceClass + end)
	case 'd':
		b.WriteString(`\p{Nd}`)
	case 'D':
		b.WriteString(`\P{Nd}`)
	case 'W':
		if inClass {
			b.WriteString(nonWordClass())
		} else {
			b.WriteString(negated + wordClass + end)
		}
	case 'S':
		if inClass {
			b.WriteString(nonSpaceClass())
		} else {
			b.WriteString(negated + spaceClass + end)
		}
	case 'b':
		if inClass {
			b.WriteString(`\x08`)
		} else {
			b.WriteString(`\b`)
		}
	case 'Z':
		b.WriteString(`\z`)
	case 'u':
		return hex(4)
	case 'U':
		return hex(8)
	default:
		b.WriteByte('\\')
		b.WriteByte(c)
	}
	return 0, nil
}

// flags writes the opening of a group "(?...", without the flag u, which is
// how every pattern is read. It returns how many bytes of s it took.
func flags(s string) (string, int, error) {
	end := 2
	for end < len(s) && strings.IndexByte("aiLmsux-", s[end]) >= 0 {
		end++
	}
	if end == 2 || end == len(s) || s[end] != ')' && s[end] != ':' {
		return s[:2], 2, nil
	}
	letters := s[2:end]
	if i := strings.IndexAny(letters, "aLx"); i >= 0 {
		return "", 0, fmt.Errorf("the flag %q is not supported", letters[i:i+1])
	}
	letters = strings.ReplaceAll(letters, "u", "")
	if letters == "" && s[end] == ')' {
		return "", end + 1, nil
	}
	return "(?" + letters + s[end:end+1], end + 1, nil
}

// machine runs a pattern: all threads of the program advance together over the
// text, those of higher priority first (Thompson, Pike). Its time grows with
// the length of program and text, never exponentially.
type machine struct {
	p         *pattern
	cur, next []thread
	seen      []int // by instruction: the step at which it was last added
	step      int
}

type thread struct {
	pc         uint32
	start      int // where the match starts
	capLo, cap int // the group, -1: none
}

func newMachine(p *pattern) *machine {
	return &machine{p: p, seen: make([]int, len(p.prog.Inst))}
}

// findAll calls f with the places that Python's findall returns, in order: the
// group's if the pattern has one, else the match's. A group without part in
// the match is an empty place.
func (m *machine) findAll(text string, f func(lo, hi int)) {
	for pos, notEmpty := 0, false; pos <= len(text); {
		t, end := m.search(text, pos, notEmpty)
		if end < 0 {
			return
		}
		switch {
		case !m.p.group:
			f(t.start, end)
		case t.cap < 0:
			f(end, end)
		default:
			f(t.capLo, t.cap)
		}
		pos, notEmpty = end, end == t.start
	}
}

// search returns the first match from pos on and its end, or the end -1. With
// notEmpty a match that ends at pos doesn't count.
func (m *machine) search(text string, pos int, notEmpty bool) (found thread, end int) {
	from := pos
	end = -1
	m.cur = m.cur[:0]
	before := rune(-1)
	if pos > 0 {
		before, _ = utf8.DecodeLastRuneInString(text[:pos])
	}
	for {
		r, size := rune(-1), 0
		if pos < len(text) {
			r, size = utf8.DecodeRuneInString(text[pos:])
		}
		flag := emptyFlags(before, r)
		// Threads were put down by the instruction that they wait at before
		// the flags of this place were known, so they are followed now.
		m.step++
		m.next = m.next[:0]
		for _, t := range m.cur {
			m.follow(t, pos, flag)
		}
		if end < 0 {
			m.follow(thread{pc: uint32(m.p.prog.Start), start: pos, capLo: -1, cap: -1}, pos, flag)
		}
		m.cur = m.cur[:0]
		for _, t := range m.next {
			in := &m.p.prog.Inst[t.pc]
			if in.Op == syntax.InstMatch {
				if notEmpty && pos == from {
					continue
				}
				found, end = t, pos
				break // threads of lower priority are given up
			}
			if r >= 0 && in.MatchRune(r) {
				t.pc = in.Out
				m.cur = append(m.cur, t)
			}
		}
		if pos >= len(text) || end >= 0 && len(m.cur) == 0 {
			return found, end
		}
		pos += size
		before = r
	}
}

// follow takes t to the instructions that read a character or match.
func (m *machine) follow(t thread, pos int, flag syntax.EmptyOp) {
	for {
		if m.seen[t.pc] == m.step {
			return
		}
		m.seen[t.pc] = m.step
		in := &m.p.prog.Inst[t.pc]
		switch in.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			first := t
			first.pc = in.Out
			m.follow(first, pos, flag)
			t.pc = in.Arg
		case syntax.InstNop:
			t.pc = in.Out
		case syntax.InstCapture:
			switch in.Arg {
			case 2:
				t.capLo = pos
			case 3:
				t.cap = pos
			}
			t.pc = in.Out
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(in.Arg)&^flag != 0 {
				return
			}
			t.pc = in.Out
		case syntax.InstFail:
			return
		default:
			m.next = append(m.next, t)
			return
		}
	}
}

// emptyFlags returns which assertions hold between two characters; -1 stands
// for the end of the text.
func emptyFlags(before, after rune) syntax.EmptyOp {
	var op syntax.EmptyOp
	if before < 0 {
		op |= syntax.EmptyBeginText | syntax.EmptyBeginLine
	} else if before == '\n' {
		op |= syntax.EmptyBeginLine
	}
	if after < 0 {
		op |= syntax.EmptyEndText | syntax.EmptyEndLine
	} else if after == '\n' {
		op |= syntax.EmptyEndLine
	}
	if (before >= 0 && isWord(before)) != (after >= 0 && isWord(after)) {
		return op | syntax.EmptyWordBoundary
	}
	return op | syntax.EmptyNoWordBoundary
}
