package tokenize

import (
	"errors"
	"math/bits"
)

// trie is a byte trie in one open-addressing table: an edge is stored under
// the key node<<8|byte. Node 0 is the root.
type trie struct {
	edges  []edge // length a power of two; child 0 marks a free slot
	shift  uint
	values []int32 // by node; -1: no key ends here
	root   [256]uint32
}

type edge struct{ key, child uint32 }

const maxTrieNodes = 1 << 24 // what the 32-bit edge key holds

var errTrieFull = errors.New("vocabulary too large: more than 16,777,216 trie nodes")

func newTrie() *trie {
	t := &trie{values: []int32{-1}}
	t.resize(1 << 8)
	return t
}

func (t *trie) resize(n int) {
	old := t.edges
	t.edges = make([]edge, n)
	t.shift = uint(32 - bits.TrailingZeros(uint(n)))
	for _, e := range old {
		if e.child != 0 {
			*t.slot(e.key) = e
		}
	}
}

// slot returns where key is, or the free slot where it belongs.
func (t *trie) slot(key uint32) *edge {
	mask := uint32(len(t.edges) - 1)
	i := (key * 0x9E3779B1) >> t.shift
	for {
		e := &t.edges[i&mask]
		if e.child == 0 || e.key == key {
			return e
		}
		i++
	}
}

// add gives key the value; a key that is there keeps its first value.
func (t *trie) add(key string, value int32) error {
	node := uint32(0)
	for i := 0; i < len(key); i++ {
		e := t.slot(node<<8 | uint32(key[i]))
		if e.child == 0 {
			if len(t.values) >= maxTrieNodes {
				return errTrieFull
			}
			child := uint32(len(t.values))
			*e = edge{key: node<<8 | uint32(key[i]), child: child}
			if node == 0 {
				t.root[key[i]] = child
			}
			t.values = append(t.values, -1)
			if len(t.values)*2 > len(t.edges) {
				t.resize(len(t.edges) * 2)
			}
			node = child
			continue
		}
		node = e.child
	}
	if t.values[node] < 0 {
		t.values[node] = value
	}
	return nil
}

// step follows one byte from node; 0 means there is no such edge.
func (t *trie) step(node uint32, b byte) uint32 {
	if node == 0 {
		return t.root[b]
	}
	key := node<<8 | uint32(b)
	mask := uint32(len(t.edges) - 1)
	i := (key * 0x9E3779B1) >> t.shift & mask
	for {
		e := t.edges[i]
		if e.key == key || e.child == 0 {
			return e.child
		}
		i = (i + 1) & mask
	}
}

// longest returns the value and length of the longest key that text begins
// with; the value is -1 if there is none.
func (t *trie) longest(text []byte) (value int32, n int) {
	value = -1
	node := uint32(0)
	for i, b := range text {
		if node = t.step(node, b); node == 0 {
			break
		}
		if v := t.values[node]; v >= 0 {
			value, n = v, i+1
		}
	}
	return value, n
}

// lookup returns the value of a key, -1 if it is absent.
func (t *trie) lookup(key []byte) int32 {
	node := uint32(0)
	for _, b := range key {
		if node = t.step(node, b); node == 0 {
			return -1
		}
	}
	return t.values[node]
}
