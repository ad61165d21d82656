package report

import (
	"math"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestExcerpt(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"", 5, ""},
		{"  a \n\t b  ", 9, "a b"},
		{"abcdef", 6, "abcdef"},
		{"abcdefg", 6, "abcdef…"},
		{"abcde fg", 6, "abcde…"},
		{"a\x00b\x1bc", 9, "abc"},
		{"a\xffb", 9, "a\uFFFDb"},
		{"abe\u0301\u0301z", 3, "ab…"},        // no letter without its accents
		{"ab👩\u200d👧c", 4, "ab…"},             // no half of a joined emoji
		{"ab👍🏽c", 3, "ab…"},                   // nor one without its tone
		{"日本語のテキスト", 3, "日本語…"},               // runes, not bytes
		{strings.Repeat("\u0301", 99), 9, ""}, // checked for length only, below
		{strings.Repeat(" ", 9999) + "a", 5, "a"},
		{strings.Repeat("a ", 9999), 5, "a a a…"},
	} {
		got := excerpt(c.in, c.n)
		if n := utf8.RuneCountInString(got); n > c.n+1 {
			t.Errorf("excerpt(%.20q, %d) has %d runes", c.in, c.n, n)
		}
		if c.want != "" && got != c.want {
			t.Errorf("excerpt(%.20q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
	}
}

func FuzzExcerpt(f *testing.F) {
	for _, s := range []string{"", "plain text", "\xff\xfe", "👩‍👩‍👧‍👦 family", "e\u0301", "a\x00\u202e", strings.Repeat(" x", 400)} {
		f.Add(s, 7)
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		n = 1 + (n&0xff+256)%256
		got := excerpt(s, n)
		if !utf8.ValidString(got) {
			t.Fatalf("%q is not valid UTF-8", got)
		}
		if utf8.RuneCountInString(got) > n+1 {
			t.Fatalf("%q has more than %d runes", got, n+1)
		}
		if again := clean(got); again != got {
			t.Fatalf("%q is not clean: %q", got, again)
		}
		if want := cut(clean(s), n); got != want {
			t.Fatalf("the short way gives %q, the long way %q", got, want)
		}
	})
}

func TestLabel(t *testing.T) {
	words := []Word{{"goalie", 1}, {"", 1e-5}, {"puck", 0.5}, {"ice", 0.4}, {"rink", 0.3}}
	for _, c := range []struct {
		topic Topic
		want  string
	}{
		{Topic{ID: 3, Name: "3_goalie_puck_ice_rink", Words: words}, "goalie, puck, ice"},
		{Topic{ID: 3, Words: words}, "goalie, puck, ice"},
		{Topic{ID: 3, Name: "Ice hockey", Words: words}, "Ice hockey"},
		{Topic{ID: 3, Name: "30_days", Words: words}, "30_days"},
		{Topic{ID: 3, Name: "3_goalie_puck_ice_rink"}, "goalie, puck, ice"},
		{Topic{ID: 3}, "Topic 3"},
		{Topic{ID: 3, Name: " \x00"}, "Topic 3"},
		{Topic{ID: -1, Name: "-1_the_of_and", Words: words}, "Outliers"},
		{Topic{ID: -1, Name: "Rest"}, "Rest"},
	} {
		if got := label(&c.topic); got != c.want {
			t.Errorf("label of %d %q = %q, want %q", c.topic.ID, c.topic.Name, got, c.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	inf := math.Inf(1)
	for _, c := range []struct{ got, want string }{
		{thousands(0), "0"}, {thousands(999), "999"}, {thousands(1000), "1,000"}, {thousands(1234567), "1,234,567"}, {thousands(-1234), "−1,234"},
		{percent(0), "0 %"}, {percent(1), "100 %"}, {percent(0.5), "50.0 %"}, {percent(1e-5), "<0.1 %"}, {percent(0.99999), "100 %"}, {percent(math.NaN()), "–"},
		{decimal(0.15372), "0.154"}, {decimal(-0.25), "−0.250"}, {decimal(-1e-9), "0"}, {decimal(inf), "–"},
		{weight(0.09), "0.0900"}, {weight(12.345), "12.3"}, {weight(1234), "1234"}, {weight(1e-7), "1.0e-07"}, {weight(0), "0"}, {weight(inf), "–"},
		{seconds(0), "<0.01 s"}, {seconds(9.876), "9.88 s"}, {seconds(119), "119.0 s"}, {seconds(150), "2 min 30 s"}, {seconds(7260), "2 h 1 min"}, {seconds(-1), "–"},
		{memory(0), "–"}, {memory(780 << 20), "780 MiB"}, {memory(3 << 29), "1.5 GiB"},
	} {
		if c.got != c.want {
			t.Errorf("got %q, want %q", c.got, c.want)
		}
	}
}

func TestGroups(t *testing.T) {
	got := groups([]Setting{{"reduce.method", "umap"}, {"plain", "1"}, {"embedder.options.model", "m"}, {"reduce.n_neighbors", "15"}})
	var names []string
	for _, g := range got {
		names = append(names, g.Name)
	}
	if !slices.Equal(names, []string{"reduce", "", "embedder"}) || len(got[0].Rows) != 2 || got[2].Rows[0].Key != "options.model" {
		t.Errorf("got %+v", got)
	}
}

func TestLikeness(t *testing.T) {
	v := [][]float32{{1, 0}, {0, 2}, {3, 3}, {0, 0}}
	sim := likeness(v)
	h := math.Sqrt(0.5)
	want := []float64{1, 0, h, 0, 0, 1, h, 0, h, h, 1, 0, 0, 0, 0, 1}
	for i := range want {
		if math.Abs(sim[i]-want[i]) > 1e-12 { // rounding of one division
			t.Errorf("likeness[%d] = %g, want %g", i, sim[i], want[i])
		}
	}
	if got := chain(sim, 4); !slices.Equal(got, []int{3, 0, 2, 1}) && !slices.Equal(got, []int{0, 2, 1, 3}) {
		t.Errorf("chain = %v", got)
	}
	for n := range 6 {
		got := chain(make([]float64, n*n), n)
		slices.Sort(got)
		for i, x := range got {
			if i != x {
				t.Errorf("chain of %d is no permutation: %v", n, got)
			}
		}
		if len(got) != n {
			t.Errorf("chain of %d has %d", n, len(got))
		}
	}
}

func TestPaint(t *testing.T) {
	// As many topics as colours, all near each other: each has its own.
	at, has := make([][2]float64, colors), make([]bool, colors)
	for i := range at {
		at[i], has[i] = [2]float64{float64(i%4) / 10, float64(i/4) / 10}, true
	}
	got := paint(at, has)
	slices.Sort(got)
	if len(slices.Compact(got)) != colors {
		t.Errorf("%d topics share colours: %v", colors, got)
	}
	if got := paint(make([][2]float64, spread+colors), make([]bool, spread+colors)); got[spread] != spread%colors {
		t.Errorf("topic %d has colour %d", spread, got[spread])
	}
}
