package vectorize

import (
	"errors"
	"fmt"
	"iter"
	"strings"
)

// Analyzers: what a term is made of.
const (
	Word   = "word"    // a word, or several joined by a space
	Char   = "char"    // a run of characters
	CharWB = "char_wb" // a run of characters within one word, padded with a space at both ends
)

// Tokenizers: how text is cut into words.
const (
	// Sklearn takes the longest runs of at least two letters, digits and
	// underscores, as the pattern (?u)\b\w\w+\b does in Python.
	Sklearn = "sklearn"
	// Unicode takes the words of Unicode's Annex 29 with at least two
	// characters, so that "can't", "3.14" and a word with combining marks stay
	// whole. Scripts that don't part words by spaces (Chinese, Japanese but
	// for katakana, Thai, Lao, Khmer, Burmese) are cut into overlapping pairs
	// of characters.
	Unicode = "unicode"
)

// Errors that a caller may want to tell apart.
var (
	// ErrEmptyVocabulary means that no document holds a single term.
	ErrEmptyVocabulary = errors.New("no document holds a term: all are empty, or hold stop words and single letters only")
	// ErrNoTermsLeft means that MinDF and MaxDF leave no term.
	ErrNoTermsLeft = errors.New("no term is within min_df and max_df: lower min_df or raise max_df")
	// ErrBounds means that MaxDF asks for fewer documents than MinDF.
	ErrBounds = errors.New("max_df asks for fewer documents than min_df")
)

// Bound limits in how many documents a term may occur. The zero Bound sets no
// limit.
type Bound struct {
	value    float64
	fraction bool
	set      bool
}

// Docs is a limit of n documents.
func Docs(n int) Bound { return Bound{value: float64(n), set: true} }

// Fraction is a limit of a share of all documents, 0 to 1.
func Fraction(f float64) Bound { return Bound{value: f, fraction: true, set: true} }

// Set reports whether b sets a limit.
func (b Bound) Set() bool { return b.set }

// String returns b as a user writes it.
func (b Bound) String() string {
	switch {
	case !b.set:
		return "none"
	case b.fraction && b.value == float64(int64(b.value)):
		return fmt.Sprintf("%.1f", b.value)
	}
	return fmt.Sprintf("%v", b.value)
}

// documents returns the limit as a number of documents, of n.
func (b Bound) documents(n int, unset float64) float64 {
	switch {
	case !b.set:
		return unset
	case b.fraction:
		return b.value * float64(n)
	}
	return b.value
}

func (b Bound) validate(name string) error {
	switch {
	case !b.set:
	case b.fraction && !(b.value >= 0 && b.value <= 1):
		return fmt.Errorf("%s is the fraction %v: it must be between 0.0 and 1.0", name, b.value)
	case !b.fraction && b.value < 1:
		return fmt.Errorf("%s is %v documents: it must be 1 or more", name, b.value)
	}
	return nil
}

// Options says how documents become counts. The zero value is scikit-learn's
// CountVectorizer().
type Options struct {
	Analyzer     string   // "": Word
	Tokenizer    string   // of Word; "": Sklearn
	TokenPattern string   // a regular expression in Python's syntax; stands for Tokenizer when not empty
	KeepCase     bool     // false: text is lower-cased, as Python's str.lower does
	StripAccents string   // "": no; "ascii" or "unicode"
	StopWords    []string // words of Word that are left out, before n-grams are made
	NgramRange   [2]int   // the shortest and the longest n-gram; zero: 1 and 1
	MinDF, MaxDF Bound    // documents in which a term occurs, both inclusive; zero: no limit
	MaxFeatures  int      // keep this many of the most frequent terms, ties in term order; 0: all
	Vocabulary   []string // count these terms alone, in this order; the limits above don't apply
	Binary       bool     // every count is 1
}

func (o Options) withDefaults() Options {
	if o.Analyzer == "" {
		o.Analyzer = Word
	}
	if o.Tokenizer == "" {
		o.Tokenizer = Sklearn
	}
	if o.NgramRange == [2]int{} {
		o.NgramRange = [2]int{1, 1}
	}
	return o
}

// Validate reports every fault of o at once, by the names that a user writes.
func (o Options) Validate() error {
	o = o.withDefaults()
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch o.Analyzer {
	case Word, Char, CharWB:
	default:
		fault("analyzer %q is not known: use %q, %q or %q", o.Analyzer, Word, Char, CharWB)
	}
	switch o.Tokenizer {
	case Sklearn, Unicode:
	default:
		fault("tokenizer %q is not known: use %q or %q", o.Tokenizer, Sklearn, Unicode)
	}
	switch o.StripAccents {
	case "", "ascii", "unicode":
	default:
		fault(`strip_accents %q is not known: use "ascii" or "unicode", or leave it out`, o.StripAccents)
	}
	if lo, hi := o.NgramRange[0], o.NgramRange[1]; lo < 1 || lo > hi {
		fault("ngram_range is [%d, %d]: it must rise, from 1 or more", lo, hi)
	}
	if o.MaxFeatures < 0 {
		fault("max_features is %d: it must be 1 or more, or 0 for all terms", o.MaxFeatures)
	}
	errs = append(errs, o.MinDF.validate("min_df"), o.MaxDF.validate("max_df"))
	if o.TokenPattern != "" {
		if _, err := compilePattern(o.TokenPattern); err != nil {
			errs = append(errs, err)
		}
	}
	if o.Vocabulary != nil && len(o.Vocabulary) == 0 {
		fault("vocabulary has no term")
	}
	seen := make(map[string]bool, len(o.Vocabulary))
	for _, term := range o.Vocabulary {
		if seen[term] {
			fault("vocabulary has the term %q twice", term)
			break
		}
		seen[term] = true
	}
	return errors.Join(errs...)
}

// limited reports whether a term may be left out for how often it was seen.
func (o Options) limited() bool {
	const many = 1 << 40
	return o.MaxFeatures > 0 || o.MinDF.documents(many, 1) > 1 || o.MaxDF.documents(many, many) < many
}

// Warnings returns a sentence for each setting that can't have the effect its
// user may expect.
func (o Options) Warnings() []string {
	o = o.withDefaults()
	var out []string
	if o.Analyzer != Word {
		if len(o.StopWords) > 0 {
			out = append(out, fmt.Sprintf("stop_words has no effect with analyzer = %q", o.Analyzer))
		}
		if o.TokenPattern != "" {
			out = append(out, fmt.Sprintf("token_pattern has no effect with analyzer = %q", o.Analyzer))
		}
	}
	if !o.KeepCase {
		for _, term := range o.Vocabulary {
			if lowerString(term) != term {
				out = append(out, fmt.Sprintf("the term %q of vocabulary has upper case letters and is never found, since the text is lower-cased", term))
				break
			}
		}
	}
	if o.Analyzer == Word && len(o.StopWords) > 0 {
		if lost := inconsistentStopWords(o); len(lost) > 0 {
			out = append(out, "stop_words are cut into words that are no stop words themselves: "+strings.Join(lost, ", "))
		}
	}
	return out
}

// FromSlice returns texts as a stream of documents.
func FromSlice(texts []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, t := range texts {
			if !yield(t, nil) {
				return
			}
		}
	}
}
