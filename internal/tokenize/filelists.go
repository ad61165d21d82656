package tokenize

import (
	"encoding/json"
	"fmt"
	"strings"
)

// mergeList reads merges in both spellings: "a b" and ["a", "b"].
type mergeList [][2]string

func (l *mergeList) UnmarshalJSON(b []byte) error {
	var pairs [][]string
	if err := json.Unmarshal(b, &pairs); err == nil {
		*l = make(mergeList, len(pairs))
		for i, p := range pairs {
			if len(p) != 2 {
				return fmt.Errorf("merge %d has %d parts", i, len(p))
			}
			(*l)[i] = [2]string(p)
		}
		return nil
	}
	var lines []string
	if err := json.Unmarshal(b, &lines); err != nil {
		return fmt.Errorf("merges: %w", err)
	}
	*l = make(mergeList, len(lines))
	for i, s := range lines {
		left, right, ok := strings.Cut(s, " ")
		if !ok || left == "" || right == "" || strings.Contains(right, " ") {
			return fmt.Errorf("merge %d, %q, is not two parts with a blank between them", i, s)
		}
		(*l)[i] = [2]string{left, right}
	}
	return nil
}

// pieceList reads the vocabulary of Unigram: pairs of piece and score.
type pieceList []scoredPiece

type scoredPiece struct {
	text  string
	score float64
}

func (p *scoredPiece) UnmarshalJSON(b []byte) error {
	pair := [2]any{&p.text, &p.score}
	var n []json.RawMessage
	if err := json.Unmarshal(b, &n); err != nil || len(n) != 2 {
		return fmt.Errorf("vocab: %s is not a pair of piece and score", b)
	}
	return json.Unmarshal(b, &pair)
}
