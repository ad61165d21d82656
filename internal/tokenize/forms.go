package tokenize

import (
	"cmp"
	"slices"
	"sync"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// unicodeForm is one of the Unicode normalisation forms. The properties of
// code points come from x/text; the algorithm is that of UAX #15 without the
// stream-safe cut after 30 marks that x/text makes and the tokenizers library
// does not.
type unicodeForm struct {
	form    norm.Form // NFD or NFKD, for the decompositions
	quick   norm.Form // the form itself, for the check
	compose bool
}

func newUnicodeForm(kind string) unicodeForm {
	switch kind {
	case "NFC":
		return unicodeForm{norm.NFD, norm.NFC, true}
	case "NFD":
		return unicodeForm{norm.NFD, norm.NFD, false}
	case "NFKC":
		return unicodeForm{norm.NFKD, norm.NFKC, true}
	default:
		return unicodeForm{norm.NFKD, norm.NFKD, false}
	}
}

type orderedRune struct {
	r   rune
	ccc uint8
}

func (f unicodeForm) normalize(dst, src []byte, w *work) []byte {
	if f.quick.QuickSpan(src) == len(src) {
		return append(dst, src...)
	}
	runes := f.decompose(w.runes[:0], src)
	w.runes = runes
	sortMarks(runes)
	if f.compose {
		runes = compose(runes)
	}
	for _, o := range runes {
		dst = utf8.AppendRune(dst, o.r)
	}
	return dst
}

func (f unicodeForm) decompose(runes []orderedRune, src []byte) []orderedRune {
	for i := 0; i < len(src); {
		if src[i] < utf8.RuneSelf {
			runes = append(runes, orderedRune{r: rune(src[i])})
			i++
			continue
		}
		r, size := utf8.DecodeRune(src[i:])
		p := f.form.Properties(src[i : i+size])
		i += size
		if isHangul(r) {
			var h [3]rune
			for _, c := range decomposeHangul(h[:0], r) {
				runes = append(runes, orderedRune{r: c})
			}
			continue
		}
		d := p.Decomposition()
		if d == nil || inBlocks(laterForms, r) {
			runes = append(runes, orderedRune{r, order(r, p)})
			continue
		}
		for len(d) > 0 {
			c, n := utf8.DecodeRune(d)
			runes = append(runes, orderedRune{c, order(c, f.form.Properties(d))})
			d = d[n:]
		}
	}
	return runes
}

// order returns the combining class of a rune.
func order(r rune, p norm.Properties) uint8 {
	if c := p.CCC(); c != 0 && !inBlocks(laterOrder, r) {
		return c
	}
	return 0
}

// sortMarks puts each run of marks into canonical order.
func sortMarks(runes []orderedRune) {
	for i := 0; i < len(runes); {
		if runes[i].ccc == 0 {
			i++
			continue
		}
		j := i + 1
		for j < len(runes) && runes[j].ccc != 0 {
			j++
		}
		if j-i > 1 {
			slices.SortStableFunc(runes[i:j], func(a, b orderedRune) int { return cmp.Compare(a.ccc, b.ccc) })
		}
		i = j
	}
}

// compose joins runes into their primary composites, in place.
func compose(runes []orderedRune) []orderedRune {
	pairs := compositions()
	starter, out := -1, 0
	for _, o := range runes {
		if starter >= 0 {
			last := runes[out-1].ccc
			blocked := out-1 > starter && (last == 0 || last >= o.ccc)
			if !blocked {
				if c, ok := composePair(pairs, runes[starter].r, o.r); ok {
					runes[starter].r = c
					continue
				}
			}
		}
		runes[out] = o
		if o.ccc == 0 {
			starter = out
		}
		out++
	}
	return runes[:out]
}

func composePair(pairs map[[2]rune]rune, a, b rune) (rune, bool) {
	switch {
	case a >= hangulL && a < hangulL+hangulLCount && b >= hangulV && b < hangulV+hangulVCount:
		return hangulS + ((a-hangulL)*hangulVCount+b-hangulV)*hangulTCount, true
	case isHangul(a) && (a-hangulS)%hangulTCount == 0 && b > hangulT && b < hangulT+hangulTCount:
		return a + b - hangulT, true
	}
	c, ok := pairs[[2]rune{a, b}]
	return c, ok
}

// compositions maps a pair to its primary composite. x/text has the table but
// does not show it: the pairs are read off the code points that are their own
// composed form.
var compositions = sync.OnceValue(func() map[[2]rune]rune {
	pairs := make(map[[2]rune]rune, 1<<10)
	var enc [utf8.UTFMax]byte
	for r := rune(0xC0); r < 0x30000; r++ { // no composite lies above plane 2
		b := utf8.AppendRune(enc[:0], r)
		d := norm.NFD.Properties(b).Decomposition()
		if d == nil || isHangul(r) || !norm.NFC.IsNormal(b) {
			continue
		}
		last, n := utf8.DecodeLastRune(d)
		first := norm.NFC.Bytes(d[:len(d)-n])
		if a, size := utf8.DecodeRune(first); size > 0 && size == len(first) {
			pairs[[2]rune{a, last}] = r
		}
	}
	return pairs
})
