package tokenize

import (
	"encoding/json"
	"errors"
	"fmt"
)

// filePattern is a pattern of the file: a string or a regular expression.
type filePattern struct {
	String *string
	Regex  *string
}

func (p *filePattern) matcher() (matcher, error) {
	switch {
	case p != nil && p.Regex != nil:
		return compile(*p.Regex)
	case p != nil && p.String != nil && *p.String != "":
		return literal{[]byte(*p.String)}, nil
	}
	return nil, errors.New("the pattern is neither a String nor a Regex")
}

func orElse[T any](p *T, missing T) T {
	if p == nil {
		return missing
	}
	return *p
}

func (t *Tokenizer) readNormalizer(raw json.RawMessage) error {
	if isNull(raw) {
		return nil
	}
	kind, err := componentType(raw)
	if err != nil {
		return err
	}
	var c struct {
		Normalizers []json.RawMessage `json:"normalizers"`
	}
	if kind != "Sequence" {
		n, err := readOneNormalizer(kind, raw)
		if err != nil {
			return err
		}
		t.normalizers = append(t.normalizers, n)
		return nil
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	for i, r := range c.Normalizers {
		if err := t.readNormalizer(r); err != nil {
			return fmt.Errorf("part %d: %w", i, err)
		}
	}
	return nil
}

func readOneNormalizer(kind string, raw json.RawMessage) (normalizer, error) {
	var c struct {
		CleanText    *bool        `json:"clean_text"`
		Han          *bool        `json:"handle_chinese_chars"`
		StripAccents *bool        `json:"strip_accents"`
		Lowercase    *bool        `json:"lowercase"`
		Left         *bool        `json:"strip_left"`
		Right        *bool        `json:"strip_right"`
		Prepend      string       `json:"prepend"`
		Charsmap     string       `json:"precompiled_charsmap"`
		Pattern      *filePattern `json:"pattern"`
		Content      string       `json:"content"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	switch kind {
	case "BertNormalizer":
		low := orElse(c.Lowercase, true)
		return newBertNormalizer(orElse(c.CleanText, true), orElse(c.Han, true), orElse(c.StripAccents, low), low), nil
	case "Lowercase":
		return lowercase{}, nil
	case "NFC", "NFD", "NFKC", "NFKD":
		return newUnicodeForm(kind), nil
	case "StripAccents":
		return stripMarks{}, nil
	case "Strip":
		return strip{orElse(c.Left, true), orElse(c.Right, true)}, nil
	case "Prepend":
		return prepend{c.Prepend}, nil
	case "Nmt":
		return nmt{}, nil
	case "Replace":
		m, err := c.Pattern.matcher()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		return replace{m, c.Content}, nil
	case "Precompiled":
		return newPrecompiled(c.Charsmap)
	}
	return nil, unknownType(kind, "BertNormalizer, Lowercase, NFC, NFD, NFKC, NFKD, Nmt, Precompiled, Prepend, Replace, Sequence, Strip, StripAccents")
}

func (t *Tokenizer) readPreTokenizer(raw json.RawMessage) error {
	if isNull(raw) {
		return nil
	}
	kind, err := componentType(raw)
	if err != nil {
		return err
	}
	if t.byteLevel {
		return fmt.Errorf("%s after ByteLevel is not supported", kind)
	}
	if kind == "Sequence" {
		var c struct {
			PreTokenizers []json.RawMessage `json:"pretokenizers"`
		}
		if err := json.Unmarshal(raw, &c); err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		for i, r := range c.PreTokenizers {
			if err := t.readPreTokenizer(r); err != nil {
				return fmt.Errorf("part %d: %w", i, err)
			}
		}
		return nil
	}
	p, err := readOnePreTokenizer(kind, raw, t.rewrites&1)
	if err != nil {
		return err
	}
	if kind == "Metaspace" || kind == "ByteLevel" {
		t.rewrites++
	}
	t.preTokenizers = append(t.preTokenizers, p)
	t.byteLevel = kind == "ByteLevel"
	return nil
}

// readOnePreTokenizer reads a pre-tokeniser; slot is the buffer it may write
// to, which does not hold what the one before it wrote.
func readOnePreTokenizer(kind string, raw json.RawMessage, slot int) (preTokenizer, error) {
	var c struct {
		PrefixSpace   *bool          `json:"add_prefix_space"`
		UseRegex      *bool          `json:"use_regex"`
		Replacement   string         `json:"replacement"`
		PrependScheme *prependScheme `json:"prepend_scheme"`
		Split         *bool          `json:"split"`
		Pattern       *filePattern   `json:"pattern"`
		Behavior      behaviour      `json:"behavior"`
		Invert        bool           `json:"invert"`
		Individual    bool           `json:"individual_digits"`
		Delimiter     string         `json:"delimiter"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	classes := runeClasses()
	switch kind {
	case "BertPreTokenizer":
		return bertSplit{classes}, nil
	case "ByteLevel":
		return byteLevel{orElse(c.PrefixSpace, true), orElse(c.UseRegex, true), gptWords{classes}, slot}, nil
	case "Whitespace":
		return splitter{pattern: wordOrSymbols{classes}, behave: removed, invert: true}, nil
	case "WhitespaceSplit":
		return splitter{pattern: runeSet{classes, classSpace, true}, behave: removed}, nil
	case "Punctuation":
		if c.Behavior == "" {
			c.Behavior = isolated
		}
		return splitter{pattern: runeSet{classes, classPunct, false}, behave: c.Behavior}, c.Behavior.check()
	case "Digits":
		b := contiguous
		if c.Individual {
			b = isolated
		}
		return splitter{pattern: runeSet{classes, classNumber, false}, behave: b}, nil
	case "CharDelimiterSplit":
		if c.Delimiter == "" {
			return nil, fmt.Errorf("%s: no delimiter", kind)
		}
		return splitter{pattern: literal{[]byte(c.Delimiter)}, behave: removed}, nil
	case "Split":
		m, err := c.Pattern.matcher()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		return splitter{m, c.Behavior, c.Invert}, c.Behavior.check()
	case "Metaspace":
		when := prependAlways
		if c.PrefixSpace != nil && !*c.PrefixSpace {
			when = prependNever
		}
		when = orElse(c.PrependScheme, when)
		if when != prependAlways && when != prependFirst && when != prependNever {
			return nil, fmt.Errorf("%s: prepend_scheme %q is not supported (supported: always, first, never)", kind, when)
		}
		if c.Replacement == "" {
			return nil, fmt.Errorf("%s: no replacement", kind)
		}
		return metaspace{[]byte(c.Replacement), when, orElse(c.Split, true), slot}, nil
	}
	return nil, unknownType(kind, "BertPreTokenizer, ByteLevel, CharDelimiterSplit, Digits, Metaspace, Punctuation, Sequence, Split, Whitespace, WhitespaceSplit")
}
