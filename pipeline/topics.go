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
	return f.nameTopics(words, documents)
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

// rowWords are the words of the rows.
type rowWords struct {
	vocabulary *vectorize.Vocabulary
	counts     *vectorize.Counts // documents x terms
}

// countRows counts the words of each row.
func (f *fit) countRows() (w rowWords, err error) {
	texts := f.rows.Texts
	if texts == nil {
		texts = make([]string, len(f.rows.IDs))
	}
	w.vocabulary, w.counts, err = vectorize.Fit(f.ctx, vectorize.FromSlice(texts), f.p.Vectorize, f.p.Threads)
	return w, err
}

// countWords sums the words of the rows, which are counted once, by class. It
// returns the heaviest words of each class and the rows that stand for it,
// nothing where there are no words at all.
func (f *fit) countWords(classes int) ([][]ctfidf.Word, [][]represent.Document, error) {
	words := make([][]ctfidf.Word, classes)
	documents := make([][]represent.Document, classes)
	counted, err := f.words()
	vocabulary, counts := counted.vocabulary, counted.counts
	switch {
	case errors.Is(err, vectorize.ErrEmptyVocabulary), errors.Is(err, vectorize.ErrNoTermsLeft), errors.Is(err, vectorize.ErrBounds):
		if !f.onlyPictures() && len(f.p.Labels.Words) == 0 {
			f.warn("no-words", "the topics have no words: %v", err)
		}
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
	if f.kinds != nil { // rows without a word of their topic do not stand for its words
		for k, list := range documents {
			documents[k] = slices.DeleteFunc(list, func(d represent.Document) bool { return d.Similarity == 0 })
		}
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
	t := &represent.Topics{Documents: documents, Vectors: dense, Means: f.topics.vectors, Threads: f.p.Threads}
	if f.topics.vocabulary != nil {
		t.Terms, t.Weights = f.topics.vocabulary.Terms, f.topics.ctfidf
	}
	return t
}

// nameTopics chooses the words of each topic, its aspects and its name.
func (f *fit) nameTopics(base [][]ctfidf.Word, documents [][]represent.Document) error {
	main := base
	aspects := map[string][][]ctfidf.Word{}
	t := f.representTopics(documents)
	for i, r := range f.p.Representation {
		if f.topics.vocabulary == nil && r.Method != "zero-shot" {
			continue // there are no words to choose from
		}
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
	main, err := f.fillIn(t, main)
	if err != nil {
		return err
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
	if f.kinds != nil {
		f.showPictures()
	}
	return nil
}

// fillIn gives labels to the topics that have no words, where there are any
// labels.
func (f *fit) fillIn(t *represent.Topics, main [][]ctfidf.Word) ([][]ctfidf.Word, error) {
	empty := make([]bool, len(main))
	for k, topic := range f.topics.list {
		empty[k] = topic.ID != Outlier && len(main[k]) == 0
	}
	if len(f.p.Labels.Words) == 0 || !slices.Contains(empty, true) {
		return main, nil
	}
	labels, err := f.zeroShot(f.p.Labels, -1).Refine(f.ctx, t, make([][]ctfidf.Word, len(main)))
	if err != nil {
		return nil, fmt.Errorf("labels: %w", err)
	}
	main = slices.Clone(main)
	for k := range main {
		if empty[k] {
			main[k] = labels[k]
			f.topics.list[k].WordsFrom = FromLabels
		}
	}
	return main, nil
}

func (f *fit) step(r Representation) represent.Step {
	switch r.Method {
	case "keybert":
		return represent.KeyBERT{Embedder: f.p.Words, TopN: f.p.TopNWords}
	case "zero-shot":
		labels := r.Labels
		if len(labels.Words) == 0 {
			labels.Words = f.p.Labels.Words
		}
		if labels.Prompt == "" {
			labels.Prompt = f.p.Labels.Prompt
		}
		return f.zeroShot(labels, r.MinSimilarity)
	}
	return represent.MMR{Embedder: f.p.Words, Diversity: r.Diversity, TopN: f.p.TopNWords}
}

func (f *fit) zeroShot(labels Labels, least float64) represent.ZeroShot {
	return represent.ZeroShot{Embedder: f.p.Words, Labels: labels.Words, Prompt: labels.Prompt, MinSimilarity: least, TopN: f.p.TopNWords}
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
	return checked(vectors, statuses, metric, 0)
}
