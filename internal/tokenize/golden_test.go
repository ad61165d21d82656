package tokenize

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func readGz(t testing.TB, path string) []byte {
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
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decodeGz[T any](t testing.TB, path string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(readGz(t, path), &v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return v
}

// sharedGolden returns the folder of the full golden files beside the
// repository, and skips the test where it is not there.
func sharedGolden(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if filepath.Dir(dir) == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	golden := filepath.Join(dir, "..", "shared", "golden")
	if _, err := os.Stat(golden); err != nil {
		t.Skip("the folder of full golden values, shared/golden, is not beside the repository")
	}
	return golden
}

// tokenizerFile returns the tokenizer.json of a name in testdata, or of the
// shared folder where the repository does not hold it.
func tokenizerFile(t testing.TB, name string) []byte {
	t.Helper()
	path := filepath.Join("testdata", name+".tokenizer.json.gz")
	if _, err := os.Stat(path); err != nil {
		path = filepath.Join(sharedGolden(t), "tokenizers", name, "tokenizer.json.gz")
	}
	return readGz(t, path)
}

func mustNew(t testing.TB, b []byte) *Tokenizer {
	t.Helper()
	tok, err := New(b)
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestGoldenTokenizers(t *testing.T) {
	texts := decodeGz[[]string](t, "testdata/strings.json.gz")
	if len(texts) != 300 {
		t.Fatalf("%d strings", len(texts))
	}
	for _, name := range []string{"bert", "clip", "roberta", "xlmr"} {
		t.Run(name, func(t *testing.T) {
			tok := mustNew(t, tokenizerFile(t, name))
			want := decodeGz[[][]int64](t, filepath.Join("testdata", name+".expected.json.gz"))
			var e Encoding
			same := 0
			for i, text := range texts {
				tok.Encode(&e, text, 0)
				if !slices.Equal(e.IDs, want[i]) {
					t.Errorf("%q:\n got %v\nwant %v", text, e.IDs, want[i])
					continue
				}
				same++
			}
			t.Logf("%d of %d equal", same, len(texts))
		})
	}
}

// The 36 texts are cut at 256 tokens by the Python library.
func TestGoldenMiniLM(t *testing.T) {
	golden := decodeGz[struct {
		Texts []string
		IDs   [][]int64
	}](t, "testdata/minilm.json.gz")
	tok := mustNew(t, tokenizerFile(t, "bert"))
	var e, whole Encoding
	for i, text := range golden.Texts {
		tok.Encode(&e, text, 256)
		if !slices.Equal(e.IDs, golden.IDs[i]) {
			t.Errorf("text %d:\n got %v\nwant %v", i, e.IDs, golden.IDs[i])
		}
		tok.Encode(&whole, text, 0)
		if len(e.IDs)+e.TokensLost != len(whole.IDs) || whole.TokensLost != 0 {
			t.Errorf("text %d: %d ids, %d lost, %d in the whole", i, len(e.IDs), e.TokensLost, len(whole.IDs))
		}
	}
}
