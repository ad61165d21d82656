package vectorize

import (
	"bytes"
	"encoding/binary"
	"math/bits"
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
	keeps   bool   // stop words stay in: the caller tells them apart
	ascii   *[256]byte
	lower   bool // runs lower-cases too: opt.KeepCase is false and nothing comes before

	buf    []byte // words, at least one byte between two; slack bytes more than in use
	used   int
	edges  []int32 // of asciiWords
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
	if opt.Tokenizer == Sklearn && opt.StripAccents == "" && !opt.KeepCase {
		s.lower, s.ascii = true, &lowerASCII
	}
	return s
}

// scan cuts text into terms, left in s.terms as places in s.buf.
func (s *scanner) scan(text string) {
	s.tokens, s.terms, s.used = s.tokens[:0], s.terms[:0], 0
	switch {
	case s.opt.Analyzer == Char:
		s.chars(s.preprocess(text))
		return
	case s.opt.Analyzer == CharWB:
		s.charsInWords(s.preprocess(text))
		return
	case s.pattern != nil:
		s.matches(s.preprocess(text))
	default:
		s.words(text)
	}
	s.ngrams()
}

// asciiPiece is how much text asciiWords is given at most.
const asciiPiece = 1 << 14

// words takes the words of a tokenizer. Neither they nor what is done to their
// letters reaches across a space or the end of a line, so that what is ASCII
// between two of them goes a shorter way.
func (s *scanner) words(text string) {
	if s.opt.KeepCase && s.opt.Tokenizer == Unicode && !utf8.ValidString(text) {
		s.otherWords(text) // where a broken character ends is another matter
		return
	}
	for len(text) > 0 {
		n := asciiPrefix(text[:min(len(text), asciiPiece)])
		if n < len(text) {
			n = strings.LastIndexAny(text[:n], " \n") + 1
		}
		if n > 0 {
			s.asciiWords(text[:n])
		} else {
			n = otherPrefix(text)
			s.otherWords(text[:n])
		}
		text = text[n:]
	}
}

// otherPrefix is the number of bytes before the first space, not that at the
// start, from where the way of ASCII is worth it.
func otherPrefix(text string) int {
	for n := 1; n < len(text); n++ {
		space := strings.IndexByte(text[n:], ' ')
		if space < 0 {
			break
		}
		n += space
		if isASCII(text[n:min(n+32, len(text))]) {
			return n
		}
	}
	return len(text)
}

// otherWords is words for any text.
func (s *scanner) otherWords(text string) {
	if s.lower {
		s.runs(text)
		return
	}
	text = s.preprocess(text)
	if s.opt.Tokenizer == Unicode {
		s.annexWords(norm.NFC.String(text))
	} else {
		s.runs(text)
	}
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
	start, n, chars := s.used, s.used, 0
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
		if chars >= 2 {
			s.take(start, n)
			start = n + 1
		}
		n = start
		chars = 0
	}
	if chars >= 2 {
		s.take(start, n)
	}
	s.used = n + 1
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

// take makes buf[lo:hi] a word, unless it is a stop word.
func (s *scanner) take(lo, hi int) {
	if s.keeps || !s.stopped(lo, hi) {
		s.tokens = append(s.tokens, span{int32(lo), int32(hi)})
	}
}

// put writes a word behind those in the buffer and returns its place.
func (s *scanner) put(parts ...string) (lo, hi int) {
	size := 1
	for _, p := range parts {
		size += len(p)
	}
	s.reserve(size)
	lo, hi = s.used, s.used
	for _, p := range parts {
		hi += copy(s.buf[hi:], p)
	}
	s.used = hi + 1
	return lo, hi
}

// matches takes what the pattern finds.
func (s *scanner) matches(text string) {
	s.machine.findAll(text, func(lo, hi int) { s.take(s.put(text[lo:hi])) })
}

// ngrams makes the terms of the words: all single words, then all pairs, and
// so on, as far as the range of n asks. The words move together in the buffer,
// with a space between two, so that an n-gram is a place in it too.
func (s *scanner) ngrams() {
	lo, hi := s.opt.NgramRange[0], s.opt.NgramRange[1]
	if hi == 1 {
		s.terms, s.tokens = s.tokens, s.terms
		return
	}
	n := 0
	for i, t := range s.tokens {
		start := n
		n += copy(s.buf[n:], s.buf[t.lo:t.hi])
		s.tokens[i] = span{int32(start), int32(n)}
		s.buf[n] = ' '
		n++
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

// annexWords takes the words of Unicode's Annex 29 from a text in normal form
// C.
func (s *scanner) annexWords(text string) {
	var last string // the character before, inside a run of an unparted script
	run := 0        // its length so far
	endRun := func() {
		if run == 1 {
			s.take(s.put(last))
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
				s.take(s.put(last, w))
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
	betweenLetters // joins the letters on both sides
	betweenDigits
)

var asciiRole = func() (role [256]uint8) {
	for c := range 26 {
		role['a'+c], role['A'+c] = letterInWord, letterInWord
	}
	for c := range 10 {
		role['0'+c] = digitInWord
	}
	role[':'] = betweenLetters
	role['.'] = betweenLetters | betweenDigits
	role['\''] = betweenLetters | betweenDigits
	role[','], role[';'] = betweenDigits, betweenDigits
	return role
}()

// asciiWords takes the words of a text of ASCII alone.
func (s *scanner) asciiWords(text string) {
	lo, hi := s.used, s.used+len(text)
	s.reserve(len(text) + wordBlock)
	copy(s.buf[lo:], text)
	s.used = hi
	if need := len(text) + 1; need > len(s.edges) {
		s.edges = make([]int32, max(need, 2*len(s.edges)))
	}
	edges := s.edges[:wordEdges(s.buf, lo, hi, s.opt.KeepCase, s.edges)]
	buf, annex := s.buf, s.opt.Tokenizer == Unicode
	for k := 0; k < len(edges); k += 2 {
		start, end, apostrophe := edges[k], edges[k+1], false
		for annex && k+2 < len(edges) && edges[k+2] == end+1 && joined(buf[end-1], buf[end], buf[end+1]) {
			apostrophe = apostrophe || buf[end] == '\''
			k += 2
			end = edges[k+1]
		}
		switch {
		case end-start < 2:
		case apostrophe:
			s.takeApostrophe(int(start), int(end))
		case annex && buf[start] == '_' && len(bytes.Trim(buf[start:end], "_")) == 0:
		default:
			s.take(int(start), int(end))
		}
	}
}

// wordBlock is how many bytes wordEdges looks at together.
const wordBlock = 64

// wordEdges writes to edges where runs of word characters begin and end in
// buf[lo:hi], which is ASCII alone and, unless keepCase, becomes lower case.
// edges has room for one more than there are bytes. It clears up to wordBlock
// bytes of buf beyond hi and returns how many edges there are.
func wordEdges(buf []byte, lo, hi int, keepCase bool, edges []int32) int {
	const (
		ones = 0x0101010101010101
		tops = 0x80 * ones
	)
	toLower := uint64(0x20 * ones)
	if keepCase {
		toLower = 0
	}
	clear(buf[hi : hi+wordBlock-(hi-lo)%wordBlock])
	n, before := 0, uint64(0)
	for at := lo; at <= hi; at += wordBlock {
		block := buf[at : at+wordBlock]
		inWord := uint64(0) // a bit for each byte
		for k := 0; k < wordBlock; k += 8 {
			// Eight bytes at a time. All are below 128, so that a sum leaves
			// the others alone and its top bit tells whether it reached 128.
			x := binary.LittleEndian.Uint64(block[k:])
			small := x | 0x20*ones
			letter := (small + (128-'a')*ones) &^ (small + (127-'z')*ones) & tops
			digit := (x + (128-'0')*ones) &^ (x + (127-'9')*ones)
			other := (x ^ '_'*ones) + 127*ones
			top := (letter | digit | ^other) & tops
			binary.LittleEndian.PutUint64(block[k:], x|letter>>2&toLower)
			// The product gathers the top bits of the eight in its top byte.
			inWord |= (top >> 7 * 0x0102040810204080) >> 56 << k
		}
		turns := inWord ^ (inWord<<1 | before)
		before = inWord >> 63
		for ; turns != 0; turns &= turns - 1 {
			edges[n] = int32(at + bits.TrailingZeros64(turns))
			n++
		}
	}
	return n
}

// joined reports whether c is no boundary between two word characters.
func joined(before, c, after byte) bool {
	role := asciiRole[c]
	if role == 0 {
		return false
	}
	sides := asciiRole[before] & asciiRole[after]
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
		s.takeApostrophe(s.put(strings.ReplaceAll(w, "\u2019", "'")))
	default:
		s.take(s.put(w))
	}
}

// takeApostrophe takes a word with an apostrophe: without a closing 's (moon's:
// moon), then without an elided article (l'homme: homme), which is one or two
// letters before three or more. A word that is a stop word as it stands (let's)
// is one first.
func (s *scanner) takeApostrophe(lo, hi int) {
	if s.stopped(lo, hi) {
		return
	}
	w := bytes.TrimSuffix(bytes.TrimSuffix(s.buf[lo:hi], []byte("'s")), []byte("'S"))
	hi = lo + len(w)
	if head, tail, ok := bytes.Cut(w, []byte("'")); ok && utf8.RuneCount(head) <= 2 && utf8.RuneCount(tail) >= 3 {
		lo, w = hi-len(tail), tail
	}
	if utf8.RuneCount(w) >= 2 {
		s.take(lo, hi)
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
