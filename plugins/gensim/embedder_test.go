package main

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/sdktest"
)

// write writes a file of vectors.
func write(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "vectors.txt")
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func start(t testing.TB, options map[string]any) *sdktest.Program {
	t.Helper()
	p := sdktest.Start(t, &embedder{})
	p.Configure(options)
	return p
}

func row(v sdk.Vectors, i int) []float32 {
	return v.Dense.Data[i*v.Dense.Columns : (i+1)*v.Dense.Columns]
}

// The same three words in every test of a rule.
const goals = "goal 1 1\nteam 3 3\nGoal 7 0\n"

// TestRules has the values of each rule, worked out by hand.
func TestRules(t *testing.T) {
	none := []float32{0, 0}
	for _, c := range []struct {
		name    string
		vectors string
		options map[string]any
		text    string
		want    []float32
		status  sdk.Status
	}{
		{"mean", "goal 1 1\nteam 3 3\n", nil, "goal team", []float32{2, 2}, sdk.OK},
		{"unknown word skipped", "goal 1 1\nteam 3 3\n", nil, "goal xyz", []float32{1, 1}, sdk.OK},
		{"none known", "goal 1 1\nteam 3 3\n", nil, "xyz", none, sdk.OOV},
		{"empty", "goal 1 1\nteam 3 3\n", nil, "", none, sdk.Empty},
		{"white space", "goal 1 1\nteam 3 3\n", nil, " \t\n\u00a0\u2003 ", none, sdk.Empty},
		{"case is kept", "goal 1 1\nteam 3 3\n", nil, "Goal", none, sdk.OOV},
		{"one known of five", goals, nil, "a b team c d", []float32{3, 3}, sdk.OK},
		{"repeats count", goals, nil, "goal goal goal team", []float32{1.5, 1.5}, sdk.OK},
		{"punctuation sticks", goals, nil, "goal, team", []float32{3, 3}, sdk.OK},
		{"separators of Python", goals, nil, "goal\x1cteam\u3000Goal", []float32{11. / 3, 4. / 3}, sdk.OK},
		{"a zero-width space is none", goals, nil, "goal\u200bteam", none, sdk.OOV},
		{"lower case", goals, map[string]any{"lowercase": true}, "GOAL Goal", []float32{1, 1}, sdk.OK},
		{"words", goals, map[string]any{"tokenizer": "words"}, "(goal), \"team\"!", []float32{2, 2}, sdk.OK},
		{"words without a letter", goals, map[string]any{"tokenizer": "words"}, "!!! ...", none, sdk.OOV},
		{"zeros count", goals, map[string]any{"oov": "zero"}, "a b team c d", []float32{0.6, 0.6}, sdk.OK},
		{"zeros alone", goals, map[string]any{"oov": "zero"}, "a b", none, sdk.OOV},
		{"flair", goals, map[string]any{"pooling": "flair"}, "goal team x.", []float32{1, 1}, sdk.OK},
		{"flair lowers what it does not know", goals, map[string]any{"pooling": "flair"}, "TEAM Goal", []float32{5, 1.5}, sdk.OK},
		{"flair masks digits", "## 2 4\n000 6 6\n", map[string]any{"pooling": "flair"}, "17 123", []float32{4, 5}, sdk.OK},
		{"flair without unknown words", goals, map[string]any{"pooling": "flair", "oov": "skip"}, "goal x y", []float32{1, 1}, sdk.OK},
		{"too many unknown", goals, map[string]any{"max_oov": 0.5}, "goal x y", none, sdk.OOV},
		{"just enough known", goals, map[string]any{"max_oov": 0.5}, "goal x", []float32{1, 1}, sdk.OK},
		{"vectors that cancel out", "up 1 -1\ndown -1 1\n", nil, "up down", none, sdk.Failed},
		{"one dimension", "a 1\nb 4\n", nil, "a b", []float32{2.5}, sdk.OK},
	} {
		t.Run(c.name, func(t *testing.T) {
			options := map[string]any{"model": write(t, c.vectors)}
			for k, v := range c.options {
				options[k] = v
			}
			v := start(t, options).Embed(sdktest.Texts("team", c.text, "goal")...)
			if got := row(v, 1); !slices.Equal(got, c.want) {
				t.Errorf("%v, want %v", got, c.want)
			}
			if got := statuses(v)[1]; got != c.status {
				t.Errorf("status %v, want %v", got, c.status)
			}
		})
	}
}

// TestTFIDF works out the weights: ln((1+n)/(1+df)) + 1 times the count.
func TestTFIDF(t *testing.T) {
	corpus := []string{"goal team", "goal goal xyz", "goal", ""}
	options := map[string]any{"model": write(t, goals), "pooling": "tfidf"}
	p := start(t, options)
	if !p.Info.NeedsFit || p.Info.Dimension != 2 {
		t.Fatalf("%+v", p.Info)
	}
	p.Fit(sdktest.Texts(corpus...)...)
	goal, team, rare := math.Log(5./4)+1, math.Log(5./2)+1, math.Log(5)+1
	texts := []string{"goal team", "goal goal team x", "Goal goal", "team", "x"}
	v := p.Embed(sdktest.Texts(texts...)...)
	for i, want := range [][2]float64{
		{(goal + 3*team) / (goal + team), (goal + 3*team) / (goal + team)},
		{(2*goal + 3*team) / (2*goal + team), (2*goal + 3*team) / (2*goal + team)},
		{(7*rare + goal) / (rare + goal), goal / (rare + goal)},
		{3, 3},
		{0, 0},
	} {
		for j := range 2 {
			if got := float64(row(v, i)[j]); math.Abs(got-want[j]) > 1e-6 {
				t.Errorf("%q: value %d is %v, want %v", texts[i], j, got, want[j])
			}
		}
	}
	if got := statuses(v); got[4] != sdk.OOV || len(got) != 1 {
		t.Errorf("statuses %v", got)
	}
	restored := start(t, options)
	state := p.State()
	restored.LoadState(state)
	if again := restored.Embed(sdktest.Texts(texts...)...); !reflect.DeepEqual(again, v) {
		t.Error("a restored program gives other vectors")
	}
	if !slices.Equal(restored.State(), state) {
		t.Error("the state of a restored program differs")
	}
	words := p.EmbedWords("team", "goal team", "zzz")
	if got := row(words, 0); !slices.Equal(got, []float32{3, 3}) {
		t.Errorf("the word has %v", got)
	}
	if got := statuses(words); got[2] != sdk.OOV || len(got) != 1 {
		t.Errorf("statuses of words %v", got)
	}
	zero := start(t, map[string]any{"model": options["model"], "pooling": "tfidf", "oov": "zero"})
	zero.Fit(sdktest.Texts(corpus...)...)
	xyz := math.Log(5./2) + 1
	if got, want := float64(row(zero.Embed(sdktest.Texts("goal xyz")...), 0)[0]), goal/(goal+xyz); math.Abs(got-want) > 1e-6 {
		t.Errorf("with zeros %v, want %v", got, want)
	}
}

func TestStateIsChecked(t *testing.T) {
	ctx := context.Background()
	vectors := write(t, goals)
	fit := func(options map[string]any) *embedder {
		e := &embedder{}
		t.Cleanup(func() { e.Close() })
		options["pooling"] = "tfidf"
		if options["model"] == nil {
			options["model"] = vectors
		}
		checked, faults := sdk.CheckOptions(e.Describe(), options)
		if len(faults) > 0 {
			t.Fatal(faults)
		}
		if _, remarks, err := e.Configure(ctx, sdk.Settings{Options: checked}); err != nil || remarks.Refused() {
			t.Fatal(remarks, err)
		}
		_, _, err := e.Fit(ctx, func(yield func(sdk.Row, error) bool) { yield(sdk.Row{Text: "goal team", HasText: true}, nil) })
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	e := fit(map[string]any{})
	state, err := e.SaveState(ctx)
	if err != nil {
		t.Fatal(err)
	}
	sealed := func(b []byte) []byte {
		b = slices.Clone(b[:len(b)-4])
		return binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	}
	more := sealed(append(slices.Clone(state[:len(state)-4]), 0, 0, 0, 0, 0))
	for _, c := range []struct {
		name  string
		e     *embedder
		state []byte
		want  string
	}{
		{"another tokenizer", fit(map[string]any{"tokenizer": "words"}), state, "another tokenizer"},
		{"another case", fit(map[string]any{"lowercase": true}), state, "another lowercase"},
		{"another oov", fit(map[string]any{"oov": "zero"}), state, "another oov"},
		{"other vectors", fit(map[string]any{"model": write(t, "goal 1 2\n")}), state, "another file of vectors"},
		{"nothing", e, nil, "no such state"},
		{"cut", e, state[:len(state)-1], "checksum"},
		{"more", e, more, "follow the words"},
		{"version", e, append([]byte("btgensim\x09"), state[9:]...), "version 9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := c.e.LoadState(ctx, c.state); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want one with %q", err, c.want)
			}
		})
	}
}

// TestRefused has what each wrong option is told.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		name    string
		options map[string]any
		want    string
	}{
		{"no model", map[string]any{"model": " "}, "model is empty"},
		{"no file", map[string]any{"model": "./none.bin"}, "there is no file or folder of word vectors at"},
		{"not fetched", map[string]any{"model": "glove-twitter-25"}, "`bertopic models get glove-twitter-25` brings it"},
		{"share", map[string]any{"max_oov": 1.5}, "it is a share from 0 to 1"},
		{"no subwords", map[string]any{"oov": "subword"}, "has no subwords"},
		{"encoding", map[string]any{"encoding": "klingon"}, `the encoding "klingon" is not known`},
		{"pooling", map[string]any{"pooling": "gensin"}, `did you mean "gensim"?`},
		{"words beside text", map[string]any{"words": "list.txt"}, "goes with a .npy file alone"},
	} {
		t.Run(c.name, func(t *testing.T) {
			options := map[string]any{"model": write(t, goals)}
			for k, v := range c.options {
				options[k] = v
			}
			t.Setenv("XDG_CACHE_HOME", t.TempDir())
			_, err := sdktest.Start(t, &embedder{}).TryConfigure(options)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestRemarks(t *testing.T) {
	p := sdktest.Start(t, &embedder{})
	remarks := p.Configure(map[string]any{"model": write(t, "goal 1 1\ngoal 2 2\nstra\xdfe 3 3\n")})
	if len(remarks) != 2 || !strings.Contains(remarks[0].Summary, "1 of 3 rows") || !strings.Contains(remarks[1].Summary, "1 of 3 words are not in UTF-8") {
		t.Errorf("remarks: %+v", remarks)
	}
	if got := row(p.Embed(sdktest.Texts("goal")...), 0); !slices.Equal(got, []float32{1, 1}) {
		t.Errorf("the second of two vectors counts: %v", got)
	}
	p.Configure(map[string]any{"model": write(t, "stra\xdfe 3 3\n"), "encoding": "iso-8859-1"})
	if got := row(p.Embed(sdktest.Texts("straße")...), 0); !slices.Equal(got, []float32{3, 3}) {
		t.Errorf("a word in Latin-1 has %v", got)
	}
}

// TestSubwords: an unknown word has the mean of its n-grams, a known one its own.
func TestSubwords(t *testing.T) {
	model := absolute(t, fixtures, "fasttext.bin")
	plain, sub := start(t, map[string]any{"model": model}), start(t, map[string]any{"model": model, "oov": "subword"})
	texts := sdktest.Texts("river", "riverside", "river riverside", "x riverside")
	a, b := plain.Embed(texts...), sub.Embed(texts...)
	if !slices.Equal(row(a, 0), row(b, 0)) || !slices.Equal(row(a, 0), row(a, 2)) {
		t.Error("a known word has another vector")
	}
	if statuses(a)[1] != sdk.OOV || len(b.Statuses) != 0 {
		t.Errorf("statuses %v and %v", a.Statuses, b.Statuses)
	}
	for j := range 8 {
		if got, want := row(b, 2)[j], (row(b, 0)[j]+row(b, 1)[j])/2; math.Abs(float64(got-want)) > 1e-6 {
			t.Errorf("value %d is %v, want %v", j, got, want)
		}
	}
}

// TestBits: a row's bits don't depend on its neighbours, on threads, on a cache or
// on what was embedded before.
func TestBits(t *testing.T) {
	ctx := context.Background()
	cache := t.TempDir()
	var texts []string
	for i := range 40 {
		texts = append(texts, strings.Repeat("the river crosses riverside gardens ", i)+"lamp lampshade")
	}
	var first []float32
	for _, threads := range []int{1, 2, 8} {
		for _, batch := range []int{1, 7, 40} {
			e := &embedder{}
			checked, faults := sdk.CheckOptions(e.Describe(), map[string]any{"model": absolute(t, fixtures, "fasttext.bin"), "oov": "subword"})
			if len(faults) > 0 {
				t.Fatal(faults)
			}
			if _, remarks, err := e.Configure(ctx, sdk.Settings{Options: checked, Threads: threads, CacheDir: cache}); err != nil || remarks.Refused() {
				t.Fatal(remarks, err)
			}
			var all []float32
			for part := range slices.Chunk(sdktest.Texts(texts...), batch) {
				v, err := e.Embed(ctx, part)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, v.Dense.Data...)
			}
			if first == nil {
				first = all
			}
			if !slices.Equal(all, first) {
				t.Errorf("%d threads, batches of %d: other bits", threads, batch)
			}
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestClosed: a batch after Close is an error, not a crash.
func TestClosed(t *testing.T) {
	e := &embedder{}
	checked, _ := sdk.CheckOptions(e.Describe(), map[string]any{"model": write(t, goals)})
	if _, _, err := e.Configure(context.Background(), sdk.Settings{Options: checked}); err != nil {
		t.Fatal(err)
	}
	m, err := e.current()
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.embed(context.Background(), []string{"goal"}, true); err == nil {
		t.Error("a closed file embeds")
	}
	if _, err := e.Embed(context.Background(), sdktest.Texts("goal")); err == nil {
		t.Error("a closed embedder embeds")
	}
}

func FuzzParseState(f *testing.F) {
	e := &model{options: options{Pooling: poolTFIDF}, fitted: &fitted{documents: 3, in: map[string]int{"goal": 2, "team": 1}}}
	h, err := stateOf(e.fitted, stateHeader{Tokenizer: cutSpace})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(h)
	f.Add([]byte(stateMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) >= 4 { // a right checksum lets more through
			b = binary.LittleEndian.AppendUint32(slices.Clone(b[:len(b)-4]), crc32.ChecksumIEEE(b[:len(b)-4]))
		}
		h, got, err := parseState(b)
		if err != nil {
			return
		}
		again, err := stateOf(got, h)
		if err != nil {
			t.Fatal(err)
		}
		if _, second, err := parseState(again); err != nil || !reflect.DeepEqual(second, got) {
			t.Errorf("%v, then %v: %v", got, second, err)
		}
	})
}
