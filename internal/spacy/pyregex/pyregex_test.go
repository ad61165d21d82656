package pyregex

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// golden is a case of testdata/make_cases.py.
type golden struct {
	expr, text string
	match      int
	search     []int
	all        [][2]int
}

func (g *golden) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, &[]any{&g.expr, &g.text, &g.match, &g.search, &g.all})
}

func readCases(t testing.TB) []golden {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "cases.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var cases []golden
	if err := json.NewDecoder(z).Decode(&cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func TestPython(t *testing.T) {
	var m Machine
	for _, c := range readCases(t) {
		re, err := Compile(c.expr)
		if err != nil {
			t.Errorf("%q: %v", c.expr, err)
			continue
		}
		text := []rune(c.text)
		if end, ok := re.Match(&m, text); ok != (c.match >= 0) || ok && end != c.match {
			t.Errorf("match %q in %q: %d %t, want %d", c.expr, c.text, end, ok, c.match)
		}
		start, end, ok := re.Search(&m, text)
		if ok != (c.search != nil) || ok && !slices.Equal([]int{start, end}, c.search) {
			t.Errorf("search %q in %q: %d-%d %t, want %v", c.expr, c.text, start, end, ok, c.search)
		}
		if all := re.FindAll(&m, text, nil); !slices.Equal(all, c.all) {
			t.Errorf("find %q in %q: %v, want %v", c.expr, c.text, all, c.all)
		}
	}
}

func TestRefused(t *testing.T) {
	for expr, want := range map[string]string{
		`(a)\1`:                   "back-references",
		`(?P<n>a)(?P=n)`:          "back-references",
		`(?>a)`:                   "atomic",
		`a*+`:                     "possessive",
		`(a)?(?(1)b|c)`:           "conditions",
		`(?x)a b`:                 "flag 'x'",
		`a(?i)b`:                  "at its beginning",
		`(?<=a+)b`:                "one length",
		`(?<=a|bc)d`:              "one length",
		`(a`:                      "without an end",
		`a)`:                      "without an opening one",
		`[a`:                      "without an end",
		`[z-a]`:                   "a range that is none",
		`[\d-z]`:                  "a range that is none",
		`a**`:                     "two repetitions",
		`a{2}{3}`:                 "two repetitions",
		`*`:                       "nothing to repeat",
		`^*`:                      "nothing to repeat",
		`a{2,1}`:                  "above the upper",
		`a{5000}`:                 "1000",
		`\q`:                      `the escape \q`,
		`\`:                       "a backslash",
		`\u12`:                    "is cut",
		`\UFFFFFFFF`:              "no code point",
		`(?P<n`:                   "without an end",
		`(?`:                      "without an end",
		strings.Repeat("(", 300):  "groups in each other",
		`(?:a{1000}){1000}`:       "too large",
		`(?:(?:a{999}b){999}){9}`: "too large",
	} {
		_, err := Compile(expr)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", expr, err, want)
		}
	}
	_, err := Compile("abc(?>d)")
	if e, ok := errors.AsType[*Error](err); !ok || e.Offset != 3 || e.Near != "(?>d)" {
		t.Errorf("%v", err)
	}
}

// What takes time that grows as 2^n in Python takes little here.
func TestLinear(t *testing.T) {
	var m Machine
	text := []rune(strings.Repeat("a", 2000) + "b")
	for _, expr := range []string{`(a*)*c`, `(a|a)*c`, `(a?){500}a{500}c`, `(?:a+)+$`, `(?=(a*)*c)b`} {
		re, err := Compile(expr)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, ok := re.Search(&m, text); ok {
			t.Errorf("%s matches", expr)
		}
	}
}

func TestAlternatives(t *testing.T) {
	for expr, want := range map[string][]string{
		``:                {""},
		`a|b|`:            {"a", "b", ""},
		`(a|b)|[c|]|\||d`: {"(a|b)", "[c|]", `\|`, "d"},
		`[]|]|[^]|]|e\`:   {"[]|]", "[^]|]", `e\`},
	} {
		if got := Alternatives(expr); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", expr, got, want)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for i, c := range readCases(f) {
		if i%40 == 0 {
			f.Add(c.expr, c.text)
		}
	}
	f.Add(`(?<=[a-z\u00e9])\.(?=[A-Z])|(?i:x{1,3}?)\Z`, "ab.Cx")
	f.Fuzz(func(t *testing.T, expr, text string) {
		if len(expr) > 200 || len(text) > 100 {
			return
		}
		Alternatives(expr)
		re, err := Compile(expr)
		if err != nil || len(re.code) > 2000 {
			return
		}
		var m Machine
		runes := []rune(text)
		end, ok := re.Match(&m, runes)
		start, to, found := re.Search(&m, runes)
		if ok && (!found || start != 0 || to != end) || start > to || to > len(runes) {
			t.Errorf("%q in %q: match to %d %t, search %d-%d %t", expr, text, end, ok, start, to, found)
		}
		all := re.FindAll(&m, runes, nil)
		if found != (len(all) > 0) || found && all[0] != [2]int{start, to} {
			t.Errorf("%q in %q: search %d-%d, find %v", expr, text, start, to, all)
		}
	})
}
