package tokenize

import (
	"errors"
	"fmt"
	"math"
)

// unigram takes the cut of a word into known pieces with the highest sum of
// scores (Viterbi). A character no piece of its own length covers may be the
// unknown token, at the lowest score less ten; a run of those is one.
type unigram struct {
	pieces    *trie
	scores    []float64
	unknown   int32
	low       float64 // score of an unknown character
	fallbacks bool
	fallback  [256]int32
}

// pathNode is the best path that ends at a byte.
type pathNode struct {
	score float64
	start int32 // where its last piece starts; -1: no path
	id    int32
}

func (m *unigram) tokenize(e *Encoding, word []byte) {
	w := &e.work
	path := w.path[:0]
	for range len(word) + 1 {
		path = append(path, pathNode{start: -1})
	}
	w.path = path
	for start := 0; start < len(word); {
		_, size := decode(word, start)
		m.extend(path, word, start, size)
		start += size
	}
	m.emit(e, path, word)
}

// extend follows every piece that starts at a byte, which a path reaches.
func (m *unigram) extend(path []pathNode, word []byte, start, size int) {
	here := path[start].score
	single := false
	node := uint32(0)
	for end := start; end < len(word); {
		if node = m.pieces.step(node, word[end]); node == 0 {
			break
		}
		end++
		id := m.pieces.values[node]
		if id < 0 {
			continue
		}
		p := &path[end]
		if score := m.scores[id] + here; p.start < 0 || score > p.score {
			*p = pathNode{score, int32(start), id}
		}
		single = single || end-start == size
	}
	if single {
		return
	}
	p := &path[start+size]
	if score := m.low + here; p.start < 0 || score > p.score {
		*p = pathNode{score, int32(start), m.unknown}
	}
}

// emit walks the best path back and appends its ids in order.
func (m *unigram) emit(e *Encoding, path []pathNode, word []byte) {
	mark := len(e.IDs)
	for end := len(word); end > 0; {
		n := path[end]
		start := int(n.start)
		if n.id == m.unknown {
			for start > 0 && path[start].id == m.unknown {
				start = int(path[start].start)
			}
			e.IDs = m.unknownRun(e.IDs, word[start:end])
		} else {
			e.IDs = append(e.IDs, int64(n.id))
		}
		end = start
	}
	ids := e.IDs[mark:]
	for i, j := 0, len(ids)-1; i < j; i, j = i+1, j-1 {
		ids[i], ids[j] = ids[j], ids[i]
	}
}

// unknownRun appends, back to front, what a run of unknown characters becomes.
func (m *unigram) unknownRun(ids []int64, run []byte) []int64 {
	if id := m.pieces.lookup(run); id >= 0 {
		return append(ids, int64(id))
	}
	if !m.fallbacks {
		return append(ids, int64(m.unknown))
	}
	for i := len(run) - 1; i >= 0; i-- {
		ids = append(ids, int64(m.fallback[run[i]]))
	}
	return ids
}

// unigramFile is the Unigram section of a tokenizer.json.
type unigramFile struct {
	Unknown      *int64    `json:"unk_id"`
	ByteFallback bool      `json:"byte_fallback"`
	Vocab        pieceList `json:"vocab"`
}

func newUnigram(c *unigramFile) (*unigram, map[string]int64, error) {
	switch {
	case len(c.Vocab) == 0:
		return nil, nil, errors.New("the vocabulary is empty")
	case len(c.Vocab) > maxID:
		return nil, nil, errors.New("the vocabulary is too large")
	case c.Unknown == nil:
		return nil, nil, errors.New("unk_id is missing: text outside the vocabulary would have no id")
	case *c.Unknown < 0 || *c.Unknown >= int64(len(c.Vocab)):
		return nil, nil, fmt.Errorf("unk_id %d is outside the vocabulary of %d", *c.Unknown, len(c.Vocab))
	}
	m := &unigram{pieces: newTrie(), unknown: int32(*c.Unknown), low: math.Inf(1), scores: make([]float64, len(c.Vocab))}
	ids := make(map[string]int64, len(c.Vocab))
	for i, p := range c.Vocab {
		ids[p.text] = int64(i) // of equal pieces the last counts
		m.scores[i] = p.score
		m.low = min(m.low, p.score)
	}
	m.low -= 10
	for i, p := range c.Vocab {
		if p.text == "" || ids[p.text] != int64(i) {
			continue
		}
		if err := m.pieces.add(p.text, int32(i)); err != nil {
			return nil, nil, err
		}
	}
	if c.ByteFallback {
		m.fallbacks = true
		for b := range 256 {
			id, ok := ids[fmt.Sprintf("<0x%02X>", b)]
			if !ok {
				return nil, nil, fmt.Errorf("byte_fallback: the token <0x%02X> is not in the vocabulary", b)
			}
			m.fallback[b] = int32(id)
		}
	}
	return m, ids, nil
}
