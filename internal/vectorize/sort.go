package vectorize

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
)

// sortKey is a term and eight bytes of it, as a number that has their order.
type sortKey struct {
	part uint64
	id   int32
}

// sort sorts ids, all different, by their terms.
func (t *table) sort(ids []int32) {
	keys := make([]sortKey, len(ids))
	for i, id := range ids {
		keys[i].id = id
	}
	t.sortFrom(keys, make([]sortKey, len(ids)), 0)
	for i, k := range keys {
		ids[i] = k.id
	}
}

// sortFrom sorts keys by their terms, which have the first at bytes in common:
// by the next eight, and then those that have these in common too. spare is as
// long as keys.
func (t *table) sortFrom(keys, spare []sortKey, at int) {
	for i := range keys {
		var part [8]byte
		if term := t.term(keys[i].id); len(term) > at {
			copy(part[:], term[at:])
		}
		keys[i].part = binary.BigEndian.Uint64(part[:])
	}
	if len(keys) < 1<<10 {
		slices.SortFunc(keys, func(a, b sortKey) int { return cmp.Compare(a.part, b.part) })
	} else {
		sortByPart(keys, spare)
	}
	for lo, hi := 0, 0; lo < len(keys); lo = hi {
		for hi = lo + 1; hi < len(keys) && keys[hi].part == keys[lo].part; hi++ {
		}
		// Terms that differ in zero bytes at their ends alone, which part
		// doesn't show, are 8 at most: with more, some go on.
		switch same := keys[lo:hi]; {
		case len(same) > 8:
			t.sortFrom(same, spare[lo:hi], at+8)
		case len(same) > 1:
			slices.SortFunc(same, func(a, b sortKey) int { return bytes.Compare(t.term(a.id), t.term(b.id)) })
		}
	}
}

// sortByPart sorts keys by part, a byte after the other from the last. spare is
// as long as keys.
func sortByPart(keys, spare []sortKey) {
	var count [8][256]int32
	for _, k := range keys {
		for b := range count {
			count[b][uint8(k.part>>(8*b))]++
		}
	}
	from, to := keys, spare
	for b := range count {
		next, place := &count[b], int32(0)
		if int(next[uint8(keys[0].part>>(8*b))]) == len(keys) {
			continue // the byte of all
		}
		for c, n := range next {
			next[c] = place
			place += n
		}
		for _, k := range from {
			c := uint8(k.part >> (8 * b))
			to[next[c]] = k
			next[c]++
		}
		from, to = to, from
	}
	copy(keys, from)
}
