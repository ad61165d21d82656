package config

import (
	"fmt"
	"strconv"
	"time"

	"github.com/bertopic-go/bertopic/internal/size"
)

// Duration is a time span written as in Go: "90s", "5m".
type Duration time.Duration

// UnmarshalText reads "90s" and the like.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil || v <= 0 {
		return fmt.Errorf("%q is not a time span such as \"90s\" or \"5m\"", b)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes the span as Go does.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// Size is an amount of memory written "4GiB" or "500MB"; "" and 0 are none.
type Size int64

// UnmarshalText reads "4GiB" and the like.
func (s *Size) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*s = 0
		return nil
	}
	n, err := size.Parse(string(b))
	if err != nil {
		return err
	}
	if n > 0 && n < leastSize {
		return fmt.Errorf("%q is less than %s, the least that makes sense: say GiB or MiB", b, size.Exact(leastSize))
	}
	*s = Size(n)
	return nil
}

// leastSize is more than a program needs to say hello, and less than one that
// has a model.
const leastSize = 16 << 20

// MarshalText writes the amount so that it can be read again.
func (s Size) MarshalText() ([]byte, error) {
	if s == 0 {
		return nil, nil
	}
	return []byte(size.Exact(int64(s))), nil
}

// WordList is a list of words: named by a language or a file, or given.
type WordList struct {
	Name  string   // a language, a file, or "none"; "" with Words
	Words []string // given outright
}

// UnmarshalTOML takes a string or an array of strings.
func (w *WordList) UnmarshalTOML(v any) error {
	switch v := v.(type) {
	case string:
		*w = WordList{Name: v}
		return nil
	case []any:
		words := make([]string, 0, len(v))
		for _, x := range v {
			s, ok := x.(string)
			if !ok {
				return fmt.Errorf("a list of words holds %v, which is not a string", x)
			}
			words = append(words, s)
		}
		*w = WordList{Words: words}
		return nil
	}
	return fmt.Errorf("takes a name or a list of words, not %v", v)
}

// IsZero reports whether there is neither a name nor a word.
func (w WordList) IsZero() bool { return w.Name == "" && len(w.Words) == 0 }

// MarshalJSON writes the list the way it was given.
func (w WordList) MarshalJSON() ([]byte, error) {
	if w.Name != "" {
		return []byte(strconv.Quote(w.Name)), nil
	}
	return jsonOf(w.Words)
}

// Proportion is a number of documents, or a part of them between 0 and 1.
type Proportion struct {
	Count      int
	Fraction   float64
	IsFraction bool
}

// UnmarshalTOML takes an integer (documents) or a float (a part of them).
func (p *Proportion) UnmarshalTOML(v any) error {
	switch v := v.(type) {
	case int64:
		if v < 0 {
			return fmt.Errorf("%d documents make no sense", v)
		}
		*p = Proportion{Count: int(v)}
		return nil
	case float64:
		if !(v >= 0 && v <= 1) {
			return fmt.Errorf("%v is not a part between 0.0 and 1.0 (write %d for a number of documents)", v, int(v))
		}
		*p = Proportion{Fraction: v, IsFraction: true}
		return nil
	}
	return fmt.Errorf("takes a number of documents (2) or a part of them (0.05), not %v", v)
}

// MarshalJSON writes an integer or a float.
func (p Proportion) MarshalJSON() ([]byte, error) {
	if p.IsFraction {
		s := strconv.FormatFloat(p.Fraction, 'g', -1, 64)
		if p.Fraction == float64(int(p.Fraction)) {
			s += ".0"
		}
		return []byte(s), nil
	}
	return []byte(strconv.Itoa(p.Count)), nil
}

// CountOrAuto is a number of topics, or "auto".
type CountOrAuto struct {
	Count int
	Auto  bool
}

// UnmarshalTOML takes an integer or "auto".
func (c *CountOrAuto) UnmarshalTOML(v any) error {
	switch v := v.(type) {
	case int64:
		if v >= 0 {
			*c = CountOrAuto{Count: int(v)}
			return nil
		}
	case string:
		if v == "auto" {
			*c = CountOrAuto{Auto: true}
			return nil
		}
	}
	return fmt.Errorf("takes a number of topics, 0 for as many as are found, or \"auto\", not %v", v)
}

// MarshalJSON writes the number or "auto".
func (c CountOrAuto) MarshalJSON() ([]byte, error) {
	if c.Auto {
		return []byte(`"auto"`), nil
	}
	return []byte(strconv.Itoa(c.Count)), nil
}
