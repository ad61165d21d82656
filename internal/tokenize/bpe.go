package tokenize

import (
	"bytes"
	"fmt"
	"math/bits"
	"strings"
	"unicode/utf8"
)

// bpe joins neighbouring symbols, the pair of the lowest rank first, of those
// the leftmost, until no known pair is left.
type bpe struct {
	pairs pairTable

	bytes     bool       // the symbols to start from are bytes, else characters
	byteID    [256]int32 // id of a byte; -1: none
	lastID    [256]int32 // the same at the end of a word
	runeID    *trie      // ids of characters
	lastRune  *trie      // the same at the end of a word; nil: no suffix
	fallback  [256]int32 // ids of <0x00> to <0xFF>
	fallbacks bool       // characters without id become bytes
	unknown   int32      // -1: dropped
	fuse      bool       // a run of unknown characters is one
	whole     *trie      // words that are tokens are not built up; nil: they are
	apart     bool       // no merge joins a character and a blank (wordMark) after it
}

// wordMark stands for a blank in vocabularies that come from SentencePiece.
const wordMark = "\u2581"

// symbol is a part of a word while it is put together.
type symbol struct {
	id         int32
	prev, next int32 // neighbours by index; -1: none
	rank       int32 // of the pair with the next; noRank: not a pair
}

// mergeAt is a possible merge of symbol at with the one after it.
type mergeAt struct{ rank, at, id int32 }

const noRank = 1<<31 - 1

// scanLimit is the number of symbols up to which searching the lowest rank
// anew at each step beats keeping a heap.
const scanLimit = 64

// tokenize builds up a word. Where no merge reaches over the beginning of a
// blank, what comes as one word with blanks in it (Llama's texts) is built up
// part by part, which gives the same tokens in less time.
func (m *bpe) tokenize(e *Encoding, word []byte) {
	for m.apart {
		n := len(word) - len(bytes.TrimLeft(word, wordMark))
		if i := bytes.Index(word[n:], []byte(wordMark)); i < 0 {
			break
		} else {
			n += i
		}
		m.build(e, word[:n])
		word = word[n:]
	}
	m.build(e, word)
}

func (m *bpe) build(e *Encoding, word []byte) {
	if m.whole != nil {
		if id := m.whole.lookup(word); id >= 0 {
			e.IDs = append(e.IDs, int64(id))
			return
		}
	}
	w := &e.work
	if m.bytes {
		w.symbols = m.startBytes(w.symbols[:0], word)
	} else {
		w.symbols = m.startRunes(w.symbols[:0], word)
	}
	s := w.symbols
	if len(s) == 0 {
		return
	}
	for i := range s {
		s[i].prev, s[i].next, s[i].rank = int32(i-1), int32(i+1), noRank
	}
	s[len(s)-1].next = -1
	for i := 0; i+1 < len(s); i++ {
		s[i].rank, _ = m.pairs.find(s[i].id, s[i+1].id)
	}
	if len(s) <= scanLimit {
		m.mergeScan(s)
	} else {
		w.merges = m.mergeHeap(s, w.merges[:0])
	}
	for i := int32(0); i >= 0; i = s[i].next {
		e.IDs = append(e.IDs, int64(s[i].id))
	}
}

func (m *bpe) startBytes(s []symbol, word []byte) []symbol {
	open := false
	for i, b := range word {
		id := m.byteID[b]
		if i == len(word)-1 {
			id = m.lastID[b]
		}
		s, open = m.start(s, id, open)
	}
	return s
}

func (m *bpe) startRunes(s []symbol, word []byte) []symbol {
	open := false
	for i := 0; i < len(word); {
		_, size := decode(word, i)
		ids := m.runeID
		if i+size == len(word) && m.lastRune != nil {
			ids = m.lastRune
		}
		id := ids.lookup(word[i : i+size])
		if id < 0 && m.fallbacks {
			for _, b := range word[i : i+size] {
				s = append(s, symbol{id: m.fallback[b]})
			}
			open = false
		} else {
			s, open = m.start(s, id, open)
		}
		i += size
	}
	return s
}

// start appends a symbol, or what stands for one that is not known; open says
// whether the last one did.
func (m *bpe) start(s []symbol, id int32, open bool) ([]symbol, bool) {
	if id >= 0 {
		return append(s, symbol{id: id}), false
	}
	if m.unknown < 0 || open && m.fuse {
		return s, open
	}
	return append(s, symbol{id: m.unknown}), true
}

// mergeScan merges the pairs of a short word.
func (m *bpe) mergeScan(s []symbol) {
	for {
		best, at := int32(noRank), int32(-1)
		for i := int32(0); i >= 0; i = s[i].next {
			if s[i].rank < best {
				best, at = s[i].rank, i
			}
		}
		if at < 0 {
			return
		}
		_, id := m.pairs.find(s[at].id, s[s[at].next].id)
		m.merge(s, at, id)
	}
}

// merge joins symbol at with the next, under the given id, and looks up the
// ranks of the pairs this makes.
func (m *bpe) merge(s []symbol, at, id int32) {
	gone := s[at].next
	s[at].id = id
	s[at].next = s[gone].next
	s[gone].id = -1
	s[at].rank = noRank
	if n := s[at].next; n >= 0 {
		s[n].prev = at
		s[at].rank, _ = m.pairs.find(id, s[n].id)
	}
	if p := s[at].prev; p >= 0 {
		s[p].rank, _ = m.pairs.find(s[p].id, id)
	}
}

// mergeHeap merges the pairs of a long word in n log n steps. An entry of the
// heap is stale if its symbol is gone or has another pair now.
func (m *bpe) mergeHeap(s []symbol, heap []mergeAt) []mergeAt {
	push := func(at int32) {
		if s[at].rank != noRank {
			_, id := m.pairs.find(s[at].id, s[s[at].next].id)
			heap = pushMerge(heap, mergeAt{s[at].rank, at, id})
		}
	}
	for i := range s {
		push(int32(i))
	}
	for len(heap) > 0 {
		var top mergeAt
		top, heap = popMerge(heap)
		if s[top.at].id < 0 || s[top.at].rank != top.rank {
			continue
		}
		m.merge(s, top.at, top.id)
		push(top.at)
		if p := s[top.at].prev; p >= 0 {
			push(p)
		}
	}
	return heap
}

func (a mergeAt) before(b mergeAt) bool {
	return a.rank < b.rank || a.rank == b.rank && a.at < b.at
}

func pushMerge(h []mergeAt, m mergeAt) []mergeAt {
	h = append(h, m)
	i := len(h) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !h[i].before(h[up]) {
			break
		}
		h[i], h[up] = h[up], h[i]
		i = up
	}
	return h
}

func popMerge(h []mergeAt) (mergeAt, []mergeAt) {
	top := h[0]
	n := len(h) - 1
	h[0] = h[n]
	h = h[:n]
	for i := 0; ; {
		c := 2*i + 1
		if c >= n {
			break
		}
		if c+1 < n && h[c+1].before(h[c]) {
			c++
		}
		if !h[c].before(h[i]) {
			break
		}
		h[i], h[c] = h[c], h[i]
		i = c
	}
	return top, h
}

// pairTable maps a pair of ids to the rank of its merge and the id it makes,
// by open addressing.
type pairTable struct {
	slots []pairSlot
	shift uint
}

type pairSlot struct {
	left, right int32
	rank, id    int32 // id+1, so that 0 marks a free slot
}

func newPairTable(n int) pairTable {
	size := 16
	for size < 2*n+1 {
		size *= 2
	}
	return pairTable{make([]pairSlot, size), uint(64 - bits.TrailingZeros(uint(size)))}
}

func (t *pairTable) at(left, right int32) *pairSlot {
	i := (uint64(uint32(left))<<32 | uint64(uint32(right))) * 0x9E3779B97F4A7C15 >> t.shift
	mask := uint64(len(t.slots) - 1)
	for {
		s := &t.slots[i&mask]
		if s.id == 0 || s.left == left && s.right == right {
			return s
		}
		i++
	}
}

func (t *pairTable) find(left, right int32) (rank, id int32) {
	s := t.at(left, right)
	if s.id == 0 {
		return noRank, -1
	}
	return s.rank, s.id - 1
}

// byteChars is the spelling of bytes in byte-level vocabularies: GPT-2's
// table, in which printable Latin-1 bytes stand for themselves and the others,
// in order, for U+0100 and on.
func byteChars() map[rune]byte {
	m := make(map[rune]byte, 256)
	next := rune(0x100)
	for b := range 256 {
		r := rune(b)
		if !(b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE) {
			r = next
			next++
		}
		m[r] = byte(b)
	}
	return m
}

// spelledBytes reads a token of a byte-level vocabulary back to bytes; ok is
// false if it has a character that stands for none.
func spelledBytes(chars map[rune]byte, token string) (string, bool) {
	var b strings.Builder
	for _, r := range token {
		c, ok := chars[r]
		if !ok {
			return "", false
		}
		b.WriteByte(c)
	}
	return b.String(), true
}

// bpeFile is the BPE section of a tokenizer.json.
type bpeFile struct {
	Dropout      *float64         `json:"dropout"`
	Unknown      *string          `json:"unk_token"`
	Prefix       *string          `json:"continuing_subword_prefix"`
	Suffix       *string          `json:"end_of_word_suffix"`
	FuseUnknown  bool             `json:"fuse_unk"`
	ByteFallback bool             `json:"byte_fallback"`
	IgnoreMerges bool             `json:"ignore_merges"`
	Vocab        map[string]int64 `json:"vocab"`
	Merges       mergeList        `json:"merges"`
}

func newBPE(c *bpeFile, bytes bool) (*bpe, error) {
	switch {
	case c.Prefix != nil && *c.Prefix != "":
		return nil, fmt.Errorf("continuing_subword_prefix %q is not supported", *c.Prefix)
	case c.Dropout != nil && *c.Dropout != 0:
		return nil, fmt.Errorf("dropout %g is not supported: it makes ids random", *c.Dropout)
	}
	suffix := ""
	if c.Suffix != nil {
		suffix = *c.Suffix
	}
	m := &bpe{bytes: bytes, fuse: c.FuseUnknown, unknown: -1}
	if c.Unknown != nil {
		if id, ok := c.Vocab[*c.Unknown]; ok {
			m.unknown = int32(id)
		} else if *c.Unknown != "" {
			return nil, fmt.Errorf("the unknown token %q is not in the vocabulary", *c.Unknown)
		}
	}
	var err error
	if bytes {
		m.readBytes(c.Vocab, suffix)
	} else if err = m.readRunes(c, suffix); err != nil {
		return nil, err
	}
	if c.IgnoreMerges {
		if m.whole, err = wholeWords(c.Vocab, bytes); err != nil {
			return nil, err
		}
	}
	return m, m.readMerges(c)
}

func (m *bpe) readMerges(c *bpeFile) error {
	m.pairs = newPairTable(len(c.Merges))
	m.apart = !m.bytes && m.lastRune == nil && m.whole == nil && m.runeID.lookup([]byte(wordMark)) >= 0
	if len(c.Merges) >= noRank {
		return fmt.Errorf("%d merges are too many", len(c.Merges))
	}
	for rank, pair := range c.Merges {
		left, okLeft := c.Vocab[pair[0]]
		right, okRight := c.Vocab[pair[1]]
		joined, ok := c.Vocab[pair[0]+pair[1]]
		if !okLeft || !okRight || !ok {
			return fmt.Errorf("merge %d, of %q and %q: a part or the whole is not in the vocabulary", rank, pair[0], pair[1])
		}
		m.apart = m.apart && !strings.Contains(strings.TrimLeft(pair[0]+pair[1], wordMark), wordMark)
		*m.pairs.at(int32(left), int32(right)) = pairSlot{int32(left), int32(right), int32(rank), int32(joined) + 1}
	}
	return nil
}

func (m *bpe) readBytes(vocab map[string]int64, suffix string) {
	for r, b := range byteChars() {
		m.byteID[b], m.lastID[b] = -1, -1
		if id, ok := vocab[string(r)]; ok {
			m.byteID[b] = int32(id)
		}
		if id, ok := vocab[string(r)+suffix]; ok {
			m.lastID[b] = int32(id)
		}
	}
}

func (m *bpe) readRunes(c *bpeFile, suffix string) error {
	m.runeID = newTrie()
	if suffix != "" {
		m.lastRune = newTrie()
	}
	for token, id := range c.Vocab { // keys are distinct: the order does not matter
		if utf8.RuneCountInString(token) == 1 {
			if err := m.runeID.add(token, int32(id)); err != nil {
				return err
			}
		}
		if char, ok := strings.CutSuffix(token, suffix); ok && suffix != "" && utf8.RuneCountInString(char) == 1 {
			if err := m.lastRune.add(char, int32(id)); err != nil {
				return err
			}
		}
	}
	if c.ByteFallback {
		m.fallbacks = true
		for b := range 256 {
			id, ok := c.Vocab[fmt.Sprintf("<0x%02X>", b)]
			if !ok {
				return fmt.Errorf("byte_fallback: the token <0x%02X> is not in the vocabulary", b)
			}
			m.fallback[b] = int32(id)
		}
	}
	return nil
}

// wholeWords holds every token as the text it stands for.
func wholeWords(vocab map[string]int64, bytes bool) (*trie, error) {
	t := newTrie()
	chars := byteChars()
	for token, id := range vocab { // keys are distinct: the order does not matter
		if bytes {
			var ok bool
			if token, ok = spelledBytes(chars, token); !ok {
				continue
			}
		}
		if err := t.add(token, int32(id)); err != nil {
			return nil, err
		}
	}
	return t, nil
}
