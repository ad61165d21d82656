package tokenize

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

type goldenFolder struct {
	Name        string
	Tokenizer   json.RawMessage
	MaxTokens   int   `json:"max_tokens"`
	PadID       int64 `json:"pad_id"`
	Texts       []string
	IDs         [][]int64
	Untruncated []int
	Words       [][]string
	WordIDs     [][]int64 `json:"word_ids"`
}

// charsmap returns the character map that folders.json.gz leaves out.
func charsmap(t testing.TB) string {
	t.Helper()
	var f struct {
		Normalizer struct {
			Normalizers []struct {
				Charsmap string `json:"precompiled_charsmap"`
			}
		}
	}
	if err := json.Unmarshal(tokenizerFile(t, "xlmr"), &f); err != nil {
		t.Fatal(err)
	}
	return f.Normalizer.Normalizers[0].Charsmap
}

// The tokenizers of the golden embedder folders: texts cut at the model's
// length, and Flair's words.
func TestGoldenFolders(t *testing.T) {
	chars := charsmap(t)
	for _, g := range decodeGz[[]goldenFolder](t, "testdata/folders.json.gz") {
		t.Run(g.Name, func(t *testing.T) {
			file := strings.Replace(string(g.Tokenizer), `"precompiled_charsmap": ""`, `"precompiled_charsmap": "`+chars+`"`, 1)
			tok := mustNew(t, []byte(file))
			if g.PadID >= 0 && tok.PadID() != g.PadID {
				t.Errorf("pad id %d, want %d", tok.PadID(), g.PadID)
			}
			var e Encoding
			for i, text := range g.Texts {
				tok.Encode(&e, text, g.MaxTokens)
				if !slices.Equal(e.IDs, g.IDs[i]) {
					t.Errorf("%q:\n got %v\nwant %v", text, e.IDs, g.IDs[i])
				}
				if len(e.IDs)+e.TokensLost != g.Untruncated[i] {
					t.Errorf("%q: %d tokens and %d lost, want %d in all", text, len(e.IDs), e.TokensLost, g.Untruncated[i])
				}
			}
			spaced := tok.WithPrefixSpace()
			for i, words := range g.Words {
				spaced.EncodeWords(&e, words, g.MaxTokens)
				if !slices.Equal(e.IDs, g.WordIDs[i]) {
					t.Errorf("words %q:\n got %v\nwant %v", words, e.IDs, g.WordIDs[i])
				}
			}
		})
	}
}

// One tokenizer for each component and setting of the file, on the 300 strings.
func TestGoldenComponents(t *testing.T) {
	texts := decodeGz[[]string](t, "testdata/strings.json.gz")
	golden := decodeGz[struct {
		Tokenizers []struct {
			Name      string
			Tokenizer json.RawMessage
			IDs       [][]int64
		}
	}](t, "testdata/components.json.gz")
	for _, g := range golden.Tokenizers {
		t.Run(g.Name, func(t *testing.T) {
			tok := mustNew(t, g.Tokenizer)
			var e Encoding
			bad := 0
			for i, text := range texts {
				tok.Encode(&e, text, 0)
				if !slices.Equal(e.IDs, g.IDs[i]) {
					if bad++; bad <= 3 {
						t.Errorf("%q:\n got %v\nwant %v", text, e.IDs, g.IDs[i])
					}
				}
			}
			if bad > 0 {
				t.Errorf("%d of %d differ", bad, len(texts))
			}
		})
	}
}
