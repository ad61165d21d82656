// Package python holds the sources of the embedders in Python: for each its code
// and the packages that it was tested with.
package python

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed */embedder.py */requirements*.txt
var files embed.FS

// SDKRequirements are the packages that bertopic_sdk needs, with hashes, for an
// environment whose other packages are the user's own.
//
//go:embed requirements.txt
var SDKRequirements []byte

// Plugin is one of the embedders, with one of its lists of packages.
type Plugin struct {
	Name         string // "spacy", or "spacy[transformers]" for another list
	Program      string // NAME of its program: python-spacy
	Summary      string // one line
	Embedder     []byte // embedder.py
	Requirements []byte // of pip: every package, with hashes
}

// All are the embedders there are, by name.
func All() []Plugin {
	var all []Plugin
	paths, err := fs.Glob(files, "*/requirements*.txt")
	if err != nil {
		panic(err)
	}
	for _, p := range paths {
		dir, file := path.Split(p)
		dir = path.Clean(dir)
		plugin := Plugin{Name: dir, Program: "python-" + dir, Requirements: read(p), Embedder: read(path.Join(dir, "embedder.py"))}
		if extra := strings.TrimPrefix(strings.TrimSuffix(file, ".txt"), "requirements"); extra != "" {
			plugin.Name += "[" + extra[1:] + "]"
		}
		first, _, _ := bytes.Cut(plugin.Requirements, []byte("\n"))
		plugin.Summary = strings.TrimPrefix(string(first), "# ")
		all = append(all, plugin)
	}
	slices.SortFunc(all, func(a, b Plugin) int { return strings.Compare(a.Name, b.Name) })
	return all
}

func read(name string) []byte {
	text, err := files.ReadFile(name)
	if err != nil {
		panic(fmt.Sprintf("the embedded file %s: %v", name, err))
	}
	return text
}
