package spacy

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
)

func unzip(t testing.TB, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// folder is a copy of a pipeline that a test may spoil.
func folder(t testing.TB, name string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", name))); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "tokenizer"), unzip(t, filepath.Join("testdata", "tokenizer.gz")), 0o666); err != nil {
		t.Fatal(err)
	}
	return dir
}

func open(t testing.TB, dir string) *Pipeline {
	t.Helper()
	p, err := Open(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func texts(tokens []Token) (text []string, spaces []bool) {
	for _, t := range tokens {
		text, spaces = append(text, t.Text), append(spaces, t.Space)
	}
	return text, spaces
}

func TestGolden(t *testing.T) {
	var all map[string]struct {
		Texts []string
		Docs  []struct {
			Tokens    []string
			WS        []bool
			HasVector []bool `json:"token_has_vector"`
		}
		Shape []int
		Keys  int
		Rows  map[string]int32 `json:"key2row"`
		Words map[string][]float32
	}
	if err := json.Unmarshal(unzip(t, filepath.Join("testdata", "expected-spacy.json.gz")), &all); err != nil {
		t.Fatal(err)
	}
	for name, want := range all {
		p := open(t, folder(t, name))
		if got := []int{p.table.rows, p.table.width}; !slices.Equal(got, want.Shape) || want.Keys >= 0 && len(p.table.rowOf) != want.Keys || len(p.Remarks) > 0 {
			t.Errorf("%s: shape %v, %d keys, remarks %q", name, got, len(p.table.rowOf), p.Remarks)
		}
		for w, row := range want.Rows {
			if got, ok := p.table.rowOf[Key(w)]; !ok || got != row {
				t.Errorf("%s: the row of %q is %d (%t), want %d", name, w, got, ok, row)
			}
		}
		buf := make([]float32, p.Width())
		for w, vector := range want.Words {
			got := p.Vector(buf, w)
			if got == nil {
				got = make([]float32, p.Width())
			}
			for j, x := range got {
				if math.Abs(float64(x-vector[j])) > 1e-6 {
					t.Errorf("%s: value %d of %q is %v, want %v", name, j, w, x, vector[j])
				}
			}
		}
		tok := p.NewTokenizer()
		for i, text := range want.Texts {
			doc := want.Docs[i]
			got, spaces := texts(tok.Tokens(nil, text))
			if !slices.Equal(got, doc.Tokens) || !slices.Equal(spaces, doc.WS) {
				t.Errorf("%s: %q: %q, want %q", name, text, got, doc.Tokens)
				continue
			}
			for j, w := range got {
				if has := p.Vector(buf, w) != nil; has != doc.HasVector[j] {
					t.Errorf("%s: %q has a vector: %t", name, w, has)
				}
			}
		}
	}
}

func TestHardTexts(t *testing.T) {
	var want [][3]json.RawMessage
	if err := json.Unmarshal(unzip(t, filepath.Join("testdata", "texts.json.gz")), &want); err != nil {
		t.Fatal(err)
	}
	p := open(t, folder(t, "plain"))
	tok := p.NewTokenizer()
	for _, w := range want {
		var text, spaces string
		var tokens []string
		for i, into := range []any{&text, &tokens, &spaces} {
			if err := json.Unmarshal(w[i], into); err != nil {
				t.Fatal(err)
			}
		}
		got, space := texts(tok.Tokens(nil, text))
		bits := ""
		for _, s := range space {
			bits += strconv.Itoa(map[bool]int{true: 1}[s])
		}
		if !slices.Equal(got, tokens) || bits != spaces {
			t.Errorf("%q:\n%q %s\n%q %s", text, got, bits, tokens, spaces)
		}
		if again, _ := texts(p.NewTokenizer().Tokens(nil, text)); !slices.Equal(again, got) {
			t.Errorf("%q: a fresh tokenizer gives %q", text, again)
		}
	}
}

func TestKeys(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "hashes.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Keys   map[string]string
		Floret map[string][4]uint32
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	for w, key := range want.Keys {
		if got := strconv.FormatUint(Key(w), 10); got != key {
			t.Errorf("the key of %q is %s, want %s", w, got, key)
		}
	}
	for w, hashes := range want.Floret {
		a, b := murmur3(w, 2166136261)
		if got := [4]uint32{uint32(a), uint32(a >> 32), uint32(b), uint32(b >> 32)}; got != hashes {
			t.Errorf("the hashes of %q are %v, want %v", w, got, hashes)
		}
	}
}

func TestLanguages(t *testing.T) {
	var all map[string][][2]json.RawMessage
	if err := json.Unmarshal(unzip(t, filepath.Join("testdata", "languages.json.gz")), &all); err != nil {
		t.Fatal(err)
	}
	for code, cases := range all {
		r, left, err := parseRules(unzip(t, filepath.Join("testdata", "tokenizer-"+code+".gz")))
		if err != nil || len(left) > 0 {
			t.Fatalf("%s: %v, left out %q", code, err, left)
		}
		tok := newTokenizer(r)
		for _, c := range cases {
			var text string
			var want []string
			if err := errors.Join(json.Unmarshal(c[0], &text), json.Unmarshal(c[1], &want)); err != nil {
				t.Fatal(err)
			}
			if got, _ := texts(tok.Tokens(nil, text)); !slices.Equal(got, want) {
				t.Errorf("%s: %q: %q, want %q", code, text, got, want)
			}
		}
	}
}
