package tokenize

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// explode writes the vocabulary and merges of a byte-pair tokenizer.json into a
// folder, as folders of before that file have them.
func explode(t *testing.T, file []byte, config string) string {
	t.Helper()
	var f struct {
		Model struct {
			Vocab  json.RawMessage
			Merges mergeList
		}
	}
	if err := json.Unmarshal(file, &f); err != nil {
		t.Fatal(err)
	}
	var merges strings.Builder
	merges.WriteString("#version: 0.2\n")
	for _, m := range f.Model.Merges {
		merges.WriteString(m[0] + " " + m[1] + "\n")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"vocab.json": string(f.Model.Vocab), "merges.txt": merges.String(), "tokenizer_config.json": config} {
		if text == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func mustLoad(t *testing.T, path string) *Tokenizer {
	t.Helper()
	tok, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// A folder of vocab.json and merges.txt gives the ids of the tokenizer.json that
// the transformers library makes of it, whether it names its class or not.
func TestVocabAndMerges(t *testing.T) {
	texts := decodeGz[[]string](t, "testdata/strings.json.gz")
	for name, config := range map[string]string{"clip": `{"tokenizer_class":"CLIPTokenizer","do_lower_case":true}`, "roberta": `{"tokenizer_class":"RobertaTokenizerFast"}`} {
		for _, config := range []string{config, ""} {
			t.Run(name+config, func(t *testing.T) {
				tok := mustLoad(t, explode(t, tokenizerFile(t, name), config))
				want := decodeGz[[][]int64](t, filepath.Join("testdata", name+".expected.json.gz"))
				var e Encoding
				for i, text := range texts {
					tok.Encode(&e, text, 0)
					if !slices.Equal(e.IDs, want[i]) {
						t.Errorf("%q:\n got %v\nwant %v", text, e.IDs, want[i])
					}
				}
			})
		}
	}
}

// The texts of CLIP's folders are cut at 77 tokens, between the marks of begin
// and end.
func TestCLIPFolders(t *testing.T) {
	for _, g := range decodeGz[[]goldenFolder](t, "testdata/folders.json.gz") {
		if !strings.HasPrefix(g.Name, "clip/") || g.Name == "clip/tiny-eos" { // two added tokens
			continue
		}
		t.Run(g.Name, func(t *testing.T) {
			tok := mustLoad(t, explode(t, g.Tokenizer, ""))
			begin, _ := tok.TokenID("<|startoftext|>")
			end, _ := tok.TokenID("<|endoftext|>")
			cut := 0
			var e Encoding
			for i, text := range g.Texts {
				tok.Encode(&e, text, g.MaxTokens)
				n := len(e.IDs)
				if !slices.Equal(e.IDs, g.IDs[i]) || n+e.TokensLost != g.Untruncated[i] {
					t.Errorf("%q:\n got %v and %d lost\nwant %v of %d", text, e.IDs, e.TokensLost, g.IDs[i], g.Untruncated[i])
				}
				if e.IDs[0] != begin || e.IDs[n-1] != end || !e.Special[0] || !e.Special[n-1] {
					t.Errorf("%q: %d tokens without their marks", text, n)
				}
				if e.TokensLost > 0 {
					cut++
				}
			}
			if cut == 0 && g.MaxTokens > 0 {
				t.Error("no text is cut")
			}
		})
	}
}

// The tokenizers of CLIP's golden folders, in each of their layouts.
func TestGoldenCLIP(t *testing.T) {
	dir := filepath.Join(sharedGolden(t), "embedders", "clip")
	for folder, file := range map[string]string{
		"tiny": "expected", "tiny-eos": "expected-eos", "st-legacy/0_CLIPModel": "expected", "st-new": "expected",
	} {
		want := decodeGz[struct {
			Texts       []string
			IDs         [][]int64 `json:"input_ids"`
			Untruncated []int     `json:"untruncated_length"`
		}](t, filepath.Join(dir, file+".json.gz"))
		tok := mustLoad(t, filepath.Join(dir, folder))
		var e Encoding
		for i, text := range want.Texts {
			tok.Encode(&e, text, 77)
			if !slices.Equal(e.IDs, want.IDs[i]) || len(e.IDs)+e.TokensLost != want.Untruncated[i] {
				t.Errorf("%s: %q:\n got %v and %d lost\nwant %v of %d", folder, text, e.IDs, e.TokensLost, want.IDs[i], want.Untruncated[i])
			}
		}
	}
}

// The tokenizer of the small CLIP of the examples, against tokenizers 0.23.3.
func TestEmojiCLIP(t *testing.T) {
	tok := mustLoad(t, filepath.Join("..", "..", "examples", "mixed", "emoji-clip"))
	for text, want := range map[string][]int64{
		"red apple":                   {1954, 792, 1913, 1955},
		"a picture of animals nature": {1954, 320, 527, 516, 917, 909, 1955},
		"a picture of flags":          {1954, 320, 527, 516, 1074, 1955},
		"a picture of food drink":     {1954, 320, 527, 516, 669, 817, 1955},
		"flag: Japan":                 {1954, 514, 281, 1502, 1955},
		"dog face":                    {1954, 1299, 535, 1955},
		"musical notes, symbols":      {1954, 1103, 693, 1403, 267, 762, 1955},
		"an emoji of a train":         {1954, 517, 539, 516, 320, 1888, 1955},
		"":                            {1954, 1955},
		"I am happy today!":           {1954, 328, 1543, 611, 806, 344, 695, 955, 344, 256, 1955},
	} {
		var e Encoding
		tok.Encode(&e, text, 77)
		if !slices.Equal(e.IDs, want) {
			t.Errorf("%q: %v, want %v", text, e.IDs, want)
		}
	}
}

// GPT-2's words have no marks around them, and may have a blank put before them.
func TestGPT2Folder(t *testing.T) {
	file := `{"model":{"vocab":{"l":0,"o":1,"w":2,"Ġ":3,"lo":4,"low":5,"Ġlow":6,"<|endoftext|>":7},"merges":["l o","lo w","Ġ low"]}}`
	for config, want := range map[string][]int64{
		"": {5, 6, 7}, `{"tokenizer_class":"GPT2Tokenizer","add_prefix_space":true}`: {6, 6, 7},
	} {
		var e Encoding
		mustLoad(t, explode(t, []byte(file), config)).Encode(&e, "low low<|endoftext|>", 0)
		if !slices.Equal(e.IDs, want) {
			t.Errorf("%s: %v, want %v", config, e.IDs, want)
		}
	}
}

func TestAddedTokensFile(t *testing.T) {
	file := `{"model":{"vocab":{"a":0,"b":1,"<|startoftext|>":2,"<|endoftext|>":3,"a</w>":4,"b</w>":5},"merges":[]}}`
	dir := explode(t, []byte(file), "")
	if err := os.WriteFile(filepath.Join(dir, "added_tokens.json"), []byte(`{"<x>":6}`), 0o666); err != nil {
		t.Fatal(err)
	}
	var e Encoding
	mustLoad(t, dir).Encode(&e, "AB<x>b", 0)
	if want := []int64{2, 0, 5, 6, 5, 3}; !slices.Equal(e.IDs, want) {
		t.Errorf("%v, want %v", e.IDs, want)
	}
}

func TestFoldersThatAreNoTokenizer(t *testing.T) {
	write := func(t *testing.T, files map[string]string) string {
		t.Helper()
		dir := t.TempDir()
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	for _, c := range []struct {
		name  string
		files map[string]string
		want  string
	}{
		{"empty", nil, "save_pretrained"},
		{"no merges", map[string]string{"vocab.json": `{"a":0}`}, "merges.txt"},
		{"vocabulary is no JSON", map[string]string{"vocab.json": `{"a":`, "merges.txt": ""}, "vocab.json"},
		{"other class", map[string]string{"vocab.json": `{"a":0}`, "merges.txt": "", "tokenizer_config.json": `{"tokenizer_class":"WhisperTokenizer"}`}, "WhisperTokenizer"},
		{"no marks", map[string]string{"vocab.json": `{"a":0}`, "merges.txt": "", "tokenizer_config.json": `{"tokenizer_class":"CLIPTokenizer"}`}, "<|startoftext|>"},
		{"merge of three", map[string]string{"vocab.json": `{"a":0,"<|endoftext|>":1}`, "merges.txt": "a a a\n"}, "merge 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Load(write(t, c.files)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q in it", err, c.want)
			}
		})
	}
}
