package tokenize

// Encoding receives the tokens of one text, and holds the working memory of
// Encode. The zero value is ready; reusing one saves every allocation. Its
// slices are overwritten by the next Encode into it.
type Encoding struct {
	IDs     []int64 // token ids, special tokens of the template included
	TypeIDs []int64 // segment of each token, by the template (0 without one)
	Special []bool  // true for the tokens the template put in

	// TokensLost counts the tokens of the text that maxTokens cut off.
	TokensLost int

	work work
}

// work is the memory of the stages between the text and the ids.
type work struct {
	text  []byte    // the text as bytes
	norm  [2][]byte // results of normalisers, by turns
	buf   [2][]byte // texts of pre-tokenisers that rewrite, by turns: see slot
	spans [2][]span // pieces over the current text, by turns
	cur   int       // which of spans is current
	seg   []byte    // the current text of the pieces
	first bool      // the segment starts the text

	runes   []orderedRune // of Unicode normalisation
	parts   []part        // of the cuts by a matcher
	symbols []symbol      // of BPE
	merges  []mergeAt     // of BPE: a heap
	path    []pathNode    // of Unigram, by end
}

// span is a piece of a text: bytes start to end.
type span struct{ start, end int }

func (e *Encoding) reset() {
	e.IDs = e.IDs[:0]
	e.TypeIDs = e.TypeIDs[:0]
	e.Special = e.Special[:0]
	e.TokensLost = 0
}

// begin makes text, as a whole, the one piece of the segment.
func (w *work) begin(text []byte, first bool) {
	w.seg, w.first, w.cur = text, first, 0
	w.spans[0] = append(w.spans[0][:0], span{0, len(text)})
}

// next returns the pieces there are and the emptied list for the new ones,
// which the caller hands to replace.
func (w *work) next() (in, out []span) { return w.spans[w.cur], w.spans[1-w.cur][:0] }

func (w *work) replace(out []span) {
	w.cur = 1 - w.cur
	w.spans[w.cur] = out
}
