package pipeline

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/vectorize"
	"github.com/bertopic-go/bertopic/pipeline/ctfidf"
)

// OverParams say how topics are followed over time and classes. The zero value
// is BERTopic's default.
type OverParams struct {
	Bins        int  // of equal width over the span of Rows.Times; 0: each distinct time by itself
	NoGlobal    bool // words of a part alone, not averaged with the topic's own
	NoEvolution bool // nor with those of the bin before
}

// MaxBins is the largest OverParams.Bins.
const MaxBins = 100_000

// maxPairs bounds the pairs of a topic and a part of the corpus that are told.
const maxPairs = 1_000_000

// Spread is how topics lie over parts of a corpus: bins of time, or classes.
type Spread struct {
	Parts  []Part
	Topics []TopicPart // those that have rows: by topic, outliers last, then by part
}

// Part is a bin of time, From inclusive, To exclusive but for the last, or the
// rows of one class.
type Part struct {
	Name     string    // of a class
	From, To time.Time // of a bin; the same where every distinct time is a bin
	Rows     int       // outliers included
}

// TopicPart is a topic among the rows of a part.
type TopicPart struct {
	Topic, Part int // Part is a place in Spread.Parts
	Count       int
	Words       []Word // by c-TF-IDF
}

// over spreads the topics over time and classes, where rows have any.
func (f *fit) over() error {
	var err error
	if bin, parts := timeParts(f.rows.Times, f.p.Over.Bins); len(parts) > 0 {
		f.result.OverTime, err = f.spreadOver("topics-over-time", "the topics over time are left out: set [topics] nr_bins to some 20", bin, parts, !f.p.Over.NoEvolution)
		if err != nil {
			return err
		}
	}
	if class, parts := classParts(f.rows.Classes); len(parts) > 0 {
		f.result.PerClass, err = f.spreadOver("topics-per-class", "the topics by class are left out: there are too many classes", class, parts, false)
	}
	return err
}

// spreadOver counts the rows of each topic in each part and weighs their words.
// part is the part of each row, -1 for none.
func (f *fit) spreadOver(code, refusal string, part []int32, parts []Part, evolution bool) (*Spread, error) {
	s := splitter{ctx: f.ctx, topics: &f.topics, params: f.p.CTFIDF, global: !f.p.Over.NoGlobal, evolution: evolution, words: f.p.TopNWords, threads: f.p.Threads}
	pairs := pairsOf(f.topics.class, part, len(parts))
	if len(pairs) > maxPairs {
		f.warn(code, "there are %d pairs of a topic and a part with rows of it, more than %d: %s", len(pairs), maxPairs, refusal)
		return nil, nil
	}
	return s.split(pairs, part, parts)
}

// pairsOf returns the pairs of class and part that rows have, sorted, each as
// class*parts + part.
func pairsOf(class, part []int32, parts int) []int64 {
	var out []int64
	for i, p := range part {
		if p >= 0 {
			out = append(out, int64(class[i])*int64(parts)+int64(p))
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// splitter weighs the words of topics in parts of the corpus.
type splitter struct {
	ctx               context.Context
	topics            *topics
	params            ctfidf.Params
	global, evolution bool
	words, threads    int
}

func (s *splitter) split(pairs []int64, part []int32, parts []Part) (*Spread, error) {
	out := &Spread{Parts: parts, Topics: make([]TopicPart, len(pairs))}
	first := make([]int, len(s.topics.list)+1) // pair of each class
	for k, pair := range pairs {
		class := int(pair / int64(len(parts)))
		out.Topics[k] = TopicPart{Topic: s.topics.list[class].ID, Part: int(pair % int64(len(parts))), Words: []Word{}}
		first[class+1] = k + 1
	}
	for class := range s.topics.list {
		first[class+1] = max(first[class+1], first[class])
	}
	group := make([]int32, len(part))
	for i, p := range part {
		group[i] = -1
		if p < 0 {
			continue
		}
		k, _ := slices.BinarySearch(pairs, int64(s.topics.class[i])*int64(len(parts))+int64(p))
		group[i] = int32(k)
		out.Topics[k].Count++
		out.Parts[p].Rows++
	}
	if s.topics.vocabulary == nil {
		return out, nil
	}
	sums, err := vectorize.SumRows(s.topics.counts, group, len(pairs), s.threads)
	if err != nil {
		return nil, err
	}
	model := &ctfidf.Model{Params: s.params, IDF: s.topics.idf}
	weights := model.Transform(sums, s.threads)
	before := partsBefore(out.Parts)
	par.Blocks(s.threads, len(s.topics.list), 1, func(class, _, _ int) {
		s.weigh(class, weights, first[class], out.Topics[first[class]:first[class+1]], before)
	})
	return out, s.ctx.Err()
}

// partsBefore returns for each part the last one before it that has rows, -1
// if there is none.
func partsBefore(parts []Part) []int {
	out := make([]int, len(parts))
	last := -1
	for p := range parts {
		out[p] = last
		if parts[p].Rows > 0 {
			last = p
		}
	}
	return out
}

// weigh gives the words of one class in its parts, by rising part: pair k of
// them is row first+k of weights. Each row is brought to the sum 1, averaged
// with what the part before came to if the class has rows there, then with the
// row of the whole class (BERTopic's evolution_tuning and global_tuning). Every
// term of a part is one of the class.
func (s *splitter) weigh(class int, weights *vectorize.Weights, first int, pairs []TopicPart, before []int) {
	cols, whole := s.topics.ctfidf.Row(class)
	whole = slices.Clone(whole)
	unit(whole)
	row, previous := make([]float64, len(cols)), make([]float64, len(cols))
	for k := range pairs {
		if s.ctx.Err() != nil {
			return
		}
		clear(row)
		terms, values := weights.Row(first + k)
		at := 0
		for j, term := range terms {
			for cols[at] != term {
				at++
			}
			row[at] = values[j]
		}
		if s.global || s.evolution {
			unit(row)
		}
		if s.evolution && k > 0 && pairs[k-1].Part == before[pairs[k].Part] {
			average(row, previous)
		}
		if s.global {
			average(row, whole)
		}
		one := &vectorize.Weights{Rows: 1, Cols: weights.Cols, Indptr: []int64{0, int64(len(cols))}, Indices: cols, Data: row}
		pairs[k].Words = words(ctfidf.TopWords(one, s.topics.vocabulary.Terms, s.words, 1)[0], s.words)
		row, previous = previous, row
	}
}

// unit divides row by the sum of its absolute values, unless that is 0.
func unit(row []float64) {
	sum := 0.0
	for _, v := range row {
		sum += math.Abs(v)
	}
	if sum == 0 {
		return
	}
	for j := range row {
		row[j] /= sum
	}
}

func average(row, with []float64) {
	for j, v := range with {
		row[j] = (row[j] + v) / 2
	}
}

// timeParts puts times into bins of equal width, or each distinct one into a
// bin of its own where bins is 0 or all are equal. A zero time has no bin, -1.
// Edges lie on whole seconds unless a bin is shorter than a minute.
func timeParts(times []time.Time, bins int) ([]int32, []Part) {
	var at []int64 // microseconds: they reach farther than any calendar
	for _, t := range times {
		if !t.IsZero() {
			at = append(at, t.UnixMicro())
		}
	}
	slices.Sort(at)
	at = slices.Compact(at)
	if len(at) == 0 {
		return nil, nil
	}
	edges, single := at, bins == 0 || len(at) == 1
	if !single {
		edges = binEdges(at[0], at[len(at)-1], bins)
	}
	parts := make([]Part, len(edges))
	for p := range parts {
		to := edges[p]
		switch {
		case single:
		case p+1 < len(edges):
			to = edges[p+1]
		default:
			to = at[len(at)-1]
		}
		parts[p] = Part{From: time.UnixMicro(edges[p]).UTC(), To: time.UnixMicro(to).UTC()}
	}
	part := make([]int32, len(times))
	for i, t := range times {
		part[i] = -1
		if !t.IsZero() {
			p, found := slices.BinarySearch(edges, t.UnixMicro())
			if !found {
				p--
			}
			part[i] = int32(p)
		}
	}
	return part, parts
}

// binEdges returns where each of the bins from low to high begins, rising.
// Fewer are returned where there are not so many microseconds.
func binEdges(low, high int64, bins int) []int64 {
	n := int64(bins)
	width, rest := (high-low)/n, (high-low)%n
	step := int64(1)
	if width >= time.Minute.Microseconds() {
		step = time.Second.Microseconds()
	}
	edges := make([]int64, bins)
	for b := range n {
		edges[b] = low + (width*b+rest*b/n)/step*step
	}
	return slices.Compact(edges)
}

// classParts numbers the classes of rows in the order of their names; a row
// without one has none, -1.
func classParts(classes []string) ([]int32, []Part) {
	names := slices.DeleteFunc(slices.Clone(classes), func(c string) bool { return c == "" })
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 {
		return nil, nil
	}
	parts := make([]Part, len(names))
	for p, name := range names {
		parts[p].Name = name
	}
	part := make([]int32, len(classes))
	for i, c := range classes {
		part[i] = -1
		if p, ok := slices.BinarySearch(names, c); ok {
			part[i] = int32(p)
		}
	}
	return part, parts
}

func (p OverParams) validate() error {
	if p.Bins < 0 || p.Bins > MaxBins {
		return fmt.Errorf("%d bins of time make no sense: choose 0 to %d", p.Bins, MaxBins)
	}
	return nil
}
