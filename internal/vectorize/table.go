package vectorize

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"strings"
)

// table numbers terms in the order in which they are first seen. It is an
// open-addressing hash table over one arena of bytes, so that a term costs no
// allocation of its own.
type table struct {
	slots []slot
	mask  uint64
	arena []byte
	ends  []int64 // of the terms in the arena
}

// slot is a place of the table.
type slot struct {
	key  key
	id   int32
	size int32 // bytes of the term + 1; 0: the slot is free
}

// key tells a term from others of its size: up to 16 bytes for sure, as its
// first and its last eight bytes, else as its first eight and a hash.
type key struct{ head, tail uint64 }

// newTable returns a table with room for so many terms.
func newTable(terms int) *table {
	t := new(table)
	t.resize(max(terms, 1<<5))
	return t
}

// len returns the number of terms.
func (t *table) len() int { return len(t.ends) }

// term returns the bytes of term id. They alias the arena.
func (t *table) term(id int32) []byte {
	lo := int64(0)
	if id > 0 {
		lo = t.ends[id-1]
	}
	return t.arena[lo:t.ends[id]]
}

// strings returns the terms of the given numbers. They share one allocation.
func (t *table) strings(ids []int32) []string {
	size := 0
	for _, id := range ids {
		size += len(t.term(id))
	}
	var all strings.Builder
	all.Grow(size)
	for _, id := range ids {
		all.Write(t.term(id))
	}
	rest := all.String()
	out := make([]string, len(ids))
	for i, id := range ids {
		n := len(t.term(id))
		out[i], rest = rest[:n], rest[n:]
	}
	return out
}

// keyOf returns the key of buf[lo:hi], which must reach 8 bytes beyond lo.
func keyOf(buf []byte, lo, hi int) key {
	n, head := hi-lo, binary.LittleEndian.Uint64(buf[lo:lo+8])
	switch {
	case n <= 8:
		return key{head: head & (^uint64(0) >> (64 - 8*uint(n)))}
	case n <= 16:
		return key{head, binary.LittleEndian.Uint64(buf[hi-8 : hi])}
	}
	tail := uint64(0)
	for b := buf[lo+8 : hi]; len(b) > 8; b = b[8:] {
		tail = mix(tail ^ binary.LittleEndian.Uint64(b))
	}
	return key{head, mix(tail ^ binary.LittleEndian.Uint64(buf[hi-8:hi]))}
}

// hash spreads the key of a term of so many bytes + 1.
func (k key) hash(size int32) uint64 { return mix(k.head ^ mix(k.tail^uint64(size))) }

// mix spreads x by one 64 x 64 -> 128 bit product.
func mix(x uint64) uint64 {
	hi, lo := bits.Mul64(x^0x9e3779b97f4a7c15, 0xd6e8feb86659fd93)
	return hi ^ lo
}

// find returns the number of the term buf[lo:hi], or -1. buf must reach 8
// bytes beyond lo.
func (t *table) find(buf []byte, lo, hi int) int32 {
	key, size := keyOf(buf, lo, hi), int32(hi-lo)+1
	for p := key.hash(size) & t.mask; ; p = (p + 1) & t.mask {
		s := &t.slots[p]
		if s.size == 0 {
			return -1
		}
		if s.key == key && s.size == size && (size <= 17 || bytes.Equal(t.term(s.id), buf[lo:hi])) {
			return s.id
		}
	}
}

// intern returns the number of the term buf[lo:hi], which it adds if it is
// new. buf must reach 8 bytes beyond lo.
func (t *table) intern(buf []byte, lo, hi int) int32 {
	return t.put(keyOf(buf, lo, hi), buf[lo:hi])
}

// put is intern for a term whose key is known.
func (t *table) put(key key, term []byte) int32 {
	size := int32(len(term)) + 1
	p := key.hash(size) & t.mask
	for ; ; p = (p + 1) & t.mask {
		s := &t.slots[p]
		if s.size == 0 {
			break
		}
		if s.key == key && s.size == size && (size <= 17 || bytes.Equal(t.term(s.id), term)) {
			return s.id
		}
	}
	id := int32(len(t.ends))
	t.slots[p] = slot{key: key, id: id, size: size}
	t.arena = append(t.arena, term...)
	t.ends = append(t.ends, int64(len(t.arena)))
	if 4*len(t.ends) > 3*len(t.slots) {
		t.resize(len(t.ends))
	}
	return id
}

// join interns the terms of other and returns their numbers. It takes them in
// the order of their places, which is nearly that of their places here.
func (t *table) join(other *table) []int32 {
	t.resize(t.len() + other.len())
	ids := make([]int32, other.len())
	for _, s := range other.slots {
		if s.size > 0 {
			ids[s.id] = t.put(s.key, other.term(s.id))
		}
	}
	return ids
}

// resize makes room for so many terms in all. A quarter of the places at least
// stays free.
func (t *table) resize(terms int) {
	size := 1
	for 3*size < 4*terms {
		size *= 2
	}
	if size <= len(t.slots) {
		return
	}
	old := t.slots
	t.slots = make([]slot, size)
	clear(t.slots) // fresh pages are better written in a row than first read here and there
	t.mask = uint64(size - 1)
	for _, s := range old {
		if s.size == 0 {
			continue
		}
		p := s.key.hash(s.size) & t.mask
		for t.slots[p].size != 0 {
			p = (p + 1) & t.mask
		}
		t.slots[p] = s
	}
}

// padded returns s as bytes that the table may read.
func padded(dst []byte, s string) []byte {
	dst = append(dst[:0], s...)
	return append(dst, 0, 0, 0, 0, 0, 0, 0, 0)
}

// tableOf numbers the given terms by their place.
func tableOf(terms []string) *table {
	t := newTable(len(terms))
	t.add(terms)
	return t
}

// add interns the given terms.
func (t *table) add(terms []string) {
	var buf []byte
	for _, s := range terms {
		buf = padded(buf, s)
		t.intern(buf, 0, len(s))
	}
}
