package main

import (
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/bertopic-go/bertopic/internal/remote"
	"github.com/bertopic-go/bertopic/internal/remote/embedder"
	"github.com/bertopic-go/bertopic/sdk"
)

// azureKey is the variable that Azure's own tools take a key from.
const azureKey = "AZURE_OPENAI_API_KEY"

// provider is OpenAI. The limits are those of its API reference: 2,048 texts and
// 300,000 tokens a request, 8,192 tokens a text, of which older deployments take
// one less.
var provider = embedder.Provider{
	Name:          "openai",
	Version:       "0.1.0",
	Summary:       "embeddings of OpenAI or of any server that speaks its API; texts leave this machine",
	BaseURL:       "https://api.openai.com/v1",
	Path:          "/embeddings",
	Env:           []string{"OPENAI_API_KEY", azureKey, "EMBEDDINGS_API_KEY"},
	Model:         "text-embedding-3-small",
	RequestTexts:  2048,
	RequestTokens: 300_000,
	Models: map[string]embedder.Model{
		"text-embedding-3-small": {Dimension: 1536, MaxTokens: 8191},
		"text-embedding-3-large": {Dimension: 3072, MaxTokens: 8191},
		"text-embedding-ada-002": {Dimension: 1536, MaxTokens: 8191},
	},
	Extra: []sdk.Option{
		{Name: "encoding_format", Type: sdk.String, Default: "base64", Choices: []string{"base64", "float"}, Help: "how vectors come: base64 is shorter; a server that refuses it is asked for float"},
		{Name: "api_version", Type: sdk.String, Default: "", Help: "of an Azure deployment, 2024-10-21 say; the key then goes in the header api-key"},
	},
	Service:  func(o embedder.Options) remote.Service { return service{o} },
	KeyNames: keyNames,
	Adjust:   azure,
}

// keyNames looks for Azure's key first where Azure is meant.
func keyNames(o embedder.Options) []string {
	if o.APIVersion != "" {
		return []string{azureKey, "OPENAI_API_KEY"}
	}
	return []string{"OPENAI_API_KEY", "EMBEDDINGS_API_KEY"}
}

// azure asks as Azure's deployments want to be asked.
func azure(o embedder.Options, r *remote.Options) {
	if o.APIVersion != "" {
		r.Header = "api-key"
		r.URL += "?api-version=" + url.QueryEscape(o.APIVersion)
	}
}

// service is OpenAI's API of embeddings.
type service struct{ options embedder.Options }

var _ remote.Service = service{}

type request struct {
	Model          string   `json:"model"`
	Input          []string `json:"input"`
	EncodingFormat string   `json:"encoding_format,omitempty"`
	Dimensions     int      `json:"dimensions,omitempty"`
	InputType      string   `json:"input_type,omitempty"` // not OpenAI's own: other servers have it
}

// Body is a request. Lists of numbers are what a server sends that is not asked
// for anything.
func (s service) Body(texts []string, f remote.Form) ([]byte, error) {
	r := request{Model: s.options.Model, Input: texts, Dimensions: s.options.Dimensions, InputType: s.options.InputType}
	if !f.Floats {
		r.EncodingFormat = "base64"
	}
	return json.Marshal(r)
}

type answer struct {
	Data []struct {
		Index     *int            `json:"index"`
		Embedding json.RawMessage `json:"embedding"`
	} `json:"data"`
	Usage struct {
		PromptTokens int `json:"prompt_tokens"`
		TotalTokens  int `json:"total_tokens"`
	} `json:"usage"`
}

// Parse puts vectors in the order of their indices. A server whose JSON leaves
// out zeros has no index 0.
func (s service) Parse(body []byte, n int) (remote.Reply, error) {
	var a answer
	if err := remote.Decode(body, &a); err != nil {
		return remote.Reply{}, err
	}
	if len(a.Data) != n {
		return remote.Reply{}, fmt.Errorf("the server sent %d vectors for %d texts", len(a.Data), n)
	}
	r := remote.Reply{Vectors: make([]remote.Vector, n), Tokens: a.Usage.PromptTokens}
	if r.Tokens == 0 {
		r.Tokens = a.Usage.TotalTokens
	}
	seen := make([]bool, n)
	for _, d := range a.Data {
		i := 0
		if d.Index != nil {
			i = *d.Index
		}
		switch {
		case i < 0 || i >= n:
			return remote.Reply{}, fmt.Errorf("the server sent a vector with the index %d for %d texts", i, n)
		case seen[i] && d.Index == nil:
			return remote.Reply{}, fmt.Errorf("the server sent vectors without an index")
		case seen[i]:
			return remote.Reply{}, fmt.Errorf("the server sent two vectors with the index %d", i)
		}
		seen[i] = true
		r.Vectors[i] = remote.ParseVector(d.Embedding)
	}
	return r, nil
}
