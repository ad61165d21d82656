package encoder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// CLIPFolder is where the parts of a CLIP model lie.
type CLIPFolder struct {
	// Dir is the folder of config.json and of the weights or ONNX files: Dir of
	// a CLIPSpec.
	Dir string
	// Tokenizer is what tokenize.Load takes: a tokenizer.json, or the folder of
	// a vocab.json and a merges.txt.
	Tokenizer string
	// Preprocessor is the preprocessor_config.json, or the processor_config.json
	// whose image_processor says the same. Empty where there is neither.
	Preprocessor string
	// Files are all files that a vector depends on, absolute and sorted.
	Files []string
}

// FindCLIP looks into a folder of a Hugging Face CLIP model, or of
// sentence-transformers, whose versions up to 5 put the model into a folder
// 0_CLIPModel. It reads small files only, and fails where one of them is
// missing or says that the folder is another kind of model.
func FindCLIP(dir string) (*CLIPFolder, error) {
	f, err := findCLIP(dir)
	if err != nil {
		return nil, fmt.Errorf("read the model folder %s: %w", dir, err)
	}
	return f, nil
}

func findCLIP(dir string) (*CLIPFolder, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	f := &CLIPFolder{Dir: dir}
	if path := filepath.Join(dir, "modules.json"); exists(path) {
		f.Files = append(f.Files, path)
		sub, err := clipModule(path)
		if err != nil {
			return nil, err
		}
		f.Dir = filepath.Join(dir, sub)
	}
	var c struct{}
	if err := f.readJSON("config.json", &c); errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("there is no config.json: it is no folder of a CLIP model")
	} else if err != nil {
		return nil, err
	}
	if err := f.findTokenizer(); err != nil {
		return nil, err
	}
	if err := f.findPreprocessor(); err != nil {
		return nil, err
	}
	for _, pattern := range []string{"*.safetensors", "*.safetensors.index.json"} {
		names, err := fs.Glob(os.DirFS(f.Dir), pattern)
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			f.Files = append(f.Files, filepath.Join(f.Dir, name))
		}
	}
	given := findGiven(f.Dir)
	for _, path := range []string{given.text, given.vision} {
		if path == "" {
			continue
		}
		names, err := fs.Glob(os.DirFS(filepath.Dir(path)), strings.TrimSuffix(filepath.Base(path), ".onnx")+".onnx?data")
		if err != nil {
			return nil, err
		}
		f.Files = append(f.Files, path)
		for _, name := range names {
			f.Files = append(f.Files, filepath.Join(filepath.Dir(path), name))
		}
	}
	slices.Sort(f.Files)
	f.Files = slices.Compact(f.Files)
	return f, nil
}

// clipModule reads which folder a modules.json has the model in.
func clipModule(path string) (string, error) {
	type module struct {
		Idx  int    `json:"idx"`
		Path string `json:"path"`
		Type string `json:"type"` // of Python
	}
	var modules []module
	raw, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(raw, &modules)
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	slices.SortStableFunc(modules, func(a, b module) int { return a.Idx - b.Idx })
	for i, m := range modules {
		name := m.Type[strings.LastIndexByte(m.Type, '.')+1:]
		switch {
		case !strings.HasPrefix(m.Type, "sentence_transformers."):
			return "", fmt.Errorf("module %d is a %s, whose code is its author's own: use the Python plugin for this model", i, m.Type)
		case i == 0 && (name == "CLIPModel" || name == "Transformer"):
		case i > 0 && name == "Normalize": // vectors are made of unit length anyway
		case i == 0 || name == "Pooling":
			return "", fmt.Errorf("module %d is a %s: this is a model of texts alone; use the sbert embedder for it", i, m.Type)
		default:
			return "", fmt.Errorf("module %d is a %s: behind a CLIP model, Normalize alone is supported: use the Python plugin for this model", i, m.Type)
		}
	}
	if len(modules) == 0 {
		return "", fmt.Errorf("read %s: it names no module", path)
	}
	if !filepath.IsLocal(filepath.Join(".", modules[0].Path)) {
		return "", fmt.Errorf("read %s: the module %q leads out of the folder", path, modules[0].Path)
	}
	return modules[0].Path, nil
}

// findTokenizer prefers tokenizer.json, as the transformers library does.
func (f *CLIPFolder) findTokenizer() error {
	if path := filepath.Join(f.Dir, "tokenizer.json"); exists(path) {
		f.Tokenizer = path
		f.Files = append(f.Files, path)
		f.note("tokenizer_config.json", "special_tokens_map.json")
		return nil
	}
	for _, name := range []string{"vocab.json", "merges.txt"} {
		path := filepath.Join(f.Dir, name)
		if !exists(path) {
			return fmt.Errorf("%s has neither a tokenizer.json nor both vocab.json and merges.txt: write the first with Python's transformers (AutoTokenizer.from_pretrained(FOLDER).save_pretrained(FOLDER))", f.Dir)
		}
		f.Files = append(f.Files, path)
	}
	f.Tokenizer = f.Dir
	f.note("tokenizer_config.json", "special_tokens_map.json", "added_tokens.json")
	return nil
}

// note adds files of Dir that are there.
func (f *CLIPFolder) note(names ...string) {
	for _, name := range names {
		if path := filepath.Join(f.Dir, name); exists(path) {
			f.Files = append(f.Files, path)
		}
	}
}

// padTokenID is the id of the token that a folder's tokenizer pads texts with.
func padTokenID(dir string) (int64, bool) {
	f := &CLIPFolder{Dir: dir}
	var token string
	for _, name := range []string{"tokenizer_config.json", "special_tokens_map.json"} {
		var c struct {
			Pad json.RawMessage `json:"pad_token"`
		}
		var whole struct{ Content string }
		if f.readJSON(name, &c) != nil || token != "" {
			continue
		}
		if json.Unmarshal(c.Pad, &token) != nil && json.Unmarshal(c.Pad, &whole) == nil {
			token = whole.Content
		}
	}
	var t struct {
		Added []struct {
			ID      int64
			Content string
		} `json:"added_tokens"`
	}
	if token == "" || f.readJSON("tokenizer.json", &t) != nil {
		return 0, false
	}
	for _, a := range t.Added {
		if a.Content == token {
			return a.ID, true
		}
	}
	return 0, false
}

func (f *CLIPFolder) findPreprocessor() error {
	var c struct {
		ImageProcessor json.RawMessage `json:"image_processor"`
	}
	for _, name := range []string{"preprocessor_config.json", "processor_config.json"} {
		path := filepath.Join(f.Dir, name)
		switch err := f.readJSON(name, &c); {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case name == "preprocessor_config.json" || len(c.ImageProcessor) > 0:
			f.Preprocessor = path
			return nil
		}
	}
	return nil
}

// readJSON reads a file of Dir and notes it.
func (f *CLIPFolder) readJSON(name string, into any) error {
	path := filepath.Join(f.Dir, name)
	raw, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", path, err)
	}
	f.Files = append(f.Files, path)
	return nil
}

// givenTowers are the ONNX files that a folder brings. A file of both towers
// stands in both places.
type givenTowers struct{ text, vision string }

// findGiven looks for ONNX files by the names that exporters give them. Both
// towers are there, or none.
func findGiven(dir string) givenTowers {
	file := func(name string) string {
		for _, path := range []string{filepath.Join(dir, "onnx", name), filepath.Join(dir, name)} {
			if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
				return path
			}
		}
		return ""
	}
	t := givenTowers{file("text_model.onnx"), file("vision_model.onnx")}
	if t.text == "" || t.vision == "" {
		both := file("model.onnx")
		t = givenTowers{both, both}
	}
	return t
}

func (t givenTowers) none() bool { return t.text == "" }
