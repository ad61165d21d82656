package vectorize

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestUnicodeWords(t *testing.T) {
	opt := Options{Tokenizer: Unicode}
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"plain", "The Cat sat, a dog ran.", []string{"the", "cat", "sat", "dog", "ran"}},
		{"numbers", "3.14 and 1,000 or 7", []string{"3.14", "and", "1,000", "or"}},
		{"contractions", "don’t we're it's O'Brien's", []string{"don't", "we're", "it", "brien"}},
		{"elision", "l'homme d’accord j'ai", []string{"homme", "accord", "j'ai"}},
		{"possessive", "the government's men", []string{"the", "government", "men"}},
		{"decomposed", "cafe\u0301 café", []string{"café", "café"}},
		{"devanagari keeps its marks", "हिन्दी किताब", []string{"हिन्दी", "किताब"}},
		{"arabic", "مكتبة المدينة", []string{"مكتبة", "المدينة"}},
		{"chinese", "我喜欢读书", []string{"我喜", "喜欢", "欢读", "读书"}},
		{"one character", "书 and 书", []string{"书", "and", "书"}},
		{"runs end at punctuation", "读书。花园", []string{"读书", "花园"}},
		{"mixed", "我read书店", []string{"我", "read", "书店"}},
		{"hiragana and katakana", "東京のテスト", []string{"東京", "京の", "テスト"}},
		{"long vowel in hiragana", "らーめん", []string{"らー", "ーめ", "めん"}},
		{"thai", "ภาษา", []string{"ภา", "าษ", "ษา"}},
		{"korean has words", "서울의 다리", []string{"서울의", "다리"}},
		{"no words", "!!! — 🚀 __ a", nil},
		{"underscore", "snake_case", []string{"snake_case"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Analyze(c.text, opt)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, c.want) && len(got)+len(c.want) > 0 {
				t.Errorf("%q gives %q, want %q", c.text, got, c.want)
			}
		})
	}
	english, err := StopWords("en")
	if err != nil {
		t.Fatal(err)
	}
	opt.StopWords = english
	analyzed(t, "I don't think we’re wrong, it's the moon, let’s go", opt, []string{"think", "wrong", "moon"})
}

func TestStopWords(t *testing.T) {
	for _, language := range StopWordLanguages() {
		words, err := StopWords(language)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		for _, w := range words {
			if seen[w] || lowerString(w) != w || !utf8.ValidString(w) {
				t.Errorf("%s: %q is there twice or not in lower case", language, w)
			}
			seen[w] = true
		}
		if len(words) < 100 {
			t.Errorf("%s has %d words alone", language, len(words))
		}
	}
	if _, err := StopWords("klingon"); err == nil || !strings.Contains(err.Error(), "dutch, english, french") {
		t.Errorf("the error for an unknown language is %v", err)
	}
}

func TestWarnings(t *testing.T) {
	english, _ := StopWords("english")
	for _, c := range []struct {
		opt  Options
		want string
	}{
		{Options{StopWords: english}, ""},
		{Options{StopWords: []string{"don't"}}, ""},
		{Options{StopWords: []string{"o'clock"}}, "clock"},
		{Options{StopWords: []string{"the"}, Analyzer: Char}, "stop_words has no effect"},
		{Options{TokenPattern: "a", Analyzer: CharWB}, "token_pattern has no effect"},
		{Options{Vocabulary: []string{"River"}}, `"River"`},
		{Options{Vocabulary: []string{"River"}, KeepCase: true}, ""},
	} {
		got := strings.Join(c.opt.Warnings(), "; ")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%+v warns %q, want %q", c.opt, got, c.want)
		}
	}
}

func TestValidate(t *testing.T) {
	err := Options{Analyzer: "a", Tokenizer: "b", StripAccents: "c", NgramRange: [2]int{2, 1}, MaxFeatures: -1, MinDF: Docs(0), MaxDF: Fraction(1.5), TokenPattern: "(", Vocabulary: []string{}}.Validate()
	if err == nil {
		t.Fatal("no fault is found")
	}
	for _, want := range []string{"analyzer", "tokenizer", "strip_accents", "ngram_range", "max_features", "min_df", "max_df", "token_pattern", "vocabulary"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%s is not among the faults:\n%v", want, err)
		}
	}
	for _, pattern := range []string{`(?a)\w`, `(?x) a b`, `a(?=b)`, `(a)\1`, `(a)(b)`, `\u12`, `[`} {
		if err := (Options{TokenPattern: pattern}).Validate(); err == nil {
			t.Errorf("%q is taken", pattern)
		}
	}
}

// documents makes texts with words of a skewed distribution, some empty.
func documents(n int, seed uint64) []string {
	r := rand.New(rand.NewPCG(seed, 1))
	out := make([]string, n)
	for i := range out {
		var b strings.Builder
		for range r.IntN(60) {
			fmt.Fprintf(&b, "w%d ", int(100*math.Pow(r.Float64(), 3)))
			if r.IntN(30) == 0 {
				b.WriteString("a-rather-long-word-that-is-not-alone ÉTÉ 读书 ")
			}
		}
		out[i] = b.String()
	}
	return out
}

func TestThreadsDoNotMatter(t *testing.T) {
	docs := documents(1500, 7)
	for _, opt := range []Options{{}, {MinDF: Docs(3), NgramRange: [2]int{1, 2}, MaxFeatures: 500}, {Tokenizer: Unicode}, {Analyzer: CharWB, NgramRange: [2]int{2, 3}, Binary: true}} {
		var terms []string
		var want *Counts
		for _, threads := range []int{1, 2, 5} {
			v, counts, err := Fit(context.Background(), FromSlice(docs), opt, threads)
			if err != nil {
				t.Fatal(err)
			}
			if want == nil {
				terms, want = v.Terms, counts
			}
			if !slices.Equal(v.Terms, terms) || !reflect.DeepEqual(counts, want) {
				t.Errorf("%+v: %d threads give another result", opt, threads)
			}
			again, err := v.Transform(context.Background(), FromSlice(docs), threads)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(again, want) {
				t.Errorf("%+v: Transform differs from Fit", opt)
			}
			learned, df, n, err := Learn(context.Background(), FromSlice(docs), opt, threads)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(learned.Terms, terms) || n != len(docs) || !slices.Equal(df, DocumentFrequency(want)) {
				t.Errorf("%+v: Learn differs from Fit", opt)
			}
		}
	}
}

func TestReadErrorsAndCancelling(t *testing.T) {
	broken := errors.New("broken")
	docs := func(yield func(string, error) bool) {
		for i := range 2000 {
			if !yield("some words here", nil) {
				t.Errorf("the reader stopped at %d", i)
			}
		}
		yield("", broken)
	}
	if _, _, err := Fit(context.Background(), docs, Options{}, 2); !errors.Is(err, broken) || !strings.Contains(err.Error(), "document 2000") {
		t.Errorf("the error is %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	read := 0
	endless := func(yield func(string, error) bool) {
		for {
			if read++; read == 10000 {
				cancel()
			}
			if !yield("some words here", nil) {
				return
			}
		}
	}
	if _, _, err := Fit(ctx, endless, Options{}, 2); !errors.Is(err, context.Canceled) {
		t.Errorf("the error is %v, want a cancelled context", err)
	}
}

func TestSumRows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		docs := documents(rapid.IntRange(1, 40).Draw(t, "documents"), rapid.Uint64().Draw(t, "seed"))
		_, counts, err := Fit(context.Background(), FromSlice(append(docs, "one more")), Options{}, 1)
		if err != nil {
			t.Fatal(err)
		}
		groups := rapid.IntRange(1, 6).Draw(t, "groups")
		group := make([]int32, counts.Rows)
		want := make([][]int32, groups)
		for g := range want {
			want[g] = make([]int32, counts.Cols)
		}
		for i := range group {
			group[i] = int32(rapid.IntRange(-1, groups-1).Draw(t, "group"))
			cols, values := counts.Row(i)
			for k, j := range cols {
				if group[i] >= 0 {
					want[group[i]][j] += values[k]
				}
			}
		}
		sums, err := SumRows(counts, group, groups, 3)
		if err != nil {
			t.Fatal(err)
		}
		if err := Float32(sums).Validate(); err != nil {
			t.Fatal(err)
		}
		for g := range want {
			got := make([]int32, counts.Cols)
			cols, values := sums.Row(g)
			for k, j := range cols {
				if got[j] = values[k]; values[k] == 0 {
					t.Fatal("a stored sum is 0")
				}
			}
			if !slices.Equal(got, want[g]) {
				t.Fatalf("group %d sums to %v, want %v", g, got, want[g])
			}
		}
	})
	big := &Counts{Rows: 2, Cols: 1, Indptr: []int64{0, 1, 2}, Indices: []int32{0, 0}, Data: []int32{math.MaxInt32, 1}}
	if _, err := SumRows(big, []int32{0, 0}, 1, 1); err == nil {
		t.Error("a sum that doesn't fit is taken")
	}
	if _, err := SumRows(big, []int32{0, 1}, 1, 1); err == nil {
		t.Error("a group that is not there is taken")
	}
}

func TestAdder(t *testing.T) {
	const cols = 20_001
	adders := poolOfAdders(cols)
	rapid.Check(t, func(t *rapid.T) {
		a := adders.Get().(*adder)
		want := map[int32]int64{}
		for _, col := range rapid.SliceOf(rapid.Int32Range(0, cols-1)).Draw(t, "columns") {
			a.add(col, 2)
			want[col] += 2
		}
		sorted := slices.Sorted(maps.Keys(want))
		if got := a.columns(nil); !slices.Equal(got, sorted) {
			t.Fatalf("the columns are %d, want %d", got, sorted)
		}
		for col, sum := range want {
			if got := a.take(col); got != sum {
				t.Fatalf("column %d sums to %d, want %d", col, got, sum)
			}
		}
		if len(a.columns(nil)) > 0 {
			t.Fatal("an empty adder has columns")
		}
		adders.Put(a)
	})
}

func TestIndex(t *testing.T) {
	fitted, _, err := Fit(context.Background(), FromSlice([]string{"moon river cat"}), Options{}, 1)
	if err != nil {
		t.Fatal(err)
	}
	given, err := NewVocabulary([]string{"moon", "cat", "river"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []*Vocabulary{fitted, given} {
		for j, term := range v.Terms {
			if got, known := v.Index(term); !known || got != j {
				t.Errorf("%q is at %d, want %d", term, got, j)
			}
		}
		if got, known := v.Index("dog"); known || got != -1 {
			t.Errorf("a word that is no term is at %d", got)
		}
	}
}

func TestTableAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		table, want := newTable(0), map[string]int32{}
		for _, s := range rapid.SliceOf(rapid.StringN(0, 12, 20)).Draw(t, "terms") {
			buf := append(padded(nil, s), "garbage"...)
			if id, known := want[s]; known != (table.find(buf, 0, len(s)) >= 0) || known && table.find(buf, 0, len(s)) != id {
				t.Fatalf("%q is found as %d, want %d", s, table.find(buf, 0, len(s)), id)
			}
			if _, known := want[s]; !known {
				want[s] = int32(len(want))
			}
			if id := table.intern(buf, 0, len(s)); id != want[s] || string(table.term(id)) != s {
				t.Fatalf("%q gets the number %d, want %d", s, id, want[s])
			}
		}
		other := newTable(0)
		other.add(rapid.SliceOf(rapid.StringN(0, 12, 20)).Draw(t, "other terms"))
		for i, id := range table.join(other) {
			s := other.term(int32(i))
			if first, known := want[string(s)]; known && id != first || !bytes.Equal(table.term(id), s) {
				t.Fatalf("%q of the other table gets the number %d", s, id)
			}
		}
	})
}

func TestSortTerms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		terms := rapid.SliceOfDistinct(rapid.StringOfN(rapid.RuneFrom([]rune("ab\x00é")), 0, 40, 40), rapid.ID).Draw(t, "terms")
		for range rapid.SampledFrom([]int{0, 3000}).Draw(t, "more") { // from where bytes are sorted one by one
			terms = append(terms, fmt.Sprintf("c%d", len(terms)))
		}
		table, ids := tableOf(terms), make([]int32, len(terms))
		for i := range ids {
			ids[i] = int32(i)
		}
		table.sort(ids)
		slices.Sort(terms)
		if !slices.Equal(table.strings(ids), terms) {
			t.Fatalf("%q, want %q", table.strings(ids), terms)
		}
	})
}

// FuzzScan holds every analyzer to what it must be for any text: terms lie in
// the buffer, and the fast scanner finds what the pattern finds.
func FuzzScan(f *testing.F) {
	f.Add("The Σίσυφος' ὈΔΥΣΣΕΎΣ, İstanbul l'homme 读书 ลาว\x80 a\u0301")
	opts := []Options{{}, {KeepCase: true}, {TokenPattern: `(?u)\b\w\w+\b`}, {Tokenizer: Unicode, NgramRange: [2]int{1, 3}}, {StripAccents: "unicode"}, {StripAccents: "ascii"}, {Analyzer: Char, NgramRange: [2]int{1, 4}}, {Analyzer: CharWB, NgramRange: [2]int{2, 5}}}
	f.Fuzz(func(t *testing.T, text string) {
		var terms [][]string
		for _, opt := range opts {
			s := newScanner(opt)
			s.scan("something before")
			s.scan(text)
			out := []string{}
			for _, p := range s.terms {
				if p.lo > p.hi || int(p.lo)+slack > len(s.buf) {
					t.Fatalf("%+v: place %v in a buffer of %d", opt, p, len(s.buf))
				}
				out = append(out, string(s.buf[p.lo:p.hi]))
			}
			terms = append(terms, out)
		}
		if !slices.Equal(terms[0], terms[2]) {
			t.Errorf("the scanner finds %q, the pattern %q", terms[0], terms[2])
		}
	})
}

// bothWays cuts text the shorter way where there is one and as a whole.
func bothWays(text string, opt Options) (short, long []string) {
	opt.StopWords = []string{"let's", "the"}
	terms := func(cut func(*scanner)) (out []string) {
		s := newScanner(opt)
		s.scan("before")
		s.tokens = s.tokens[:0]
		cut(s)
		for _, p := range s.tokens {
			out = append(out, string(s.buf[p.lo:p.hi]))
		}
		return out
	}
	return terms(func(s *scanner) { s.words(text) }), terms(func(s *scanner) { s.otherWords(text) })
}

var bothWaysOptions = []Options{{Tokenizer: Unicode}, {Tokenizer: Unicode, KeepCase: true}, {Tokenizer: Unicode, StripAccents: "ascii"}, {}, {KeepCase: true}, {StripAccents: "unicode"}}

func TestASCIIWords(t *testing.T) {
	alphabet := []rune("aB1_.,:;' \n\r\t-\"\u2019\u00e9\u0301\u200d\u00ad\u3042\u30fc\u8bfb\u0663\u05d0")
	r := rand.New(rand.NewPCG(1, 2))
	for k := range 40_000 {
		length := 1 + r.IntN(16)<<(k%4)
		if k%4000 == 0 {
			length = 3 * asciiPiece
		}
		text := make([]rune, length)
		for i := range text {
			text[i] = alphabet[r.IntN(min(len(alphabet), 10+k%2*len(alphabet)))] // half of them all but ASCII
		}
		opt := bothWaysOptions[r.IntN(len(bothWaysOptions))]
		if short, long := bothWays(string(text), opt); !slices.Equal(short, long) {
			t.Fatalf("%+v: %q: %q, want %q", opt, string(text), short, long)
		}
	}
}

// The shorter way of ASCII finds the words of Annex 29.
func FuzzASCIIWords(f *testing.F) {
	f.Add("can't stop: 3.14, 1,000;5 a.b:c 'tis rock'n'roll l'homme x_1._y e.g. U.S.A.\r\n  _ __ 9_ it's IT'S caf\u00e9 a\u0301 \u8bfb\u4e66 a")
	f.Add("a \u0301b c\u200dd \u30a2\u30a2 x\n\u0e25\u0e32\u0e27 \x80 a'\u00e9.b 1.\u0663")
	f.Fuzz(func(t *testing.T, text string) {
		for _, opt := range bothWaysOptions {
			if short, long := bothWays(text, opt); !slices.Equal(short, long) {
				t.Errorf("%+v: %q: %q, want %q", opt, text, short, long)
			}
		}
	})
}
