package wordvectors

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	fastTextMagic   = 793712314
	fastTextVersion = 12
	supervised      = 3
)

// fastText is the head of fastText's own form.
type fastText struct {
	version          int // 0: from before there were versions
	dim, model       int
	bucket, min, max int
}

// looksLikeFastText recognises the form, the oldest of which has no magic
// number: its settings are 32-bit numbers of plausible size, so that there are
// zeros among its first bytes, which no text has.
func looksLikeFastText(head []byte) bool {
	if len(head) < 56 {
		return len(head) >= 8 && binary.LittleEndian.Uint32(head) == fastTextMagic
	}
	at := func(i int) int { return int(int32(binary.LittleEndian.Uint32(head[4*i:]))) }
	if at(0) == fastTextMagic {
		return true
	}
	within := func(i, lo, hi int) bool { return at(i) >= lo && at(i) <= hi }
	return within(0, 1, maxDim) && within(1, 0, 1<<15) && within(2, 0, 1<<20) && within(5, 0, 1<<10) &&
		within(6, 0, 8) && within(7, 0, 8) && within(8, 0, 1<<30) && within(9, 0, 1<<10) && within(10, 0, 1<<10)
}

// readFastText reads fastText's own form. It tells word of each word with its
// row, and rows of the vectors, which are those of words and labels and then
// those of n-grams, in order with where they lie.
func readFastText(ctx context.Context, r io.Reader, word func(row int, w []byte) error, rows func(i int, at int64, raw []byte, name func() string) error) (h fastText, total int, err error) {
	c := newCounter(ctx, r)
	fail := func(err error) (fastText, int, error) {
		if err == io.ErrUnexpectedEOF {
			err = fmt.Errorf("byte %d: the file ends here: it was cut off", c.at)
		}
		return h, 0, err
	}
	var n [13]int // magic, version, dim, ws, epoch, minCount, neg, wordNgrams, loss, model, bucket, minn, maxn
	first := 0
	for i := range n {
		if i == 1 && n[0] != fastTextMagic { // no magic: it was dim
			n[2], first = n[0], 3
		}
		if i > 0 && i < first {
			continue
		}
		if n[i], err = c.int32(); err != nil {
			return fail(err)
		}
	}
	h = fastText{dim: n[2], model: n[9], bucket: n[10], min: n[11], max: n[12]}
	if first == 0 {
		h.version = n[1]
		if h.version < 1 || h.version > fastTextVersion {
			return h, 0, fmt.Errorf("byte 4: version %d of fastText's form is not known: up to %d is read", h.version, fastTextVersion)
		}
	}
	if h.version == 11 && h.model == supervised {
		h.max = 0 // models of that version have n-grams in name only
	}
	if h.dim < 1 || h.dim > maxDim || h.bucket < 0 || h.min < 0 || h.max < 0 || h.max > maxGram {
		return h, 0, fmt.Errorf("its settings (dim %d, bucket %d, minn %d, maxn %d) are no fastText model's: the file is damaged", h.dim, h.bucket, h.min, h.max)
	}
	var skip [12]byte // lrUpdateRate, t
	if err := c.full(skip[:]); err != nil {
		return fail(err)
	}
	var counts [3]int // entries, words, labels
	for i := range counts {
		if counts[i], err = c.int32(); err != nil {
			return fail(err)
		}
	}
	if _, err := c.int64(); err != nil { // tokens of the corpus
		return fail(err)
	}
	entries, labels := counts[0], counts[2]
	if entries < 0 || labels < 0 || labels > entries || counts[1] < 0 || counts[1] > entries {
		return h, 0, fmt.Errorf("byte %d: %d entries, %d words and %d labels don't fit together: the file is damaged", c.at, entries, counts[1], labels)
	}
	if counts[1] == 0 {
		return h, 0, errors.New("the file holds no words")
	}
	var pruned int64
	if h.version > 0 {
		if pruned, err = c.int64(); err != nil {
			return fail(err)
		}
	}
	var text []byte
	var names wordList
	for i := range entries {
		start := c.at
		text, err = c.until(text[:0], 0, maxWord)
		if err == errTooLong {
			return h, 0, fmt.Errorf("byte %d: word %d of %d has more than %d bytes: the file is damaged", start, i+1, entries, maxWord)
		}
		if err != nil {
			return fail(err)
		}
		var rest [9]byte // count, kind
		if err := c.full(rest[:]); err != nil {
			return fail(err)
		}
		names.add(text)
		if rest[8] == 0 && i < counts[1] {
			if err := word(i, text); err != nil {
				return h, 0, err
			}
		}
	}
	if pruned > 0 {
		return h, 0, errQuantised
	}
	if h.version > 0 {
		quantised, err := c.byte()
		if err == io.EOF {
			return fail(io.ErrUnexpectedEOF)
		}
		if err != nil {
			return h, 0, err
		}
		if quantised != 0 {
			return h, 0, errQuantised
		}
	}
	m, err := c.int64()
	if err != nil {
		return fail(err)
	}
	d, err := c.int64()
	if err != nil {
		return fail(err)
	}
	hasGrams := h.max > 0 && h.bucket > 0
	if d != int64(h.dim) || m < int64(counts[1]) || m > 1<<32 || hasGrams && m < int64(counts[1])+int64(h.bucket) {
		return h, 0, fmt.Errorf("byte %d: a matrix of %d x %d where %d words, %d buckets and %d values are: the file is damaged", c.at, m, d, counts[1], h.bucket, h.dim)
	}
	raw := make([]byte, 4*h.dim)
	for i := range int(m) {
		at := c.at
		if err := c.full(raw); err != nil {
			if err == io.ErrUnexpectedEOF {
				return h, 0, fmt.Errorf("byte %d: the file ends within vector %d of %d: it was cut off", c.at, i+1, m)
			}
			return h, 0, err
		}
		name := func() string {
			if i < counts[1] {
				return fmt.Sprintf("%q", clip(names.word(i)))
			}
			return fmt.Sprintf("n-gram bucket %d", i-counts[1])
		}
		if j := notFinite(raw); j >= 0 {
			return h, 0, fmt.Errorf("byte %d: value %d of the vector of %s is %v: the file is damaged", at+int64(4*j), j+1, name(), valueAt(raw, j))
		}
		if err := rows(i, at, raw, name); err != nil {
			return h, 0, err
		}
	}
	return h, int(m), nil
}

var errQuantised = errors.New("the model is quantised (.ftz): it holds packed pieces of vectors, which are not read: use the .bin file that it was made from, or write its words' vectors as text (fasttext print-word-vectors)")
