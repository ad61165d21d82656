package tokenize

import (
	"strings"
	"unicode"
)

// FlairWords cuts a text into words nearly as Flair's default tokenizer (segtok)
// does, which its embeddings then see one by one: letters and digits,
// joined by a hyphen, by a point between two letters or digits and by a comma
// between digits; the ends 's and n't of English apart; runs of other
// characters, but for the last mark of a sentence, which stands alone.
func FlairWords(text string) []string {
	var words []string
	for field := range strings.FieldsSeq(flairClean.Replace(text)) {
		words = appendFlairWords(words, []rune(field))
	}
	return words
}

// flairClean removes characters that Flair does not see.
var flairClean = strings.NewReplacer("\u200b", "", "\ufeff", "", "\ufe0e", "", "\ufe0f", "")

func appendFlairWords(words []string, field []rune) []string {
	isWord := func(i int) bool {
		return i < len(field) && (unicode.IsLetter(field[i]) || unicode.IsNumber(field[i]))
	}
	joins := func(i int) bool { // the character at i, between two of a word
		if !isWord(i + 1) {
			return false
		}
		switch field[i] {
		case '-', '.':
			return true
		case ',':
			return unicode.IsDigit(field[i-1]) && unicode.IsDigit(field[i+1])
		}
		return false
	}
	for start := 0; start < len(field); {
		end := start + 1
		switch {
		case isWord(start):
			for end < len(field) && (isWord(end) || joins(end)) {
				end++
			}
			if end < len(field) && isApostrophe(field[end]) && isWord(end+1) { // a contraction
				tail := end + 1
				for isWord(tail) {
					tail++
				}
				cut := end
				if tail == end+2 && unicode.ToLower(field[end+1]) == 't' && end-start > 1 && unicode.ToLower(field[end-1]) == 'n' {
					cut-- // do n't
				}
				words = append(words, string(field[start:cut]))
				start, end = cut, tail
			}
		case unicode.IsMark(field[start]):
		default:
			for end < len(field) && !isWord(end) && !unicode.IsMark(field[end]) && isPicture(field[end]) == isPicture(field[start]) {
				end++
			}
			if run := field[start:end]; end == len(field) && len(run) > 1 && strings.ContainsRune("!?。！？", run[len(run)-1]) {
				end--
			}
		}
		words = append(words, string(field[start:end]))
		start = end
	}
	return words
}

func isApostrophe(r rune) bool { return r == '\'' || r == '’' }

// isPicture is true for emoji and for what joins them.
func isPicture(r rune) bool {
	return unicode.Is(unicode.So, r) || unicode.Is(unicode.Sk, r) || r == '\u200d'
}
