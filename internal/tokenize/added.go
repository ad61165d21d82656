package tokenize

import "unicode/utf8"

// addedToken is a token found in the text itself, before the model sees it.
type addedToken struct {
	id                         int64
	singleWord, lstrip, rstrip bool
}

// addedTokens finds added tokens: the leftmost first, of those the longest.
type addedTokens struct {
	keys    *trie
	tokens  []addedToken // by trie value
	first   [256]bool    // bytes that start one
	classes *[0x110000]uint8
}

func newAddedTokens() *addedTokens {
	return &addedTokens{keys: newTrie(), classes: runeClasses()}
}

func (a *addedTokens) add(content string, t addedToken) error {
	if content == "" {
		return nil
	}
	a.first[content[0]] = true
	a.tokens = append(a.tokens, t)
	return a.keys.add(content, int32(len(a.tokens)-1))
}

// next finds the first added token at or after byte from of text, of which the
// bytes before taken belong to tokens found earlier. It returns the token and
// the bytes start to end it covers, white space its strips take included; resume is where the
// search for the one after goes on. ok is false if there is none.
func (a *addedTokens) next(text []byte, from, taken int) (t *addedToken, start, end, resume int, ok bool) {
	if len(a.tokens) == 0 {
		return nil, 0, 0, 0, false
	}
	for i := from; i < len(text); i++ {
		if !a.first[text[i]] {
			continue
		}
		v, n := a.keys.longest(text[i:])
		if v < 0 {
			continue
		}
		t = &a.tokens[v]
		start, end = i, i+n
		if t.singleWord && (a.wordEnds(text[:start]) || a.wordStarts(text[end:])) {
			i = end - 1
			continue
		}
		resume = end
		if t.lstrip {
			start = max(taken, a.spaceBefore(text, start))
		}
		if t.rstrip {
			end = a.spaceAfter(text, end)
		}
		return t, start, end, resume, true
	}
	return nil, 0, 0, 0, false
}

func (a *addedTokens) wordEnds(s []byte) bool {
	r, n := utf8.DecodeLastRune(s)
	return n > 0 && a.classes[r]&classWord != 0
}

func (a *addedTokens) wordStarts(s []byte) bool {
	r, n := utf8.DecodeRune(s)
	return n > 0 && a.classes[r]&classWord != 0
}

func (a *addedTokens) spaceBefore(text []byte, i int) int {
	for i > 0 {
		r, n := utf8.DecodeLastRune(text[:i])
		if a.classes[r]&classSpace == 0 {
			break
		}
		i -= n
	}
	return i
}

func (a *addedTokens) spaceAfter(text []byte, i int) int {
	for i < len(text) {
		r, n := utf8.DecodeRune(text[i:])
		if a.classes[r]&classSpace == 0 {
			break
		}
		i += n
	}
	return i
}
