package config

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"strings"
	"text/template"
)

//go:embed template.toml
var templateText string

var tmpl = template.Must(template.New("bertopic.toml").Parse(templateText))

// Start is what a new configuration needs to know.
type Start struct {
	Path, Text, Image, ID, Class string // [corpus]; Image "": "image"
	Plugin                       string // [embedder]
	Unspaced                     bool   // the texts have no spaces between words
}

// Template writes a configuration with every key and a word on each.
func Template(s Start) (string, error) {
	quote := func(v string) string { b, _ := json.Marshal(v); return string(b) }
	var b strings.Builder
	err := tmpl.Execute(&b, map[string]any{
		"Path": quote(s.Path), "Text": quote(s.Text), "Image": quote(cmp.Or(s.Image, "image")), "ID": quote(s.ID), "Class": quote(s.Class),
		"Plugin": quote(s.Plugin), "PluginName": s.Plugin,
		"Unspaced": s.Unspaced && s.Plugin == "tfidf",
	})
	return b.String(), err
}
