package tokenize

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// bpeFolder is a folder of before tokenizer.json: a vocabulary, the merges, and
// what kind of byte-pair tokenizer they are for.
type bpeFolder struct {
	vocab       map[string]int64
	merges      []string
	class       string // of the transformers library, without Fast
	prefixSpace bool
	added       map[string]int64 // of added_tokens.json
}

// object is a part of a tokenizer.json.
type object map[string]any

// loadFolder reads tokenizer.json, or vocab.json and merges.txt.
func loadFolder(dir string) (*Tokenizer, error) {
	path := filepath.Join(dir, "tokenizer.json")
	if _, err := os.Stat(path); err == nil {
		return Load(path)
	}
	f, err := readBPEFolder(dir)
	if err != nil {
		return nil, fmt.Errorf("read tokenizer %s: %w", dir, err)
	}
	file, err := f.file()
	if err != nil {
		return nil, fmt.Errorf("read tokenizer %s: %w", dir, err)
	}
	raw, err := json.Marshal(file)
	if err != nil {
		return nil, fmt.Errorf("read tokenizer %s: %w", dir, err)
	}
	t, err := New(raw)
	if err != nil {
		return nil, fmt.Errorf("read tokenizer %s: %w", dir, err)
	}
	return t, nil
}

func readBPEFolder(dir string) (*bpeFolder, error) {
	f := &bpeFolder{}
	var c struct {
		Class       string `json:"tokenizer_class"`
		PrefixSpace bool   `json:"add_prefix_space"`
	}
	for _, file := range []struct {
		name string
		into any
	}{{"vocab.json", &f.vocab}, {"tokenizer_config.json", &c}, {"added_tokens.json", &f.added}} {
		raw, err := os.ReadFile(filepath.Join(dir, file.name))
		if errors.Is(err, fs.ErrNotExist) && file.name != "vocab.json" {
			continue
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil, errors.New("there is neither a tokenizer.json nor a vocab.json with a merges.txt: write the first with Python's transformers (AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER))")
		}
		if err == nil {
			err = json.Unmarshal(raw, file.into)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file.name, err)
		}
	}
	merges, err := os.ReadFile(filepath.Join(dir, "merges.txt"))
	if err != nil {
		return nil, err
	}
	f.merges = mergeLines(string(merges))
	f.prefixSpace = c.PrefixSpace
	if f.class = strings.TrimSuffix(c.Class, "Fast"); f.class == "" {
		f.class = f.guess()
	}
	return f, nil
}

// mergeLines are the lines of a merges.txt, of which the first names the version.
func mergeLines(text string) []string {
	var out []string
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSuffix(line, "\r")
		if line != "" && !(i == 0 && strings.Contains(line, "#version")) {
			out = append(out, line)
		}
	}
	return out
}

// guess tells the class by tokens that only its vocabularies have.
func (f *bpeFolder) guess() string {
	_, start := f.vocab["<|startoftext|>"]
	_, cls := f.vocab["<s>"]
	switch {
	case start:
		return "CLIPTokenizer"
	case cls:
		return "RobertaTokenizer"
	}
	return "GPT2Tokenizer"
}

// file is the tokenizer.json that the transformers library makes of the folder.
func (f *bpeFolder) file() (object, error) {
	byteLevel := object{"type": "ByteLevel", "add_prefix_space": f.prefixSpace, "trim_offsets": true, "use_regex": true}
	out := object{"pre_tokenizer": byteLevel}
	model := object{"type": "BPE", "vocab": f.vocab, "continuing_subword_prefix": "", "end_of_word_suffix": ""}
	out["model"] = model
	var special []string
	switch f.class {
	case "CLIPTokenizer":
		byteLevel["add_prefix_space"] = false
		special = []string{"<|startoftext|>", "<|endoftext|>"}
		model["unk_token"], model["end_of_word_suffix"] = "<|endoftext|>", "</w>"
		f.merges = f.merges[:min(len(f.merges), clipMerges)]
		out["normalizer"] = object{"type": "Sequence", "normalizers": []object{
			{"type": "NFC"}, {"type": "Replace", "pattern": object{"Regex": `\s+`}, "content": " "}, {"type": "Lowercase"},
		}}
		out["pre_tokenizer"] = object{"type": "Sequence", "pretokenizers": []object{
			{"type": "Split", "pattern": object{"Regex": `'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`}, "behavior": "Removed", "invert": true},
			byteLevel,
		}}
	case "RobertaTokenizer":
		special = []string{"<s>", "</s>"}
	case "GPT2Tokenizer":
		model["unk_token"] = "<|endoftext|>"
	default:
		return nil, fmt.Errorf("vocab.json and merges.txt of a %s are not read (those of CLIPTokenizer, GPT2Tokenizer, RobertaTokenizer are): write a tokenizer.json with Python's transformers (AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER))", f.class)
	}
	model["merges"] = f.merges
	if special != nil {
		var ends [2]any
		for i, name := range special {
			id, ok := f.vocab[name]
			if !ok {
				return nil, fmt.Errorf("vocab.json has no %q, which a %s needs", name, f.class)
			}
			ends[i] = [2]any{name, id}
		}
		out["post_processor"] = object{"type": "RobertaProcessing", "cls": ends[0], "sep": ends[1], "trim_offsets": true, "add_prefix_space": f.prefixSpace}
	}
	out["added_tokens"] = f.addedTokens()
	return out, nil
}

// clipMerges is how many lines of its merges CLIP's tokenizer reads.
const clipMerges = 49152 - 256 - 2

// addedTokens are the special tokens of the vocabulary that a class knows, and
// those of added_tokens.json.
func (f *bpeFolder) addedTokens() []object {
	var out []object
	for _, name := range []string{"<|startoftext|>", "<|endoftext|>", "<s>", "<pad>", "</s>", "<unk>", "<mask>"} {
		id, ok := f.vocab[name]
		ours := strings.HasPrefix(name, "<|") != (f.class == "RobertaTokenizer")
		if ok && ours {
			out = append(out, object{"id": id, "content": name, "special": true})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(f.added)) {
		out = append(out, object{"id": f.added[name], "content": name})
	}
	return out
}
