package wordvectors

import (
	"encoding/binary"
	"math"
)

// grams are fastText's n-grams of characters: each falls into one of bucket
// vectors by its hash, after "Enriching Word Vectors with Subword Information"
// (Bojanowski et al., 2017).
type grams struct {
	Min    int `json:"min"`
	Max    int `json:"max"`
	Bucket int `json:"bucket"`
	First  int `json:"first"` // row of bucket 0
	// Composed says that a word's vector is the mean of its row and its n-grams';
	// else its row is that mean already.
	Composed bool `json:"composed"`
}

// maxGram is more than any model has: it bounds the work for a word.
const maxGram = 64

// each calls f with the row of each n-gram of a word, in fastText's order: by
// the character it begins at, then by length. The word stands in angle brackets,
// of which none makes an n-gram by itself.
func (g *grams) each(word string, f func(row int)) {
	if g.Bucket <= 0 || g.Max <= 0 {
		return
	}
	text := make([]byte, 0, 64)
	text = append(append(append(text, '<'), word...), '>')
	for i := range text {
		if text[i]&0xc0 == 0x80 { // inside a character
			continue
		}
		h := uint32(2166136261)
		for j, n := i, 1; j < len(text) && n <= g.Max; n++ {
			for first := true; j < len(text) && (first || text[j]&0xc0 == 0x80); first = false {
				// The library hashes signed bytes.
				h = (h ^ uint32(int32(int8(text[j])))) * 16777619
				j++
			}
			if n >= g.Min && (n > 1 || i > 0 && j < len(text)) {
				f(g.First + int(h%uint32(g.Bucket)))
			}
		}
	}
}

// composeTo appends the mean of a word's row and its n-grams', in float32 and in
// the order in which gensim adds them up, so that the bits are gensim's.
func (t *Table) composeTo(dst []float32, word string, row int) []float32 {
	n := len(dst)
	dst = appendFloats(dst, t.raw(row))
	return t.mean(dst, n, word, 1)
}

// mean adds the n-grams of word to the vector at dst[from:], which is the sum of
// count vectors, and divides.
func (t *Table) mean(dst []float32, from int, word string, count int) []float32 {
	sum := dst[from:]
	t.grams.each(word, func(row int) {
		count++
		raw := t.raw(row)[:4*len(sum)]
		for j := range sum {
			sum[j] += math.Float32frombits(binary.LittleEndian.Uint32(raw[4*j : 4*j+4]))
		}
	})
	if count == 0 {
		return dst[:from]
	}
	for j := range sum {
		sum[j] /= float32(count)
	}
	return dst
}

// AppendSubwords appends the mean of the n-grams of a word that the file does
// not have, which is fastText's vector of it. ok is false where there is none:
// the file has no n-grams, or the word is too short for one.
func (t *Table) AppendSubwords(dst []float32, word string) (v []float32, ok bool) {
	if t.grams == nil {
		return dst, false
	}
	n := len(dst)
	for range t.Info.Dim {
		dst = append(dst, 0)
	}
	dst = t.mean(dst, n, word, 0)
	return dst, len(dst) > n
}
