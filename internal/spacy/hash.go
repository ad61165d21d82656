package spacy

import (
	_ "embed"
	"encoding/binary"
	"math/bits"
	"strings"
)

// symbolNames are the names that spaCy reserves numbers for, one a line: the
// name in line i has the number i.
//
//go:embed symbols.txt
var symbolNames string

// symbols are the numbers of the reserved names. A word that happens to be one
// ("ORG", "DATE", "X") has that number for a key, not a hash.
var symbols = func() map[string]uint64 {
	m := map[string]uint64{}
	for i, name := range strings.Split(strings.TrimSuffix(symbolNames, "\n"), "\n") {
		m[name] = uint64(i)
	}
	return m
}()

// Key is the number that spaCy's StringStore has for a word.
func Key(word string) uint64 {
	if k, ok := symbols[word]; ok {
		return k
	}
	return murmur2(word, 1)
}

// murmur2 is MurmurHash64A (Austin Appleby, public domain).
func murmur2(s string, seed uint64) uint64 {
	const m, r = 0xc6a4a7935bd1e995, 47
	h := seed ^ uint64(len(s))*m
	for len(s) >= 8 {
		k := le64(s) * m
		k = (k ^ k>>r) * m
		h = (h ^ k) * m
		s = s[8:]
	}
	if len(s) > 0 {
		h = (h ^ le64(s)) * m
	}
	h = (h ^ h>>r) * m
	return h ^ h>>r
}

// le64 reads up to eight bytes, the first the lowest.
func le64(s string) uint64 {
	var b [8]byte
	copy(b[:], s)
	return binary.LittleEndian.Uint64(b[:])
}

// murmur3 is MurmurHash3_x64_128 (Austin Appleby, public domain).
func murmur3(s string, seed uint32) (uint64, uint64) {
	const c1, c2 = 0x87c37b91114253d5, 0x4cf5ad432745937f
	h1, h2 := uint64(seed), uint64(seed)
	n := uint64(len(s))
	mix1 := func(k uint64) uint64 { return bits.RotateLeft64(k*c1, 31) * c2 }
	mix2 := func(k uint64) uint64 { return bits.RotateLeft64(k*c2, 33) * c1 }
	for len(s) >= 16 {
		h1 = (bits.RotateLeft64(h1^mix1(le64(s)), 27)+h2)*5 + 0x52dce729
		h2 = (bits.RotateLeft64(h2^mix2(le64(s[8:])), 31)+h1)*5 + 0x38495ab5
		s = s[16:]
	}
	if len(s) > 8 {
		h2 ^= mix2(le64(s[8:]))
	}
	if len(s) > 0 {
		h1 ^= mix1(le64(s))
	}
	h1, h2 = h1^n, h2^n
	h1 += h2
	h2 += h1
	h1, h2 = final(h1), final(h2)
	h1 += h2
	return h1, h2 + h1
}

func final(k uint64) uint64 {
	k = (k ^ k>>33) * 0xff51afd7ed558ccd
	k = (k ^ k>>33) * 0xc4ceb9fe1a85ec53
	return k ^ k>>33
}
