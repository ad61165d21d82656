package wordvectors

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"
)

type goldenFile struct {
	Words       int
	FirstWords  []string `json:"first_words"`
	Dim         int
	Vectors     [][]float32
	WordVectors map[string][]float32 `json:"word_vectors"`
}

type golden struct {
	Texts    []string
	Files    map[string]goldenFile
	FastText struct {
		MinN   int `json:"min_n"`
		MaxN   int `json:"max_n"`
		Bucket int
		Words  map[string]struct {
			InVocab bool `json:"in_vocab"`
			Ngrams  []string
			Hashes  []int
			Vector  []float32
			Error   string
		}
	} `json:"fasttext_oov"`
}

func loadGolden(t testing.TB) golden {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "expected.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.NewDecoder(z).Decode(&g); err != nil {
		t.Fatal(err)
	}
	return g
}

func open(t testing.TB, path string, o Options) *Table {
	t.Helper()
	v, err := Open(context.Background(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	})
	return v
}

// largest is the largest difference of two vectors.
func largest(a, b []float32) float64 {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	var d float64
	for i := range a {
		d = max(d, math.Abs(float64(a[i])-float64(b[i])))
	}
	return d
}

// TestGolden compares the words and vectors of each file with what gensim reads,
// bit for bit.
func TestGolden(t *testing.T) {
	g := loadGolden(t)
	for name, want := range g.Files {
		t.Run(name, func(t *testing.T) {
			cache := t.TempDir()
			for _, made := range []bool{true, false} {
				v := open(t, filepath.Join("testdata", name), Options{CacheDir: cache})
				if v.Info.Made != made {
					t.Errorf("made: %v, want %v", v.Info.Made, made)
				}
				if v.Info.Words != want.Words || v.Info.Dim != want.Dim || v.Info.Duplicates != 0 {
					t.Fatalf("%+v, want %d words of %d values", v.Info, want.Words, want.Dim)
				}
				for i, w := range want.FirstWords {
					if string(v.Word(i)) != w {
						t.Errorf("word %d is %q, want %q", i, v.Word(i), w)
					}
				}
				for w, vector := range want.WordVectors {
					row, ok := v.Lookup(w)
					if !ok {
						t.Fatalf("%q is not there", w)
					}
					if d := largest(v.AppendTo(nil, row), vector); d != 0 {
						t.Errorf("%q is %g off", w, d)
					}
				}
			}
		})
	}
}

// TestGoldenSubwords compares n-grams' buckets and the vectors of unknown words.
func TestGoldenSubwords(t *testing.T) {
	g := loadGolden(t)
	v := open(t, filepath.Join("testdata", "fasttext.bin"), Options{})
	if v.grams.Min != g.FastText.MinN || v.grams.Max != g.FastText.MaxN || v.grams.Bucket != g.FastText.Bucket {
		t.Fatalf("n-grams %+v, want %d to %d in %d", v.grams, g.FastText.MinN, g.FastText.MaxN, g.FastText.Bucket)
	}
	for w, want := range g.FastText.Words {
		var hashes []int
		v.grams.each(w, func(row int) { hashes = append(hashes, row-v.grams.First) })
		if len(hashes) != len(want.Hashes) {
			t.Errorf("%q has %d n-grams, want %q", w, len(hashes), want.Ngrams)
			continue
		}
		for i, h := range hashes {
			if h != want.Hashes[i] {
				t.Errorf("%q: n-gram %q is in bucket %d, want %d", w, want.Ngrams[i], h, want.Hashes[i])
			}
		}
		row, known := v.Lookup(w)
		if known != want.InVocab {
			t.Errorf("%q is known: %v", w, known)
		}
		var got []float32
		if known {
			got = v.AppendTo(nil, row)
		} else if len(hashes) > 0 {
			got, _ = v.AppendSubwords(nil, w)
		} else if _, ok := v.AppendSubwords(nil, w); ok {
			t.Errorf("%q has a vector without an n-gram", w)
		}
		if want.Error != "" || len(hashes) == 0 {
			continue
		}
		if d := largest(got, want.Vector); d != 0 {
			t.Errorf("%q is %g off", w, d)
		}
	}
}
