package tokenize

// A model appends the ids of one piece, word, to e.IDs.
type model interface {
	tokenize(e *Encoding, word []byte)
}

// wordPiece takes the longest known prefix, then the longest known
// continuation, and so on; a word with a rest that has none, or of more than
// maxRunes characters, is the unknown token.
type wordPiece struct {
	start, rest *trie
	unknown     int64
	maxRunes    int
}

func (m *wordPiece) tokenize(e *Encoding, word []byte) {
	if len(word) > m.maxRunes && runeCount(word) > m.maxRunes {
		e.IDs = append(e.IDs, m.unknown)
		return
	}
	mark := len(e.IDs)
	t := m.start
	for len(word) > 0 {
		id, n := t.longest(word)
		if id < 0 {
			e.IDs = append(e.IDs[:mark], m.unknown)
			return
		}
		e.IDs = append(e.IDs, int64(id))
		word = word[n:]
		t = m.rest
	}
}

// runeCount counts the characters of valid UTF-8 (utf8.RuneCount allocates for
// long words).
func runeCount(s []byte) int {
	n := 0
	for _, b := range s {
		if b&0xC0 != 0x80 {
			n++
		}
	}
	return n
}
