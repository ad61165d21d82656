package pyregex

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// op is the kind of a node.
type op int

const (
	opEmpty  op = iota
	opRune      // one code point
	opClass     // one of a set
	opAny       // any but a line feed; with flag s any at all
	opCat       // subs one after the other
	opAlt       // the first of subs that leads to a match
	opRepeat    // subs[0], min to max times
	opAssert    // a place: assert says which
	opLook      // subs[0] matches here, ahead or behind
)

// node is a piece of an expression.
type node struct {
	op       op
	r        rune
	fold     bool
	class    *class
	subs     []*node
	min, max int // of opRepeat; max < 0: any number
	lazy     bool
	assert   assertion
	behind   bool // of opLook
	not      bool // of opLook
}

// assertion is a place in a text.
type assertion int

const (
	atStart assertion = iota
	atLineStart
	atEnd     // \Z
	atTextEnd // $: the end, or before a line feed at the end
	atLineEnd
	atBoundary
	atNoBoundary
)

type flags struct{ fold, multi, dotAll bool }

// maxRepeat is the highest bound of a repetition, maxDepth how deep groups may
// lie in each other.
const (
	maxRepeat = 1000
	maxDepth  = 200
)

type parser struct {
	src     []rune
	pos     int
	flags   flags
	depth   int
	classes map[string]*class // by spelling: rules repeat large ones
}

// Error is an expression that can't be read.
type Error struct {
	Offset int    // in code points
	Near   string // what stands there
	Why    string
}

func (e *Error) Error() string {
	return fmt.Sprintf("at character %d, near %q: %s", e.Offset, e.Near, e.Why)
}

func (p *parser) fail(at int, format string, args ...any) error {
	return &Error{Offset: at, Near: string(p.src[at:min(at+12, len(p.src))]), Why: fmt.Sprintf(format, args...)}
}

func (p *parser) more() bool { return p.pos < len(p.src) }

func (p *parser) peek() rune {
	if !p.more() {
		return -1
	}
	return p.src[p.pos]
}

func (p *parser) take(s string) bool {
	rs := []rune(s)
	if len(p.src)-p.pos < len(rs) {
		return false
	}
	for i, r := range rs {
		if p.src[p.pos+i] != r {
			return false
		}
	}
	p.pos += len(rs)
	return true
}

// parse reads a whole expression.
func (p *parser) parse() (*node, error) {
	n, err := p.alternatives()
	if err != nil {
		return nil, err
	}
	if p.more() {
		return nil, p.fail(p.pos, "a closing parenthesis without an opening one")
	}
	return n, nil
}

func (p *parser) alternatives() (*node, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, p.fail(p.pos, "more than %d groups in each other", maxDepth)
	}
	defer func() { p.depth-- }()
	var subs []*node
	for {
		n, err := p.sequence()
		if err != nil {
			return nil, err
		}
		subs = append(subs, n)
		if !p.take("|") {
			break
		}
	}
	if len(subs) == 1 {
		return subs[0], nil
	}
	return &node{op: opAlt, subs: subs}, nil
}

func (p *parser) sequence() (*node, error) {
	seq := &node{op: opCat}
	for p.more() && p.peek() != '|' && p.peek() != ')' {
		at := p.pos
		n, err := p.atom()
		if err != nil {
			return nil, err
		}
		if n == nil { // flags, a comment
			continue
		}
		if n, err = p.repeated(n, at); err != nil {
			return nil, err
		}
		seq.subs = append(seq.subs, n)
	}
	switch len(seq.subs) {
	case 0:
		return &node{op: opEmpty}, nil
	case 1:
		return seq.subs[0], nil
	}
	return seq, nil
}

// repeated reads the quantifier behind an atom, if there is one.
func (p *parser) repeated(n *node, at int) (*node, error) {
	start := p.pos
	low, high := 0, -1
	switch {
	case p.take("*"):
	case p.take("+"):
		low = 1
	case p.take("?"):
		high = 1
	case p.peek() == '{':
		var ok bool
		if low, high, ok = p.bounds(); !ok {
			p.pos = start
			return n, nil
		}
	default:
		return n, nil
	}
	if high >= 0 && low > high {
		return nil, p.fail(start, "the lower bound is above the upper one")
	}
	if max(low, high) > maxRepeat {
		return nil, p.fail(start, "a repetition may have %d as a bound at most", maxRepeat)
	}
	if n.op == opAssert || n.op == opEmpty {
		return nil, p.fail(at, "nothing to repeat")
	}
	out := &node{op: opRepeat, subs: []*node{n}, min: low, max: high, lazy: p.take("?")}
	if p.peek() == '+' {
		return nil, p.fail(start, "possessive repetitions are not supported")
	}
	again, braces := p.pos, false
	if p.peek() == '{' {
		_, _, braces = p.bounds()
		p.pos = again
	}
	if r := p.peek(); r == '*' || r == '?' || braces {
		return nil, p.fail(p.pos, "two repetitions in a row")
	}
	return out, nil
}

// bounds reads {m}, {m,}, {,n} or {m,n}. Other braces are literal.
func (p *parser) bounds() (low, high int, ok bool) {
	p.take("{")
	first, hasFirst := p.number()
	low, high = first, first
	hasSecond := false
	if p.take(",") {
		high, hasSecond = p.number()
		if !hasSecond {
			high = -1
		}
	} else if !hasFirst {
		return 0, 0, false
	}
	return low, high, p.take("}") && (hasFirst || hasSecond || high < 0)
}

func (p *parser) number() (n int, ok bool) {
	start := p.pos
	for p.more() && '0' <= p.peek() && p.peek() <= '9' {
		p.pos++
	}
	if p.pos == start {
		return 0, false
	}
	n, err := strconv.Atoi(string(p.src[start:p.pos]))
	if err != nil {
		n = math.MaxInt32
	}
	return n, true
}

// atom reads what a quantifier may follow. It is nil for what matches nothing
// and is no place either.
func (p *parser) atom() (*node, error) {
	at := p.pos
	r := p.src[p.pos]
	p.pos++
	switch r {
	case '(':
		return p.group(at)
	case '[':
		c, err := p.set(at)
		if err != nil {
			return nil, err
		}
		return &node{op: opClass, class: c}, nil
	case '\\':
		return p.escape(at)
	case '.':
		if p.flags.dotAll {
			return &node{op: opAny}, nil
		}
		return &node{op: opClass, class: lineFeed}, nil
	case '^':
		if p.flags.multi {
			return &node{op: opAssert, assert: atLineStart}, nil
		}
		return &node{op: opAssert, assert: atStart}, nil
	case '$':
		if p.flags.multi {
			return &node{op: opAssert, assert: atLineEnd}, nil
		}
		return &node{op: opAssert, assert: atTextEnd}, nil
	case '*', '+', '?':
		return nil, p.fail(at, "nothing to repeat")
	}
	return p.literal(r), nil
}

// lineFeed is what "." takes: anything but a line feed.
var lineFeed = func() *class {
	c := &class{ranges: []span{{'\n', '\n'}}, negate: true}
	c.settle()
	return c
}()

func (p *parser) literal(r rune) *node {
	if p.flags.fold && len(sameLetter(r)) > 0 {
		return &node{op: opRune, r: folded(r), fold: true}
	}
	return &node{op: opRune, r: r}
}

// group reads what stands behind an opening parenthesis.
func (p *parser) group(at int) (*node, error) {
	before := p.flags
	look := func(behind, not bool) (*node, error) {
		n, err := p.inside(at, before)
		if err != nil {
			return nil, err
		}
		if behind {
			if w, ok := width(n); !ok || w.min != w.max {
				return nil, p.fail(at, "a look-behind must have one length")
			}
		}
		return &node{op: opLook, subs: []*node{n}, behind: behind, not: not}, nil
	}
	switch {
	case !p.take("?"), p.take(":"):
		return p.inside(at, before)
	case p.take("="):
		return look(false, false)
	case p.take("!"):
		return look(false, true)
	case p.take("<="):
		return look(true, false)
	case p.take("<!"):
		return look(true, true)
	case p.take("#"):
		for p.more() && !p.take(")") {
			p.pos++
		}
		return nil, nil
	case p.take("P<"):
		for p.more() && p.peek() != '>' {
			p.pos++
		}
		if !p.take(">") {
			return nil, p.fail(at, "a name of a group without an end")
		}
		return p.inside(at, before)
	case p.take("P="):
		return nil, p.fail(at, "back-references are not supported")
	case p.take(">"):
		return nil, p.fail(at, "atomic groups are not supported")
	case p.take("("):
		return nil, p.fail(at, "conditions are not supported")
	}
	return p.flagGroup(at, before)
}

// flagGroup reads flags: (?iu) for the whole expression, (?i:...) for a group.
func (p *parser) flagGroup(at int, before flags) (*node, error) {
	on := true
	for p.more() {
		r := p.peek()
		p.pos++
		switch r {
		case '-':
			on = false
		case 'i':
			p.flags.fold = on
		case 'm':
			p.flags.multi = on
		case 's':
			p.flags.dotAll = on
		case 'u':
		case ')':
			if at != 0 {
				return nil, p.fail(at, "flags of the whole must stand at its beginning")
			}
			return nil, nil
		case ':':
			return p.inside(at, before)
		default:
			return nil, p.fail(at, "the flag %q is not supported", r)
		}
	}
	return nil, p.fail(at, "a group without an end")
}

// inside reads a group to its end and restores the flags.
func (p *parser) inside(at int, before flags) (*node, error) {
	n, err := p.alternatives()
	if err != nil {
		return nil, err
	}
	if !p.take(")") {
		return nil, p.fail(at, "a group without an end")
	}
	p.flags = before
	if n.op == opEmpty || n.op == opAssert { // a group may be repeated, what is in it may not
		n = &node{op: opCat, subs: []*node{n}}
	}
	return n, nil
}

var asserts = map[rune]assertion{'A': atStart, 'Z': atEnd, 'b': atBoundary, 'B': atNoBoundary}

// escape reads what stands behind a backslash, outside a set.
func (p *parser) escape(at int) (*node, error) {
	if !p.more() {
		return nil, p.fail(at, "a backslash at the end")
	}
	r := p.peek()
	if a, ok := asserts[r]; ok {
		p.pos++
		return &node{op: opAssert, assert: a}, nil
	}
	if '1' <= r && r <= '9' {
		return nil, p.fail(at, "back-references are not supported")
	}
	lit, k, err := p.escaped(at)
	if err != nil {
		return nil, err
	}
	if k.letter == 0 {
		return p.literal(lit), nil
	}
	c := &class{kinds: []kind{k}}
	c.settle()
	return &node{op: opClass, class: c}, nil
}

var controls = map[rune]rune{'n': '\n', 't': '\t', 'r': '\r', 'f': '\f', 'v': '\v', 'a': '\a'}

// escaped reads an escape that means a code point, or a kind of them.
func (p *parser) escaped(at int) (rune, kind, error) {
	if !p.more() {
		return 0, kind{}, p.fail(at, "a backslash at the end")
	}
	r := p.src[p.pos]
	p.pos++
	switch r {
	case 'w', 'd', 's', 'W', 'D', 'S':
		lower := unicode.ToLower(r)
		return 0, kind{byte(lower), lower != r}, nil
	case 'x':
		return p.hex(at, 2)
	case 'u':
		return p.hex(at, 4)
	case 'U':
		return p.hex(at, 8)
	case '0':
		v := rune(0)
		for n := 0; n < 2 && p.more() && '0' <= p.peek() && p.peek() <= '7'; n++ {
			v = 8*v + p.peek() - '0'
			p.pos++
		}
		return v, kind{}, nil
	}
	if c, ok := controls[r]; ok {
		return c, kind{}, nil
	}
	if r < 128 && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
		return 0, kind{}, p.fail(at, "the escape \\%c is not supported", r)
	}
	return r, kind{}, nil
}

func (p *parser) hex(at, digits int) (rune, kind, error) {
	if len(p.src)-p.pos < digits {
		return 0, kind{}, p.fail(at, "an escape of %d digits is cut", digits)
	}
	v, err := strconv.ParseUint(string(p.src[p.pos:p.pos+digits]), 16, 32)
	if err != nil || v > unicode.MaxRune {
		return 0, kind{}, p.fail(at, "an escape that is no code point")
	}
	p.pos += digits
	return rune(v), kind{}, nil
}

// set reads a set behind its bracket.
func (p *parser) set(at int) (*class, error) {
	end := p.setEnd()
	key := ""
	if end > p.pos+16 {
		key = strconv.FormatBool(p.flags.fold) + string(p.src[p.pos:end])
		if c, ok := p.classes[key]; ok {
			p.pos = end
			return c, nil
		}
	}
	c := &class{fold: p.flags.fold, negate: p.take("^")}
	for first := true; ; first = false {
		if !p.more() {
			return nil, p.fail(at, "a set without an end")
		}
		if p.peek() == ']' && !first {
			p.pos++
			break
		}
		from := p.pos
		lo, k, err := p.member(from)
		if err != nil {
			return nil, err
		}
		if p.pos+1 >= len(p.src) || p.src[p.pos] != '-' || p.src[p.pos+1] == ']' {
			if k.letter != 0 {
				c.kinds = append(c.kinds, k)
			} else {
				c.ranges = append(c.ranges, span{lo, lo})
			}
			continue
		}
		p.pos++
		hi, l, err := p.member(p.pos)
		if err != nil {
			return nil, err
		}
		if k.letter != 0 || l.letter != 0 || hi < lo {
			return nil, p.fail(from, "a range that is none")
		}
		c.ranges = append(c.ranges, span{lo, hi})
	}
	c.settle()
	if key != "" && p.pos == end {
		p.classes[key] = c
	}
	return c, nil
}

func (p *parser) member(at int) (rune, kind, error) {
	if !p.take(`\`) {
		p.pos++
		return p.src[p.pos-1], kind{}, nil
	}
	if p.take("b") {
		return '\b', kind{}, nil
	}
	return p.escaped(at)
}

// setEnd is where the set that begins here ends.
func (p *parser) setEnd() int {
	i := p.pos
	if i < len(p.src) && p.src[i] == '^' {
		i++
	}
	if i < len(p.src) && p.src[i] == ']' {
		i++
	}
	for i < len(p.src) && p.src[i] != ']' {
		if p.src[i] == '\\' {
			i++
		}
		i++
	}
	return min(i+1, len(p.src))
}

// Alternatives cuts an expression at the bars that stand outside all groups and
// sets.
func Alternatives(expr string) []string {
	var out []string
	var b strings.Builder
	p := parser{src: []rune(expr)}
	depth := 0
	for p.more() {
		r := p.src[p.pos]
		p.pos++
		from := p.pos - 1
		switch r {
		case '\\':
			p.pos = min(p.pos+1, len(p.src))
		case '[':
			p.pos = p.setEnd()
		case '(':
			depth++
		case ')':
			depth--
		case '|':
			if depth == 0 {
				out = append(out, b.String())
				b.Reset()
				continue
			}
		}
		b.WriteString(string(p.src[from:p.pos]))
	}
	return append(out, b.String())
}
