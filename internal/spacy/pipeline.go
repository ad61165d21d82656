package spacy

import (
	"bytes"
	"context"
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

// Pipeline is what a pipeline's folder says of words. It may be used by several
// goroutines at once.
type Pipeline struct {
	// Remarks are for the user: what is done otherwise than by spaCy.
	Remarks []string
	// Dir is the pipeline's folder, and Files those in it that decide a vector.
	Dir   string
	Files []string

	table *table
	rules *rules
}

// Folder returns the folder of the pipeline in dir: dir itself, or, where dir
// is an installed package of a pipeline (en_core_web_md), the folder in it
// (en_core_web_md-3.8.0).
func Folder(dir string) string {
	if isFile(filepath.Join(dir, "config.cfg")) || isFile(filepath.Join(dir, "tokenizer")) {
		return dir
	}
	var m meta
	if readJSON(filepath.Join(dir, "meta.json"), &m) == nil {
		inner := filepath.Join(dir, m.Lang+"_"+m.Name+"-"+m.Version)
		if isFile(filepath.Join(inner, "tokenizer")) || isFile(filepath.Join(inner, "config.cfg")) {
			return inner
		}
	}
	return dir
}

// meta is the part of meta.json that counts.
type meta struct {
	Lang     string   `json:"lang"`
	Name     string   `json:"name"`
	Version  string   `json:"version"`
	Pipeline []string `json:"pipeline"`
}

// TransformerError is a pipeline whose vectors come from a transformer.
type TransformerError struct {
	Dir   string
	Model string // the transformer, as the config names it, or ""
}

func (e *TransformerError) Error() string {
	model := e.Model
	if model == "" {
		model = "the folder of its transformer"
	}
	return fmt.Sprintf("read the pipeline %s: its vectors come from a transformer, which this program doesn't run: use plugin = \"sbert\" with preset = \"spacy-trf\" and, as model, the folder of that transformer in Hugging Face's form (%s)", e.Dir, model)
}

// Open reads the folder of a pipeline, or of a package of one.
func Open(ctx context.Context, dir string) (*Pipeline, error) {
	dir = Folder(dir)
	p := &Pipeline{}
	c, err := p.readConfig(dir)
	if err != nil {
		return nil, err
	}
	if err := p.checkParts(dir, c); err != nil {
		return nil, err
	}
	if err := p.readRules(dir); err != nil {
		return nil, err
	}
	p.table, err = openTable(ctx, filepath.Join(dir, "vocab"))
	if errors.Is(err, errNoVectors) {
		return nil, fmt.Errorf("read the pipeline %s: it has no word vectors: use one that has (its name ends in _md or _lg, as en_core_web_md)", dir)
	}
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"config.cfg", "meta.json", "tokenizer", "vocab/vectors", "vocab/key2row", "vocab/vectors.cfg"} {
		if path := filepath.Join(dir, filepath.FromSlash(name)); isFile(path) {
			p.Files = append(p.Files, path)
		}
	}
	p.Dir = dir
	return p, nil
}

// readConfig reads config.cfg, which pipelines before spaCy 3 don't have.
func (p *Pipeline) readConfig(dir string) (config, error) {
	path := filepath.Join(dir, "config.cfg")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		if !isFile(filepath.Join(dir, "meta.json")) || !isFile(filepath.Join(dir, "tokenizer")) {
			return nil, fmt.Errorf("read the pipeline %s: there is no config.cfg: it is no folder that spaCy's nlp.to_disk has written", dir)
		}
		return config{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	c, err := parseConfig(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return c, nil
}

// Components that join or cut tokens after the tokenizer.
var retokenizers = []string{"merge_noun_chunks", "merge_entities", "merge_subtokens", "token_splitter"}

// checkParts refuses a pipeline that makes tokens or vectors otherwise, and
// remarks on components that change the tokens.
func (p *Pipeline) checkParts(dir string, c config) error {
	for _, section := range slices.Sorted(maps.Keys(c)) {
		name, ok := strings.CutPrefix(section, "components.")
		if !ok || strings.Contains(name, ".") {
			continue
		}
		factory := c.text(section, "factory")
		if factory == "transformer" || strings.HasSuffix(factory, "_transformer") {
			model := c.text(section+".model", "name")
			if model == "" {
				model = c.text("initialize.components."+name+".encoder_loader", "name")
			}
			return &TransformerError{dir, model}
		}
	}
	for _, part := range []struct{ section, key, want, what string }{
		{"nlp.tokenizer", "@tokenizers", "spacy.Tokenizer.v1", "cuts texts by"},
		{"nlp.vectors", "@vectors", "spacy.Vectors.v1", "has its vectors from"},
	} {
		if got := c.text(part.section, part.key); got != "" && got != part.want {
			return fmt.Errorf("read the pipeline %s: it %s %s, where %s alone is supported: use the Python plugin for this model", dir, part.what, got, part.want)
		}
	}
	for _, name := range c.list("nlp", "pipeline") {
		if factory := c.text("components."+name, "factory"); slices.Contains(retokenizers, factory) {
			p.Remarks = append(p.Remarks, fmt.Sprintf("the pipeline's component %s changes the tokens, which isn't done here", name))
		}
	}
	return nil
}

func (p *Pipeline) readRules(dir string) error {
	path := filepath.Join(dir, "tokenizer")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read %s: there is no such file: the folder of the pipeline is not complete", path)
	}
	var left []string
	if err == nil {
		p.rules, left, err = parseRules(data)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	for _, l := range left {
		p.Remarks = append(p.Remarks, "a rule of the tokenizer can't be read and is left out, so that some words are cut otherwise than by spaCy: "+l)
	}
	return nil
}

// Width is the number of values of a vector.
func (p *Pipeline) Width() int { return p.table.width }

// NewTokenizer returns a tokenizer for one goroutine.
func (p *Pipeline) NewTokenizer() *Tokenizer { return newTokenizer(p.rules) }

// Vector returns the vector of a token, nil where the pipeline has none. The
// caller must not change it; it may lie in buf, which has the pipeline's width.
func (p *Pipeline) Vector(buf []float32, token string) []float32 {
	return p.table.vector(buf, token)
}

// Floret tells whether vectors are made of parts of words, so that every word
// has one and making it takes time.
func (p *Pipeline) Floret() bool { return p.table.floret != nil }

// Close puts the vectors away. None may be used any more.
func (p *Pipeline) Close() error { return p.table.close() }

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func readJSON(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, into)
}
