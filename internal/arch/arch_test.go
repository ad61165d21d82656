// Package arch holds the arrows between the parts of the program.
package arch

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/bertopic-go/bertopic/"

// rules say which parts of this module a part may import. A part is a folder
// with all below it; the longest prefix counts.
var rules = map[string][]string{
	"sdk":                {"sdk"},
	"host":               {"sdk", "internal"},
	"conformance":        {"sdk", "host", "internal"},
	"conformance/matrix": {"conformance", "host", "internal"},
	"plugins":            {"sdk", "internal", "plugins"},
	"plugins/python":     {},
	"corpus":             {"internal"},
	"pipeline":           {"pipeline", "internal"},
	"internal":           {"internal"},
	"internal/run":       {"internal", "corpus", "host", "pipeline", "sdk"},
	"internal/arch":      {},
	"internal/remote":    {"internal", "sdk"}, // what the openai and cohere programs share
	"cmd":                {"internal", "conformance", "corpus", "host", "pipeline", "plugins/python", "sdk"},
	"setup":              {"internal"},
	"examples":           {"sdk"}, // as a stranger's program would
	"bench":              {"internal", "pipeline", "corpus", "host", "sdk", "bench"},
	"internal/report":    {"internal"},
	"pipeline/knn":       {"internal"},
	"pipeline/umap":      {"internal", "pipeline/knn"},
	"pipeline/hdbscan":   {"internal"},
	"pipeline/ctfidf":    {"internal"},
	"pipeline/kmeans":    {"internal"},
	"pipeline/dbscan":    {"internal"},
	"pipeline/reduce":    {"internal"},
	"pipeline/quality":   {"internal", "pipeline/knn"},
}

func TestImportsFollowTheArrows(t *testing.T) {
	root := filepath.Join("..", "..")
	checked := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if name := d.Name(); name == "testdata" || len(name) > 2 && strings.HasPrefix(name, ".") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		from := filepath.ToSlash(filepath.Dir(rel))
		allowed, ok := rule(from)
		if !ok {
			t.Errorf("%s: no rule says what it may import", from)
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, imp := range file.Imports {
			target, _ := strconv.Unquote(imp.Path.Value)
			target, ours := strings.CutPrefix(target, module)
			if !ours {
				continue
			}
			checked++
			if !below(target, allowed) && !below(target, []string{from}) {
				t.Errorf("%s imports %s, which %s must not", rel, target, from)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if checked < 20 {
		t.Errorf("only %d imports were looked at", checked)
	}
}

func rule(dir string) ([]string, bool) {
	for part := dir; part != "."; part = filepath.ToSlash(filepath.Dir(part)) {
		if r, ok := rules[part]; ok {
			return r, true
		}
	}
	return nil, false
}

func below(target string, parts []string) bool {
	for _, p := range parts {
		if target == p || strings.HasPrefix(target, p+"/") {
			return true
		}
	}
	return false
}
