package spacy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vmihailenco/msgpack/v5"
)

func write(t testing.TB, text string, path ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(path...), []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

// npy is a .npy file of float32.
func npy(shape string, values ...float32) string {
	header := "{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + ", }"
	header += strings.Repeat(" ", 118-len(header)%118-1) + "\n"
	b := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), byte(len(header)>>8))
	b = append(b, header...)
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return string(b)
}

func pack(t testing.TB, v any) string {
	t.Helper()
	b, err := msgpack.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSpoiledFolders(t *testing.T) {
	remove := func(name string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
				t.Fatal(err)
			}
		}
	}
	truncate := func(name string, n int64) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			if err := os.Truncate(filepath.Join(dir, filepath.FromSlash(name)), n); err != nil {
				t.Fatal(err)
			}
		}
	}
	put := func(name, text string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) { write(t, text, dir, filepath.FromSlash(name)) }
	}
	for _, c := range []struct {
		name  string
		spoil func(t *testing.T, dir string)
		want  string
	}{
		{"no folder", func(t *testing.T, dir string) { os.RemoveAll(dir) }, "there is no config.cfg"},
		{"no config", func(t *testing.T, dir string) { remove("config.cfg")(t, dir); remove("meta.json")(t, dir) }, "nlp.to_disk"},
		{"config damaged", put("config.cfg", "[nlp\nx = 1"), "line 1"},
		{"config without sections", put("config.cfg", "a = 1"), "before the first section"},
		{"transformer", put("config.cfg", "[nlp]\nlang = \"en\"\n[components.transformer]\nfactory = \"curated_transformer\"\n[components.transformer.model]\nname = \"roberta-base\"\n"), `preset = "spacy-trf"`},
		{"transformer of spaCy 3.0", put("config.cfg", "[components.t]\nfactory = \"transformer\"\n"), `plugin = "sbert"`},
		{"a tokenizer of its own", put("config.cfg", "[nlp.tokenizer]\n@tokenizers = \"spacy.ja.JapaneseTokenizer\"\n"), "spacy.ja.JapaneseTokenizer"},
		{"vectors of its own", put("config.cfg", "[nlp.vectors]\n@vectors = \"spacy.BPEmb.v1\"\n"), "spacy.BPEmb.v1"},
		{"no tokenizer", remove("tokenizer"), "not complete"},
		{"tokenizer cut", truncate("tokenizer", 5000), "ends early"},
		{"tokenizer empty", truncate("tokenizer", 0), "ends early"},
		{"tokenizer no msgpack", put("tokenizer", "{}"), "tokenizer"},
		{"tokenizer with a number for a pattern", func(t *testing.T, dir string) {
			write(t, pack(t, map[string]any{"prefix_search": 3}), dir, "tokenizer")
		}, "where a string is needed"},
		{"tokenizer beyond reading", func(t *testing.T, dir string) {
			write(t, pack(t, map[string]any{"url_match": "(a)\\1"}), dir, "tokenizer")
		}, "back-references"},
		{"exception that is another text", func(t *testing.T, dir string) {
			write(t, pack(t, map[string]any{"exceptions": map[string]any{"dont": []any{map[int]string{65: "do"}, map[int]string{65: "n't"}}}}), dir, "tokenizer")
		}, "don't make it up"},
		{"exception without a text", func(t *testing.T, dir string) {
			write(t, pack(t, map[string]any{"exceptions": map[string]any{"dont": []any{map[int]string{67: "do"}}}}), dir, "tokenizer")
		}, "without a text"},
		{"no vectors file", remove("vocab/vectors"), "no word vectors"},
		{"vectors of width 0", put("vocab/vectors", npy("(0, 0)")), "no word vectors"},
		{"rows of width 0", put("vocab/vectors", npy("(30, 0)")), "no word vectors"},
		{"vectors cut", truncate("vocab/vectors", 900), "truncated or damaged"},
		{"vectors cut in the header", truncate("vocab/vectors", 50), "truncated or damaged"},
		{"vectors empty", truncate("vocab/vectors", 0), "ends early"},
		{"vectors no npy", put("vocab/vectors", "hello, world"), "does not begin as .npy does"},
		{"one dimension", put("vocab/vectors", npy("(4,)", 1, 2, 3, 4)), "two dimensions"},
		{"NaN", func(t *testing.T, dir string) {
			values := make([]float32, 21*12)
			values[2*12+5] = float32(math.NaN())
			write(t, npy("(21, 12)", values...), dir, "vocab", "vectors")
		}, "value 5 of row 2, the vector of \""},
		{"infinity", func(t *testing.T, dir string) {
			values := make([]float32, 21*12)
			values[20*12] = float32(math.Inf(1))
			write(t, npy("(21, 12)", values...), dir, "vocab", "vectors")
		}, "value 0 of row 20 is +Inf"},
		{"no key2row", remove("vocab/key2row"), "there is no such file, which tells the row of each word"},
		{"key2row cut", truncate("vocab/key2row", 100), "ends early"},
		{"key2row no msgpack", put("vocab/key2row", "hello"), "key2row"},
		{"key2row of nothing", func(t *testing.T, dir string) { write(t, pack(t, map[uint64]int{}), dir, "vocab", "key2row") }, "no word vectors"},
		{"a row beyond", func(t *testing.T, dir string) {
			write(t, pack(t, map[uint64]int{Key("river"): 21}), dir, "vocab", "key2row")
		}, `the row of "river" is 21, and there are 21 rows`},
		{"a row below", func(t *testing.T, dir string) {
			write(t, pack(t, map[uint64]int{Key("river"): -1}), dir, "vocab", "key2row")
		}, "is -1"},
		{"a row of an unknown key", func(t *testing.T, dir string) { write(t, pack(t, map[uint64]int{7777: 99}), dir, "vocab", "key2row") }, "the key 7777 is 99"},
		{"vectors.cfg cut", put("vocab/vectors.cfg", `{"mode"`), "unexpected end"},
		{"an unknown mode", put("vocab/vectors.cfg", `{"mode": "bloom"}`), `"bloom" is neither`},
		{"an attribute", put("vocab/vectors.cfg", `{"mode": "default", "attr": "NORM"}`), "NORM"},
		{"hashes", put("vocab/vectors.cfg", `{"mode": "floret", "minn": 1, "maxn": 2, "hash_count": 9}`), "hash_count is 9"},
		{"parts", put("vocab/vectors.cfg", `{"mode": "floret", "minn": 5, "maxn": 2}`), "the fewer first"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := folder(t, "plain")
			c.spoil(t, dir)
			p, err := Open(t.Context(), dir)
			if err == nil {
				p.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), dir) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

func TestTransformerIsNamed(t *testing.T) {
	dir := folder(t, "plain")
	write(t, "[components.transformer]\nfactory = \"transformer\"\n[components.transformer.model]\n@architectures = \"x\"\nname = \"roberta-base\"\n", dir, "config.cfg")
	_, err := Open(t.Context(), dir)
	if e, ok := errors.AsType[*TransformerError](err); !ok || e.Model != "roberta-base" {
		t.Errorf("%v", err)
	}
}

// A rule that can't be read is left out, and that is told.
func TestRulesLeftOut(t *testing.T) {
	dir := folder(t, "plain")
	write(t, pack(t, map[string]any{"prefix_search": `^\(|^(a)\1|^-`, "faster_heuristics": true, "vocab": []byte{1, 2}}), dir, "tokenizer")
	p := open(t, dir)
	if len(p.Remarks) != 1 || !strings.Contains(p.Remarks[0], "back-references") || !strings.Contains(p.Remarks[0], "prefix_search") {
		t.Errorf("%q", p.Remarks)
	}
	got, _ := texts(p.NewTokenizer().Tokens(nil, "(-a aa"))
	if want := []string{"(", "-", "a", "aa"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestRetokenizersAreTold(t *testing.T) {
	dir := folder(t, "plain")
	write(t, "[nlp]\npipeline = [\"m\",\n  \"ner\"]\n\n# a comment\n[components.m]\nfactory = \"merge_entities\"\n", dir, "config.cfg")
	if p := open(t, dir); len(p.Remarks) != 1 || !strings.Contains(p.Remarks[0], "component m changes the tokens") {
		t.Errorf("%q", p.Remarks)
	}
}

// An installed package holds the pipeline in a folder named for its version.
func TestPackage(t *testing.T) {
	dir := t.TempDir()
	inner := filepath.Join(dir, "en_core_web_md-3.8.0")
	if err := os.CopyFS(inner, os.DirFS(folder(t, "plain"))); err != nil {
		t.Fatal(err)
	}
	write(t, `{"lang": "en", "name": "core_web_md", "version": "3.8.0"}`, dir, "meta.json")
	if got := Folder(dir); got != inner {
		t.Errorf("%s", got)
	}
	open(t, dir)
}

// Tables that can't be mapped are read: other types, Fortran's order.
func TestOtherTypes(t *testing.T) {
	want := npy("(2, 3)", 1, 2, 3, 4, 5, 6)
	fortran := strings.Replace(npy("(2, 3)", 1, 4, 2, 5, 3, 6), "False, ", "True,  ", 1)
	double := strings.Replace(npy("(2, 3)"), "<f4", "<f8", 1)
	for _, v := range []float64{1, 2, 3, 4, 5, 6} {
		double = string(binary.LittleEndian.AppendUint64([]byte(double), math.Float64bits(v)))
	}
	for _, file := range []string{want, fortran, double} {
		dir := folder(t, "plain")
		write(t, file, dir, "vocab", "vectors")
		write(t, pack(t, map[uint64]int{Key("a"): 0, Key("b"): 1}), dir, "vocab", "key2row")
		write(t, `{"attr": "LOWER"}`, dir, "vocab", "vectors.cfg")
		p := open(t, dir)
		if got := p.Vector(nil, "B"); !slices.Equal(got, []float32{4, 5, 6}) {
			t.Errorf("%v", got)
		}
	}
}

// A run of signs without end is not cut, and takes no time.
func TestLongWord(t *testing.T) {
	tok := open(t, folder(t, "plain")).NewTokenizer()
	long := strings.Repeat("!", 1_000_000)
	if got := tok.Tokens(nil, "a "+long+"."); len(got) != 2 || len(got[1].Text) != len(long)+1 {
		t.Errorf("%d tokens", len(got))
	}
	if got := tok.Tokens(nil, strings.Repeat("!", maxWord)); len(got) != maxWord {
		t.Errorf("%d tokens", len(got))
	}
}

func TestInvalidUTF8(t *testing.T) {
	tok := open(t, folder(t, "plain")).NewTokenizer()
	if got, _ := texts(tok.Tokens(nil, "a\xffb (c\xc3")); !slices.Equal(got, []string{"a", "\ufffd", "b", "(", "c", "\ufffd"}) {
		t.Errorf("%q", got)
	}
}

func FuzzRows(f *testing.F) {
	f.Add([]byte(pack(f, map[uint64]int{1: 2, 1 << 63: 3})))
	f.Add([]byte{0xdf, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseRows(data)
		for key, row := range m {
			if err == nil && row < 0 {
				t.Errorf("row %d of %d", row, key)
			}
		}
	})
}

func FuzzRules(f *testing.F) {
	f.Add([]byte(pack(f, map[string]any{
		"prefix_search": `^\(|^"`, "suffix_search": `\)$|'s$`, "infix_finditer": `(?<=[a-z])-(?=[a-z])`, "token_match": nil, "url_match": `^www\S+$`,
		"exceptions": map[string]any{"don't": []any{map[any]any{65: "do"}, map[any]any{"ORTH": "n't", 67: "not"}}, ":-)": []any{map[int]string{65: ":-)"}}},
	})), "(don't \"a-b's\" :-) www.x")
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		if len(data) > 1000 || len(text) > 100 {
			return
		}
		r, _, err := parseRules(data)
		if err != nil {
			return
		}
		text = strings.ToValidUTF8(text, "?")
		tok := newTokenizer(r)
		tokens := tok.Tokens(nil, text)
		if got, want := strings.Join(strings.Fields(spelling(tokens)), ""), strings.Join(strings.Fields(text), ""); got != want && text == strings.Trim(text, "\x1c\x1d\x1e\x1f") {
			t.Errorf("%q makes %v", text, tokens)
		}
		again := tok.Tokens(nil, text)
		if !slices.Equal(tokens, again) {
			t.Errorf("%q: %v, then %v", text, tokens, again)
		}
	})
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte("[nlp]\nlang = \"en\"\npipeline = [\"a\",\n  \"b\"]\n\n[components.a]\nfactory = \"x\"\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseConfig(bytes.NewReader(data))
		if err == nil {
			c.list("nlp", "pipeline")
			c.text("nlp", "lang")
		}
	})
}

func FuzzSettings(f *testing.F) {
	f.Add([]byte(`{"mode":"floret","minn":3,"maxn":4,"hash_count":2,"hash_seed":2166136261,"bow":"<","eow":">","attr":65}`), "river")
	f.Fuzz(func(t *testing.T, data []byte, word string) {
		fl, _, err := parseSettings(data)
		if err != nil || fl == nil || len(word) > 200 {
			return
		}
		table := &table{rows: 3, width: 2, data: make([]float32, 6), floret: fl}
		fl.vector(make([]float32, 2), table, word)
	})
}
