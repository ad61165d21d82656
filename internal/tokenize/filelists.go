package tokenize

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
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
	var n []json.RawMessage
	if err := json.Unmarshal(b, &n); err != nil || len(n) != 2 {
		return fmt.Errorf("vocab: %s is not a pair of piece and score", b)
	}
	if err := json.Unmarshal(n[0], &p.text); err != nil {
		return err
	}
	if err := json.Unmarshal(n[1], &p.score); err != nil {
		return err
	}
	p.score = serdeFloat(string(n[1]))
	return nil
}

// serdeFloat reads a JSON number as the tokenizers library's parser
// (serde_json) does: digits as an integer of 64 bits, times or over a power of
// ten. The last bit may differ from the nearest float64, and with it the choice
// between two paths of Unigram whose scores tie.
func serdeFloat(s string) float64 {
	negative := strings.HasPrefix(s, "-")
	s = strings.TrimPrefix(s, "-")
	var digits uint64
	exponent := 0
	point, full := false, false
	i := 0
	for ; i < len(s); i++ {
		c := s[i]
		if c == '.' {
			point = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		d := uint64(c - '0')
		if full = full || digits > (math.MaxUint64-d)/10; full {
			if !point {
				exponent++
			}
			continue
		}
		digits = digits*10 + d
		if point {
			exponent--
		}
	}
	if i+1 < len(s) { // e or E
		n, _ := strconv.Atoi(s[i+1:])
		exponent += n
	}
	f := float64(digits)
	for exponent < -308 && f != 0 {
		f /= 1e308
		exponent += 308
	}
	if exponent >= 0 {
		f *= math.Pow10(exponent)
	} else {
		f /= math.Pow10(-exponent)
	}
	if negative {
		return -f
	}
	return f
}
