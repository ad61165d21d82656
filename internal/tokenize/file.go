package tokenize

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
)

// file is the shape of a tokenizer.json.
type file struct {
	Truncation *struct {
		Direction string `json:"direction"`
		MaxLength int    `json:"max_length"`
		Strategy  string `json:"strategy"`
		Stride    int    `json:"stride"`
	} `json:"truncation"`
	Padding *struct {
		Strategy        json.RawMessage `json:"strategy"`
		Direction       string          `json:"direction"`
		PadToMultipleOf *int            `json:"pad_to_multiple_of"`
		PadID           int64           `json:"pad_id"`
		PadTypeID       int64           `json:"pad_type_id"`
		PadToken        string          `json:"pad_token"`
	} `json:"padding"`
	AddedTokens []struct {
		ID         int64  `json:"id"`
		Content    string `json:"content"`
		SingleWord bool   `json:"single_word"`
		Lstrip     bool   `json:"lstrip"`
		Rstrip     bool   `json:"rstrip"`
		Normalized bool   `json:"normalized"`
		Special    bool   `json:"special"`
	} `json:"added_tokens"`
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Model         json.RawMessage `json:"model"`
}

const maxID = 1<<31 - 1

// New reads the text of a tokenizer.json. It checks the whole file: components
// it does not know, ids out of range and parts that contradict each other are
// errors that name them.
func New(b []byte) (*Tokenizer, error) {
	var f file
	if err := json.Unmarshal(b, &f); err != nil {
		return nil, fmt.Errorf("parse tokenizer.json: %w", err)
	}
	t := &Tokenizer{}
	if err := t.readNormalizer(f.Normalizer); err != nil {
		return nil, fmt.Errorf("normalizer: %w", err)
	}
	if err := t.readPreTokenizer(f.PreTokenizer); err != nil {
		return nil, fmt.Errorf("pre_tokenizer: %w", err)
	}
	if err := t.readModel(f.Model); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if err := t.readAddedTokens(&f); err != nil {
		return nil, fmt.Errorf("added_tokens: %w", err)
	}
	if err := t.readTemplate(f.PostProcessor); err != nil {
		return nil, fmt.Errorf("post_processor: %w", err)
	}
	for _, id := range t.ids {
		t.vocabSize = max(t.vocabSize, int(id)+1)
	}
	if err := t.readSections(&f); err != nil {
		return nil, err
	}
	return t, nil
}

func (t *Tokenizer) readSections(f *file) error {
	for _, name := range []string{"[PAD]", "<pad>", "<|pad|>"} {
		if id, ok := t.ids[name]; ok {
			t.pad = id
			break
		}
	}
	if s := f.Truncation; s != nil {
		t.truncation = &Truncation{Direction: s.Direction, MaxLength: s.MaxLength, Strategy: s.Strategy, Stride: s.Stride}
	}
	if s := f.Padding; s != nil {
		if s.PadID < 0 || s.PadID >= int64(t.vocabSize) {
			return fmt.Errorf("padding: pad_id %d is outside the vocabulary of %d", s.PadID, t.vocabSize)
		}
		t.padding = &Padding{Direction: s.Direction, PadID: s.PadID, PadTypeID: s.PadTypeID, PadToken: s.PadToken}
		var fixed struct{ Fixed int }
		if json.Unmarshal(s.Strategy, &fixed) == nil {
			t.padding.Fixed = fixed.Fixed
		}
		if s.PadToMultipleOf != nil {
			t.padding.PadToMultipleOf = *s.PadToMultipleOf
		}
		t.pad = s.PadID
	}
	return nil
}

// isNull reports whether an optional part is absent.
func isNull(raw json.RawMessage) bool {
	return len(raw) == 0 || bytes.Equal(bytes.TrimSpace(raw), []byte("null"))
}

// componentType returns the "type" of a component.
func componentType(raw json.RawMessage) (string, error) {
	var c struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return "", err
	}
	if c.Type == "" {
		return "", errors.New("a component has no type")
	}
	return c.Type, nil
}

func unknownType(name, known string) error {
	return fmt.Errorf("type %q is not supported (supported: %s); use a model with one of these", name, known)
}

func (t *Tokenizer) readModel(raw json.RawMessage) error {
	if isNull(raw) {
		return errors.New("missing")
	}
	kind, err := modelType(raw)
	if err != nil {
		return err
	}
	switch kind {
	case "WordPiece":
		err = t.readWordPiece(raw)
	case "BPE":
		err = t.readBPE(raw)
	case "Unigram":
		err = t.readUnigram(raw)
	case "WordLevel":
		err = t.readWordLevel(raw)
	default:
		return unknownType(kind, "BPE, Unigram, WordLevel, WordPiece")
	}
	if err == nil && t.byteLevel && kind != "BPE" {
		err = errors.New("the pre-tokenizer ByteLevel is supported for BPE only")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	return nil
}

// modelType returns the type of the model. Files of before 2021 have none: it
// shows in the fields, by the order in which the library tries them.
func modelType(raw json.RawMessage) (string, error) {
	var c struct {
		Type    string          `json:"type"`
		Merges  json.RawMessage `json:"merges"`
		Vocab   json.RawMessage `json:"vocab"`
		Prefix  json.RawMessage `json:"continuing_subword_prefix"`
		Unknown json.RawMessage `json:"unk_token"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return "", err
	}
	switch {
	case c.Type != "":
		return c.Type, nil
	case c.Merges != nil:
		return "BPE", nil
	case c.Prefix != nil:
		return "WordPiece", nil
	case c.Unknown != nil:
		return "WordLevel", nil
	case bytes.HasPrefix(c.Vocab, []byte("[")):
		return "Unigram", nil
	}
	return "", errors.New("no type, and no fields to tell it by")
}

// checkIDs refuses ids that no embedding table could hold.
func checkIDs(vocab map[string]int64) error {
	if len(vocab) == 0 {
		return errors.New("the vocabulary is empty")
	}
	for token, id := range vocab {
		if id < 0 || id > maxID {
			return fmt.Errorf("token %q has the id %d, outside 0 to %d", token, id, maxID)
		}
	}
	return nil
}

func (t *Tokenizer) readWordPiece(raw json.RawMessage) error {
	c := struct {
		Unknown  string           `json:"unk_token"`
		Prefix   *string          `json:"continuing_subword_prefix"`
		MaxRunes *int             `json:"max_input_chars_per_word"`
		Vocab    map[string]int64 `json:"vocab"`
	}{Unknown: "[UNK]"}
	if err := json.Unmarshal(raw, &c); err != nil {
		return err
	}
	if err := checkIDs(c.Vocab); err != nil {
		return err
	}
	prefix, maxRunes := "##", 100
	if c.Prefix != nil {
		prefix = *c.Prefix
	}
	if c.MaxRunes != nil {
		maxRunes = *c.MaxRunes
	}
	unknown, ok := c.Vocab[c.Unknown]
	if !ok {
		return fmt.Errorf("the unknown token %q is not in the vocabulary", c.Unknown)
	}
	m := &wordPiece{start: newTrie(), rest: newTrie(), unknown: unknown, maxRunes: maxRunes}
	for token, id := range c.Vocab { // the order does not matter: keys are distinct
		if token == "" {
			continue
		}
		if err := m.start.add(token, int32(id)); err != nil {
			return err
		}
		if rest, ok := strings.CutPrefix(token, prefix); ok && rest != "" {
			if err := m.rest.add(rest, int32(id)); err != nil {
				return err
			}
		}
	}
	t.model, t.ids = m, c.Vocab
	return nil
}

func (t *Tokenizer) readBPE(raw json.RawMessage) error {
	var c bpeFile
	if err := json.Unmarshal(raw, &c); err != nil {
		return err
	}
	if err := checkIDs(c.Vocab); err != nil {
		return err
	}
	m, err := newBPE(&c, t.byteLevel)
	if err != nil {
		return err
	}
	t.model, t.ids = m, c.Vocab
	return nil
}

func (t *Tokenizer) readUnigram(raw json.RawMessage) error {
	var c unigramFile
	if err := json.Unmarshal(raw, &c); err != nil {
		return err
	}
	m, ids, err := newUnigram(&c)
	if err != nil {
		return err
	}
	t.model, t.ids = m, ids
	return nil
}

func (t *Tokenizer) readWordLevel(raw json.RawMessage) error {
	c := struct {
		Unknown string           `json:"unk_token"`
		Vocab   map[string]int64 `json:"vocab"`
	}{Unknown: "<unk>"}
	if err := json.Unmarshal(raw, &c); err != nil {
		return err
	}
	if err := checkIDs(c.Vocab); err != nil {
		return err
	}
	unknown, ok := c.Vocab[c.Unknown]
	if !ok {
		return fmt.Errorf("the unknown token %q is not in the vocabulary", c.Unknown)
	}
	t.model, t.ids = &wordLevel{maps.Clone(c.Vocab), unknown}, c.Vocab
	return nil
}

func (t *Tokenizer) readAddedTokens(f *file) error {
	t.raw, t.normal = newAddedTokens(), newAddedTokens()
	var w work
	for _, a := range f.AddedTokens {
		if a.Content == "" {
			return fmt.Errorf("the token with id %d is empty", a.ID)
		}
		id, ok := t.ids[a.Content]
		if !ok {
			id = a.ID
			if id < 0 || id > maxID {
				return fmt.Errorf("token %q has the id %d, outside 0 to %d", a.Content, id, maxID)
			}
			t.ids[a.Content] = id
		}
		tok := addedToken{id: id, singleWord: a.SingleWord, lstrip: a.Lstrip, rstrip: a.Rstrip}
		if !a.Normalized {
			if err := t.raw.add(a.Content, tok); err != nil {
				return err
			}
			continue
		}
		content := []byte(a.Content)
		for _, n := range t.normalizers {
			content = n.normalize(nil, content, &w)
		}
		if err := t.normal.add(string(content), tok); err != nil {
			return err
		}
	}
	return nil
}
