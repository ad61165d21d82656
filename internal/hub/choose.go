package hub

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
)

// settings are the files beside the weights that a model, or a module of one,
// is read from.
var settings = []string{
	"config.json", "modules.json", "config_sentence_transformers.json", "tokenizer.json", "tokenizer_config.json",
	"special_tokens_map.json", "added_tokens.json", "preprocessor_config.json", "processor_config.json",
}

// vocabularies are what a tokenizer is made from where there is no
// tokenizer.json.
var vocabularies = []string{
	"vocab.txt", "vocab.json", "merges.txt", "sentencepiece.bpe.model", "spiece.model", "tokenizer.model", "spm.model",
	"whitespacetokenizer_config.json", "wordembedding_config.json",
}

var (
	sentenceConfig = regexp.MustCompile(`^sentence_[a-z0-9_-]+_config\.json$`)
	licence        = regexp.MustCompile(`^(?i)(licen[cs]e|notice)(\.(txt|md))?$`)
	shard          = regexp.MustCompile(`^model-\d+-of-\d+\.safetensors$`)
)

// modulePaths reads the folders of the modules of a sentence transformer, the
// root ("") always among them.
func modulePaths(modulesJSON []byte) ([]string, error) {
	var modules []struct {
		Path string `json:"path"`
	}
	if err := json.Unmarshal(modulesJSON, &modules); err != nil {
		return nil, &Error{Kind: KindContent, Msg: "modules.json of the model is not understood", Err: err}
	}
	out := []string{""}
	for _, m := range modules {
		p := strings.TrimSuffix(m.Path, "/")
		if p != "" && !localPath(p) {
			return nil, &Error{Kind: KindContent, Msg: fmt.Sprintf("modules.json of the model names the folder %q, which is outside it", m.Path)}
		}
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out, nil
}

// choose picks the files that running a model takes: the settings and weights
// of the root and of each module's folder, in safetensors if there are any, else in ONNX.
// Weights in Python's pickle format are never taken: they are programs. With
// onnx the ONNX graph is taken besides; patterns (path.Match, or "folder/")
// add files of the user's choice.
func choose(files []remoteFile, modules []string, onnx bool, patterns []string) (chosen []remoteFile, notes []string, err error) {
	has := map[string]remoteFile{}
	for _, f := range files {
		has[f.Path] = f
	}
	picked := map[string]bool{}
	pick := func(p string) bool {
		if f, ok := has[p]; ok && !picked[p] {
			picked[p] = true
			chosen = append(chosen, f)
		}
		return picked[p]
	}
	weights := false
	for _, dir := range modules {
		pickled := ""
		for _, f := range files { // in the hub's order, so that a message is the same each time
			base := path.Base(f.Path)
			if parent := path.Dir(f.Path); parent != dir && (parent != "." || dir != "") {
				continue
			}
			if slices.Contains(settings, base) || sentenceConfig.MatchString(base) || dir == "" && licence.MatchString(base) {
				pick(f.Path)
			}
			if base == "pytorch_model.bin" || base == "pytorch_model.bin.index.json" {
				pickled = f.Path
			}
		}
		if _, ok := has[path.Join(dir, "tokenizer.json")]; !ok {
			for _, v := range vocabularies {
				pick(path.Join(dir, v))
			}
		}
		switch {
		case pick(path.Join(dir, "model.safetensors")):
			weights = true
		case pick(path.Join(dir, "model.safetensors.index.json")):
			weights = true
			for _, f := range files {
				if path.Join(dir, path.Base(f.Path)) == f.Path && shard.MatchString(path.Base(f.Path)) {
					pick(f.Path)
				}
			}
		case pickONNX(files, dir, pick):
			weights = true
			notes = append(notes, "it has no safetensors: its ONNX graph is taken")
		case pickled != "":
			return nil, nil, &Error{Kind: KindMissing, Msg: fmt.Sprintf("its weights are in Python's pickle format only (%s), which is not read: "+
				"see whether another revision has model.safetensors (--revision refs/pr/N), or save the model again by a new sentence-transformers or transformers in Python", pickled)}
		}
	}
	if onnx && !pickONNX(files, "", pick) {
		return nil, nil, &Error{Kind: KindMissing, Msg: "it has no ONNX graph (model.onnx or onnx/model.onnx)"}
	}
	for _, pattern := range patterns {
		n := 0
		for _, f := range files {
			ok := strings.HasSuffix(pattern, "/") && strings.HasPrefix(f.Path, pattern)
			if !ok {
				if ok, err = path.Match(pattern, f.Path); err != nil {
					return nil, nil, &Error{Kind: KindName, Msg: fmt.Sprintf("--file %q is no pattern", pattern), Err: err}
				}
			}
			if ok {
				pick(f.Path)
				n++
			}
		}
		if n == 0 {
			return nil, nil, &Error{Kind: KindMissing, Msg: fmt.Sprintf("no file of it is called %q; it has %s", pattern, paths(files))}
		}
	}
	if !weights && len(patterns) == 0 {
		return nil, nil, &Error{Kind: KindMissing, Msg: fmt.Sprintf("it has no weights that are read (model.safetensors, or onnx/model.onnx); it has %s; --file takes files by name", paths(files))}
	}
	if weights && !hasTokenizer(picked) {
		notes = append(notes, "it has no tokenizer.json, which embedding texts takes: save its tokenizer by transformers in Python (AutoTokenizer.from_pretrained(...).save_pretrained(...)) and put that file beside the weights")
	}
	return chosen, notes, nil
}

func hasTokenizer(picked map[string]bool) bool {
	for p := range picked {
		if b := path.Base(p); b == "tokenizer.json" || b == "merges.txt" || b == "wordembedding_config.json" { // merges.txt: of CLIP
			return true
		}
	}
	return false
}

// pickONNX picks the graph of a folder and the files of its weights, if those
// lie beside it.
func pickONNX(files []remoteFile, dir string, pick func(string) bool) bool {
	for _, graph := range []string{path.Join(dir, "onnx", "model.onnx"), path.Join(dir, "model.onnx")} {
		if !pick(graph) {
			continue
		}
		for _, f := range files {
			if strings.HasPrefix(f.Path, graph+"_data") || strings.HasPrefix(f.Path, graph+".data") {
				pick(f.Path)
			}
		}
		return true
	}
	return false
}

// paths lists files for a message.
func paths(files []remoteFile) string {
	const most = 12
	var b strings.Builder
	for i, f := range files {
		if i == most {
			fmt.Fprintf(&b, " and %d more", len(files)-most)
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(f.Path)
	}
	if len(files) == 0 {
		return "no files"
	}
	return b.String()
}
