package pyregex

import (
	"slices"
	"unicode"
)

// class is a set of code points.
type class struct {
	ascii  [2]uint64 // the answer for ASCII
	ranges []span    // sorted, disjoint
	kinds  []kind    // \w and the like
	negate bool
	fold   bool
}

type span struct{ lo, hi rune }

// kind is \w, \d or \s, or the opposite of it.
type kind struct {
	letter byte // w, d or s
	not    bool
}

func (k kind) has(r rune) bool {
	var in bool
	switch k.letter {
	case 'd':
		in = unicode.Is(unicode.Nd, r)
	case 's':
		in = Space(r)
	case 'w':
		in = r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r)
	}
	return in != k.not
}

// Space is Python's str.isspace for one code point: white space of Unicode, and
// four separators of ASCII besides.
func Space(r rune) bool {
	return unicode.IsSpace(r) || 0x1c <= r && r <= 0x1f
}

// settle sorts and joins the ranges and works out the answers for ASCII.
func (c *class) settle() {
	slices.SortFunc(c.ranges, func(a, b span) int { return int(a.lo) - int(b.lo) })
	out := c.ranges[:0]
	for _, s := range c.ranges {
		if n := len(out); n > 0 && s.lo <= out[n-1].hi+1 {
			out[n-1].hi = max(out[n-1].hi, s.hi)
		} else {
			out = append(out, s)
		}
	}
	c.ranges = out
	for r := range rune(128) {
		if c.slow(r) {
			c.ascii[r>>6] |= 1 << (r & 63)
		}
	}
}

func (c *class) has(r rune) bool {
	if uint32(r) < 128 {
		return c.ascii[r>>6]>>(r&63)&1 != 0
	}
	return c.slow(r)
}

func (c *class) slow(r rune) bool {
	in := c.listed(r)
	if !in && c.fold {
		for _, s := range sameLetter(r) {
			if in = c.inRanges(s); in {
				break
			}
		}
	}
	return in != c.negate
}

func (c *class) listed(r rune) bool {
	if c.inRanges(r) {
		return true
	}
	for _, k := range c.kinds {
		if k.has(r) {
			return true
		}
	}
	return false
}

func (c *class) inRanges(r rune) bool {
	lo, hi := 0, len(c.ranges)
	for lo < hi {
		if m := (lo + hi) / 2; c.ranges[m].hi < r {
			lo = m + 1
		} else {
			hi = m
		}
	}
	return lo < len(c.ranges) && c.ranges[lo].lo <= r
}

// sameLetter are the other code points that re.IGNORECASE takes for r: its case
// forms, one code point each. The four kinds of i are one letter to Python.
func sameLetter(r rune) []rune {
	const i, bigI, dotless, dotted = 'i', 'I', 'ı', 'İ'
	switch r {
	case i, bigI, dotless, dotted:
		return []rune{i, bigI, dotless, dotted}
	}
	var out []rune
	for s := unicode.SimpleFold(r); s != r; s = unicode.SimpleFold(s) {
		out = append(out, s)
	}
	return out
}

// folded is one code point that stands for all that are the same letter as r.
func folded(r rune) rune {
	least := r
	for _, s := range sameLetter(r) {
		least = min(least, s)
	}
	return least
}
