package pipeline

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/bertopic-go/bertopic/internal/vectorize"
	"github.com/bertopic-go/bertopic/pipeline/ctfidf"
)

// splitOf spreads given topics over given parts.
func splitOf(t *testing.T, texts []string, class, part []int32, parts []Part, ids []int, o vectorize.Options, s splitter) *Spread {
	t.Helper()
	vocabulary, counts, err := vectorize.Fit(context.Background(), vectorize.FromSlice(texts), o, 1)
	if err != nil {
		t.Fatal(err)
	}
	sums, err := vectorize.SumRows(counts, class, len(ids), 1)
	if err != nil {
		t.Fatal(err)
	}
	model, err := ctfidf.Fit(sums, vocabulary.Terms, s.params)
	if err != nil {
		t.Fatal(err)
	}
	s.ctx = context.Background()
	s.topics = &topics{vocabulary: vocabulary, counts: counts, class: class, ctfidf: model.Transform(sums, 1), idf: model.IDF}
	for _, id := range ids {
		s.topics.list = append(s.topics.list, Topic{ID: id})
	}
	out, err := s.split(pairsOf(class, part, len(parts)), part, append([]Part{}, parts...))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWordsOfPartsAreThoseOfBERTopic(t *testing.T) {
	b, err := os.ReadFile("testdata/over.json")
	if err != nil {
		t.Fatal(err)
	}
	var golden struct {
		Rows []struct {
			Mapped, Year int
			Cls, Text    string
		}
		Cases []struct {
			Name      string
			PerClass  bool `json:"per_class"`
			Global    bool `json:"global_tuning"`
			Evolution bool `json:"evolution_tuning"`
			Rows      []struct {
				Topic, Count int
				Part         string
				Weights      map[string]float64
			}
		}
	}
	if err := json.Unmarshal(b, &golden); err != nil {
		t.Fatal(err)
	}
	var texts, classes []string
	var class []int32
	var times []time.Time
	for _, r := range golden.Rows {
		texts, classes = append(texts, r.Text), append(classes, r.Cls)
		times = append(times, time.Date(r.Year, 1, 1, 0, 0, 0, 0, time.UTC))
		class = append(class, int32((r.Mapped+3)%3)) // the outliers are last
	}
	for _, c := range golden.Cases {
		part, parts := timeParts(times, 0)
		if c.PerClass {
			part, parts = classParts(classes)
		}
		evolution := c.Evolution
		if c.Name == "both, as it is" { // it is written to a copy there
			evolution = false
		}
		got := splitOf(t, texts, class, part, parts, []int{0, 1, Outlier}, vectorize.Options{Tokenizer: "sklearn"},
			splitter{global: c.Global, evolution: evolution, words: 100, threads: 2})
		if len(got.Topics) != len(c.Rows) {
			t.Errorf("%s: %d pairs, want %d", c.Name, len(got.Topics), len(c.Rows))
		}
		for _, want := range c.Rows {
			found := false
			for _, have := range got.Topics {
				name := got.Parts[have.Part].Name
				if !c.PerClass {
					name = strconv.Itoa(got.Parts[have.Part].From.Year())
				}
				if have.Topic != want.Topic || name != want.Part {
					continue
				}
				found = true
				if have.Count != want.Count || len(have.Words) != len(want.Weights) {
					t.Errorf("%s: topic %d in %s has %d rows and %d words, want %d and %d", c.Name, want.Topic, name, have.Count, len(have.Words), want.Count, len(want.Weights))
				}
				for _, w := range have.Words {
					if d := math.Abs(w.Weight - want.Weights[w.Word]); d > 1e-11 { // of twelve digits, below 1.6
						t.Errorf("%s: topic %d in %s: %s has the weight %v, want %v", c.Name, want.Topic, name, w.Word, w.Weight, want.Weights[w.Word])
					}
				}
			}
			if !found {
				t.Errorf("%s: topic %d in %s is missing", c.Name, want.Topic, want.Part)
			}
		}
	}
}

func TestWordsOfPartsByHand(t *testing.T) {
	// One topic of two words a and b, three times each: both have one idf, so
	// that weights are shares, and the topic's own row is 1/2, 1/2.
	texts := []string{"aa aa", "aa bb", "bb", "bb"}
	part := []int32{0, 1, 3, -1}
	parts := make([]Part, 4)
	for name, c := range map[string]struct {
		s    splitter
		want [][]Word
	}{
		"plain":     {splitter{evolution: true}, [][]Word{{{"aa", 1}}, {{"aa", 0.75}, {"bb", 0.25}}, {{"bb", 0.625}, {"aa", 0.375}}}},
		"global":    {splitter{global: true}, [][]Word{{{"aa", 0.75}, {"bb", 0.25}}, {{"aa", 0.5}, {"bb", 0.5}}, {{"bb", 0.75}, {"aa", 0.25}}}},
		"both":      {splitter{global: true, evolution: true}, [][]Word{{{"aa", 0.75}, {"bb", 0.25}}, {{"aa", 0.5625}, {"bb", 0.4375}}, {{"bb", 0.609375}, {"aa", 0.390625}}}},
		"few words": {splitter{global: true, words: 1}, [][]Word{{{"aa", 0.75}}, {{"aa", 0.5}}, {{"bb", 0.75}}}},
	} {
		if c.s.words == 0 {
			c.s.words = 10
		}
		got := splitOf(t, texts, []int32{0, 0, 0, 0}, part, parts, []int{0}, vectorize.Options{}, c.s)
		if got.Parts[0].Rows != 1 || got.Parts[2].Rows != 0 || got.Parts[3].Rows != 1 || len(got.Topics) != 3 {
			t.Fatalf("%s: %+v", name, got)
		}
		for k, want := range c.want {
			if have := got.Topics[k].Words; !sameWords(have, want) {
				t.Errorf("%s: pair %d has the words %v, want %v", name, k, have, want)
			}
		}
	}
}

func sameWords(a, b []Word) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Word != b[i].Word || math.Abs(a[i].Weight-b[i].Weight) > 1e-12 {
			return false
		}
	}
	return true
}

func TestBinsOfTime(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2020, 1, 1+n, 0, 0, 0, 0, time.UTC) }
	for name, c := range map[string]struct {
		times []time.Time
		bins  int
		part  []int32
		from  []time.Time
		to    time.Time // of the last
	}{
		"none":          {nil, 20, nil, nil, time.Time{}},
		"all without":   {make([]time.Time, 2), 20, nil, nil, time.Time{}},
		"one":           {[]time.Time{day(3)}, 20, []int32{0}, []time.Time{day(3)}, day(3)},
		"all equal":     {[]time.Time{day(3), {}, day(3)}, 20, []int32{0, -1, 0}, []time.Time{day(3)}, day(3)},
		"distinct":      {[]time.Time{day(9), day(3), day(9)}, 0, []int32{1, 0, 1}, []time.Time{day(3), day(9)}, day(9)},
		"equal width":   {[]time.Time{day(0), day(1), day(2), day(4)}, 2, []int32{0, 0, 1, 1}, []time.Time{day(0), day(2)}, day(4)},
		"an empty one":  {[]time.Time{day(8), day(0)}, 4, []int32{3, 0}, []time.Time{day(0), day(2), day(4), day(6)}, day(8)},
		"microseconds":  {[]time.Time{day(0), day(0).Add(2 * time.Microsecond)}, 20, []int32{0, 1}, []time.Time{day(0), day(0).Add(time.Microsecond)}, day(0).Add(2 * time.Microsecond)},
		"whole seconds": {[]time.Time{day(0), day(0).Add(200 * time.Second)}, 3, []int32{0, 2}, []time.Time{day(0), day(0).Add(66 * time.Second), day(0).Add(133 * time.Second)}, day(0).Add(200 * time.Second)},
	} {
		part, parts := timeParts(c.times, c.bins)
		if !reflect.DeepEqual(part, c.part) || len(parts) != len(c.from) {
			t.Errorf("%s: rows lie in %v of %v, want %v of %v", name, part, parts, c.part, c.from)
			continue
		}
		for p := range parts {
			to := c.to
			if p+1 < len(parts) && c.bins > 0 {
				to = c.from[p+1]
			} else if c.bins == 0 {
				to = c.from[p]
			}
			if !parts[p].From.Equal(c.from[p]) || !parts[p].To.Equal(to) {
				t.Errorf("%s: bin %d is %v, want from %v to %v", name, p, parts[p], c.from[p], to)
			}
		}
	}
	// The longest span there is does not overflow.
	ends := []time.Time{time.Date(1, 1, 2, 0, 0, 0, 0, time.UTC), time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)}
	if part, parts := timeParts(ends, MaxBins); part[0] != 0 || int(part[1]) != len(parts)-1 || len(parts) != MaxBins {
		t.Errorf("the ends of the calendar lie in the bins %v of %d", part, len(parts))
	}
}

func TestFitSpreadsTopicsOverTimeAndClasses(t *testing.T) {
	m, group := blobs(4, 40, 20, 0.25)
	rows := rowsOf(m, texts(group, 12))
	rows.Classes, rows.Times = make([]string, m.Rows), make([]time.Time, m.Rows)
	for i := range rows.Times {
		if i != 5 {
			rows.Times[i] = time.Date(2000+i%10, 1, 1, 0, 0, 0, 0, time.UTC)
			rows.Classes[i] = strconv.Itoa(i % 3)
		}
	}
	var first *Result
	for _, threads := range []int{1, 2, 3} {
		_, r := mustFit(t, rows, Params{Seed: 42, Threads: threads, Over: OverParams{Bins: 5}})
		for name, s := range map[string]*Spread{"time": r.OverTime, "class": r.PerClass} {
			sum := 0
			for k, p := range s.Topics {
				sum += p.Count
				if p.Count == 0 || k > 0 && p.Topic == s.Topics[k-1].Topic && p.Part <= s.Topics[k-1].Part {
					t.Errorf("%s: pair %d is %+v", name, k, p)
				}
				if p.Topic != Outlier && len(p.Words) == 0 {
					t.Errorf("%s: topic %d has no words in part %d", name, p.Topic, p.Part)
				}
			}
			if want := m.Rows - 1; sum != want {
				t.Errorf("%s: %d rows, want %d", name, sum, want)
			}
		}
		if len(r.OverTime.Parts) != 5 || len(r.PerClass.Parts) != 3 {
			t.Errorf("%d bins and %d classes", len(r.OverTime.Parts), len(r.PerClass.Parts))
		}
		if first == nil {
			first = r
		} else if !reflect.DeepEqual(first.OverTime, r.OverTime) || !reflect.DeepEqual(first.PerClass, r.PerClass) {
			t.Errorf("%d threads give other topics over time and classes than one", threads)
		}
	}
	rows.Times, rows.Classes = make([]time.Time, m.Rows), nil
	if _, r := mustFit(t, rows, Params{Seed: 42}); r.OverTime != nil || r.PerClass != nil {
		t.Error("there are topics over time and classes of rows that have neither")
	}
	rows = Rows{IDs: []string{"a"}, Vectors: m.Select([]int{0}), Texts: []string{"one row"}, Times: []time.Time{time.Unix(0, 0)}}
	if _, r := mustFit(t, rows, Params{Over: OverParams{Bins: 20}}); len(r.OverTime.Parts) != 1 || r.OverTime.Topics[0].Count != 1 || r.OverTime.Topics[0].Topic != Outlier {
		t.Errorf("one row lies in %+v", r.OverTime)
	}
	rows.Texts = nil
	if _, r := mustFit(t, rows, Params{Over: OverParams{Bins: 20}}); len(r.OverTime.Topics) != 1 || len(r.OverTime.Topics[0].Words) != 0 {
		t.Errorf("one row without a text lies in %+v", r.OverTime)
	}
}

func TestTooManyPairsAreRefused(t *testing.T) {
	n := maxPairs + 1
	part := make([]int32, n)
	for i := range part {
		part[i] = int32(i)
	}
	f := &fit{result: &Result{}, topics: topics{class: make([]int32, n), list: make([]Topic, 1)}}
	s, err := f.spreadOver("topics-over-time", "the topics over time are left out: set [topics] nr_bins to some 20", part, make([]Part, n), true)
	if s != nil || err != nil {
		t.Errorf("got %v, %v", s, err)
	}
	want := Warning{"topics-over-time", "there are 1000001 pairs of a topic and a part with rows of it, more than 1000000: the topics over time are left out: set [topics] nr_bins to some 20"}
	if len(f.result.Warnings) != 1 || f.result.Warnings[0] != want {
		t.Errorf("the warnings are %v", f.result.Warnings)
	}
}
