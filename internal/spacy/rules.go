package spacy

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/bertopic-go/bertopic/internal/spacy/pyregex"
)

// rules are those of a pipeline's tokenizer. They are read-only.
type rules struct {
	prefix, suffix, infix *pyregex.Regexp // nil: there is none
	token, url            *pyregex.Regexp
	specials              map[string][]string // what a string is cut into, whatever the other rules say
	phrases               *phrase             // the specials that other rules would cut first
}

// phrase is a sequence of tokens, or the beginning of one.
type phrase struct {
	next map[string]*phrase
	end  bool
}

// The numbers of the attributes of an exception's token.
const orth = 65

// parseRules reads the file tokenizer of a pipeline. left are rules that can't
// be read and are left out.
func parseRules(data []byte) (r *rules, left []string, err error) {
	raw, err := decodeRules(data)
	if err != nil {
		return nil, nil, err
	}
	r = &rules{specials: raw.specials, phrases: &phrase{}}
	for _, p := range []struct {
		name string
		expr *string
		into **pyregex.Regexp
	}{
		{"prefix_search", raw.prefix, &r.prefix}, {"suffix_search", raw.suffix, &r.suffix}, {"infix_finditer", raw.infix, &r.infix},
		{"token_match", raw.token, &r.token}, {"url_match", raw.url, &r.url},
	} {
		if p.expr == nil {
			continue
		}
		re, out, err := compile(*p.expr)
		for _, o := range out {
			left = append(left, p.name+": "+o)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", p.name, err)
		}
		*p.into = re
	}
	r.addPhrases(!raw.slow)
	return r, left, nil
}

// compile compiles an expression; where that fails, what is left of it when the
// alternatives that can't be read are taken out.
func compile(expr string) (re *pyregex.Regexp, left []string, err error) {
	if re, err = pyregex.Compile(expr); err == nil {
		return re, nil, nil
	}
	var good []string
	for _, a := range pyregex.Alternatives(expr) {
		if _, why := pyregex.Compile(a); why != nil {
			left = append(left, fmt.Sprintf("%.80q (%v)", a, errors.Unwrap(why)))
		} else {
			good = append(good, a)
		}
	}
	if len(good) == 0 {
		return nil, nil, err
	}
	re, err = pyregex.Compile(strings.Join(good, "|"))
	return re, left, err
}

// rawRules are the rules as they are spelled; nil is none.
type rawRules struct {
	prefix, suffix, infix, token, url *string
	specials                          map[string][]string
	slow                              bool // faster_heuristics is off
}

func decodeRules(data []byte) (*rawRules, error) {
	source := bytes.NewReader(data)
	d := msgpack.NewDecoder(source)
	n, err := d.DecodeMapLen()
	if err != nil {
		return nil, early(err)
	}
	if n < 0 {
		return nil, errors.New("it holds nothing")
	}
	r := &rawRules{specials: map[string][]string{}}
	patterns := map[string]**string{
		"prefix_search": &r.prefix, "suffix_search": &r.suffix, "infix_finditer": &r.infix, "token_match": &r.token, "url_match": &r.url,
	}
	for range n {
		key, err := d.DecodeString()
		if err != nil {
			return nil, early(err)
		}
		if into, ok := patterns[key]; ok {
			err = decodeText(d, into)
		} else if key == "exceptions" {
			err = decodeSpecials(d, r.specials)
		} else if key == "faster_heuristics" {
			var fast bool
			fast, err = d.DecodeBool()
			r.slow = !fast
		} else {
			err = d.Skip()
		}
		if err != nil {
			return nil, fmt.Errorf("%.40s: %w", key, early(err))
		}
	}
	if source.Len() > 0 {
		return nil, fmt.Errorf("%d bytes follow what should be all", source.Len())
	}
	return r, nil
}

// early says what the end of a file means.
func early(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it ends early: it is truncated or damaged")
	}
	return err
}

// decodeText reads a string or nil.
func decodeText(d *msgpack.Decoder, into **string) error {
	v, err := d.DecodeInterface()
	if err != nil {
		return err
	}
	switch v := v.(type) {
	case nil:
	case string:
		*into = &v
	default:
		return fmt.Errorf("a %T where a string is needed", v)
	}
	return nil
}

// decodeSpecials reads exceptions: for each string the tokens that it is cut
// into, as lists of attributes.
func decodeSpecials(d *msgpack.Decoder, into map[string][]string) error {
	n, err := d.DecodeMapLen()
	if err != nil {
		return err
	}
	for range max(n, 0) {
		chunk, err := d.DecodeString()
		if err != nil {
			return err
		}
		count, err := d.DecodeArrayLen()
		if err != nil {
			return err
		}
		var tokens []string
		for range max(count, 0) {
			token, err := decodeToken(d)
			if err != nil {
				return fmt.Errorf("%.40q: %w", chunk, err)
			}
			tokens = append(tokens, token)
		}
		if strings.Join(tokens, "") != chunk {
			return fmt.Errorf("%.40q: its tokens %.80q don't make it up", chunk, tokens)
		}
		into[chunk] = tokens
	}
	return nil
}

// decodeToken reads the attributes of a token and returns its text.
func decodeToken(d *msgpack.Decoder) (text string, err error) {
	n, err := d.DecodeMapLen()
	if err != nil {
		return "", err
	}
	found := false
	for range max(n, 0) {
		key, err := d.DecodeInterfaceLoose()
		if err != nil {
			return "", err
		}
		name, _ := key.(string)
		number, _ := key.(int64)
		if unsigned, ok := key.(uint64); ok {
			number = int64(min(unsigned, 1<<32))
		}
		if number != orth && !slices.Contains([]string{"ORTH", "TEXT"}, strings.ToUpper(name)) {
			if err := d.Skip(); err != nil {
				return "", err
			}
			continue
		}
		if text, err = d.DecodeString(); err != nil {
			return "", err
		}
		found = true
	}
	if !found {
		return "", errors.New("a token without a text (ORTH)")
	}
	return text, nil
}

// addPhrases finds the specials that are looked for in the finished tokens:
// those that other rules cut into several. With fast these are the ones only in
// which a rule finds something.
func (r *rules) addPhrases(fast bool) {
	t := newTokenizer(r)
	for special := range r.specials {
		text := []rune(special)
		if fast && t.prefixLength(text) == 0 && t.suffixLength(text) == 0 && !t.hasInfix(text) && !strings.Contains(special, " ") {
			continue
		}
		at := r.phrases
		tokens := t.split(nil, special, false)
		if len(tokens) == 0 {
			continue
		}
		for _, token := range tokens {
			if at.next == nil {
				at.next = map[string]*phrase{}
			}
			if at.next[token.Text] == nil {
				at.next[token.Text] = &phrase{}
			}
			at = at.next[token.Text]
		}
		at.end = true
	}
}
