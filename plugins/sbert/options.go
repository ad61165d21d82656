package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bertopic-go/bertopic/internal/session"
	"github.com/bertopic-go/bertopic/sdk"
)

// options are the options as the user names them.
type options struct {
	Model        string          `json:"model"`
	Preset       string          `json:"preset"`
	Precision    string          `json:"precision"`
	Device       string          `json:"device"`
	MaxSeqLength int             `json:"max_seq_length"`
	PromptName   string          `json:"prompt_name"`
	Prompt       json.RawMessage `json:"prompt"` // null, or a string
	LongText     string          `json:"long_text"`
}

// Values of options.
const (
	presetNone  = ""
	presetHF    = "hf"
	presetFlair = "flair"
	presetSpacy = "spacy-trf"
	presetST    = "sentence-transformers"

	precisionFull = "fp32"
	precisionHalf = "fp16"
	precisionInt8 = "int8"

	truncate = "truncate"
	chunk    = "chunk"
)

var schema = []sdk.Option{
	{Name: "model", Type: sdk.String, Default: "all-MiniLM-L6-v2", Help: "a model folder, or the name of one that `bertopic models get` has brought"},
	{Name: "preset", Type: sdk.String, Default: presetNone, Choices: []string{presetNone, presetHF, presetFlair, presetSpacy, presetST}, Help: "pool as another library does: hf (mean, unit length), flair (first token), spacy-trf (pooler output), sentence-transformers (a model2vec table, unknown tokens too); empty: as the folder says"},
	{Name: "precision", Type: sdk.String, Default: precisionFull, Choices: []string{precisionFull, precisionHalf, precisionInt8}, Help: "fp32; or faster with nearly the same vectors: int8 on a CPU, fp16 on a GPU"},
	{Name: "device", Type: sdk.String, Default: "auto", Help: "cpu, cuda, cuda:N, or auto: cuda where there is one, else cpu"},
	{Name: "max_seq_length", Type: sdk.Integer, Default: int64(0), Help: "tokens of a text that are read; 0: as many as the folder says"},
	{Name: "prompt_name", Type: sdk.String, Default: "", Help: "the prompt of the model to put before each text; empty: the model's default prompt"},
	{Name: "prompt", Type: sdk.Any, Default: nil, Help: `a text to put before each text in place of a prompt of the model; "" puts none`},
	{Name: "long_text", Type: sdk.String, Default: truncate, Choices: []string{truncate, chunk}, Help: "a text that is too long: truncate, or chunk: embed its parts and average them by length"},
}

// check returns what is wrong with the options that a schema can't tell.
func (o options) check() sdk.Diagnostics {
	var out sdk.Diagnostics
	fault := func(option, format string, args ...any) {
		out = append(out, sdk.Diagnostic{Error: true, Option: option, Summary: fmt.Sprintf(format, args...)})
	}
	if strings.TrimSpace(o.Model) == "" {
		fault("model", "model is empty: name a model folder, or a model that `bertopic models list` shows")
	}
	if _, err := session.ParseDevice(o.Device); err != nil {
		fault("device", "%v", err)
	}
	if o.MaxSeqLength < 0 {
		fault("max_seq_length", "max_seq_length is %d: it must be a number of tokens, or 0 for as many as the model takes", o.MaxSeqLength)
	}
	if _, given, err := o.prompt(); err != nil {
		fault("prompt", "%v", err)
	} else if given && o.PromptName != "" {
		fault("prompt", "prompt and prompt_name are both given: leave one out")
	}
	return out
}

// prompt returns the option prompt and whether it is given.
func (o options) prompt() (text string, given bool, err error) {
	if len(o.Prompt) == 0 || string(o.Prompt) == "null" {
		return "", false, nil
	}
	if err := json.Unmarshal(o.Prompt, &text); err != nil {
		return "", false, fmt.Errorf("prompt must be a string, not %s", o.Prompt)
	}
	return text, true, nil
}

// promptOf is the text that goes before each text, with the rule of
// sentence-transformers: prompt, else the prompt called prompt_name, else the
// model's default.
func (o options) promptOf(f *folder) (string, error) {
	if text, given, err := o.prompt(); given || err != nil {
		return text, err
	}
	if o.PromptName == "" {
		if f.defaultPrompt == "" {
			return "", nil
		}
		return f.prompts[f.defaultPrompt], nil
	}
	text, ok := f.prompts[o.PromptName]
	if ok {
		return text, nil
	}
	if len(f.prompts) == 0 {
		return "", fmt.Errorf("prompt_name is %q, and the model has no prompts: leave it out, or give the text itself with the option prompt", o.PromptName)
	}
	return "", fmt.Errorf("prompt_name is %q, and the prompts of the model are %s", o.PromptName, strings.Join(slices.Sorted(maps.Keys(f.prompts)), ", "))
}
