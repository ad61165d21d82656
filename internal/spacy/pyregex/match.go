package pyregex

import "unicode"

// Machine is working memory for matching. The zero value is ready.
type Machine struct {
	re      *Regexp
	text    []rune
	words   int      // of 64 places, for each cAlt
	seen    []uint64 // places at which a cAlt was tried and failed
	known   []int8   // outcome of a look-around at a place: 0 not tried, 1 no, 2 yes
	stack   []frame
	refused int // a match that ends here doesn't count; -1: all count
}

// frame is an alternative to come back to.
type frame struct{ pc, pos, alt int }

func (m *Machine) begin(re *Regexp, text []rune) {
	m.re, m.text, m.refused = re, text, -1
	m.words = len(text)/64 + 1
	m.seen = zeros(m.seen, re.splits*m.words)
	m.known = zeros(m.known, re.looks*(len(text)+1))
}

func zeros[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// Match is re.match: it returns where the match that begins at the start of
// text ends.
func (re *Regexp) Match(m *Machine, text []rune) (end int, ok bool) {
	if !re.mayBegin(text, 0) {
		return 0, false
	}
	m.begin(re, text)
	end = m.run(re.entry(), 0)
	return end, end >= 0
}

// Search is re.search: it returns the leftmost match.
func (re *Regexp) Search(m *Machine, text []rune) (start, end int, ok bool) {
	begun := false
	for at := 0; at <= len(text); at++ {
		if re.start && at > 0 {
			break
		}
		if !re.mayBegin(text, at) {
			continue
		}
		if !begun {
			m.begin(re, text)
			begun = true
		}
		if end := m.run(re.entry(), at); end >= 0 {
			return at, end, true
		}
	}
	return 0, 0, false
}

// FindAll is re.finditer: it appends the start and the end of each match to
// dst.
func (re *Regexp) FindAll(m *Machine, text []rune, dst [][2]int) [][2]int {
	begun := false
	refused := -1 // where an empty match was found last
	for at := 0; at <= len(text); {
		if re.start && at > 0 {
			break
		}
		if !re.mayBegin(text, at) {
			at++
			continue
		}
		if !begun {
			m.begin(re, text)
			begun = true
		}
		m.refused = -1
		if refused == at {
			// What was tried here is to be tried again, without the empty match.
			clear(m.seen)
			m.refused = at
		}
		end := m.run(re.entry(), at)
		switch {
		case end < 0:
			at++
			continue
		case end == at:
			refused = at
		}
		dst = append(dst, [2]int{at, end})
		if end > at {
			clear(m.seen) // of a match that succeeded: others may pass there
		}
		at = end
	}
	return dst
}

// mayBegin tells quickly where no match can begin.
func (re *Regexp) mayBegin(text []rune, at int) bool {
	if at == len(text) {
		return re.first.end
	}
	if !re.first.has(text[at]) {
		return false
	}
	return len(text)-at <= re.reach || re.far.has(text[at])
}

// run tries the code from pc on at pos, and returns where a match ends or -1.
//
// An alternative that failed at a place once fails there always, since nothing
// but the place decides; so each is tried at each place once at most.
func (m *Machine) run(pc, pos int) int {
	base := len(m.stack)
	alt := 0
	for {
		i := &m.re.code[pc]
		ok := false
		switch i.op {
		case cRune:
			if ok = pos < len(m.text) && m.text[pos] == i.r; ok {
				pos++
			}
		case cFold:
			if ok = pos < len(m.text) && (m.text[pos] == i.r || folded(m.text[pos]) == i.r); ok {
				pos++
			}
		case cClass:
			if ok = pos < len(m.text) && i.class.has(m.text[pos]); ok {
				pos++
			}
		case cAny:
			if ok = pos < len(m.text); ok {
				pos++
			}
		case cAssert:
			ok = m.holds(i.assert, pos)
		case cLook:
			ok = m.look(i, pos)
		case cMatch:
			if pos != m.refused || base > 0 {
				m.stack = m.stack[:base]
				return pos
			}
		case cAlt:
			if alt == 0 {
				word := &m.seen[i.id*m.words+pos>>6]
				if *word>>(pos&63)&1 != 0 {
					if !i.leave {
						break
					}
					alt = len(i.alts) - 1
				}
				*word |= 1 << (pos & 63)
			}
			for ; alt < len(i.alts); alt++ {
				f := &i.alts[alt].first
				if pos < len(m.text) && f.has(m.text[pos]) || pos == len(m.text) && f.end {
					break
				}
			}
			if alt < len(i.alts) {
				if alt+1 < len(i.alts) {
					m.stack = append(m.stack, frame{pc, pos, alt + 1})
				}
				pc, alt = i.alts[alt].to, 0
				continue
			}
		}
		if ok {
			pc = i.next
			continue
		}
		if len(m.stack) == base {
			return -1
		}
		f := m.stack[len(m.stack)-1]
		m.stack = m.stack[:len(m.stack)-1]
		pc, pos, alt = f.pc, f.pos, f.alt
	}
}

// look tells whether a look-around holds at a place.
func (m *Machine) look(i *instr, pos int) bool {
	l := i.look
	known := &m.known[i.id*(len(m.text)+1)+pos]
	if *known == 0 {
		*known = 1
		from := pos
		if l.behind >= 0 {
			from = pos - l.behind
		}
		if from >= 0 {
			// What a run that succeeded passed is not failed, though seen.
			clear(m.seen[l.from*m.words : l.to*m.words])
			m.stack = append(m.stack, frame{}) // so that the run knows it is inside another
			if m.run(l.entry, from) >= 0 {
				*known = 2
			}
			m.stack = m.stack[:len(m.stack)-1]
		}
	}
	return *known == 2 != l.not
}

// holds tells whether a place is what an assertion says.
func (m *Machine) holds(a assertion, pos int) bool {
	n := len(m.text)
	switch a {
	case atStart:
		return pos == 0
	case atLineStart:
		return pos == 0 || m.text[pos-1] == '\n'
	case atEnd:
		return pos == n
	case atTextEnd:
		return pos == n || pos == n-1 && m.text[pos] == '\n'
	case atLineEnd:
		return pos == n || m.text[pos] == '\n'
	}
	if n == 0 {
		return false // \B, too: a peculiarity of Python's
	}
	word := func(i int) bool {
		return i >= 0 && i < n && (m.text[i] == '_' || unicode.IsLetter(m.text[i]) || unicode.IsNumber(m.text[i]))
	}
	return word(pos-1) != word(pos) == (a == atBoundary)
}
