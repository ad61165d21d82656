// Package scaffold writes the beginning of an embedder program: a project that
// builds, conforms and has its own tests, to be changed from there.
package scaffold

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"

	"github.com/bertopic-go/bertopic/internal/atomicfile"
)

//go:embed go python
var templates embed.FS

// Project says what to write.
type Project struct {
	// Name is the NAME of bertopic-embedder-NAME: lower case letters, digits and
	// single hyphens.
	Name string
	// Lang is "go" or "python".
	Lang string
	// Version is the version of the Go module to require.
	Version string
	// Source is a checkout of the Go module that the project is to use, for
	// versions that no proxy has. Empty: none.
	Source string
	// PythonSDK holds the Python package, of which the project gets a copy.
	PythonSDK fs.FS
}

// Langs are the languages that there are templates for.
var Langs = []string{"go", "python"}

var nameForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

// Class is the name of the Python class.
func (p Project) Class() string {
	var b strings.Builder
	for part := range strings.SplitSeq(p.Name, "-") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	if c := b.String(); c[0] >= 'A' {
		return c
	}
	return "Embedder" + b.String()
}

// Write makes the folder dir, which must not hold anything yet, and returns the
// names of the project's files. It leaves the folder whole or absent.
func Write(dir string, p Project) ([]string, error) {
	if !nameForm.MatchString(p.Name) {
		return nil, fmt.Errorf("name %q is not lower case letters, digits and single hyphens", p.Name)
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return nil, fmt.Errorf("the folder %s is not empty: name another, or a new one", dir)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	files, err := p.files()
	if err != nil {
		return nil, err
	}
	out, err := atomicfile.CreateDir(dir, "")
	if err != nil {
		return nil, err
	}
	defer out.Abort()
	var names []string
	for _, f := range files {
		to := filepath.Join(out.Path(), filepath.FromSlash(f.name))
		if err := os.MkdirAll(filepath.Dir(to), 0o777); err != nil {
			return nil, err
		}
		if err := os.WriteFile(to, f.content, 0o666); err != nil {
			return nil, err
		}
		if !f.copied {
			names = append(names, f.name)
		}
	}
	return names, out.Commit()
}

// Next are the commands that build, test and try the project.
func (p Project) Next() []string {
	program := "bertopic-embedder-" + p.Name
	if p.Lang == "python" {
		return []string{
			"python3 -m venv .venv",
			".venv/bin/pip install ./bertopic-sdk -r requirements.txt",
			".venv/bin/python -m bertopic_sdk install embedder.py",
			".venv/bin/python -m pytest test_embedder.py",
			"bertopic conformance " + p.Name,
		}
	}
	return []string{
		"go mod tidy",
		"go test .",
		"go build -o .bertopic/plugins/" + program + " .",
		"bertopic conformance " + p.Name,
	}
}

type file struct {
	name    string
	content []byte
	copied  bool // of the SDK
}

func (p Project) files() ([]file, error) {
	sources, err := templates.ReadDir(p.Lang)
	if err != nil {
		return nil, fmt.Errorf("language %q: there are %s", p.Lang, strings.Join(Langs, " and "))
	}
	var files []file
	for _, s := range sources {
		text, err := templates.ReadFile(path.Join(p.Lang, s.Name()))
		if err != nil {
			return nil, err
		}
		t, err := template.New(s.Name()).Delims("[[", "]]").Option("missingkey=error").Parse(string(text))
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if err := t.Execute(&b, p); err != nil {
			return nil, err
		}
		name := strings.TrimSuffix(s.Name(), ".tmpl")
		if name == "gitignore" {
			name = ".gitignore"
		}
		files = append(files, file{name: name, content: b.Bytes()})
	}
	if p.Lang != "python" {
		return files, nil
	}
	return files, fs.WalkDir(p.PythonSDK, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := fs.ReadFile(p.PythonSDK, name)
		files = append(files, file{name: path.Join("bertopic-sdk", name), content: content, copied: true})
		return err
	})
}
