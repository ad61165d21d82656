package wordvectors

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// put writes a file into a folder of the test's.
func put(t testing.TB, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func pack(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// vector is a word and its values in word2vec's binary form.
func vector(word string, values ...float32) []byte {
	b := append([]byte(word), ' ')
	for _, v := range values {
		b = le.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// fastTextSettings are what writeFastText makes a model of.
type fastTextSettings struct {
	old               bool // of before there was a magic number
	version, model    int32
	dim, bucket, maxn int32
	words             []string
	labels            []string
	quantised         bool
	rows              [][]float32
}

func writeFastText(s fastTextSettings) []byte {
	var b []byte
	i32 := func(v ...int32) {
		for _, x := range v {
			b = le.AppendUint32(b, uint32(x))
		}
	}
	if !s.old {
		i32(fastTextMagic, s.version)
	}
	i32(s.dim, 5, 5, 1, 5, 1, 2, s.model, s.bucket, 2, s.maxn, 100)
	b = le.AppendUint64(b, math.Float64bits(1e-4))
	i32(int32(len(s.words)+len(s.labels)), int32(len(s.words)), int32(len(s.labels)))
	b = le.AppendUint64(b, 99)
	if !s.old {
		b = le.AppendUint64(b, math.MaxUint64)
	}
	for i, w := range append(append([]string{}, s.words...), s.labels...) {
		b = append(append(b, w...), 0)
		b = le.AppendUint64(b, 3)
		kind := byte(0)
		if i >= len(s.words) {
			kind = 1
		}
		b = append(b, kind)
	}
	if !s.old {
		q := byte(0)
		if s.quantised {
			q = 1
		}
		b = append(b, q)
	}
	b = le.AppendUint64(b, uint64(len(s.rows)))
	b = le.AppendUint64(b, uint64(s.dim))
	for _, row := range s.rows {
		for _, v := range row {
			b = le.AppendUint32(b, math.Float32bits(v))
		}
	}
	return b
}

// small is a model of two words and three buckets.
func small() fastTextSettings {
	return fastTextSettings{
		version: 12, model: 2, dim: 2, bucket: 3, maxn: 3, words: []string{"sun", "moon"},
		rows: [][]float32{{1, 2}, {3, 4}, {10, 0}, {0, 10}, {5, 5}},
	}
}

// TestRead has files that are odd and right.
func TestRead(t *testing.T) {
	for _, c := range []struct {
		name    string
		content []byte
		options Options
		want    map[string][]float32
		rows    int
	}{
		{"text", []byte("2 3\nthe 1 2 3\nof 4 5 6\n"), Options{}, map[string][]float32{"the": {1, 2, 3}, "of": {4, 5, 6}}, 2},
		{"no header", []byte("the 1 2 3\nof 4 5 6"), Options{}, map[string][]float32{"the": {1, 2, 3}, "of": {4, 5, 6}}, 2},
		{"blanks at line ends", []byte("2 2\nthe 1 2 \nof 4 5 \n"), Options{}, map[string][]float32{"the": {1, 2}, "of": {4, 5}}, 2},
		{"returns", []byte("2 2\r\nthe 1 2\r\nof 4 5\r\n"), Options{}, map[string][]float32{"the": {1, 2}, "of": {4, 5}}, 2},
		{"tabs", []byte("the\t1\t2\nof\t4\t5\n"), Options{}, map[string][]float32{"the": {1, 2}, "of": {4, 5}}, 2},
		{"byte order mark", []byte("\xef\xbb\xbfthe 1 2\nof 4 5\n"), Options{}, map[string][]float32{"the": {1, 2}}, 2},
		{"mark and header", []byte("\xef\xbb\xbf2 2\nthe 1 2\nof 4 5\n"), Options{}, map[string][]float32{"the": {1, 2}}, 2},
		{"blank lines", []byte("the 1 2\n\nof 4 5\n\n\n"), Options{}, map[string][]float32{"the": {1, 2}, "of": {4, 5}}, 2},
		{"one dimension", []byte("the 1\nof 4\n"), Options{}, map[string][]float32{"the": {1}, "of": {4}}, 2},
		{"one dimension and a header", []byte("2 1\nthe 1\nof 4\n"), Options{}, map[string][]float32{"the": {1}, "of": {4}}, 2},
		{"words that are numbers", []byte("7 30\n8 20\n"), Options{}, map[string][]float32{"7": {30}, "8": {20}}, 2},
		{"a word with spaces", []byte("the 1 2\n. . . 4 5\nat name@x.org 6 7\n"), Options{}, map[string][]float32{". . .": {4, 5}, "at name@x.org": {6, 7}}, 3},
		{"a word with spaces first", []byte("at x 6 7\nthe 1 2\n"), Options{}, map[string][]float32{"at x": {6, 7}}, 2},
		{"a no-break space", []byte("2 1\n\u00a0 1\nx\u00a0y 2\n"), Options{}, map[string][]float32{"\u00a0": {1}, "x\u00a0y": {2}}, 2},
		{"duplicates", []byte("the 1\nof 2\nthe 3\nthe 4\n"), Options{}, map[string][]float32{"the": {1}, "of": {2}}, 4},
		{"no UTF-8", []byte("stra\xdfe 1\n\xff\xfe 2\n"), Options{}, map[string][]float32{"stra\xdfe": {1}, "\xff\xfe": {2}}, 2},
		{"Latin-1", []byte("stra\xdfe 1\nthe 2\n"), Options{Encoding: "ISO-8859-1"}, map[string][]float32{"straße": {1}}, 2},
		{"numbers of every form", []byte("a 1e-3\nb -.5\nc +7.\nd 1E2\n"), Options{}, map[string][]float32{"a": {1e-3}, "b": {-.5}, "c": {7}, "d": {100}}, 4},
		{"tiny numbers", []byte("a 1e-60 1e-45\n"), Options{}, map[string][]float32{"a": {0, 1e-45}}, 1},
		{"packed text", pack(t, []byte("2 1\nthe 1\nof 4\n")), Options{}, map[string][]float32{"the": {1}, "of": {4}}, 2},
		{"binary", join([]byte("2 2\n"), vector("the", 1, 2), vector("of", 3, 4)), Options{}, map[string][]float32{"the": {1, 2}, "of": {3, 4}}, 2},
		{"binary with line ends", join([]byte("2 2\n"), vector("the", 1, 2), []byte{'\n'}, vector("of", 3, 4), []byte{'\n'}), Options{}, map[string][]float32{"the": {1, 2}, "of": {3, 4}}, 2},
		{"binary of one value", join([]byte("2 1\n"), vector("the", 1), vector("of", 3)), Options{}, map[string][]float32{"the": {1}, "of": {3}}, 2},
		{"binary, odd words", join([]byte("3 1\n"), vector("\xff\x01", 1), vector("x\ny", 3), vector("", 5)), Options{}, map[string][]float32{"\xff\x01": {1}, "x\ny": {3}, "": {5}}, 3},
		{"packed binary", pack(t, join([]byte("2 2\n"), vector("the", 1, 2), vector("of", 3, 4))), Options{}, map[string][]float32{"the": {1, 2}, "of": {3, 4}}, 2},
		{"packed fastText", pack(t, writeFastText(fastTextSettings{version: 12, model: 2, dim: 1, words: []string{"sun"}, rows: [][]float32{{3}}})), Options{}, map[string][]float32{"sun": {3}}, 1},
		{"fastText without n-grams", writeFastText(fastTextSettings{version: 12, model: 3, dim: 2, words: []string{"sun", "moon"}, labels: []string{"__label__a"}, rows: [][]float32{{1, 2}, {3, 4}}}),
			Options{}, map[string][]float32{"sun": {1, 2}, "moon": {3, 4}}, 2},
		{"fastText in another encoding", writeFastText(fastTextSettings{old: true, model: 2, dim: 1, words: []string{"kter\xec"}, rows: [][]float32{{3}}}), Options{Encoding: "cp852"}, map[string][]float32{"který": {3}}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			cache := t.TempDir()
			path := put(t, "vectors", c.content)
			for range 2 { // made, and from the cache
				o := c.options
				o.CacheDir = cache
				v := open(t, path, o)
				if v.Info.Rows != c.rows || v.Info.Words+v.Info.Duplicates != c.rows {
					t.Errorf("%+v, want %d rows", v.Info, c.rows)
				}
				for w, want := range c.want {
					row, ok := v.Lookup(w)
					if !ok {
						t.Fatalf("%q is not there", w)
					}
					if d := largest(v.AppendTo(nil, row), want); d != 0 {
						t.Errorf("%q has %v, want %v", w, v.AppendTo(nil, row), want)
					}
					sum := make([]float64, v.Info.Dim)
					v.Add(sum, row, 2)
					if sum[0] != 2*float64(want[0]) {
						t.Errorf("%q adds %v", w, sum)
					}
				}
				for _, w := range []string{"none", "", "th", "thee"} {
					if _, there := c.want[w]; !there {
						if row, ok := v.Lookup(w); ok {
							t.Errorf("%q is in row %d", w, row)
						}
					}
				}
			}
		})
	}
}

// TestFaults has what each damaged or foreign file is told, by line or byte.
func TestFaults(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	whole := writeFastText(small())
	late := small()
	late.rows[3][1] = nan
	early := small()
	early.rows[1][0] = inf
	quantised := small()
	quantised.quantised = true
	newer := small()
	newer.version = 13
	few := small()
	few.rows = few.rows[:4]
	for _, c := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"empty", nil, "the file is empty"},
		{"no words", []byte("0 50\n"), "line 1 says that the file holds 0 words"},
		{"no values", []byte("2 0\nthe\nof\n"), "line 1 says that vectors have 0 values"},
		{"header alone", []byte("5 50\n"), "line 1 says 5 words of 50 values, and there is no line after it"},
		{"fewer words", []byte("3 1\nthe 1\nof 4\n"), "line 1 says 3 words, and the file ends after 2, in line 3"},
		{"more words", []byte("1 1\nthe 1\nof 4\n"), "line 1 says 1 words, and line 3 is one more"},
		{"fewer values", []byte("2 3\nthe 1 2\nof 4 5\n"), "line 1 says that vectors have 3 values, and a line after it has 2"},
		{"more values", []byte("2 1\nthe 1 2\nof 4 5\n"), "line 1 says that vectors have 1 values, and a line after it has 2"},
		{"a short line", []byte("2 3\nthe 1 2 3\nof 4 5\n"), "a line after it has 2"},
		{"a short line late", []byte("the 1 2 3\n" + strings.Repeat("of 4 5 6\n", 2000) + "and 7 8\n"), "line 2002 has 2 values, not 3"},
		{"a long line", []byte("the 1 2\nof 4.5 5.5 6.5\n"), "line 2 has more than 2 values"},
		{"no number", []byte("the 1 2\nof 4 x5\n"), `line 2: value 2 of 2 is "x5", not a number`},
		{"NaN", []byte("the 1 2\nof nan 5\n"), `line 2: the vector of "of" has the value nan, which is not finite`},
		{"infinite", []byte("the 1 2\nof 4 1e999\n"), `line 2: the vector of "of" has the value 1e999`},
		{"beyond float32", []byte("the 1 2\nof 4 1e39\n"), `the value 1e39, which is not finite`},
		{"plain text", []byte("Once upon a time there was a file.\n"), "no file of word vectors: it begins with"},
		{"one word", []byte("word"), "no file of word vectors"},
		{"cut binary", join([]byte("2 2\n"), vector("the", 1, 2), vector("of", 3, 4)[:7]), `byte 23: the file ends within the vector of word 2 of 2, "of"`},
		{"cut in a word", join([]byte("2 2\n"), vector("the", 1, 2), []byte("o")), "byte 17: the file ends within word 2 of 2"},
		{"cut between words", join([]byte("2 2\n"), vector("the", 1, 2)), "byte 16: the file ends after 1 of 2 words"},
		{"more in the binary", join([]byte("1 2\n"), vector("the", 1, 2), vector("of", 3, 4)), "byte 16: the file goes on after its 1 words of 2 values"},
		{"binary, wrong dimension", join([]byte("2 1\n"), vector("the", 1, 2), vector("of", 3, 4)), "its first line"},
		{"NaN in the binary", join([]byte("2 2\n"), vector("the", 1, 2), vector("of", 3, nan)), `byte 23: value 2 of the vector of word 2, "of", is NaN`},
		{"fastText cut", whole[:len(whole)-3], "the file ends within vector 5 of 5"},
		{"fastText cut in words", whole[:100], "the file ends here: it was cut off"},
		{"fastText, a word", writeFastText(early), `value 1 of the vector of "moon" is -Inf`},
		{"fastText, a bucket", writeFastText(late), "value 2 of the vector of n-gram bucket 1 is NaN"},
		{"fastText quantised", writeFastText(quantised), "the model is quantised (.ftz)"},
		{"fastText of the future", writeFastText(newer), "version 13 of fastText's form is not known"},
		{"fastText, rows", writeFastText(few), "a matrix of 4 x 2 where 2 words, 3 buckets"},
		{"fastText without words", writeFastText(fastTextSettings{version: 12, dim: 1, model: 2}), "holds no words"},
		{"cut gzip", pack(t, bytes.Repeat([]byte("the 1 2\n"), 1000))[:60], "it was cut off"},
		{"twice packed", pack(t, pack(t, []byte("the 1\n"))), "packed twice"},
		{"bzip2", []byte("BZh91AY&SY"), "unpack it first (bunzip2)"},
		{"a web page", []byte("<!DOCTYPE html><html>"), "it is a web page"},
		{"Git LFS", []byte("version https://git-lfs.github.com/spec/v1\n"), "git lfs pull"},
		{"HDF5", []byte("\x89HDF\r\n\x1a\n"), "HDF5"},
		{"Parquet", []byte("PAR1 no more PAR1"), "name the .npy file of the vectors"},
		{"npy without words", func() []byte {
			b, err := os.ReadFile(filepath.Join("testdata", "apart.npy"))
			if err != nil {
				t.Fatal(err)
			}
			return b
		}(), "name the file with the option words"},
		{"pickle of a number", []byte("\x80\x03K\x01."), "holds no KeyedVectors of gensim"},
		{"pickle that calls", []byte("\x80\x02cos\nsystem\nU\x04true\x85R."), "holds no KeyedVectors of gensim"},
		{"cut pickle", []byte("\x80\x02}q\x00("), "pickle, byte 6: the file ends here"},
		{"persistent pickle", []byte("\x80\x02K\x01Q."), "persistent and shared objects are not supported"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cache := t.TempDir()
			v, err := Open(t.Context(), put(t, "vectors", c.content), Options{CacheDir: cache})
			if err == nil {
				v.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("the error is %v, want one with %q", err, c.want)
			}
			if left, _ := filepath.Glob(filepath.Join(cache, "wordvectors", "*")); len(left) > 0 {
				t.Errorf("left in the cache: %v", left)
			}
			if left, _ := filepath.Glob(filepath.Join(cache, "wordvectors", ".*")); len(left) > 0 {
				t.Errorf("left in the cache: %v", left)
			}
		})
	}
	if _, err := Open(t.Context(), filepath.Join(t.TempDir(), "none"), Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestOldFastText: the form without a magic number is the same model.
func TestOldFastText(t *testing.T) {
	old := small()
	old.old = true
	a, b := open(t, put(t, "a", writeFastText(small())), Options{}), open(t, put(t, "b", writeFastText(old)), Options{})
	for _, w := range []string{"sun", "moon", "mo", "sunny"} {
		x, okX := vectorOf(a, w)
		y, okY := vectorOf(b, w)
		if okX != okY || largest(x, y) != 0 {
			t.Errorf("%q: %v and %v", w, x, y)
		}
	}
	eleven := small()
	eleven.version, eleven.model = 11, supervised
	if v := open(t, put(t, "c", writeFastText(eleven)), Options{}); v.Info.Subwords {
		t.Error("a classifier of version 11 has n-grams")
	} else if x, _ := vectorOf(v, "sun"); largest(x, []float32{1, 2}) != 0 {
		t.Errorf("its word has %v", x)
	}
}

func vectorOf(t *Table, w string) ([]float32, bool) {
	if row, ok := t.Lookup(w); ok {
		return t.AppendTo(nil, row), true
	}
	return t.AppendSubwords(nil, w)
}

// TestFolder: what a folder holds decides which of its files is meant.
func TestFolder(t *testing.T) {
	text := []byte("the 1\nof 2\n")
	npy, err := os.ReadFile(filepath.Join("testdata", "apart.npy"))
	if err != nil {
		t.Fatal(err)
	}
	words, err := os.ReadFile(filepath.Join("testdata", "apart.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		files map[string][]byte
		want  string // "" for no error
	}{
		{"one", map[string][]byte{"v.txt": text}, ""},
		{"beside others", map[string][]byte{"v.txt": text, "README.md": text, ".hidden": text, "LICENSE": text, "info.json": []byte("{}")}, ""},
		{"array and words", map[string][]byte{"v.npy": npy, "words.parquet": words}, ""},
		{"two", map[string][]byte{"v.txt": text, "w.bin": text}, "has several files of vectors: name one of v.txt, w.bin"},
		{"none", map[string][]byte{"poem.txt": []byte("a rose is a rose\n")}, "has no file of vectors: poem.txt: it is no file of word vectors"},
		{"empty", nil, "has no file of vectors"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, b := range c.files {
				if err := os.WriteFile(filepath.Join(dir, name), b, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			v, err := Open(t.Context(), dir, Options{})
			if err == nil {
				v.Close()
			}
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want %q", err, c.want)
			}
		})
	}
}

// TestCache: it is made once by however many at a time, anew when the file is
// another, and a damaged one is no harm.
func TestCache(t *testing.T) {
	cache := t.TempDir()
	path := put(t, "vectors", []byte("the 1\nof 2\n"))
	made := make([]bool, 6)
	var wg sync.WaitGroup
	for i := range made {
		wg.Go(func() {
			v, err := Open(context.Background(), path, Options{CacheDir: cache})
			if err != nil {
				t.Error(err)
				return
			}
			made[i] = v.Info.Made
			v.Close()
		})
	}
	wg.Wait()
	n := 0
	for _, m := range made {
		if m {
			n++
		}
	}
	if n != 1 {
		t.Errorf("made %d times", n)
	}
	files, err := filepath.Glob(filepath.Join(cache, "wordvectors", "*"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the cache has %v", files)
	}
	good, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	half := filepath.Join(filepath.Dir(files[0]), "."+filepath.Base(files[0])+".tmp-0123") // of a process that was killed
	if err := os.WriteFile(half, good, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, bad := range [][]byte{nil, good[:len(good)-1], append(append([]byte{}, good...), 0), bytes.Repeat([]byte{0xff}, len(good))} {
		if err := os.WriteFile(files[0], bad, 0o644); err != nil {
			t.Fatal(err)
		}
		if v := open(t, path, Options{CacheDir: cache}); !v.Info.Made || v.Info.Words != 2 {
			t.Errorf("a damaged cache is taken: %+v", v.Info)
		}
	}
	if _, err := os.Stat(half); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what was left half is kept: %v", err)
	}
	if err := os.WriteFile(path, []byte("the 1\nof 2\nand 3\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	v := open(t, path, Options{CacheDir: cache})
	if !v.Info.Made || v.Info.Words != 3 {
		t.Errorf("the old cache is taken: %+v", v.Info)
	}
	if left, err := filepath.Glob(filepath.Join(cache, "wordvectors", "*")); err != nil || len(left) != 1 {
		t.Errorf("what was made of the old file is kept: %v", left)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Open(ctx, put(t, "other", []byte("the 1\n")), Options{CacheDir: cache}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestSameDigest: the model's sum is that of its content, whatever its name.
func TestSameDigest(t *testing.T) {
	a, b := open(t, put(t, "a", []byte("the 1\n")), Options{}), open(t, put(t, "b", []byte("the 1\n")), Options{})
	if a.Info.SHA256 != b.Info.SHA256 || len(a.Info.SHA256) != 64 {
		t.Errorf("%s and %s", a.Info.SHA256, b.Info.SHA256)
	}
}
