package wordvectors

import (
	"bytes"
	"context"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/bertopic-go/bertopic/internal/vectorfile"
)

// seeds adds the files of testdata.
func seeds(f *testing.F, names ...string) {
	f.Helper()
	for _, name := range names {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

// FuzzOpen opens any content as a file: it is refused, or every word of it is
// found and has a finite vector, again from the cache.
func FuzzOpen(f *testing.F) {
	seeds(f, "fasttext.bin", "fasttext.kv", "w2v-apart.kv", "w2v.bin", "w2v.kv", "w2v.npz")
	f.Add([]byte("2 2\nthe 1 2\nof 3 4\n"))
	f.Add([]byte("the 1 2\n. . 3 4\n"))
	f.Add(join([]byte("2 2\n"), vector("the", 1, 2), vector("of", 3, 4)))
	f.Add(writeFastText(small()))
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		path := filepath.Join(dir, "vectors")
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			v, err := Open(context.Background(), path, Options{CacheDir: dir, Threads: 2})
			if err != nil {
				return
			}
			check(t, v)
			if err := v.Close(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func check(t *testing.T, v *Table) {
	if v.Info.Rows < 1 || v.Info.Dim < 1 || v.Info.Words < 1 || v.Info.Words+v.Info.Duplicates != v.Info.Rows {
		t.Fatalf("%+v", v.Info)
	}
	found := map[int]bool{}
	for i := range v.Info.Rows {
		row, ok := v.Lookup(string(v.Word(i)))
		if !ok || row > i {
			t.Fatalf("word %d, %q, is in row %d: %v", i, v.Word(i), row, ok)
		}
		found[row] = true
		x := v.AppendTo(nil, i)
		if len(x) != v.Info.Dim {
			t.Fatalf("%d values, not %d", len(x), v.Info.Dim)
		}
		if v.Compose() { // sums of finite values may be too large
			continue
		}
		for _, y := range x {
			if math.IsNaN(float64(y)) || math.IsInf(float64(y), 0) {
				t.Fatalf("word %d has %v", i, x)
			}
		}
	}
	if len(found) != v.Info.Words {
		t.Fatalf("%d rows are reached, not %d", len(found), v.Info.Words)
	}
	v.AppendSubwords(nil, "a word\xff that is none")
}

// FuzzText: a text is read the same in pieces and with any number of threads.
func FuzzText(f *testing.F) {
	f.Add([]byte("2 2\nthe 1 2\nof 3 4\n"), 1)
	f.Add([]byte("the 1 2\r\n. . 3 4\n\nx\ty 5 6"), 3)
	f.Fuzz(func(t *testing.T, content []byte, threads int) {
		h, err := textHeader(content, true)
		if err != nil || h.dim > 1<<10 {
			return
		}
		read := func(n int) (words []byte, raw []byte, err error) {
			err = readText(context.Background(), bytes.NewReader(content), h, n, func(w *wordList, r []byte) error {
				words, raw = append(words, w.data...), append(raw, r...)
				return nil
			})
			return words, raw, err
		}
		w1, r1, err1 := read(1)
		w2, r2, err2 := read(2 + int(uint(threads)%4))
		if (err1 == nil) != (err2 == nil) || err1 == nil && (!bytes.Equal(w1, w2) || !bytes.Equal(r1, r2)) {
			t.Fatalf("%v and %v", err1, err2)
		}
		if err1 == nil && len(r1)%(4*h.dim) != 0 {
			t.Fatalf("%d bytes of vectors of %d values", len(r1), h.dim)
		}
	})
}

func FuzzBinary(f *testing.F) {
	seeds(f, "w2v.bin")
	f.Add(join([]byte("2 2\n"), vector("the", 1, 2), []byte{'\n'}, vector("of", 3, 4)))
	f.Fuzz(func(_ *testing.T, content []byte) {
		_ = readBinary(context.Background(), bytes.NewReader(content), func([]byte, int64, []byte) error { return nil })
	})
}

func FuzzFastText(f *testing.F) {
	seeds(f, "fasttext.bin")
	old := small()
	old.old = true
	f.Add(writeFastText(small()))
	f.Add(writeFastText(old))
	f.Fuzz(func(_ *testing.T, content []byte) {
		_, _, _ = readFastText(context.Background(), bytes.NewReader(content), func(int, []byte) error { return nil },
			func(_ int, _ int64, _ []byte, name func() string) error { name(); return nil })
	})
}

func FuzzPickle(f *testing.F) {
	seeds(f, "fasttext.kv", "w2v-apart.kv", "w2v.kv")
	f.Add([]byte("\x80\x02}q\x00(X\x01\x00\x00\x00aK\x01u."))
	f.Add([]byte("(lp0\nI1\naS'x'\np1\na."))
	f.Fuzz(func(_ *testing.T, content []byte) {
		_, _ = readKeyed(content, "none")
	})
}

func FuzzIndex(f *testing.F) {
	v, err := Open(f.Context(), filepath.Join("testdata", "glove.txt"), Options{CacheDir: f.TempDir()})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bytes.Clone(v.index.data))
	v.Close()
	f.Fuzz(func(_ *testing.T, content []byte) {
		if n := len(content); n > trailerSize { // a right checksum lets more through
			content = bytes.Clone(content)
			end := content[n-trailerSize:]
			if size := int(le.Uint32(end)); size <= n-trailerSize {
				le.PutUint32(end[4:], crc32.ChecksumIEEE(content[n-trailerSize-size:n-trailerSize]))
			}
		}
		r, err := readTrailer(content)
		if err != nil {
			return
		}
		t := tableOf(mapped{content}, r)
		finder, places, weights := NewFinder(t), make([]int64, 1), []float64{1}
		for i := range min(t.Info.Rows, 100) {
			word := string(t.Word(i))
			t.Lookup(word)
			t.AppendTo(nil, i)
			if finder.Find(places, []string{word}); places[0] >= 0 {
				finder.AddAt(make([]float64, t.Info.Dim), places, weights)
			}
		}
		t.AppendSubwords(nil, "word")
	})
}

func FuzzWords(f *testing.F) {
	seeds(f, "apart.parquet", "double.words")
	f.Fuzz(func(t *testing.T, content []byte) {
		path := filepath.Join(t.TempDir(), "words")
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		_ = readWords(file, int64(len(content)), func([]byte) error { return nil })
	})
}

func FuzzArray(f *testing.F) {
	seeds(f, "apart.npy", "double.npy")
	f.Fuzz(func(_ *testing.T, content []byte) {
		r := bytes.NewReader(content)
		a, err := vectorfile.ReadArray(r, int64(len(content)))
		if err != nil || checkShape(a.Shape) != nil {
			return
		}
		_ = copyArray(&bytes.Buffer{}, a, r, func(int) string { return "" })
	})
}
