package tokenize

import (
	"fmt"
	"os"
	"slices"
	"unicode/utf8"
)

// Tokenizer holds a tokenizer.json ready for use. It is read-only and safe for
// concurrent use.
type Tokenizer struct {
	normalizers   []normalizer
	preTokenizers []preTokenizer
	model         model
	rewrites      int  // pre-tokenisers that write a text of their own
	byteLevel     bool // the pre-tokeniser ends in ByteLevel: the vocabulary spells bytes
	template      template
	raw           *addedTokens // searched in the text as it came
	normal        *addedTokens // searched after normalising

	ids        map[string]int64
	vocabSize  int
	pad        int64
	truncation *Truncation
	padding    *Padding
}

// Truncation is the truncation section of a tokenizer.json. Encode does not
// apply it: the limit is the caller's.
type Truncation struct {
	Direction string // "Right" or "Left"
	MaxLength int
	Strategy  string
	Stride    int
}

// Padding is the padding section of a tokenizer.json. Encode does not apply it.
type Padding struct {
	Fixed            int // length of the Fixed strategy; 0: as long as the longest of a batch
	Direction        string
	PadToMultipleOf  int
	PadID, PadTypeID int64
	PadToken         string
}

// Load reads a tokenizer.json, or a folder that has one or, from before there
// was that file, a vocab.json and a merges.txt. Those are read as the byte-pair
// encoding of CLIP, GPT-2 or RoBERTa, whichever tokenizer_config.json or the
// vocabulary tells.
func Load(path string) (*Tokenizer, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return loadFolder(path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read tokenizer: %w", err)
	}
	t, err := New(b)
	if err != nil {
		return nil, fmt.Errorf("read tokenizer %s: %w", path, err)
	}
	return t, nil
}

// Encode replaces what dst holds by the tokens of text, those of the template
// around them. maxTokens limits their number, template tokens included, by
// cutting the text's tokens on the right; 0 means no limit. Bytes that are not
// UTF-8 count as U+FFFD each. The result depends on text and maxTokens only.
func (t *Tokenizer) Encode(dst *Encoding, text string, maxTokens int) {
	dst.reset()
	t.template.open(dst)
	t.encodeText(dst, text)
	t.template.close(dst, maxTokens)
}

// EncodeWords is Encode for a text that comes cut into words, which are
// tokenised one by one: is_split_into_words of the transformers library.
func (t *Tokenizer) EncodeWords(dst *Encoding, words []string, maxTokens int) {
	dst.reset()
	t.template.open(dst)
	for _, word := range words {
		t.encodeText(dst, word)
	}
	t.template.close(dst, maxTokens)
}

// WithPrefixSpace returns a tokenizer that differs in one thing: a ByteLevel
// pre-tokenizer puts a blank before a text, or a word of EncodeWords, that has
// none (add_prefix_space of the transformers library). Without that component
// it is t itself.
func (t *Tokenizer) WithPrefixSpace() *Tokenizer {
	last := len(t.preTokenizers) - 1
	if !t.byteLevel {
		return t
	}
	b := t.preTokenizers[last].(byteLevel)
	b.prefixSpace = true
	c := *t
	c.preTokenizers = append(slices.Clone(t.preTokenizers[:last]), b)
	return &c
}

func (t *Tokenizer) encodeText(e *Encoding, text string) {
	w := &e.work
	if utf8.ValidString(text) {
		w.text = append(w.text[:0], text...)
	} else {
		w.text = w.text[:0]
		for _, r := range text {
			w.text = utf8.AppendRune(w.text, r)
		}
	}
	src := w.text
	from, taken := 0, 0
	for {
		tok, start, end, resume, ok := t.raw.next(src, from, taken)
		if !ok {
			break
		}
		t.encodeSegment(e, src[taken:max(start, taken)], taken == 0)
		e.IDs = append(e.IDs, tok.id)
		taken, from = max(end, taken), resume
	}
	t.encodeSegment(e, src[taken:], taken == 0)
}

// encodeSegment tokenises a stretch of text without added tokens of the raw
// kind; first is true if the text starts with it.
func (t *Tokenizer) encodeSegment(e *Encoding, text []byte, first bool) {
	if len(text) == 0 {
		return
	}
	w := &e.work
	for i, n := range t.normalizers {
		b := &w.norm[i&1]
		*b = n.normalize((*b)[:0], text, w)
		text = *b
	}
	from, taken := 0, 0
	for {
		tok, start, end, resume, ok := t.normal.next(text, from, taken)
		if !ok {
			break
		}
		t.encodePiece(e, text[taken:max(start, taken)], first && taken == 0)
		e.IDs = append(e.IDs, tok.id)
		taken, from = max(end, taken), resume
	}
	t.encodePiece(e, text[taken:], first && taken == 0)
}

// encodePiece cuts normalised text into words and hands them to the model.
func (t *Tokenizer) encodePiece(e *Encoding, text []byte, first bool) {
	if len(text) == 0 {
		return
	}
	w := &e.work
	w.begin(text, first)
	for _, p := range t.preTokenizers {
		p.split(w)
	}
	seg := w.seg
	for _, s := range w.spans[w.cur] {
		t.model.tokenize(e, seg[s.start:s.end])
	}
}

// TokenID returns the id of a token by its spelling in the file.
func (t *Tokenizer) TokenID(token string) (int64, bool) {
	id, ok := t.ids[token]
	return id, ok
}

// VocabSize returns one more than the highest id, added tokens included.
func (t *Tokenizer) VocabSize() int { return t.vocabSize }

// PadID returns the id of the padding section, else that of a token called
// [PAD], <pad> or <|pad|>, else 0: an id in range is all a masked position
// needs, but models that count positions by it (RoBERTa) bring one of these.
func (t *Tokenizer) PadID() int64 { return t.pad }

// Truncation returns the truncation section, nil if there is none.
func (t *Tokenizer) Truncation() *Truncation { return clone(t.truncation) }

// Padding returns the padding section, nil if there is none.
func (t *Tokenizer) Padding() *Padding { return clone(t.padding) }

// SpecialTokens returns how many tokens the template adds to a text.
func (t *Tokenizer) SpecialTokens() int { return len(t.template.head) + len(t.template.tail) }

func clone[T any](p *T) *T {
	if p == nil {
		return nil
	}
	c := *p
	return &c
}
