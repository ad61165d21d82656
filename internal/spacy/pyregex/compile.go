package pyregex

import (
	"fmt"
	"math"
)

// Regexp is a compiled expression.
type Regexp struct {
	code   []instr
	splits int   // how many instructions of code have a number of their own
	looks  int   // how many look-arounds there are
	first  first // code points a match may begin with
	start  bool  // a match begins at the start of the text or nowhere

	// A match that begins more than reach code points before the end of the
	// text begins with one of far.
	reach int
	far   first
}

// instr is an instruction. next is where a match goes on.
type instr struct {
	op     code
	r      rune
	class  *class
	next   int
	assert assertion
	alts   []branch // of cAlt
	leave  bool     // of cAlt: met again at a place, it is left by the last of alts
	id     int      // of cAlt among those that may be met twice; of cLook
	look   *look
}

type code uint8

const (
	cRune code = iota
	cFold
	cClass
	cAny
	cAssert
	cAlt
	cLook
	cMatch
)

// branch is a way on, and what the text must go on with.
type branch struct {
	to    int
	first first
}

// look is a look-around: a program of its own.
type look struct {
	entry    int // its first instruction
	from, to int // numbers of its cAlts
	behind   int // how many code points back; -1: ahead
	not      bool
}

// first is a set of code points, larger than need be.
type first struct {
	ascii [2]uint64
	other bool // any other
	end   bool // the text may be at its end, and then anything goes
}

func (f first) has(r rune) bool {
	if uint32(r) < 128 {
		return f.ascii[r>>6]>>(r&63)&1 != 0
	}
	return f.other
}

var anything = first{[2]uint64{math.MaxUint64, math.MaxUint64}, true, true}

func (f first) or(g first) first {
	return first{[2]uint64{f.ascii[0] | g.ascii[0], f.ascii[1] | g.ascii[1]}, f.other || g.other, f.end || g.end}
}

// maxCode bounds the size of a program.
const maxCode = 1 << 19

// Compile reads an expression of Python.
func Compile(expr string) (*Regexp, error) {
	p := parser{src: []rune(expr), classes: map[string]*class{}}
	tree, err := p.parse()
	if err != nil {
		return nil, fmt.Errorf("compile a regular expression: %w", err)
	}
	c := compiler{re: &Regexp{}}
	end := c.emit(instr{op: cMatch})
	entry, ok := c.compile(tree, end)
	if !ok {
		return nil, fmt.Errorf("compile a regular expression: it is too large: more than %d steps", maxCode)
	}
	c.re.finish(tree, entry)
	return c.re, nil
}

// compiler writes code from the end to the beginning: what comes next is known
// when an instruction is written.
type compiler struct {
	re *Regexp
}

func (c *compiler) emit(i instr) int {
	c.re.code = append(c.re.code, i)
	return len(c.re.code) - 1
}

// compile writes the code of n, which goes on at next, and returns its entry.
func (c *compiler) compile(n *node, next int) (entry int, ok bool) {
	if len(c.re.code) > maxCode {
		return 0, false
	}
	switch n.op {
	case opEmpty:
		return next, true
	case opRune:
		if n.fold {
			return c.emit(instr{op: cFold, r: n.r, next: next}), true
		}
		return c.emit(instr{op: cRune, r: n.r, next: next}), true
	case opClass:
		return c.emit(instr{op: cClass, class: n.class, next: next}), true
	case opAny:
		return c.emit(instr{op: cAny, next: next}), true
	case opAssert:
		return c.emit(instr{op: cAssert, assert: n.assert, next: next}), true
	case opCat:
		for i := len(n.subs) - 1; i >= 0; i-- {
			if next, ok = c.compile(n.subs[i], next); !ok {
				return 0, false
			}
		}
		return next, true
	case opAlt:
		alts := make([]branch, len(n.subs))
		for i, s := range n.subs {
			to, ok := c.compile(s, next)
			if !ok {
				return 0, false
			}
			alts[i] = branch{to, firstOf(s)}
		}
		return c.split(alts), true
	case opRepeat:
		return c.repeat(n, next)
	case opLook:
		return c.lookAround(n, next)
	}
	panic("pyregex: unknown node")
}

func (c *compiler) split(alts []branch) int {
	c.re.splits++
	return c.emit(instr{op: cAlt, alts: alts, id: c.re.splits - 1})
}

func (c *compiler) repeat(n *node, next int) (entry int, ok bool) {
	sub := n.subs[0]
	choice := func(in, out int) []branch {
		a := []branch{{in, firstOf(sub)}, {out, anything}}
		if n.lazy {
			a[0], a[1] = a[1], a[0]
		}
		return a
	}
	if n.max < 0 {
		loop := c.split(nil)
		in, ok := c.compile(sub, loop)
		if !ok {
			return 0, false
		}
		c.re.code[loop].alts = choice(in, next)
		// A turn that takes nothing is the last one.
		_, empty := begins(sub)
		c.re.code[loop].leave = empty && !n.lazy
		next = loop
	} else {
		out := next
		for range n.max - n.min {
			in, ok := c.compile(sub, next)
			if !ok {
				return 0, false
			}
			next = c.split(choice(in, out))
		}
	}
	for range n.min {
		if next, ok = c.compile(sub, next); !ok {
			return 0, false
		}
	}
	return next, true
}

func (c *compiler) lookAround(n *node, next int) (entry int, ok bool) {
	l := &look{behind: -1, not: n.not, from: c.re.splits}
	if n.behind {
		w, _ := width(n.subs[0])
		l.behind = w.min
	}
	end := c.emit(instr{op: cMatch})
	if l.entry, ok = c.compile(n.subs[0], end); !ok {
		return 0, false
	}
	l.to = c.re.splits
	c.re.looks++
	return c.emit(instr{op: cLook, look: l, id: c.re.looks - 1, next: next}), true
}

// finish moves the entry to the front and works out where a match can begin.
func (re *Regexp) finish(tree *node, entry int) {
	re.code = append(re.code, instr{op: cAlt, id: re.splits, alts: []branch{{entry, firstOf(tree)}}})
	re.splits++
	re.first, re.start = firstOf(tree), startOnly(tree)
	alts := []*node{tree}
	if tree.op == opAlt {
		alts = tree.subs
	}
	for _, a := range alts {
		if w, ok := width(a); ok && toEnd(a) {
			re.reach = max(re.reach, w.max+1) // $ may stand before a line feed
		} else {
			re.far = re.far.or(firstOf(a))
		}
	}
}

func (re *Regexp) entry() int { return len(re.code) - 1 }

// lengths are the least and the most code points that a node takes.
type lengths struct{ min, max int }

// width returns how much n takes, and whether there is a bound to it.
func width(n *node) (lengths, bool) {
	switch n.op {
	case opRune, opClass, opAny:
		return lengths{1, 1}, true
	case opCat:
		var sum lengths
		for _, s := range n.subs {
			w, ok := width(s)
			if sum.min, sum.max = sum.min+w.min, sum.max+w.max; !ok || sum.max > math.MaxInt32 {
				return sum, false
			}
		}
		return sum, true
	case opAlt:
		all := lengths{min: math.MaxInt32}
		for _, s := range n.subs {
			w, ok := width(s)
			if !ok {
				return all, false
			}
			all.min, all.max = min(all.min, w.min), max(all.max, w.max)
		}
		return all, true
	case opRepeat:
		w, ok := width(n.subs[0])
		if !ok || n.max < 0 && w.max > 0 || w.max*max(n.max, 0) > math.MaxInt32 {
			return lengths{min: min(w.min*n.min, math.MaxInt32)}, false
		}
		return lengths{w.min * n.min, w.max * max(n.max, 0)}, true
	}
	return lengths{}, true
}

// toEnd reports whether a match of n always ends at the end of the text.
func toEnd(n *node) bool {
	switch n.op {
	case opAssert:
		return n.assert == atEnd || n.assert == atTextEnd
	case opCat:
		return len(n.subs) > 0 && toEnd(n.subs[len(n.subs)-1])
	case opAlt:
		for _, s := range n.subs {
			if !toEnd(s) {
				return false
			}
		}
		return true
	}
	return false
}

// startOnly reports whether a match of n always begins at the text's start.
func startOnly(n *node) bool {
	switch n.op {
	case opAssert:
		return n.assert == atStart
	case opCat:
		return len(n.subs) > 0 && startOnly(n.subs[0])
	case opAlt:
		for _, s := range n.subs {
			if !startOnly(s) {
				return false
			}
		}
		return true
	}
	return false
}

// firstOf returns what a match of n may begin with: anything at all where it
// may be empty.
func firstOf(n *node) first {
	f, empty := begins(n)
	if empty {
		return anything
	}
	return f
}

func begins(n *node) (f first, empty bool) {
	switch n.op {
	case opRune:
		if n.fold {
			f = one(n.r)
			for _, r := range sameLetter(n.r) {
				f = f.or(one(r))
			}
			return f, false
		}
		return one(n.r), false
	case opClass:
		return first{ascii: n.class.ascii, other: true}, false
	case opAny:
		return first{anything.ascii, true, false}, false
	case opCat:
		for _, s := range n.subs {
			g, e := begins(s)
			if f = f.or(g); !e {
				return f, false
			}
		}
		return f, true
	case opAlt:
		for _, s := range n.subs {
			g, e := begins(s)
			f, empty = f.or(g), empty || e
		}
		return f, empty
	case opRepeat:
		f, empty = begins(n.subs[0])
		return f, empty || n.min == 0
	}
	return first{}, true
}

func one(r rune) first {
	if r >= 128 {
		return first{other: true}
	}
	var f first
	f.ascii[r>>6] = 1 << (r & 63)
	return f
}
