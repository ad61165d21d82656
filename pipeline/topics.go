package pipeline

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/bertopic-go/bertopic/internal/vectorize"
	"github.com/bertopic-go/bertopic/pipeline/ctfidf"
	"github.com/bertopic-go/bertopic/pipeline/knn"
	"github.com/bertopic-go/bertopic/pipeline/represent"
)

// topics are the topics of a fit and what describes them. A class is a row of
// ctfidf and of vectors: the topics in order, then the outliers if there are
// any.
type topics struct {
	list       []Topic
	vectors    Matrix
	vocabulary *vectorize.Vocabulary
	counts     *vectorize.Counts // documents x terms
	class      []int32           // the class of each row
	ctfidf     *vectorize.Weights
	idf        []float64
}

// classes is the number of topics, and of classes.
func (f *fit) classes(topic []int) (topics, classes int) {
	outliers := false
	for _, t := range topic {
		topics = max(topics, t+1)
		outliers = outliers || t == Outlier
	}
	classes = topics
	if outliers {
		classes++
	}
	return topics, classes
}

// describe gives every topic its vector, its words, a name and the rows that
// stand for it, and every row the rest of its assignment.
func (f *fit) describe() error {
	topic := f.rowTopics()
	n, classes := f.classes(topic)
	f.topics.class = make([]int32, len(topic))
	f.topics.list = make([]Topic, classes)
	for i, t := range topic {
		if t == Outlier {
			t = n
		}
		f.topics.class[i] = int32(t)
		f.topics.list[t].Count++
	}
	for k := range f.topics.list {
		f.topics.list[k].ID = k
		f.topics.list[k].Representative = []string{}
		f.topics.list[k].Words = []Word{}
	}
	if classes > n {
		f.topics.list[n].ID = Outlier
	}
	f.meanVectors(classes)
	f.assign(topic)
	words, documents, err := f.countWords(classes)
	if err != nil {
		return err
	}
	if err := f.nameTopics(words, documents); err != nil {
		return err
	}
	return nil
}

// meanVectors gives each class the mean of its rows' vectors.
func (f *fit) meanVectors(classes int) {
	group := make([]int, len(f.usable))
	for k, i := range f.usable {
		group[k] = int(f.topics.class[i])
	}
	f.topics.vectors = groupMeans(f.rows.Vectors, f.usable, group, classes)
}

// assign writes what is known of each row.
func (f *fit) assign(topic []int) {
	f.result.Rows = make([]Assignment, len(topic))
	for i, g := range f.groupOf() {
		a := Assignment{Topic: topic[i], Status: f.status[i], Cosine: math.NaN()}
		if g >= 0 {
			if topic[i] == Outlier && f.far[g] {
				a.Status = RowStatus{Status: Disconnected}
			}
			if topic[i] != Outlier {
				a.Probability = f.strength[g]
				a.Cosine = cosine(f.rows.Vectors, i, f.topics.vectors, int(f.topics.class[i]))
			}
		}
		f.result.Rows[i] = a
	}
}

// countWords counts the words of the rows once; classes are sums of rows. It
// returns the heaviest words of each class and the rows that stand for it,
// nothing where there are no words at all.
func (f *fit) countWords(classes int) ([][]ctfidf.Word, [][]represent.Document, error) {
	words := make([][]ctfidf.Word, classes)
	documents := make([][]represent.Document, classes)
	texts := f.rows.Texts
	if texts == nil {
		texts = make([]string, len(f.status))
	}
	vocabulary, counts, err := vectorize.Fit(f.ctx, vectorize.FromSlice(texts), f.p.Vectorize, f.p.Threads)
	switch {
	case errors.Is(err, vectorize.ErrEmptyVocabulary), errors.Is(err, vectorize.ErrNoTermsLeft), errors.Is(err, vectorize.ErrBounds):
		f.warn("no-words", "the topics have no words: %v", err)
		return words, documents, nil
	case err != nil:
		return nil, nil, err
	}
	for _, text := range f.p.Vectorize.Warnings() {
		f.warn("vectorizer", "%s", text)
	}
	sums, err := vectorize.SumRows(counts, f.topics.class, classes, f.p.Threads)
	if err != nil {
		return nil, nil, err
	}
	model, err := ctfidf.Fit(sums, vocabulary.Terms, f.p.CTFIDF)
	if err != nil {
		return nil, nil, err
	}
	f.topics.vocabulary, f.topics.counts, f.topics.idf = vocabulary, counts, model.IDF
	f.topics.ctfidf = model.Transform(sums, f.p.Threads)
	documents, err = represent.Representative(counts, f.topics.class, model, f.topics.ctfidf, represent.Selection{Documents: representatives, Samples: -1, Seed: f.p.Seed, Threads: f.p.Threads})
	if err != nil {
		return nil, nil, err
	}
	t := f.representTopics(documents)
	return represent.Base(t, f.p.TopNWords), documents, nil
}

// Rows that stand for a topic: so many are shown; KeyBERT looks at more.
const (
	representatives      = 5
	shownRepresentatives = 3
)

func (f *fit) representTopics(documents [][]represent.Document) *represent.Topics {
	dense, _ := f.rows.Vectors.(*Dense)
	return &represent.Topics{Terms: f.topics.vocabulary.Terms, Weights: f.topics.ctfidf, Documents: documents, Vectors: dense, Threads: f.p.Threads}
}

// nameTopics chooses the words of each topic, its aspects and its name.
func (f *fit) nameTopics(base [][]ctfidf.Word, documents [][]represent.Document) error {
	main := base
	aspects := map[string][][]ctfidf.Word{}
	if f.topics.vocabulary != nil {
		t := f.representTopics(documents)
		for i, r := range f.p.Representation {
			step := f.step(r)
			if r.Name == "" || r.Name == "Main" {
				refined, err := step.Refine(f.ctx, t, main)
				if err != nil {
					return fmt.Errorf("representation %d: %w", i+1, err)
				}
				main = refined
				continue
			}
			refined, err := step.Refine(f.ctx, t, base)
			if err != nil {
				return fmt.Errorf("representation %q: %w", r.Name, err)
			}
			aspects[r.Name] = refined
		}
	}
	f.result.Representative = make([]bool, len(f.status))
	for k := range f.topics.list {
		t := &f.topics.list[k]
		t.Words = words(main[k], f.p.TopNWords)
		t.Name = represent.Label(t.ID, main[k])
		for name, of := range aspects {
			if t.Aspects == nil {
				t.Aspects = map[string][]Word{}
			}
			t.Aspects[name] = words(of[k], f.p.TopNWords)
		}
		if t.ID == Outlier {
			continue
		}
		for _, d := range documents[k][:min(len(documents[k]), shownRepresentatives)] {
			f.result.Representative[d.Row] = true
			t.Representative = append(t.Representative, f.rows.IDs[d.Row])
		}
	}
	return nil
}

func (f *fit) step(r Representation) represent.Step {
	if r.Method == "keybert" {
		return represent.KeyBERT{Embedder: f.p.Words, TopN: f.p.TopNWords}
	}
	return represent.MMR{Embedder: f.p.Words, Diversity: r.Diversity, TopN: f.p.TopNWords}
}

func words(list []ctfidf.Word, n int) []Word {
	out := make([]Word, min(n, len(list)))
	for i := range out {
		out[i] = Word{list[i].Term, list[i].Weight}
	}
	return out
}

// AspectNames returns the names of the aspects that any of topics has, sorted.
func AspectNames(topics []Topic) []string {
	var names []string
	for _, t := range topics {
		for name := range t.Aspects {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Check returns the status of each row as a fit by this metric will see it: a
// row has failed whose vector is not finite, or all zeros where the metric is
// not euclidean. statuses may be nil.
func Check(vectors Matrix, statuses []RowStatus, metric knn.Metric) []RowStatus {
	return checked(vectors, statuses, metric)
}
