package vectorize

import (
	"strings"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"github.com/clipperhouse/uax29/v2/words"
	"golang.org/x/text/unicode/norm"
)

// span is the place of a term in a scanner's buffer.
type span struct{ lo, hi int32 }

// slack is how far the table may read past the start of a term.
const slack = 8

// scanner cuts one document after another into terms. It is not safe for
// concurrent use.
type scanner struct {
	opt     Options // with defaults
	pattern *pattern
	machine *machine
	stop    *table // nil: no stop words
	ascii   *[256]byte
	lower   bool // lower-case while scanning: opt.KeepCase is false and nothing comes before

	buf    []byte // words, one space between two; slack bytes more than in use
	used   int
	tokens []span
	terms  []span // of the last document
	pre    []byte // the text before words are taken
	strip  []byte
	starts []int32
}

// newScanner returns a scanner for valid options.
func newScanner(opt Options) *scanner {
	opt = opt.withDefaults()
	s := &scanner{opt: opt, ascii: &keepASCII}
	if opt.TokenPattern != "" {
		s.pattern, _ = compilePattern(opt.TokenPattern)
		s.machine = newMachine(s.pattern)
	}
	if opt.Analyzer == Word && len(opt.StopWords) > 0 {
		s.stop = tableOf(opt.StopWords)
	}
	if opt.Analyzer == Word && s.pattern == nil && opt.Tokenizer == Sklearn && opt.StripAccents == "" && !opt.KeepCase {
		s.lower, s.ascii = true, &lowerASCII
	}
	return s
}

// scan cuts text into terms, left in s.terms as places in s.buf.
func (s *scanner) scan(text string) {
	s.tokens, s.terms, s.used = s.tokens[:0], s.terms[:0], 0
	if s.lower {
		s.runs(text)
		s.ngrams()
		return
	}
	text = s.preprocess(text)
	switch {
	case s.opt.Analyzer == Char:
		s.chars(text)
		return
	case s.opt.Analyzer == CharWB:
		s.charsInWords(text)
		return
	case s.pattern != nil:
		s.matches(text)
	case s.opt.Tokenizer == Unicode:
		s.unicodeWords(text)
	default:
		s.runs(text)
	}
	s.ngrams()
}

// preprocess lower-cases text and strips its accents, as the options say. The
// result is valid until the next call.
func (s *scanner) preprocess(text string) string {
	if !s.opt.KeepCase {
		s.pre = appendLower(s.pre[:0], text)
		text = unsafe.String(unsafe.SliceData(s.pre), len(s.pre))
	}
	if s.opt.StripAccents != "" && !isASCII(text) {
		s.strip = appendStripped(s.strip[:0], text, s.opt.StripAccents == "ascii")
		text = unsafe.String(unsafe.SliceData(s.strip), len(s.strip))
	}
	return text
}

// reserve makes room for n more bytes in buf.
func (s *scanner) reserve(n int) {
	if need := s.used + n + slack; need > len(s.buf) {
		grown := make([]byte, max(need, 2*len(s.buf)))
		copy(grown, s.buf[:s.used])
		s.buf = grown
	}
}

// runs takes the longest runs of two or more word characters, in lower case
// if s.lower.
func (s *scanner) runs(text string) {
	// A letter grows by half at most when it is lower-cased (2 bytes to 3).
	s.reserve(len(text) + len(text)/2 + slack)
	buf, ascii := s.buf, s.ascii
	var plane *[1 << 16]runeInfo
	start, n, chars := 0, 0, 0
	for i := 0; i < len(text); {
		first := i
		for i < len(text) {
			c := ascii[text[i]]
			if c == 0 {
				break
			}
			buf[n] = c
			n++
			i++
		}
		chars += i - first
		if i < len(text) && text[i] >= utf8.RuneSelf {
			if plane == nil {
				plane = planeInfo()
			}
			r, size := utf8.DecodeRuneInString(text[i:])
			word, cut := false, false
			if !s.lower {
				word = isWordFast(plane, r)
			} else {
				r, word, cut = lowerRune(plane, text, i, r)
			}
			i += size
			if word {
				n += utf8.EncodeRune(buf[n:], r)
				chars++
				if !cut {
					continue
				}
			}
		} else {
			i++
		}
		if chars >= 2 && !s.stopped(start, n) {
			s.tokens = append(s.tokens, span{int32(start), int32(n)})
			buf[n] = ' '
			n++
			start = n
		} else {
			n = start
		}
		chars = 0
	}
	if chars >= 2 && !s.stopped(start, n) {
		s.tokens = append(s.tokens, span{int32(start), int32(n)})
	}
}

// lowerRune returns the lower case of r, which is text[i:], whether that is a
// word character, and whether the word ends behind it.
func lowerRune(plane *[1 << 16]runeInfo, text string, i int, r rune) (lower rune, word, cut bool) {
	if r >= 1<<16 {
		r = unicode.ToLower(r)
		return r, isWord(r), false
	}
	info := plane[r]
	switch {
	case info&specialRune == 0:
		return rune(info & runeMask), info&wordRune != 0, false
	case r == dottedI:
		return 'i', true, true // a combining dot follows, which is no word character
	case finalSigma(text, i):
		return '\u03c2', true, false
	}
	return '\u03c3', true, false
}

// isWordFast is isWord with the help of a table.
func isWordFast(plane *[1 << 16]runeInfo, r rune) bool {
	if r < 1<<16 && plane[r]&specialRune == 0 {
		return plane[r]&wordRune != 0
	}
	return isWord(r)
}

// stopped reports whether the word buf[lo:hi] is a stop word.
func (s *scanner) stopped(lo, hi int) bool {
	return s.stop != nil && s.stop.find(s.buf, lo, hi) >= 0
}

// put writes a word behind those in the buffer and returns its place.
func (s *scanner) put(parts ...string) (lo, hi int) {
	size := 1
	for _, p := range parts {
		size += len(p)
	}
	s.reserve(size)
	hi = s.used
	for _, p := range parts {
		hi += copy(s.buf[hi:], p)
	}
	return s.used, hi
}

// add appends a word, unless it is a stop word.
func (s *scanner) add(parts ...string) {
	lo, hi := s.put(parts...)
	if s.stopped(lo, hi) {
		return
	}
	s.buf[hi] = ' '
	s.used = hi + 1
	s.tokens = append(s.tokens, span{int32(lo), int32(hi)})
}

// matches takes what the pattern finds.
func (s *scanner) matches(text string) {
	s.machine.findAll(text, func(lo, hi int) { s.add(text[lo:hi]) })
}

// ngrams makes the terms of the words: all single words, then all pairs, and
// so on, as far as the range of n asks. Words stand in the buffer with a space
// between two, so that an n-gram is a place in it too.
func (s *scanner) ngrams() {
	lo, hi := s.opt.NgramRange[0], s.opt.NgramRange[1]
	if hi == 1 {
		s.terms, s.tokens = s.tokens, s.terms
		return
	}
	for n := lo; n <= min(hi, len(s.tokens)); n++ {
		for i := 0; i+n <= len(s.tokens); i++ {
			s.terms = append(s.terms, span{s.tokens[i].lo, s.tokens[i+n-1].hi})
		}
	}
}

// chars takes the runs of n characters, after two and more white spaces in a
// row have become one space.
func (s *scanner) chars(text string) {
	s.reserve(len(text))
	s.starts = s.starts[:0]
	n := 0
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		s.starts = append(s.starts, int32(n))
		if isSpace(r) {
			end := i + size
			for end < len(text) {
				r, size := utf8.DecodeRuneInString(text[end:])
				if !isSpace(r) {
					break
				}
				end += size
			}
			if end > i+size {
				s.buf[n] = ' '
				n++
				i = end
				continue
			}
		}
		n += copy(s.buf[n:], text[i:i+size])
		i += size
	}
	s.starts = append(s.starts, int32(n))
	for size := s.opt.NgramRange[0]; size <= min(s.opt.NgramRange[1], len(s.starts)-1); size++ {
		for i := 0; i+size < len(s.starts); i++ {
			s.terms = append(s.terms, span{s.starts[i], s.starts[i+size]})
		}
	}
}

// charsInWords takes the runs of n characters of each word between two spaces,
// with one space put at either end of it. A word shorter than n counts once.
func (s *scanner) charsInWords(text string) {
	s.reserve(len(text) + 2)
	n := 0
	s.buf[n] = ' '
	n++
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		if isSpace(r) {
			i += size
			continue
		}
		s.starts = append(s.starts[:0], int32(n-1))
		for i < len(text) {
			r, size := utf8.DecodeRuneInString(text[i:])
			if isSpace(r) {
				break
			}
			s.starts = append(s.starts, int32(n))
			n += copy(s.buf[n:], text[i:i+size])
			i += size
		}
		s.starts = append(s.starts, int32(n), int32(n+1))
		s.buf[n] = ' '
		n++
		chars := len(s.starts) - 1
		for size := s.opt.NgramRange[0]; size <= s.opt.NgramRange[1]; size++ {
			s.terms = append(s.terms, span{s.starts[0], s.starts[min(size, chars)]})
			for k := 1; k+size <= chars; k++ {
				s.terms = append(s.terms, span{s.starts[k], s.starts[k+size]})
			}
			if size >= chars {
				break
			}
		}
	}
}

// unparted are the scripts that write words without a space between them.
var unparted = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar}

// prolonged is the katakana mark that lengthens a vowel, in hiragana too.
const prolonged = '\u30fc'

// unicodeWords takes the words of Unicode's Annex 29. Words do not reach across
// a space or the end of a line, so that what is ASCII between two of them goes
// the shorter way.
func (s *scanner) unicodeWords(text string) {
	if !norm.NFC.IsNormalString(text) {
		text = norm.NFC.String(text)
	}
	if !utf8.ValidString(text) { // where a broken character ends is another matter
		s.annexWords(text)
		return
	}
	for len(text) > 0 {
		n := asciiPrefix(text)
		if n < len(text) {
			n = strings.LastIndexAny(text[:n], " \n") + 1
		}
		s.asciiWords(text[:n])
		text = text[n:]
		if n = strings.IndexAny(text, " \n"); n < 0 {
			n = len(text)
		}
		s.annexWords(text[:n])
		text = text[n:]
	}
}

// annexWords is unicodeWords without the shorter way, for a text in normal
// form C.
func (s *scanner) annexWords(text string) {
	var last string // the character before, inside a run of an unparted script
	run := 0        // its length so far
	endRun := func() {
		if run == 1 {
			s.add(last)
		}
		run = 0
	}
	for it := words.FromString(text); it.Next(); {
		w := it.Value()
		if c := w[0]; c < utf8.RuneSelf && keepASCII[c] == 0 && len(w) == 1 {
			endRun()
			continue
		}
		r, _ := utf8.DecodeRuneInString(w)
		if r >= utf8.RuneSelf && (unicode.In(r, unparted...) || run > 0 && r == prolonged) {
			if run > 0 {
				s.add(last, w)
			}
			last = w
			run++
			continue
		}
		endRun()
		s.addWord(w)
	}
	endRun()
}

// What an ASCII character is in the rules of Annex 29 for the boundaries of
// words (Unicode 16, WB5 to WB13b).
const (
	letterInWord = 1 << iota
	digitInWord
	underscoreInWord
	betweenLetters // joins the letters on both sides
	betweenDigits
	apostropheInWord
	inWord = letterInWord | digitInWord | underscoreInWord
)

var asciiRole = func() (role [256]uint8) {
	for c := range 26 {
		role['a'+c], role['A'+c] = letterInWord, letterInWord
	}
	for c := range 10 {
		role['0'+c] = digitInWord
	}
	role['_'] = underscoreInWord
	role[':'] = betweenLetters
	role['.'] = betweenLetters | betweenDigits
	role['\''] = betweenLetters | betweenDigits | apostropheInWord
	role[','], role[';'] = betweenDigits, betweenDigits
	return role
}()

// asciiWords is unicodeWords for a text of ASCII alone.
func (s *scanner) asciiWords(text string) {
	for i := 0; i < len(text); i++ {
		if asciiRole[text[i]]&inWord == 0 {
			continue
		}
		start, seen := i, uint8(0)
		for ; i < len(text); i++ {
			role := asciiRole[text[i]]
			if role&inWord == 0 && (role == 0 || i+1 == len(text) || !joined(role, asciiRole[text[i-1]]&asciiRole[text[i+1]])) {
				break
			}
			seen |= role
		}
		switch {
		case i-start < 2 || seen&(letterInWord|digitInWord) == 0:
		case seen&apostropheInWord != 0:
			s.addApostrophe(text[start:i])
		default:
			s.add(text[start:i])
		}
	}
}

// joined reports whether a character between two that are both what sides says
// is no boundary.
func joined(role, sides uint8) bool {
	return role&betweenLetters != 0 && sides&letterInWord != 0 || role&betweenDigits != 0 && sides&digitInWord != 0
}

// addWord appends a word of a script that parts its words, if it has two
// characters and a letter or a digit among them.
func (s *scanner) addWord(w string) {
	chars, alnum, apostrophe := 0, false, false
	for _, r := range w {
		apostrophe = apostrophe || r == '\'' || r == '\u2019'
		alnum = alnum || r != '_' && isWord(r)
		chars++
	}
	switch {
	case chars < 2 || !alnum:
	case apostrophe:
		s.addApostrophe(strings.ReplaceAll(w, "\u2019", "'"))
	default:
		s.add(w)
	}
}

// addApostrophe appends a word with an apostrophe: without a closing 's
// (moon's: moon), then without an elided article (l'homme: homme), which is one
// or two letters before three or more. A word that is a stop word as it stands
// (let's) is one first.
func (s *scanner) addApostrophe(w string) {
	if s.stopped(s.put(w)) {
		return
	}
	w = strings.TrimSuffix(strings.TrimSuffix(w, "'s"), "'S")
	if head, tail, ok := strings.Cut(w, "'"); ok && utf8.RuneCountInString(head) <= 2 && utf8.RuneCountInString(tail) >= 3 {
		w = tail
	}
	if utf8.RuneCountInString(w) >= 2 {
		s.add(w)
	}
}

// inconsistentStopWords returns, sorted by the list's order, the words that
// the stop words are cut into and that are no stop words.
func inconsistentStopWords(opt Options) []string {
	stop := make(map[string]bool, len(opt.StopWords))
	for _, w := range opt.StopWords {
		stop[w] = true
	}
	opt.NgramRange = [2]int{1, 1}
	words := opt.StopWords
	opt.StopWords = nil
	if opt.Validate() != nil {
		return nil
	}
	s := newScanner(opt)
	var lost []string
	for _, w := range words {
		if contractions()[w] {
			continue // put into the lists knowingly
		}
		s.scan(w)
		for _, t := range s.terms {
			if token := string(s.buf[t.lo:t.hi]); !stop[token] {
				stop[token] = true
				lost = append(lost, token)
			}
		}
	}
	return lost
}
