package main

import (
	"encoding/json"
	"fmt"

	"github.com/bertopic-go/bertopic/internal/remote"
	"github.com/bertopic-go/bertopic/internal/remote/embedder"
)

// provider is Cohere. A request has at most 96 texts; Cohere cuts long ones
// itself where it is asked to. Of the input types, clustering is the one for topics.
var provider = embedder.Provider{
	Name:          "cohere",
	Version:       "0.1.0",
	Summary:       "embeddings of Cohere; texts leave this machine",
	BaseURL:       "https://api.cohere.com",
	Path:          "/v2/embed",
	Env:           []string{"COHERE_API_KEY", "CO_API_KEY"},
	Model:         "embed-v4.0",
	InputType:     "clustering",
	InputTypes:    []string{"clustering", "classification", "search_document", "search_query"},
	RequestTexts:  96,
	RequestTokens: 128_000,
	ServerCuts:    true,
	Models: map[string]embedder.Model{
		"embed-v4.0":                    {Dimension: 1536, MaxTokens: 128_000},
		"embed-english-v3.0":            {Dimension: 1024, MaxTokens: 512},
		"embed-multilingual-v3.0":       {Dimension: 1024, MaxTokens: 512},
		"embed-english-light-v3.0":      {Dimension: 384, MaxTokens: 512},
		"embed-multilingual-light-v3.0": {Dimension: 384, MaxTokens: 512},
	},
	Service: func(o embedder.Options) remote.Service { return service{o} },
}

// service is Cohere's API of embeddings.
type service struct{ options embedder.Options }

var _ remote.Service = service{}

type request struct {
	Model           string   `json:"model"`
	Texts           []string `json:"texts"`
	InputType       string   `json:"input_type"`
	EmbeddingTypes  []string `json:"embedding_types"`
	Truncate        string   `json:"truncate"`
	OutputDimension int      `json:"output_dimension,omitempty"`
}

// Body is a request.
func (s service) Body(texts []string, _ remote.Form) ([]byte, error) {
	r := request{
		Model: s.options.Model, Texts: texts, InputType: s.options.InputType, EmbeddingTypes: []string{"float"},
		Truncate: "NONE", OutputDimension: s.options.Dimensions,
	}
	if s.options.Cuts() {
		r.Truncate = "END"
	}
	return json.Marshal(r)
}

type answer struct {
	Embeddings struct {
		Float []json.RawMessage `json:"float"`
	} `json:"embeddings"`
	Meta struct {
		BilledUnits struct {
			InputTokens float64 `json:"input_tokens"`
		} `json:"billed_units"`
	} `json:"meta"`
}

// Parse reads vectors, which are in the order of the texts.
func (s service) Parse(body []byte, n int) (remote.Reply, error) {
	var a answer
	if err := remote.Decode(body, &a); err != nil {
		return remote.Reply{}, err
	}
	if have := len(a.Embeddings.Float); have != n {
		return remote.Reply{}, fmt.Errorf("the server sent %d vectors for %d texts", have, n)
	}
	r := remote.Reply{Vectors: make([]remote.Vector, n), Tokens: int(a.Meta.BilledUnits.InputTokens)}
	for i, raw := range a.Embeddings.Float {
		r.Vectors[i] = remote.ParseVector(raw)
	}
	return r, nil
}
