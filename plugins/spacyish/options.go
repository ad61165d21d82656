package main

import "github.com/bertopic-go/bertopic/sdk"

// options are the options as the user names them.
type options struct {
	Model     string `json:"model"`
	Pooling   string `json:"pooling"`
	OOV       string `json:"oov"`
	Lowercase bool   `json:"lowercase"`
}

// Values of options.
const (
	poolSpacy = "spacy"
	poolMax   = "max"

	oovZero = "zero"
	oovSkip = "skip"
)

var schema = []sdk.Option{
	{Name: "model", Type: sdk.String, Default: "en_core_web_md", Help: "the folder of a spaCy pipeline with word vectors, or of the package of one, or a name in the models folder"},
	{Name: "pooling", Type: sdk.String, Default: poolSpacy, Choices: []string{poolSpacy, poolMax}, Help: "spacy: the mean over tokens, as Doc.vector; max: the largest of each value"},
	{Name: "oov", Type: sdk.String, Default: oovZero, Choices: []string{oovZero, oovSkip}, Help: "a token without a vector: zero counts as zeros, as in spaCy; skip leaves it out"},
	{Name: "lowercase", Type: sdk.Boolean, Default: false, Help: "lower-case texts first, for vectors of lower-case words"},
}
