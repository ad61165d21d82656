package tokenize

import (
	"encoding/json"
	"slices"
	"testing"
)

// FuzzEncode: no text makes a tokenizer panic, leave its vocabulary, exceed
// the limit or depend on what its Encoding held before.
func FuzzEncode(f *testing.F) {
	for _, text := range decodeGz[[]string](f, "testdata/strings.json.gz")[:80] {
		f.Add(text, 8)
	}
	f.Add("a\xff\xfe\xed\xa0\x80", 0)
	tokenizers := []*Tokenizer{mustNew(f, tokenizerFile(f, "bert")), mustNew(f, tokenizerFile(f, "roberta")), mustNew(f, tokenizerFile(f, "xlmr"))}
	for _, g := range decodeGz[struct {
		Tokenizers []struct{ Tokenizer json.RawMessage }
	}](f, "testdata/components.json.gz").Tokenizers {
		tokenizers = append(tokenizers, mustNew(f, g.Tokenizer))
	}
	reused := make([]Encoding, len(tokenizers))
	f.Fuzz(func(t *testing.T, text string, limit int) {
		for i, tok := range tokenizers {
			e := &reused[i]
			tok.Encode(e, text, limit)
			for _, id := range e.IDs {
				if id < 0 || id >= int64(tok.VocabSize()) {
					t.Fatalf("tokenizer %d: id %d of %d", i, id, tok.VocabSize())
				}
			}
			if limit > 0 && len(e.IDs) > limit || len(e.TypeIDs) != len(e.IDs) || len(e.Special) != len(e.IDs) {
				t.Fatalf("tokenizer %d: limit %d: %d ids, %d types, %d marks", i, limit, len(e.IDs), len(e.TypeIDs), len(e.Special))
			}
			var fresh Encoding
			tok.Encode(&fresh, text, limit)
			if !slices.Equal(e.IDs, fresh.IDs) || e.TokensLost != fresh.TokensLost {
				t.Fatalf("tokenizer %d: reused %v, fresh %v", i, e.IDs, fresh.IDs)
			}
		}
	})
}

// FuzzNew: no file makes New panic, nor the tokenizer it gives.
func FuzzNew(f *testing.F) {
	f.Add(wordPieceFile(nil))
	for i, g := range decodeGz[struct {
		Tokenizers []struct{ Tokenizer json.RawMessage }
	}](f, "testdata/components.json.gz").Tokenizers {
		if i%6 == 0 && len(g.Tokenizer) < 30_000 {
			f.Add([]byte(g.Tokenizer))
		}
	}
	f.Add(wordPieceFile(map[string]string{"normalizer": `{"type": "Precompiled", "precompiled_charsmap": "CAAAAP//////////AAAA"}`}))
	f.Add(wordPieceFile(map[string]string{"pre_tokenizer": `{"type": "Split", "pattern": {"Regex": "\\p{L}+|\\s+(?!\\S)|\\s+"}, "behavior": "MergedWithNext", "invert": true}`}))
	f.Add(wordPieceFile(map[string]string{"model": `{"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}`}))
	f.Add(wordPieceFile(map[string]string{"model": `{"type": "Unigram", "unk_id": 0, "vocab": [["a", -1], ["ab", -1.5e0]]}`}))
	f.Fuzz(func(t *testing.T, b []byte) {
		tok, err := New(b)
		if err != nil {
			return
		}
		var e Encoding
		tok.Encode(&e, "A topic's words,\r\n\u00e9\u0301 \u4e2d\u6587 [SEP] ab\u2581aab  \x00", 16)
		tok.EncodeWords(&e, []string{"", "topic", "a b"}, 0)
	})
}
