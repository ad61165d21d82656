package tokenize

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// wordPieceFile is a small tokenizer.json; parts replace its sections.
func wordPieceFile(parts map[string]string) []byte {
	section := func(name, usual string) string {
		if p, ok := parts[name]; ok {
			usual = p
		}
		return fmt.Sprintf("%q: %s", name, usual)
	}
	return []byte("{" + strings.Join([]string{
		section("truncation", "null"),
		section("padding", "null"),
		section("added_tokens", `[{"id": 0, "content": "[PAD]"}, {"id": 2, "content": "[CLS]"}, {"id": 3, "content": "[SEP]"}]`),
		section("normalizer", `{"type": "BertNormalizer"}`),
		section("pre_tokenizer", `{"type": "BertPreTokenizer"}`),
		section("post_processor", `{"type": "BertProcessing", "cls": ["[CLS]", 2], "sep": ["[SEP]", 3]}`),
		section("model", `{"type": "WordPiece", "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "topic": 4, "##s": 5, "word": 6}}`),
	}, ",") + "}")
}

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name, section, value, want string
	}{
		{"normaliser", "normalizer", `{"type": "Sequence", "normalizers": [{"type": "NFC"}, {"type": "ByteLevel"}]}`, `normalizer: part 1: type "ByteLevel" is not supported`},
		{"pre-tokeniser", "pre_tokenizer", `{"type": "UnicodeScripts"}`, `pre_tokenizer: type "UnicodeScripts" is not supported`},
		{"post-processor", "post_processor", `{"type": "Chat"}`, `post_processor: type "Chat" is not supported`},
		{"model", "model", `{"type": "Neural"}`, `model: type "Neural" is not supported`},
		{"no model", "model", `null`, `model: missing`},
		{"model without type", "model", `{"vocab": {"a": 0}}`, `no type, and no fields to tell it by`},
		{"no type", "normalizer", `{}`, `a component has no type`},
		{"look-behind", "pre_tokenizer", `{"type": "Split", "pattern": {"Regex": "(?<=a)b"}, "behavior": "Isolated"}`, `look-around and named groups are not supported`},
		{"possessive", "pre_tokenizer", `{"type": "Split", "pattern": {"Regex": "a?+b"}, "behavior": "Isolated"}`, `possessive`},
		{"bad expression", "pre_tokenizer", `{"type": "Split", "pattern": {"Regex": "a("}, "behavior": "Isolated"}`, `is not supported`},
		{"behaviour", "pre_tokenizer", `{"type": "Split", "pattern": {"Regex": "a"}, "behavior": "Doubled"}`, `behavior "Doubled" is not supported`},
		{"byte level and words", "pre_tokenizer", `{"type": "ByteLevel"}`, `ByteLevel is supported for BPE only`},
		{"after byte level", "pre_tokenizer", `{"type": "Sequence", "pretokenizers": [{"type": "ByteLevel"}, {"type": "Digits"}]}`, `Digits after ByteLevel`},
		{"unknown token", "model", `{"type": "WordPiece", "vocab": {"a": 0}}`, `the unknown token "[UNK]" is not in the vocabulary`},
		{"empty vocabulary", "model", `{"type": "WordPiece", "vocab": {}}`, `the vocabulary is empty`},
		{"id below zero", "model", `{"type": "WordPiece", "vocab": {"[UNK]": -1}}`, `outside 0 to`},
		{"merge", "model", `{"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}`, `merge 0, of "a" and "b"`},
		{"merge of three", "model", `{"type": "BPE", "vocab": {"a": 0}, "merges": ["a b c"]}`, `is not two parts`},
		{"dropout", "model", `{"type": "BPE", "dropout": 0.1, "vocab": {"a": 0}, "merges": []}`, `dropout 0.1`},
		{"prefix", "model", `{"type": "BPE", "continuing_subword_prefix": "##", "vocab": {"a": 0}, "merges": []}`, `continuing_subword_prefix`},
		{"no unk_id", "model", `{"type": "Unigram", "vocab": [["a", -1]]}`, `unk_id is missing`},
		{"unk_id", "model", `{"type": "Unigram", "unk_id": 4, "vocab": [["a", -1]]}`, `unk_id 4 is outside`},
		{"score", "model", `{"type": "Unigram", "unk_id": 0, "vocab": [["a"]]}`, `not a pair of piece and score`},
		{"byte fallback", "model", `{"type": "Unigram", "unk_id": 0, "byte_fallback": true, "vocab": [["a", -1]]}`, `<0x00>`},
		{"charsmap", "normalizer", `{"type": "Precompiled", "precompiled_charsmap": "AAEAAA=="}`, `a trie of 256 bytes in 0`},
		{"charsmap base64", "normalizer", `{"type": "Precompiled", "precompiled_charsmap": "!"}`, `precompiled_charsmap`},
		{"template", "post_processor", `{"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[X]", "type_id": 0}}], "special_tokens": {}}`, `"[X]" is not among special_tokens`},
		{"template without text", "post_processor", `{"type": "TemplateProcessing", "single": [], "special_tokens": {}}`, `the text (Sequence A) is missing`},
		{"padding", "padding", `{"strategy": "BatchLongest", "pad_id": 99}`, `pad_id 99 is outside the vocabulary of 7`},
		{"metaspace", "pre_tokenizer", `{"type": "Metaspace", "replacement": "_", "prepend_scheme": "often"}`, `prepend_scheme "often"`},
		{"not JSON", "model", `{`, `parse tokenizer.json`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(wordPieceFile(map[string]string{tt.section: tt.value}))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func TestLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokenizer.json")
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "read tokenizer") {
		t.Errorf("a missing file: %v", err)
	}
	whole := wordPieceFile(nil)
	if err := os.WriteFile(path, whole[:len(whole)/2], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a file cut short: %v", err)
	}
	if err := os.WriteFile(path, whole, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err != nil {
		t.Error(err)
	}
}

func TestSections(t *testing.T) {
	tok := mustNew(t, wordPieceFile(map[string]string{
		"truncation": `{"direction": "Right", "max_length": 128, "strategy": "LongestFirst", "stride": 0}`,
		"padding":    `{"strategy": {"Fixed": 128}, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 4, "pad_type_id": 0, "pad_token": "topic"}`,
	}))
	if got := tok.Truncation(); got == nil || *got != (Truncation{"Right", 128, "LongestFirst", 0}) {
		t.Errorf("truncation %+v", got)
	}
	if got := tok.Padding(); got == nil || *got != (Padding{Fixed: 128, Direction: "Right", PadID: 4, PadToken: "topic"}) {
		t.Errorf("padding %+v", got)
	}
	if tok.PadID() != 4 || tok.VocabSize() != 7 || tok.SpecialTokens() != 2 {
		t.Errorf("pad %d, size %d, specials %d", tok.PadID(), tok.VocabSize(), tok.SpecialTokens())
	}
	var e Encoding
	tok.Encode(&e, strings.Repeat("topic ", 300), 0)
	if len(e.IDs) != 302 { // the file's own limit is not applied
		t.Errorf("%d ids", len(e.IDs))
	}
	if _, ok := tok.TokenID("absent"); ok {
		t.Error("absent has an id")
	}
	plain := mustNew(t, wordPieceFile(nil))
	if plain.Truncation() != nil || plain.Padding() != nil || plain.PadID() != 0 {
		t.Error("sections out of nothing")
	}
}

func TestEncodeLimits(t *testing.T) {
	tok := mustNew(t, wordPieceFile(nil))
	tests := []struct {
		max  int
		ids  []int64
		lost int
	}{
		{0, []int64{2, 4, 5, 6, 1, 3}, 0},
		{6, []int64{2, 4, 5, 6, 1, 3}, 0},
		{4, []int64{2, 4, 5, 3}, 2},
		{2, []int64{2, 3}, 4},
		{1, []int64{2}, 4},
	}
	var e Encoding
	for _, tt := range tests {
		tok.Encode(&e, "Topics word \u00e6", tt.max)
		if !slices.Equal(e.IDs, tt.ids) || e.TokensLost != tt.lost {
			t.Errorf("limit %d: %v, %d lost; want %v, %d", tt.max, e.IDs, e.TokensLost, tt.ids, tt.lost)
		}
		if len(e.TypeIDs) != len(e.IDs) || len(e.Special) != len(e.IDs) {
			t.Errorf("limit %d: %d ids, %d types, %d marks", tt.max, len(e.IDs), len(e.TypeIDs), len(e.Special))
		}
		for i, id := range e.IDs {
			if want := id == 2 || id == 3; e.Special[i] != want {
				t.Errorf("limit %d: special[%d] = %v", tt.max, i, e.Special[i])
			}
		}
	}
}

func TestTypeIDs(t *testing.T) {
	tok := mustNew(t, wordPieceFile(map[string]string{"post_processor": `{"type": "TemplateProcessing",
		"single": [{"SpecialToken": {"id": "x", "type_id": 2}}, {"Sequence": {"id": "A", "type_id": 1}}, {"SpecialToken": {"id": "x", "type_id": 0}}],
		"special_tokens": {"x": {"id": "x", "ids": [2, 3], "tokens": ["[CLS]", "[SEP]"]}}}`}))
	var e Encoding
	tok.Encode(&e, "word", 0)
	if want := []int64{2, 3, 6, 2, 3}; !slices.Equal(e.IDs, want) {
		t.Errorf("ids %v, want %v", e.IDs, want)
	}
	if want := []int64{2, 2, 1, 0, 0}; !slices.Equal(e.TypeIDs, want) {
		t.Errorf("types %v, want %v", e.TypeIDs, want)
	}
}

// Bytes that are not UTF-8 count as U+FFFD, as decoding with replacement does.
func TestInvalidUTF8(t *testing.T) {
	for _, name := range []string{"bert", "roberta", "xlmr"} {
		tok := mustNew(t, tokenizerFile(t, name))
		var got, want Encoding
		tok.Encode(&got, "a\xffb \xe4\xb8", 0)
		tok.Encode(&want, "a\ufffdb \ufffd\ufffd", 0)
		if !slices.Equal(got.IDs, want.IDs) {
			t.Errorf("%s: %v, want %v", name, got.IDs, want.IDs)
		}
	}
}

// A reused Encoding costs no allocation, and tells nothing of its past.
func TestReuse(t *testing.T) {
	texts := decodeGz[[]string](t, "testdata/strings.json.gz")
	for _, name := range []string{"bert", "roberta", "xlmr"} {
		tok := mustNew(t, tokenizerFile(t, name))
		var reused Encoding
		for _, text := range texts {
			var fresh Encoding
			tok.Encode(&reused, text, 20)
			tok.Encode(&fresh, text, 20)
			if !slices.Equal(fresh.IDs, reused.IDs) || fresh.TokensLost != reused.TokensLost {
				t.Fatalf("%s: %q: %v reused, %v fresh", name, text, reused.IDs, fresh.IDs)
			}
		}
		allocs := testing.AllocsPerRun(3, func() {
			for _, text := range texts {
				tok.Encode(&reused, text, 20)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %g allocations", name, allocs)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	texts := decodeGz[[]string](t, "testdata/strings.json.gz")
	tok := mustNew(t, tokenizerFile(t, "xlmr"))
	want := decodeGz[[][]int64](t, "testdata/xlmr.expected.json.gz")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			var e Encoding
			for i, text := range texts {
				if tok.Encode(&e, text, 0); !slices.Equal(e.IDs, want[i]) {
					t.Errorf("%q: %v, want %v", text, e.IDs, want[i])
				}
			}
		})
	}
	wg.Wait()
}

// The heap for long words and the search for short ones agree.
func TestLongWords(t *testing.T) {
	tok := mustNew(t, tokenizerFile(t, "roberta"))
	m := tok.model.(*bpe)
	for _, word := range []string{strings.Repeat("the", 40), strings.Repeat("a b", 50), strings.Repeat("xyzzy", 30), strings.Repeat("\u00e9t\u00e9", 30)} {
		encode := func(merge func([]symbol)) []int32 {
			s := m.startBytes(nil, []byte(word))
			for i := range s {
				s[i].prev, s[i].next, s[i].rank = int32(i-1), int32(i+1), noRank
			}
			s[len(s)-1].next = -1
			for i := 0; i+1 < len(s); i++ {
				s[i].rank, _ = m.pairs.find(s[i].id, s[i+1].id)
			}
			merge(s)
			var ids []int32
			for i := int32(0); i >= 0; i = s[i].next {
				ids = append(ids, s[i].id)
			}
			return ids
		}
		scan := encode(m.mergeScan)
		heap := encode(func(s []symbol) { m.mergeHeap(s, nil) })
		if !slices.Equal(scan, heap) {
			t.Errorf("%q: %v by search, %v by heap", word, scan, heap)
		}
	}
}

// Texts that make naive tokenisers quadratic take no more than their length.
func TestLongTexts(t *testing.T) {
	for _, name := range []string{"bert", "roberta", "xlmr"} {
		tok := mustNew(t, tokenizerFile(t, name))
		var e Encoding
		for _, text := range []string{
			strings.Repeat("word ", 100_000), strings.Repeat("ab", 100_000), strings.Repeat(" ", 100_000),
			"a" + strings.Repeat("\u0301\u0323", 50_000), strings.Repeat("\U0001f600", 50_000), strings.Repeat("[MASK", 20_000),
		} {
			tok.Encode(&e, text, 512)
			if len(e.IDs) > 512 || e.TokensLost == 0 && len(e.IDs) > 100 && len(e.IDs) != 512 {
				t.Errorf("%s: %.20q: %d ids, %d lost", name, text, len(e.IDs), e.TokensLost)
			}
		}
	}
}

// Old files do not name the model's type.
func TestModelWithoutType(t *testing.T) {
	for _, tt := range []struct {
		model string
		want  []int64
	}{
		{`{"unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": {"[UNK]": 0, "a": 1, "##b": 4}}`, []int64{2, 1, 4, 3}},
		{`{"unk_token": null, "vocab": {"a": 0, "b": 1, "ab": 4}, "merges": ["a b"]}`, []int64{2, 4, 3}},
		{`{"unk_token": "u", "vocab": {"u": 0, "ab": 1}}`, []int64{2, 1, 3}},
		{`{"unk_id": 0, "vocab": [["u", 0], ["a", -1], ["b", -1], ["x", -1], ["ab", -1.5]]}`, []int64{2, 4, 3}},
	} {
		tok := mustNew(t, wordPieceFile(map[string]string{"model": tt.model}))
		var e Encoding
		if tok.Encode(&e, "ab", 0); !slices.Equal(e.IDs, tt.want) {
			t.Errorf("%s: %v, want %v", tt.model, e.IDs, tt.want)
		}
	}
}
