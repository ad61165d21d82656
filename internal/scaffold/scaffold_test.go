package scaffold

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	pythonsdk "github.com/bertopic-go/bertopic/sdk/python"
)

// The Go project builds, and its own tests pass, the conformance suite among
// them. The Python project is tried by sdk/python/tests.
func TestGoProject(t *testing.T) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "project")
	names, err := Write(dir, Project{Name: "one-two", Lang: "go", Version: "v0.0.0", Source: root})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"go.mod", "main.go", "main_test.go", "README.md", ".gitignore"} {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not among %v", name, names)
		}
	}
	// In the place of `go mod tidy`, which may want the network.
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "test", "-mod=mod", ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("go test: %v\n%s", err, out)
	}
}

func TestPythonProject(t *testing.T) {
	dir := t.TempDir() // an empty folder will do
	if _, err := Write(dir, Project{Name: "2-letters", Lang: "python", PythonSDK: pythonsdk.Files}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "embedder.py"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"class Embedder2Letters(Embedder)", `name="2-letters"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("embedder.py has no %s", want)
		}
	}
	for _, name := range []string{"pyproject.toml", "src/bertopic_sdk/__init__.py", "src/bertopic_sdk/_proto/embedder_pb2.py"} {
		if _, err := os.Stat(filepath.Join(dir, "bertopic-sdk", name)); err != nil {
			t.Error(err)
		}
	}
}

func TestRefused(t *testing.T) {
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "notes"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, dir string
		p         Project
		want      string
	}{
		{"name", filepath.Join(full, "a"), Project{Name: "My_Embedder", Lang: "go"}, "lower case letters"},
		{"language", filepath.Join(full, "b"), Project{Name: "mine", Lang: "perl"}, "go and python"},
		{"folder in use", full, Project{Name: "mine", Lang: "go"}, "not empty"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Write(c.dir, c.p)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got error %v, want one with %q", err, c.want)
			}
			if entries, _ := os.ReadDir(full); len(entries) != 1 {
				t.Errorf("it left %v", entries)
			}
		})
	}
}
