package encoder

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// writeFolder writes files, by their path, into a new folder.
func writeFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestFindCLIP(t *testing.T) {
	plain := map[string]string{
		"config.json": `{"model_type":"clip"}`, "tokenizer.json": `{}`, "model.safetensors": "",
		"tokenizer_config.json": `{"pad_token":{"content":"<pad>"}}`, "preprocessor_config.json": `{}`, "README.md": "",
	}
	in := func(folder string, files, more map[string]string) map[string]string {
		out := map[string]string{}
		for name, text := range files {
			out[folder+name] = text
		}
		for name, text := range more {
			out[name] = text
		}
		return out
	}
	without := func(files map[string]string, names ...string) map[string]string {
		out := in("", files, nil)
		for _, n := range names {
			delete(out, n)
		}
		return out
	}
	for name, c := range map[string]struct {
		files                        map[string]string
		dir, tokenizer, preprocessor string
		all                          string
	}{
		"Hugging Face": {plain, "", "tokenizer.json", "preprocessor_config.json",
			"config.json model.safetensors preprocessor_config.json tokenizer.json tokenizer_config.json"},
		"older tokenizer": {in("", without(plain, "tokenizer.json"), map[string]string{"vocab.json": "{}", "merges.txt": ""}), "", "", "preprocessor_config.json",
			"config.json merges.txt model.safetensors preprocessor_config.json tokenizer_config.json vocab.json"},
		"sentence-transformers up to 5": {
			in("0_CLIPModel/", plain, map[string]string{"modules.json": `[{"idx":0,"path":"0_CLIPModel","type":"sentence_transformers.models.CLIPModel"}]`}),
			"0_CLIPModel", "0_CLIPModel/tokenizer.json", "0_CLIPModel/preprocessor_config.json",
			"0_CLIPModel/config.json 0_CLIPModel/model.safetensors 0_CLIPModel/preprocessor_config.json 0_CLIPModel/tokenizer.json 0_CLIPModel/tokenizer_config.json modules.json"},
		"sentence-transformers 6": {
			in("", without(plain, "preprocessor_config.json"), map[string]string{
				"modules.json":          `[{"idx":1,"path":"1_Normalize","type":"sentence_transformers.models.Normalize"},{"idx":0,"path":"","type":"sentence_transformers.base.modules.transformer.Transformer"}]`,
				"processor_config.json": `{"image_processor":{}}`}),
			"", "tokenizer.json", "processor_config.json",
			"config.json model.safetensors modules.json processor_config.json tokenizer.json tokenizer_config.json"},
		"a processor_config.json of text alone": {in("", without(plain, "preprocessor_config.json"), map[string]string{"processor_config.json": `{}`}), "", "tokenizer.json", "",
			"config.json model.safetensors processor_config.json tokenizer.json tokenizer_config.json"},
		"ONNX files": {
			in("", without(plain, "model.safetensors"), map[string]string{"onnx/text_model.onnx": "", "onnx/text_model.onnx_data": "", "onnx/vision_model.onnx": "", "onnx/vision_model_int8.onnx": ""}),
			"", "tokenizer.json", "preprocessor_config.json",
			"config.json onnx/text_model.onnx onnx/text_model.onnx_data onnx/vision_model.onnx preprocessor_config.json tokenizer.json tokenizer_config.json"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeFolder(t, c.files)
			f, err := FindCLIP(dir)
			if err != nil {
				t.Fatal(err)
			}
			at := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
			if f.Dir != at(c.dir) || f.Tokenizer != at(c.tokenizer) || c.preprocessor != "" && f.Preprocessor != at(c.preprocessor) || c.preprocessor == "" && f.Preprocessor != "" {
				t.Errorf("%+v", f)
			}
			var want []string
			for _, n := range strings.Fields(c.all) {
				want = append(want, at(n))
			}
			if !slices.Equal(f.Files, want) {
				t.Errorf("files\n%s\nwant\n%s", strings.Join(f.Files, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

func TestFindCLIPRefuses(t *testing.T) {
	modules := func(text string) map[string]string {
		return map[string]string{"modules.json": text, "config.json": `{}`, "tokenizer.json": `{}`}
	}
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"empty folder":     {nil, "no config.json"},
		"no tokenizer":     {map[string]string{"config.json": `{}`}, "save_pretrained"},
		"half a tokenizer": {map[string]string{"config.json": `{}`, "vocab.json": `{}`}, "merges.txt"},
		"config is cut":    {map[string]string{"config.json": `{"model_type":`, "tokenizer.json": `{}`}, "config.json"},
		"text model":       {modules(`[{"idx":0,"path":"","type":"sentence_transformers.models.Transformer"},{"idx":1,"path":"p","type":"sentence_transformers.models.Pooling"}]`), "sbert"},
		"static table":     {modules(`[{"idx":0,"path":"","type":"sentence_transformers.models.StaticEmbedding"}]`), "sbert"},
		"dense layer":      {modules(`[{"idx":0,"path":"","type":"sentence_transformers.models.CLIPModel"},{"idx":1,"path":"p","type":"sentence_transformers.models.Dense"}]`), "Python plugin"},
		"code of its own":  {modules(`[{"idx":0,"path":"","type":"custom.Transformer"}]`), "its author's own"},
		"leads out":        {modules(`[{"idx":0,"path":"../x","type":"sentence_transformers.models.CLIPModel"}]`), "leads out"},
		"no module":        {modules(`[]`), "no module"},
		"modules are cut":  {modules(`[{`), "modules.json"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := writeFolder(t, c.files)
			if _, err := FindCLIP(dir); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("%v, want %q in it", err, c.want)
			}
		})
	}
}
