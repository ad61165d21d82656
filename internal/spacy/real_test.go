package spacy

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// corpus reads the texts of a corpus that set-up brings or that lies beside the
// repository.
func corpus(t testing.TB, path string) []string {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", filepath.FromSlash(path)))
	if err != nil {
		t.Skipf("the corpus %s is not here", path)
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(path, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			t.Fatal(err)
		}
	}
	var out []string
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		var d struct{ Text string }
		if err := json.Unmarshal(line, &d); err != nil {
			t.Fatal(err)
		}
		out = append(out, d.Text)
	}
}

// Real documents have the tokens that spaCy gives them, and it is told for what
// share.
func TestRealTexts(t *testing.T) {
	var want map[string]string
	if err := json.Unmarshal(unzip(t, filepath.Join("testdata", "real.json.gz")), &want); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path string
		step       int
	}{{"bbc", "data/bbc_news.jsonl", 1}, {"newsgroups", "../shared/data/20ng.jsonl.gz", 9}} {
		t.Run(c.name, func(t *testing.T) {
			docs := corpus(t, c.path)
			tok := open(t, folder(t, "plain")).NewTokenizer()
			same, n := 0, 0
			for i := 0; i < len(docs); i += c.step {
				var b strings.Builder
				for j, token := range tok.Tokens(nil, docs[i]) {
					if j > 0 {
						b.WriteByte(0)
					}
					b.WriteString(token.Text)
					if token.Space {
						b.WriteByte(' ')
					}
				}
				sum := sha256.Sum256([]byte(b.String()))
				if got := hex.EncodeToString(sum[:4]); got == want[c.name][8*n:8*n+8] {
					same++
				} else {
					t.Errorf("document %d has other tokens", i)
				}
				n++
			}
			t.Logf("%d of %d documents have spaCy's tokens", same, n)
			if n == 0 || 8*n != len(want[c.name]) {
				t.Errorf("%d documents, where there were %d", n, len(want[c.name])/8)
			}
		})
	}
}

func BenchmarkTokens(b *testing.B) {
	docs := corpus(b, "data/bbc_news.jsonl")
	p := open(b, folder(b, "plain"))
	var tokens []Token
	bytes, words := 0, 0
	for b.Loop() {
		tok := p.NewTokenizer()
		for _, d := range docs {
			tokens = tok.Tokens(tokens[:0], d)
			bytes, words = bytes+len(d), words+len(tokens)
		}
	}
	b.ReportMetric(float64(words)/b.Elapsed().Seconds()/1e6, "Mtokens/s")
	b.SetBytes(int64(bytes / b.N))
}
