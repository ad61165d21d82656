package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"iter"
	"maps"
	"math"
	"slices"

	"github.com/bertopic-go/bertopic/sdk"
)

// fitted is what Fit learned: how many of how many texts hold a word. Words that
// no text held are as rare as can be.
type fitted struct {
	documents int
	in        map[string]int
}

// idf is scikit-learn's, smoothed.
func (f *fitted) idf(word string) float64 {
	return math.Log(float64(1+f.documents)/float64(1+f.in[word])) + 1
}

// learn counts texts by word. Words that can't have a weight, since they have no
// vector, are left out.
func (m *model) learn(ctx context.Context, rows iter.Seq2[sdk.Row, error]) (*fitted, error) {
	f := &fitted{in: map[string]int{}}
	seen := map[string]bool{}
	for row, err := range rows {
		if err != nil {
			return nil, err
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if !row.HasText {
			continue
		}
		f.documents++
		clear(seen)
		m.options.tokens(row.Text, func(w string) {
			if seen[w] || len(w) > longestWord {
				return
			}
			seen[w] = true
			if _, known := m.table.Lookup(w); known || m.options.OOV != oovSkip {
				f.in[w]++
			}
		})
	}
	return f, nil
}

// longestWord is more than a word has. Longer ones are taken to be in no text,
// so that a state stays small.
const longestWord = 1 << 10

// The layout is told in docs/format/gensim-state.md.
const (
	stateMagic   = "btgensim"
	stateVersion = 1
)

// stateHeader is the JSON part of a state: what the counts depend on.
type stateHeader struct {
	Model     string `json:"model_sha256"`
	Tokenizer string `json:"tokenizer"`
	Lowercase bool   `json:"lowercase"`
	OOV       string `json:"oov"`
	Documents int    `json:"documents"`
	Words     int    `json:"words"`
}

func (m *model) header() stateHeader {
	return stateHeader{Model: m.table.Info.SHA256, Tokenizer: m.options.Tokenizer, Lowercase: m.options.Lowercase, OOV: m.options.OOV}
}

func (m *model) saveState() ([]byte, error) {
	if m.fitted == nil {
		return nil, errors.New("gensim has learned nothing that could be saved: fit it first")
	}
	return stateOf(m.fitted, m.header())
}

// stateOf writes a state with the header h, to which it adds the sizes.
func stateOf(f *fitted, h stateHeader) ([]byte, error) {
	h.Documents, h.Words = f.documents, len(f.in)
	header, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("save the state: %w", err)
	}
	le := binary.LittleEndian
	out := append([]byte(stateMagic), 0, 0, 0, 0, 0, 0, 0, 0)
	le.PutUint32(out[8:], stateVersion)
	le.PutUint32(out[12:], uint32(len(header)))
	out = append(out, header...)
	for _, w := range slices.Sorted(maps.Keys(f.in)) {
		out = append(le.AppendUint32(out, uint32(len(w))), w...)
		out = le.AppendUint32(out, uint32(f.in[w]))
	}
	return le.AppendUint32(out, crc32.ChecksumIEEE(out)), nil
}

// loadState reads a state, which must have been made with the same vectors and
// the same words of a text.
func (m *model) loadState(state []byte) (*fitted, error) {
	h, f, err := parseState(state)
	if err != nil {
		return nil, err
	}
	now := m.header()
	for _, d := range []struct {
		name string
		same bool
	}{
		{"file of vectors (model)", h.Model == now.Model}, {"tokenizer", h.Tokenizer == now.Tokenizer},
		{"lowercase", h.Lowercase == now.Lowercase}, {"oov", h.OOV == now.OOV},
	} {
		if !d.same {
			return nil, fmt.Errorf("it was saved with another %s: use the options that it was fitted with, or fit anew", d.name)
		}
	}
	return f, nil
}

// parseState reads a state. It trusts no size in it.
func parseState(state []byte) (h stateHeader, f *fitted, err error) {
	le := binary.LittleEndian
	damaged := func(format string, args ...any) (stateHeader, *fitted, error) {
		return stateHeader{}, nil, fmt.Errorf("it is damaged: "+format, args...)
	}
	if len(state) < 20 || !bytes.HasPrefix(state, []byte(stateMagic)) {
		return stateHeader{}, nil, errors.New("these bytes are no such state")
	}
	if v := le.Uint32(state[8:]); v != stateVersion {
		return stateHeader{}, nil, fmt.Errorf("it has version %d of its format, and this program reads version %d: use a program of the version that wrote it", v, stateVersion)
	}
	body, sum := state[:len(state)-4], le.Uint32(state[len(state)-4:])
	if crc32.ChecksumIEEE(body) != sum {
		return damaged("its checksum is wrong")
	}
	size := int64(le.Uint32(state[12:]))
	if body = body[16:]; size > int64(len(body)) {
		return damaged("the header ends behind it")
	}
	if err := json.Unmarshal(body[:size], &h); err != nil {
		return damaged("header: %v", err)
	}
	body = body[size:]
	if h.Documents < 0 || h.Documents > math.MaxInt32 || h.Words < 0 || h.Words > len(body)/8 {
		return damaged("%d documents and %d words", h.Documents, h.Words)
	}
	f = &fitted{documents: h.Documents, in: make(map[string]int, h.Words)}
	last := ""
	for i := range h.Words {
		if len(body) < 8 || int64(le.Uint32(body)) > int64(len(body)-8) {
			return damaged("word %d ends behind it", i)
		}
		n := le.Uint32(body)
		word, count := string(body[4:4+n]), le.Uint32(body[4+n:])
		if i > 0 && word <= last {
			return damaged("words are not in order at %d", i)
		}
		if count == 0 || int64(count) > int64(h.Documents) {
			return damaged("word %d is in %d of %d documents", i, count, h.Documents)
		}
		f.in[word], last = int(count), word
		body = body[8+n:]
	}
	if len(body) != 0 {
		return damaged("%d bytes follow the words", len(body))
	}
	return h, f, nil
}
