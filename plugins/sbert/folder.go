package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// folder is what the small files of a model folder say. Weights are not read.
type folder struct {
	dir     string // of the model
	encoder string // folder of the transformer or of the token table, mostly dir itself

	static     bool        // a table of token vectors, no transformer
	tableFile  string      // where the table is, if not where sentence-transformers keeps it
	modelToVec *modelToVec // the table is read by model2vec's rules; nil: it isn't

	pooling []string // modes, in the order in which they are joined; nil for static
	head    []layer  // what follows pooling
	plain   bool     // no modules.json: a bare encoder

	maxTokens     int  // of a sequence with its special tokens; 0: the files don't limit it
	lowerCase     bool // texts are lower-cased before they are tokenised
	excludePrompt bool // pooling leaves out the tokens of the prompt

	prompts       map[string]string
	defaultPrompt string // a name in prompts, or ""

	read []string // files that were read, absolute
}

// layer is a module behind pooling.
type layer struct {
	kind string // "Dense", "LayerNorm", "Normalize", or "pooler": the encoder's own dense layer
	dir  string // where its config and weights are
}

// module is an entry of modules.json.
type module struct {
	Idx  int    `json:"idx"`
	Path string `json:"path"`
	Type string `json:"type"` // of Python
}

// poolingModes are those of sentence-transformers.
var poolingModes = []string{"cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"}

// legacyPooling are the keys of Pooling's config up to version 5, in the order
// in which the modes are joined.
var legacyPooling = []struct{ key, mode string }{
	{"pooling_mode_cls_token", "cls"},
	{"pooling_mode_max_tokens", "max"},
	{"pooling_mode_mean_tokens", "mean"},
	{"pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens"},
	{"pooling_mode_weightedmean_tokens", "weightedmean"},
	{"pooling_mode_lasttoken", "lasttoken"},
}

// encoderConfigs are the names that the config of a Transformer module has had.
var encoderConfigs = []string{
	"sentence_bert_config.json", "sentence_roberta_config.json", "sentence_distilbert_config.json",
	"sentence_camembert_config.json", "sentence_albert_config.json", "sentence_xlm-roberta_config.json", "sentence_xlnet_config.json",
}

// readFolder reads the small files of a sentence-transformers folder, in the
// layout of any version, or of a plain Hugging Face encoder, whose tokens are
// averaged then, as sentence-transformers does with one.
func readFolder(dir string) (*folder, error) {
	f := &folder{dir: dir, encoder: dir}
	var modules []module
	found, err := f.readJSON(filepath.Join(dir, "modules.json"), &modules)
	if err != nil {
		return nil, err
	}
	if !found {
		f.plain, f.pooling = true, []string{"mean"}
		if !isFile(filepath.Join(dir, "config.json")) {
			return nil, fmt.Errorf("read the model folder %s: there is neither a modules.json nor a config.json: it is no folder of sentence-transformers or of a Hugging Face encoder", dir)
		}
		if err := f.readEncoder(); err != nil {
			return nil, err
		}
		return f, nil
	}
	slices.SortStableFunc(modules, func(a, b module) int { return a.Idx - b.Idx })
	for i, m := range modules {
		if !filepath.IsLocal(filepath.Join(".", m.Path)) {
			return nil, fmt.Errorf("read %s: the module %q leads out of the folder", filepath.Join(dir, "modules.json"), m.Path)
		}
		if err := f.readModule(i, m.Type, filepath.Join(dir, m.Path)); err != nil {
			return nil, err
		}
	}
	switch {
	case len(modules) == 0:
		return nil, fmt.Errorf("read %s: it names no module", filepath.Join(dir, "modules.json"))
	case !f.static && f.pooling == nil:
		return nil, fmt.Errorf("read %s: no Pooling follows the Transformer, so that a text has no vector of its own", filepath.Join(dir, "modules.json"))
	}
	if err := f.readPrompts(); err != nil {
		return nil, err
	}
	return f, nil
}

// readModule adds the module number i. typ is the name of its Python class.
func (f *folder) readModule(i int, typ, dir string) error {
	name := typ[strings.LastIndexByte(typ, '.')+1:]
	refuse := func(why string) error {
		return fmt.Errorf("read %s: module %d is a %s: %s", filepath.Join(f.dir, "modules.json"), i, typ, why)
	}
	if !strings.HasPrefix(typ, "sentence_transformers.") {
		return refuse("its code is its author's own and comes with the model: use the Python plugin for this model")
	}
	first := name == "Transformer" || name == "StaticEmbedding"
	switch {
	case name == "CLIPModel":
		return refuse("use the clip embedder for it")
	case i == 0 && !first:
		return refuse("the first module must be a Transformer or a StaticEmbedding")
	case i > 0 && first:
		return refuse("there is one before it already")
	case f.static && i > 0 && name != "Normalize" && name != "Dropout":
		return refuse("behind a StaticEmbedding, Normalize alone is supported: use the Python plugin for this model")
	case name == "Pooling" && (f.static || f.pooling != nil || len(f.head) > 0):
		return refuse("it must follow the Transformer")
	case i > 0 && name != "Pooling" && name != "Dropout" && f.pooling == nil && !f.static:
		return refuse("it works on the tokens before they are pooled, which is not supported: use the Python plugin for this model")
	}
	switch name {
	case "Transformer":
		f.encoder = dir
		return f.readEncoder()
	case "StaticEmbedding":
		f.encoder, f.static = dir, true
	case "Pooling":
		return f.readPooling(dir)
	case "Dense":
		return f.readDense(dir)
	case "LayerNorm", "Normalize":
		f.head = append(f.head, layer{kind: name, dir: dir})
	case "Dropout": // of training only
	default:
		return refuse("supported are Transformer, StaticEmbedding, Pooling, Dense, LayerNorm and Normalize: use the Python plugin for this model")
	}
	return nil
}

// readEncoder reads what a Transformer module says of its texts. A limit in the
// module's own config, where versions up to 5 keep it, goes before that of the
// tokenizer.
func (f *folder) readEncoder() error {
	var c struct {
		MaxSeqLength *float64 `json:"max_seq_length"`
		LowerCase    bool     `json:"do_lower_case"`
		Task         string   `json:"transformer_task"`
		Modality     map[string]struct {
			Method string `json:"method"`
			Output string `json:"method_output_name"`
		} `json:"modality_config"`
		Output string `json:"module_output_name"`
	}
	var path string
	for _, name := range encoderConfigs {
		path = filepath.Join(f.encoder, name)
		found, err := f.readJSON(path, &c)
		if err != nil {
			return err
		}
		if found {
			break
		}
	}
	text := c.Modality["text"]
	for _, v := range []struct{ key, got, want string }{
		{"transformer_task", c.Task, "feature-extraction"},
		{"module_output_name", c.Output, "token_embeddings"},
		{"modality_config.text.method", text.Method, "forward"},
		{"modality_config.text.method_output_name", text.Output, "last_hidden_state"},
	} {
		if v.got != "" && v.got != v.want {
			return fmt.Errorf("read %s: %s is %q: supported is %q alone: use the Python plugin for this model", path, v.key, v.got, v.want)
		}
	}
	f.lowerCase = c.LowerCase
	if c.MaxSeqLength != nil {
		f.maxTokens = tokenLimit(*c.MaxSeqLength)
		return nil
	}
	return f.readTokenizerLimit()
}

// readTokenizerLimit takes the limit of the tokenizer.
func (f *folder) readTokenizerLimit() error {
	var t struct {
		ModelMaxLength float64 `json:"model_max_length"`
	}
	if _, err := f.readJSON(filepath.Join(f.encoder, "tokenizer_config.json"), &t); err != nil {
		return err
	}
	f.maxTokens = tokenLimit(t.ModelMaxLength)
	return nil
}

// tokenLimit reads a maximal length. Tokenizers without one say 10^30.
func tokenLimit(v float64) int {
	if !(v >= 1) || v > math.MaxInt32 {
		return 0
	}
	return int(v)
}

func (f *folder) readPooling(dir string) error {
	path := filepath.Join(dir, "config.json")
	raw := map[string]json.RawMessage{}
	if err := f.mustReadJSON(path, &raw); err != nil {
		return err
	}
	var modes []string
	if v, ok := raw["pooling_mode"]; ok {
		var one string
		if json.Unmarshal(v, &one) == nil {
			modes = []string{one}
		} else if err := json.Unmarshal(v, &modes); err != nil {
			return fmt.Errorf("read %s: pooling_mode is neither a string nor a list of strings", path)
		}
	} else {
		for _, l := range legacyPooling {
			var on bool
			if v, ok := raw[l.key]; ok {
				if err := json.Unmarshal(v, &on); err != nil {
					return fmt.Errorf("read %s: %s: %w", path, l.key, err)
				}
			}
			if on {
				modes = append(modes, l.mode)
			}
		}
		if modes == nil {
			modes = []string{"mean"}
		}
	}
	for _, m := range modes {
		if !slices.Contains(poolingModes, m) {
			return fmt.Errorf("read %s: the pooling mode %q is none of %s", path, m, strings.Join(poolingModes, ", "))
		}
	}
	if len(modes) == 0 {
		return fmt.Errorf("read %s: pooling_mode is empty", path)
	}
	f.pooling = modes
	if v, ok := raw["include_prompt"]; ok {
		include := true
		if err := json.Unmarshal(v, &include); err != nil {
			return fmt.Errorf("read %s: include_prompt: %w", path, err)
		}
		f.excludePrompt = !include
	}
	return nil
}

// readDense adds a dense layer. encoder.ReadDense reads the rest of its config.
func (f *folder) readDense(dir string) error {
	path := filepath.Join(dir, "config.json")
	var c struct {
		Input  string `json:"module_input_name"`
		Output string `json:"module_output_name"`
	}
	if err := f.mustReadJSON(path, &c); err != nil {
		return err
	}
	for _, name := range []string{c.Input, c.Output} {
		if name != "" && name != "sentence_embedding" {
			return fmt.Errorf("read %s: the layer works on %q: supported is the sentence_embedding alone: use the Python plugin for this model", path, name)
		}
	}
	f.head = append(f.head, layer{kind: "Dense", dir: dir})
	return nil
}

func (f *folder) readPrompts() error {
	var c struct {
		Prompts map[string]string `json:"prompts"`
		Default *string           `json:"default_prompt_name"`
	}
	path := filepath.Join(f.dir, "config_sentence_transformers.json")
	if _, err := f.readJSON(path, &c); err != nil {
		return err
	}
	f.prompts = c.Prompts
	if c.Default != nil && *c.Default != "" {
		if _, ok := c.Prompts[*c.Default]; !ok {
			return fmt.Errorf("read %s: default_prompt_name is %q, which is none of the prompts", path, *c.Default)
		}
		f.defaultPrompt = *c.Default
	}
	return nil
}

// unitLength reports whether the head ends in unit vectors.
func (f *folder) unitLength() bool {
	return len(f.head) > 0 && f.head[len(f.head)-1].kind == "Normalize"
}

func (f *folder) mustReadJSON(path string, into any) error {
	found, err := f.readJSON(path, into)
	if err == nil && !found {
		err = fmt.Errorf("read %s: there is no such file: the model folder is not complete", path)
	}
	return err
}

// readJSON reads a file that need not be there.
func (f *folder) readJSON(path string, into any) (found bool, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return false, fmt.Errorf("read %s: %w", path, err)
	}
	f.read = append(f.read, path)
	return true, nil
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
