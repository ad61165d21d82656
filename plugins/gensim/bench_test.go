package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/bertopic-go/bertopic/internal/hub"
	"github.com/bertopic-go/bertopic/sdk"
)

// glove is the folder of the vectors of `go run ./setup glove`.
func glove(t testing.TB) string {
	t.Helper()
	dir, err := hub.ResolveVectors("", t.TempDir(), "glove-6b-50d")
	if err != nil {
		t.Skip("the GloVe vectors are not here: `go run ./setup glove` brings them")
	}
	return dir
}

// news are the texts of BBC News.
func news(t testing.TB) []sdk.Row {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "data", "bbc_news.jsonl"))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the articles of BBC News are not here: `make setup` brings them")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var rows []sdk.Row
	for s := json.NewDecoder(bufio.NewReader(f)); s.More(); {
		var row struct{ Text string }
		if err := s.Decode(&row); err != nil {
			t.Fatal(err)
		}
		rows = append(rows, sdk.Row{Text: row.Text, HasText: true})
	}
	return rows
}

// BenchmarkNews embeds BBC News by the three rules.
func BenchmarkNews(b *testing.B) {
	rows, dir := news(b), glove(b)
	cache := b.TempDir()
	for _, options := range []map[string]any{
		{"pooling": "gensim"},
		{"pooling": "gensim", "tokenizer": "words", "lowercase": true},
		{"pooling": "flair"},
		{"pooling": "tfidf", "tokenizer": "words", "lowercase": true},
	} {
		options["model"] = dir
		b.Run(options["pooling"].(string), func(b *testing.B) {
			e := &embedder{}
			checked, faults := sdk.CheckOptions(e.Describe(), options)
			if len(faults) > 0 {
				b.Fatal(faults)
			}
			ctx := context.Background()
			if _, remarks, err := e.Configure(ctx, sdk.Settings{Options: checked, CacheDir: cache, Threads: 1}); err != nil || remarks.Refused() {
				b.Fatal(remarks, err)
			}
			defer e.Close()
			if options["pooling"] == "tfidf" {
				_, _, err := e.Fit(ctx, func(yield func(sdk.Row, error) bool) {
					for _, r := range rows {
						if !yield(r, nil) {
							return
						}
					}
				})
				if err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				if _, err := e.Embed(ctx, rows); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(rows)*b.N)/b.Elapsed().Seconds(), "docs/s")
		})
	}
}
