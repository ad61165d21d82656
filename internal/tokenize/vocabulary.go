package tokenize

import (
	"iter"
	"maps"
)

// Vocabulary yields the spelling and the id of each token, added ones included,
// in no order.
func (t *Tokenizer) Vocabulary() iter.Seq2[string, int64] { return maps.All(t.ids) }

// Unknown returns the id of the token that stands for what the model can't
// spell, and whether the model has one.
func (t *Tokenizer) Unknown() (id int64, ok bool) {
	switch m := t.model.(type) {
	case *wordPiece:
		return m.unknown, true
	case *wordLevel:
		return m.unknown, true
	case *bpe:
		return int64(m.unknown), m.unknown >= 0
	case *unigram:
		return int64(m.unknown), m.unknown >= 0
	}
	return 0, false
}
