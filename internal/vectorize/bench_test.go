package vectorize

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// newsgroups reads the 18,331 texts of 20 Newsgroups that lie beside the
// repository.
func newsgroups(b *testing.B) (texts []string, bytes int64) {
	b.Helper()
	f, err := os.Open(filepath.Join("..", "..", "..", "shared", "data", "20ng.jsonl.gz"))
	if err != nil {
		b.Skip("20ng.jsonl.gz is not beside the repository")
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var row struct{ Text string }
		if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
			b.Fatal(err)
		}
		texts = append(texts, row.Text)
		bytes += int64(len(row.Text))
	}
	return texts, bytes
}

func BenchmarkFit(b *testing.B) {
	texts, size := newsgroups(b)
	english, _ := StopWords("english")
	for _, c := range []struct {
		name    string
		opt     Options
		threads int
	}{
		{"default/threads=1", Options{}, 1},
		{"default/threads=2", Options{}, 2},
		{"min_df=5/threads=1", Options{MinDF: Docs(5)}, 1},
		{"min_df=5/threads=2", Options{MinDF: Docs(5)}, 2},
		{"english_1_2/threads=1", Options{StopWords: english, NgramRange: [2]int{1, 2}}, 1},
		{"unicode_english/threads=1", Options{StopWords: english, Tokenizer: Unicode}, 1},
		{"pattern/threads=1", Options{TokenPattern: `(?u)\b\w\w+\b`}, 1},
		{"char_wb_3_4/threads=1", Options{Analyzer: CharWB, NgramRange: [2]int{3, 4}}, 1},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(size)
			for b.Loop() {
				if _, _, err := Fit(context.Background(), FromSlice(texts), c.opt, c.threads); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkTFIDF(b *testing.B) {
	texts, size := newsgroups(b)
	b.SetBytes(size)
	for b.Loop() {
		_, counts, err := Fit(context.Background(), FromSlice(texts), Options{MinDF: Docs(5)}, 1)
		if err != nil {
			b.Fatal(err)
		}
		idf, err := TFIDF{}.IDF(DocumentFrequency(counts), counts.Rows)
		if err != nil {
			b.Fatal(err)
		}
		if _, err := (TFIDF{}).Transform(counts, idf, 1); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScan(b *testing.B) {
	texts, size := newsgroups(b)
	for _, c := range []struct {
		name string
		opt  Options
	}{{"sklearn", Options{}}, {"unicode", Options{Tokenizer: Unicode}}} {
		b.Run(c.name, func(b *testing.B) {
			s := newScanner(c.opt)
			b.SetBytes(size)
			for b.Loop() {
				for _, t := range texts {
					s.scan(t)
				}
			}
		})
	}
}

func BenchmarkSumRows(b *testing.B) {
	texts, _ := newsgroups(b)
	_, counts, err := Fit(context.Background(), FromSlice(texts), Options{}, 2)
	if err != nil {
		b.Fatal(err)
	}
	group := make([]int32, len(texts))
	for i := range group {
		group[i] = int32(i * 7919 % 200)
	}
	b.ResetTimer()
	for b.Loop() {
		if _, err := SumRows(counts, group, 200, 1); err != nil {
			b.Fatal(err)
		}
	}
}
