package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/bertopic-go/bertopic/internal/hub"
	"github.com/bertopic-go/bertopic/sdk"
)

// miniLM is the folder of all-MiniLM-L6-v2, which set-up installs.
func miniLM(t testing.TB) string {
	t.Helper()
	needRuntime(t)
	dir, err := hub.Resolve("", "", "all-MiniLM-L6-v2")
	if err != nil {
		t.Skip(err)
	}
	return dir
}

// newsgroups are the first n documents of the 20 Newsgroups corpus.
func newsgroups(t testing.TB, n int) []string {
	t.Helper()
	f, err := os.Open(filepath.Join(goldenDir(t, ""), "..", "data", "20ng.jsonl.gz"))
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var docs []string
	lines := bufio.NewReader(z)
	for len(docs) < n {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		var d struct{ Text string }
		if err := json.Unmarshal(line, &d); err != nil {
			t.Fatal(err)
		}
		docs = append(docs, d.Text)
	}
	return docs
}

// loaded is a configured embedder.
func loaded(t testing.TB, options map[string]any, threads int, cache string) *embedder {
	t.Helper()
	e := &embedder{}
	checked, faults := sdk.CheckOptions(e.Describe(), options)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	_, remarks, err := e.Configure(context.Background(), sdk.Settings{Options: checked, Threads: threads, CacheDir: cache})
	if err != nil || remarks.Refused() {
		t.Fatal(err, remarks)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// embedAll embeds docs in requests of size rows, as a host sends them.
func embedAll(t testing.TB, e *embedder, docs []string, size int) []float32 {
	t.Helper()
	var out []float32
	for from := 0; from < len(docs); from += size {
		v, err := e.EmbedWords(context.Background(), docs[from:min(from+size, len(docs))])
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, v.Dense.Data...)
	}
	return out
}

// BenchmarkNewsgroups embeds documents of 20 Newsgroups by all-MiniLM-L6-v2 on
// two threads and tells the documents a second:
//
//	go test -run '^$' -bench Newsgroups -benchtime 1x ./plugins/sbert
//
// SBERT_DOCS says how many (256).
func BenchmarkNewsgroups(b *testing.B) {
	dir, n := miniLM(b), 256
	if s := os.Getenv("SBERT_DOCS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	docs := newsgroups(b, n)
	cache := b.TempDir()
	var full []float32
	for _, precision := range []string{precisionFull, precisionInt8} {
		for _, size := range []int{32, 256} {
			b.Run(fmt.Sprintf("%s/batch=%d", precision, size), func(b *testing.B) {
				e := loaded(b, map[string]any{"model": dir, "precision": precision}, 2, cache)
				embedAll(b, e, docs[:16], 16)
				var vectors []float32
				start := time.Now()
				for b.Loop() {
					vectors = embedAll(b, e, docs, size)
				}
				b.ReportMetric(float64(len(docs)*b.N)/time.Since(start).Seconds(), "docs/s")
				if precision == precisionFull {
					full = vectors
				}
				if len(full) == len(vectors) {
					mean, least := cosines(full, vectors, e.model.network.dimension())
					b.ReportMetric(mean, "mean-cosine")
					b.ReportMetric(least, "least-cosine")
				}
			})
		}
	}
}

// cosines are the mean and the least cosine of the rows of two matrices.
func cosines(a, b []float32, d int) (mean, least float64) {
	least = 1
	n := len(a) / d
	for i := range n {
		var ab, aa, bb float64
		for j := i * d; j < (i+1)*d; j++ {
			ab += float64(a[j]) * float64(b[j])
			aa += float64(a[j]) * float64(a[j])
			bb += float64(b[j]) * float64(b[j])
		}
		if aa == 0 && bb == 0 {
			mean += 1 / float64(n)
			continue
		}
		c := ab / math.Sqrt(aa*bb)
		mean, least = mean+c/float64(n), min(least, c)
	}
	return mean, least
}
