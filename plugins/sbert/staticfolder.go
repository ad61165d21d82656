package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"github.com/bertopic-go/bertopic/internal/safetensors"
	"github.com/bertopic-go/bertopic/internal/tokenize"
)

// modelToVec is what sets model2vec apart from sentence-transformers where both
// read the same folder.
type modelToVec struct {
	chars   int   // of a text that are read; 0: all
	unknown int64 // the token that is left out; -1: there is none
}

// readStaticFolder reads a folder of model2vec, or one of nothing but a table
// and a tokenizer, as wordllama's is. It is nil where dir is neither.
func readStaticFolder(dir string) (*folder, error) {
	table := tableFile(dir)
	if table == "" || !isFile(filepath.Join(dir, "tokenizer.json")) {
		return nil, nil
	}
	file, err := safetensors.Open(table)
	if err != nil && onlyTable(dir) {
		return nil, err
	}
	if err != nil {
		return nil, nil // the reader of what the folder is else will tell
	}
	defer file.Close()
	f := &folder{dir: dir, encoder: dir, static: true, tableFile: table}
	if _, ok := file.Lookup("embeddings"); ok {
		return f, f.readModelToVec()
	}
	if _, ok := file.Lookup("embedding.weight"); !ok || len(file.Names()) > 1 {
		return nil, nil
	}
	for _, other := range []string{"modules.json", "config.json"} {
		if isFile(filepath.Join(dir, other)) {
			return nil, nil
		}
	}
	return f, nil
}

// onlyTable tells whether dir, which holds weights and a tokenizer, can be
// nothing else.
func onlyTable(dir string) bool {
	var c struct {
		ModelType string `json:"model_type"`
	}
	_, err := (&folder{}).readJSON(filepath.Join(dir, "config.json"), &c)
	return err == nil && (c.ModelType == "" || c.ModelType == "model2vec") && !isFile(filepath.Join(dir, "modules.json"))
}

// tableFile is the only file of safetensors in dir, or "".
func tableFile(dir string) string {
	paths, err := filepath.Glob(filepath.Join(escapeGlob(dir), "*.safetensors"))
	if err != nil || len(paths) != 1 {
		return ""
	}
	return paths[0]
}

// modelToVecTokens is how many tokens model2vec reads where the config says
// nothing; null there is any number.
const modelToVecTokens = 512

func (f *folder) readModelToVec() error {
	c := struct {
		Normalize bool            `json:"normalize"`
		MaxLength json.RawMessage `json:"max_length"`
	}{}
	path := filepath.Join(f.dir, "config.json")
	if err := f.mustReadJSON(path, &c); err != nil {
		return err
	}
	if c.Normalize {
		f.head = []layer{{kind: "Normalize", dir: f.dir}}
	}
	f.maxTokens = modelToVecTokens
	if string(c.MaxLength) == "null" {
		f.maxTokens = 0
	} else if c.MaxLength != nil {
		if err := json.Unmarshal(c.MaxLength, &f.maxTokens); err != nil || f.maxTokens < 0 {
			return fmt.Errorf("read %s: max_length is %s, not a number of tokens", path, c.MaxLength)
		}
	}
	f.modelToVec = &modelToVec{unknown: -1}
	return nil
}

// settleStatic takes from the tokenizer what a table's reader needs. limit is
// the option max_seq_length.
func (f *folder) settleStatic(t *tokenize.Tokenizer, limit int) {
	if f.modelToVec == nil {
		if tr := t.Truncation(); tr != nil && f.tableFile == "" { // sentence-transformers leaves it on
			f.maxTokens = tr.MaxLength
		}
		return
	}
	if id, ok := t.Unknown(); ok {
		f.modelToVec.unknown = id
	}
	if limit == 0 {
		limit = f.maxTokens
	}
	f.modelToVec.chars = limit * medianLength(t)
}

// medianLength is the median of the tokens' lengths in characters, rounded
// down.
func medianLength(t *tokenize.Tokenizer) int {
	var lengths []int
	for token := range t.Vocabulary() {
		lengths = append(lengths, utf8.RuneCountInString(token))
	}
	if len(lengths) == 0 {
		return 1
	}
	slices.Sort(lengths)
	n := len(lengths)
	return max(1, (lengths[(n-1)/2]+lengths[n/2])/2)
}

// split cuts a text behind the characters that are read.
func (m *modelToVec) split(text string) (read, rest string) {
	if m.chars == 0 || len(text) <= m.chars {
		return text, ""
	}
	n := 0
	for i := range text {
		if n == m.chars {
			return text[:i], text[i:]
		}
		n++
	}
	return text, ""
}

// drop removes the unknown tokens.
func (m *modelToVec) drop(e *tokenize.Encoding) {
	k := 0
	for i, id := range e.IDs {
		if id != m.unknown {
			e.IDs[k], e.TypeIDs[k], e.Special[k] = id, e.TypeIDs[i], e.Special[i]
			k++
		}
	}
	e.IDs, e.TypeIDs, e.Special = e.IDs[:k], e.TypeIDs[:k], e.Special[:k]
}
