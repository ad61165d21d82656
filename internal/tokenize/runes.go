package tokenize

import (
	"sync"
	"unicode"
)

// Classes of code points, as bits of an entry of the table runeClasses builds.
const (
	classSpace  = 1 << iota // White_Space
	classOther              // Cc, Cf, Co and Cs, as of Unicode 8
	classPunct              // P as of Unicode 8, and the ASCII symbols BERT counts as punctuation
	classMark               // Mn as of Unicode 8
	classHan                // the CJK blocks BERT sets apart by spaces
	classLetter             // L
	classNumber             // N
	classWord               // \w: letters, marks, decimal digits, connectors, letter numbers and other alphabetics, joiners
)

// runeClasses returns one byte of class bits for each code point. The table is
// filled from the unicode package's ranges once a process.
var runeClasses = sync.OnceValue(func() *[unicode.MaxRune + 1]uint8 {
	c := new([unicode.MaxRune + 1]uint8)
	set := func(t *unicode.RangeTable, bit uint8) { eachRune(t, func(r rune) { c[r] |= bit }) }
	for _, t := range []*unicode.RangeTable{unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs} {
		set(t, classOther)
	}
	set(unicode.White_Space, classSpace)
	set(unicode.P, classPunct)
	for r := rune('!'); r <= '~'; r++ {
		if !asciiAlnum(byte(r)) {
			c[r] |= classPunct
		}
	}
	set(unicode.Mn, classMark)
	each := func(blocks [][2]rune, f func(rune)) {
		for _, b := range blocks {
			for r := b[0]; r <= b[1]; r++ {
				f(r)
			}
		}
	}
	each(hanBlocks, func(r rune) { c[r] |= classHan })
	each(formerPunct, func(r rune) { c[r] |= classPunct })
	each(laterPunct, func(r rune) { c[r] &^= classPunct })
	each(laterFormat, func(r rune) { c[r] &^= classOther })
	each(formerMark, func(r rune) { c[r] |= classMark })
	each(laterMark, func(r rune) { c[r] &^= classMark })
	set(unicode.L, classLetter|classWord)
	set(unicode.N, classNumber)
	for _, t := range []*unicode.RangeTable{unicode.M, unicode.Nd, unicode.Nl, unicode.Pc, unicode.Other_Alphabetic,
		unicode.Other_Lowercase, unicode.Other_Uppercase, unicode.Join_Control} {
		set(t, classWord)
	}
	return c
})

// hanBlocks are the ranges of BERT's _is_chinese_char: CJK ideographs and their
// compatibility forms, without kana and hangul.
var hanBlocks = [][2]rune{
	{0x4E00, 0x9FFF}, {0x3400, 0x4DBF}, {0x20000, 0x2A6DF}, {0x2A700, 0x2B73F},
	{0x2B740, 0x2B81F}, {0x2B920, 0x2CEAF}, {0xF900, 0xFAFF}, {0x2F800, 0x2FA1F},
}

func asciiAlnum(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

func eachRune(t *unicode.RangeTable, f func(rune)) {
	for _, r := range t.R16 {
		for c := uint32(r.Lo); c <= uint32(r.Hi); c += uint32(r.Stride) {
			f(rune(c))
		}
	}
	for _, r := range t.R32 {
		for c := r.Lo; c <= r.Hi; c += r.Stride {
			f(rune(c))
		}
	}
}

// lower returns the lower case of a rune as one or two runes (the second 0 if
// there is one only): Unicode's unconditional full mapping, in which U+0130 is
// the single case of two.
func lower(r rune) (rune, rune) {
	if r == 0x130 {
		return 'i', 0x307
	}
	return unicode.ToLower(r), 0
}
