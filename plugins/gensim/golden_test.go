package main

import (
	"compress/gzip"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/tokenize"
	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/sdktest"
)

// fixtures are the golden files of internal/wordvectors.
var fixtures = filepath.Join("..", "..", "internal", "wordvectors", "testdata")

func absolute(t testing.TB, path ...string) string {
	t.Helper()
	p, err := filepath.Abs(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// near compares a row with what a library gives; zeros stand for a row without a
// vector.
func near(t *testing.T, name string, v sdk.Vectors, row int, want []float32) {
	t.Helper()
	d := v.Dense
	if len(want) != d.Columns {
		t.Fatalf("%s: %d values, want %d", name, d.Columns, len(want))
	}
	for j, x := range d.Data[row*d.Columns : (row+1)*d.Columns] {
		if math.Abs(float64(x)-float64(want[j])) > 1e-6 {
			t.Errorf("%s: value %d is %v, want %v", name, j, x, want[j])
			return
		}
	}
}

func statuses(v sdk.Vectors) map[int]sdk.Status {
	out := map[int]sdk.Status{}
	for _, s := range v.Statuses {
		out[s.Row] = s.Status
	}
	return out
}

// TestGensimBackend compares with BERTopic's GensimBackend on the same files.
func TestGensimBackend(t *testing.T) {
	f, err := os.Open(filepath.Join(fixtures, "expected.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var g struct {
		Texts []string
		Files map[string]struct{ Vectors [][]float32 }
	}
	if err := json.NewDecoder(z).Decode(&g); err != nil {
		t.Fatal(err)
	}
	for name, want := range g.Files {
		t.Run(name, func(t *testing.T) {
			p := sdktest.Start(t, &embedder{})
			if remarks := p.Configure(map[string]any{"model": absolute(t, fixtures, name)}); len(remarks) > 0 {
				t.Error(remarks)
			}
			v := p.Embed(sdktest.Texts(g.Texts...)...)
			told := statuses(v)
			for i, text := range g.Texts {
				near(t, text, v, i, want.Vectors[i])
				none := !slices.ContainsFunc(want.Vectors[i], func(x float32) bool { return x != 0 })
				status := sdk.OK
				if none && strings.TrimSpace(text) == "" {
					status = sdk.Empty
				} else if none {
					status = sdk.OOV
				}
				if told[i] != status {
					t.Errorf("%q has the status %v, want %v", text, told[i], status)
				}
			}
		})
	}
}

// TestFlair compares with Flair's DocumentPoolEmbeddings, which makes up a text
// for an empty one and fails at white space.
func TestFlair(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("testdata", "flair.json"))
	if err != nil {
		t.Fatal(err)
	}
	var g struct {
		Texts  []string
		Tokens [][]string
		Mean   []json.RawMessage
	}
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	p := sdktest.Start(t, &embedder{})
	p.Configure(map[string]any{"model": absolute(t, "testdata", "flair-vectors.txt"), "pooling": "flair"})
	v := p.Embed(sdktest.Texts(g.Texts...)...)
	told := statuses(v)
	for i, text := range g.Texts {
		if strings.TrimSpace(text) == "" {
			if told[i] != sdk.Empty {
				t.Errorf("%q has the status %v", text, told[i])
			}
			continue
		}
		if words := tokenize.FlairWords(text); !slices.Equal(words, g.Tokens[i]) {
			t.Errorf("%q is cut into %q, want %q", text, words, g.Tokens[i])
		}
		var want []float32
		if err := json.Unmarshal(g.Mean[i], &want); err != nil {
			t.Fatal(err)
		}
		near(t, text, v, i, want)
		none := !slices.ContainsFunc(want, func(x float32) bool { return x != 0 })
		if (told[i] == sdk.OOV) != none {
			t.Errorf("%q has the status %v", text, told[i])
		}
	}
}
