package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"unicode/utf8"

	"github.com/bertopic-go/bertopic/internal/linalg"
	"github.com/bertopic-go/bertopic/internal/vectorize"
	"github.com/bertopic-go/bertopic/sdk"
)

// The layout is told in docs/format/tfidf-state.md.
const (
	stateMagic   = "bttfidf\n"
	stateVersion = 1
)

// stateHeader is the JSON part of a state: how text is read, and the sizes of
// what follows.
type stateHeader struct {
	Mode         string   `json:"mode"`
	Analyzer     string   `json:"analyzer"`
	Tokenizer    string   `json:"tokenizer"`
	TokenPattern string   `json:"token_pattern"`
	Lowercase    bool     `json:"lowercase"`
	StripAccents string   `json:"strip_accents"`
	StopWords    []string `json:"stop_words"`
	NgramRange   [2]int   `json:"ngram_range"`
	Binary       bool     `json:"binary"`
	SublinearTF  bool     `json:"sublinear_tf"`
	UseIDF       bool     `json:"use_idf"`
	SmoothIDF    bool     `json:"smooth_idf"`
	Norm         string   `json:"norm"`
	Terms        int      `json:"terms"`
	Components   int      `json:"components"` // 0: no svd
}

// headerOf describes c, but for the sizes.
func headerOf(c config) stateHeader {
	o := c.Count
	return stateHeader{
		Mode: c.Mode, Analyzer: o.Analyzer, Tokenizer: o.Tokenizer, TokenPattern: o.TokenPattern, Lowercase: !o.KeepCase,
		StripAccents: o.StripAccents, StopWords: o.StopWords, NgramRange: o.NgramRange, Binary: o.Binary,
		SublinearTF: c.Weigh.SublinearTF, UseIDF: !c.Weigh.NoIDF, SmoothIDF: !c.Weigh.RawIDF, Norm: c.Weigh.Norm,
	}
}

// SaveState returns what Fit learned.
func (e *embedder) SaveState(context.Context) ([]byte, error) {
	f := e.fitted
	if f == nil {
		return nil, errors.New("tfidf has learned nothing that could be saved: fit it first")
	}
	h := headerOf(e.config)
	h.Terms = f.vocabulary.Len()
	if f.svd != nil {
		h.Components = f.svd.Components.Rows
	}
	header, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("save the state: %w", err)
	}
	le := binary.LittleEndian
	out := append([]byte(stateMagic), 0, 0, 0, 0, 0, 0, 0, 0)
	le.PutUint32(out[8:], stateVersion)
	le.PutUint32(out[12:], uint32(len(header)))
	out = append(out, header...)
	for _, term := range f.vocabulary.Terms {
		out = append(le.AppendUint32(out, uint32(len(term))), term...)
	}
	for _, v := range f.idf {
		out = le.AppendUint64(out, math.Float64bits(v))
	}
	if f.svd != nil {
		for _, v := range f.svd.Components.Data {
			out = le.AppendUint64(out, math.Float64bits(v))
		}
	}
	return le.AppendUint32(out, crc32.ChecksumIEEE(out)), nil
}

// LoadState restores what SaveState saved. The options must be those of the
// fitted embedder as far as they say how text is read.
func (e *embedder) LoadState(_ context.Context, state []byte) (sdk.Info, error) {
	h, f, err := parseState(state)
	if err != nil {
		return sdk.Info{}, fmt.Errorf("load the state of tfidf: %w", err)
	}
	if name := difference(h, headerOf(e.config)); name != "" {
		return sdk.Info{}, fmt.Errorf("load the state of tfidf: it was saved with another %s: use the options that it was fitted with, or fit anew", name)
	}
	if h.Components == 0 && h.Terms > 0 && e.config.SVD > 0 || h.Components > e.config.SVD {
		return sdk.Info{}, fmt.Errorf("load the state of tfidf: it was saved with svd = %d, not %d: use the options that it was fitted with, or fit anew", h.Components, e.config.SVD)
	}
	e.fitted = f
	return e.info(), nil
}

// difference returns the name of the first setting in which a and b differ, but
// for sizes.
func difference(a, b stateHeader) string {
	a.Terms, a.Components, b.Terms, b.Components = 0, 0, 0, 0
	var fields [2]map[string]json.RawMessage
	for i, h := range []stateHeader{a, b} {
		if len(h.StopWords) == 0 {
			h.StopWords = nil
		}
		text, err := json.Marshal(h)
		if err == nil {
			err = json.Unmarshal(text, &fields[i])
		}
		if err != nil {
			return err.Error()
		}
	}
	for _, o := range schema {
		if !bytes.Equal(fields[0][o.Name], fields[1][o.Name]) {
			return o.Name
		}
	}
	return ""
}

// parseState reads a state. It trusts no size in it.
func parseState(state []byte) (h stateHeader, f *fitted, err error) {
	le := binary.LittleEndian
	damaged := func(format string, args ...any) (stateHeader, *fitted, error) {
		return stateHeader{}, nil, fmt.Errorf("it is damaged: "+format, args...)
	}
	if len(state) < 20 || string(state[:8]) != stateMagic {
		return stateHeader{}, nil, errors.New("these bytes are no such state")
	}
	if v := le.Uint32(state[8:]); v != stateVersion {
		return stateHeader{}, nil, fmt.Errorf("it has version %d of its format, and this program reads version %d: use a program of the version that wrote it", v, stateVersion)
	}
	body, sum := state[:len(state)-4], le.Uint32(state[len(state)-4:])
	if crc32.ChecksumIEEE(body) != sum {
		return damaged("its checksum is wrong")
	}
	body = body[16:]
	size := int64(le.Uint32(state[12:]))
	if size > int64(len(body)) {
		return damaged("the header ends behind it")
	}
	if err := json.Unmarshal(body[:size], &h); err != nil {
		return damaged("header: %v", err)
	}
	body = body[size:]
	if h.Terms < 0 || h.Components < 0 || int64(h.Terms) > int64(len(body))/4 {
		return damaged("%d terms don't fit into it", h.Terms)
	}
	terms := make([]string, h.Terms)
	for i := range terms {
		if len(body) < 4 || int64(le.Uint32(body)) > int64(len(body)-4) {
			return damaged("term %d ends behind it", i)
		}
		n := le.Uint32(body)
		terms[i] = string(body[4 : 4+n])
		if !utf8.ValidString(terms[i]) {
			return damaged("term %d is not UTF-8", i)
		}
		body = body[4+n:]
	}
	idf := 0
	if h.UseIDF {
		idf = h.Terms
	}
	if h.Components > 0 && int64(h.Terms) > int64(len(body))/8/int64(h.Components) || int64(len(body)) != 8*(int64(idf)+int64(h.Components)*int64(h.Terms)) {
		return damaged("%d bytes of numbers don't make %d terms and %d components", len(body), h.Terms, h.Components)
	}
	numbers := make([]float64, len(body)/8)
	for i := range numbers {
		numbers[i] = math.Float64frombits(le.Uint64(body[8*i:]))
		if math.IsNaN(numbers[i]) || math.IsInf(numbers[i], 0) {
			return damaged("number %d is not finite", i)
		}
	}
	f = &fitted{}
	if h.UseIDF {
		f.idf = numbers[:idf:idf]
	}
	if h.Components > 0 {
		f.svd = &linalg.SVD{Components: &linalg.Dense{Rows: h.Components, Cols: h.Terms, Data: numbers[idf:]}}
	}
	f.vocabulary, err = vectorize.NewVocabulary(terms, vectorize.Options{
		Analyzer: h.Analyzer, Tokenizer: h.Tokenizer, TokenPattern: h.TokenPattern, KeepCase: !h.Lowercase,
		StripAccents: h.StripAccents, StopWords: h.StopWords, NgramRange: h.NgramRange, Binary: h.Binary,
	})
	if err != nil {
		return damaged("%v", err)
	}
	return h, f, nil
}
