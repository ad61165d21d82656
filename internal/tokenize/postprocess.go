package tokenize

import (
	"encoding/json"
	"errors"
	"fmt"
)

// readTemplate reads the post-processor, as far as it concerns single texts.
func (t *Tokenizer) readTemplate(raw json.RawMessage) error {
	if isNull(raw) {
		return nil
	}
	kind, err := componentType(raw)
	if err != nil {
		return err
	}
	switch kind {
	case "Sequence":
		var c struct {
			Processors []json.RawMessage `json:"processors"`
		}
		if err := json.Unmarshal(raw, &c); err != nil {
			return err
		}
		for i, r := range c.Processors {
			if err := t.readTemplate(r); err != nil {
				return fmt.Errorf("part %d: %w", i, err)
			}
		}
		return nil
	case "ByteLevel": // moves offsets only
		return nil
	case "RobertaProcessing", "BertProcessing":
		tpl, err := t.clsSep(raw)
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		t.template = tpl.around(t.template)
		return nil
	case "TemplateProcessing":
		tpl, err := t.single(raw)
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		t.template = tpl.around(t.template)
		return nil
	default:
		return unknownType(kind, "BertProcessing, ByteLevel, RobertaProcessing, Sequence, TemplateProcessing")
	}
}

// clsSep reads the post-processors that put one token before and one after.
func (t *Tokenizer) clsSep(raw json.RawMessage) (template, error) {
	var c struct {
		Sep [2]any `json:"sep"`
		Cls [2]any `json:"cls"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return template{}, err
	}
	read := func(what string, v [2]any) (templateToken, error) {
		id, ok := v[1].(float64)
		if !ok || id != float64(int64(id)) {
			return templateToken{}, fmt.Errorf("%s is not a pair of token and id", what)
		}
		return templateToken{id: int64(id)}, t.checkTemplateID(int64(id))
	}
	cls, err := read("cls", c.Cls)
	if err != nil {
		return template{}, err
	}
	sep, err := read("sep", c.Sep)
	if err != nil {
		return template{}, err
	}
	return template{head: []templateToken{cls}, tail: []templateToken{sep}}, nil
}

func (t *Tokenizer) checkTemplateID(id int64) error {
	if id < 0 || id > maxID {
		return fmt.Errorf("the id %d is outside 0 to %d", id, maxID)
	}
	t.vocabSize = max(t.vocabSize, int(id)+1)
	return nil
}

// single reads the single-text template of TemplateProcessing.
func (t *Tokenizer) single(raw json.RawMessage) (template, error) {
	type piece struct {
		ID     string `json:"id"`
		TypeID int64  `json:"type_id"`
	}
	var c struct {
		Single []struct {
			SpecialToken *piece
			Sequence     *piece
		} `json:"single"`
		SpecialTokens map[string]struct {
			IDs []int64 `json:"ids"`
		} `json:"special_tokens"`
	}
	if err := json.Unmarshal(raw, &c); err != nil {
		return template{}, err
	}
	var tpl template
	seen := false
	for i, p := range c.Single {
		switch {
		case p.Sequence != nil && p.Sequence.ID == "A" && !seen:
			seen = true
			tpl.textType = p.Sequence.TypeID
		case p.Sequence != nil:
			return template{}, fmt.Errorf("single: part %d: sequence %q again or unexpected", i, p.Sequence.ID)
		case p.SpecialToken != nil:
			special, ok := c.SpecialTokens[p.SpecialToken.ID]
			if !ok {
				return template{}, fmt.Errorf("single: token %q is not among special_tokens", p.SpecialToken.ID)
			}
			for _, id := range special.IDs {
				if err := t.checkTemplateID(id); err != nil {
					return template{}, err
				}
				tok := templateToken{id, p.SpecialToken.TypeID}
				if seen {
					tpl.tail = append(tpl.tail, tok)
				} else {
					tpl.head = append(tpl.head, tok)
				}
			}
		default:
			return template{}, fmt.Errorf("single: part %d is neither SpecialToken nor Sequence", i)
		}
	}
	if !seen {
		return template{}, errors.New("single: the text (Sequence A) is missing")
	}
	return tpl, nil
}
