package pipeline

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/bertopic-go/bertopic/internal/vectorize"
	"github.com/bertopic-go/bertopic/pipeline/ctfidf"
	"github.com/bertopic-go/bertopic/pipeline/knn"
	"github.com/bertopic-go/bertopic/pipeline/reduce"
	"github.com/bertopic-go/bertopic/pipeline/umap"
)

// Model is a fitted model: all that Transform needs, and the topics.
type Model struct {
	Seed    uint64
	Metric  knn.Metric
	Threads int // of Transform; 0: all cores; never changes a result
	Source  Source

	Topics       []Topic // 0 and on; Outlier last, where it has rows
	TopicVectors Matrix  // the mean vector of each of Topics, in their order

	Vocabulary *vectorize.Vocabulary // of the topics' words; nil where there are none
	CTFIDF     *vectorize.Weights    // topics x terms, in the order of Topics
	IDF        []float64             // a term

	train    Matrix    // the distinct rows of the fit
	label    []int     // their topics
	strength []float64 // and the strengths of these
	far      []bool    // rows that nothing connects to the rest
	rowTopic []int     // the topic of every row of the corpus

	ctfidfParams ctfidf.Params

	reducer   reducer
	clusterer clusterer

	index sync.Once
	known *rowIndex

	placing  sync.Once // sets the two below
	placer   *umap.Transformer
	unplaced error
}

// reducer brings vectors to few dimensions: by UMAP, by a linear map, or, when
// both are nil, not at all.
type reducer struct {
	UMAP   *umap.Model
	Linear *reduce.Model
}

// Source tells a Transform how to come to vectors of the same kind.
type Source struct {
	Corpus   CorpusColumns   `json:"corpus"`
	Embedder *EmbedderSource `json:"embedder,omitempty"` // nil: vectors came from a file
}

// CorpusColumns are the names of the columns of the corpus.
type CorpusColumns struct {
	Text      string `json:"text"`
	Image     string `json:"image"`
	ID        string `json:"id"`
	Timestamp string `json:"timestamp,omitempty"`
	Class     string `json:"class,omitempty"`
}

// EmbedderSource is the embedder that made the vectors.
type EmbedderSource struct {
	Plugin      string         `json:"plugin"`        // as the user named it
	Dir         string         `json:"dir,omitempty"` // that is searched for it first
	Name        string         `json:"name"`
	Version     string         `json:"version"`
	SHA256      string         `json:"sha256"` // of the program
	Fingerprint string         `json:"fingerprint"`
	Model       string         `json:"model,omitempty"`
	ModelSHA256 string         `json:"model_sha256,omitempty"`
	Metric      string         `json:"metric"`
	Device      string         `json:"device,omitempty"`
	Options     map[string]any `json:"options"`
	BaseDir     string         `json:"base_dir"` // relative paths in options are relative to it
	State       []byte         `json:"-"`        // what the embedder learned from the corpus
}

// Transform gives each row its topic. vectors is n x d, as wide as those of
// the fit; statuses is n long, or nil for ok.
//
// The answer for a row depends on the row alone, bit for bit: not on the rows
// beside it, their number or the number of threads. A row equal to one of the
// fit gets the topic and the probability that this one has.
func (m *Model) Transform(ctx context.Context, vectors Matrix, statuses []RowStatus) ([]Assignment, error) {
	n, d := vectors.Dims()
	if _, want := m.train.Dims(); d != want && n > 0 {
		return nil, fmt.Errorf("transform: the vectors have %d dimensions, those of the model %d", d, want)
	}
	if statuses != nil && len(statuses) != n {
		return nil, fmt.Errorf("transform: %d statuses for %d vectors", len(statuses), n)
	}
	if sparse(vectors) != sparse(m.train) && n > 0 {
		return nil, fmt.Errorf("transform: the vectors are %s, those of the model %s", layout(vectors), layout(m.train))
	}
	out := make([]Assignment, n)
	var usable []int
	for i, s := range checked(vectors, statuses, m.Metric, m.Threads) {
		out[i] = Assignment{Topic: Outlier, Status: s, Cosine: math.NaN()}
		if s.HasVector() {
			usable = append(usable, i)
		}
	}
	same := distinctRows(vectors, usable, m.Threads)
	groups, err := m.assign(ctx, vectors, same.first)
	if err != nil {
		return nil, fmt.Errorf("transform: %w", err)
	}
	for k, i := range usable {
		a := groups[same.group[k]]
		if a.Status.Status == "" {
			a.Status = out[i].Status
		}
		out[i] = a
	}
	return out, nil
}

// assign is Transform for distinct rows that have a vector. It leaves the
// status empty where it has nothing to say about it.
func (m *Model) assign(ctx context.Context, vectors Matrix, rows []int) ([]Assignment, error) {
	m.index.Do(m.remember)
	out := make([]Assignment, len(rows))
	var fresh []int
	for k, hash := range hashes(vectors, rows, m.Threads) {
		g, ok := m.known.find(vectors, rows[k], hash)
		if !ok {
			fresh = append(fresh, k)
			continue
		}
		out[k] = Assignment{Topic: m.label[g], Probability: m.strength[g]}
		if m.far[g] {
			out[k].Status.Status = Disconnected
		}
	}
	if len(fresh) > 0 {
		if err := m.predict(ctx, vectors, rows, fresh, out); err != nil {
			return nil, err
		}
	}
	for k := range out {
		out[k].Cosine = math.NaN()
		if t := m.row(out[k].Topic); t >= 0 && out[k].Topic != Outlier {
			out[k].Cosine = cosine(vectors, rows[k], m.TopicVectors, t)
		}
	}
	return out, nil
}

// predict places rows that the fit has not seen.
func (m *Model) predict(ctx context.Context, vectors Matrix, rows, fresh []int, out []Assignment) error {
	picked := make([]int, len(fresh))
	for j, k := range fresh {
		picked[j] = rows[k]
	}
	points, far, err := m.reduce(ctx, selectRows(vectors, picked, m.Threads))
	if err != nil {
		return err
	}
	label, strength, err := m.clusterer.predict(ctx, points, m.Threads)
	if err != nil {
		return err
	}
	for j, k := range fresh {
		out[k] = Assignment{Topic: Outlier}
		switch {
		case far[j]:
			out[k].Status.Status = Disconnected
		case label[j] != Outlier:
			if t := m.clusterer.topicOf[label[j]]; t != Outlier {
				out[k].Topic, out[k].Probability = t, strength[j]
			}
		}
	}
	return nil
}

// reduce brings rows that the fit has not seen to few dimensions, each alone.
func (m *Model) reduce(ctx context.Context, x Matrix) (points *Dense, far []bool, err error) {
	n, _ := x.Dims()
	far = make([]bool, n)
	switch r := m.reducer; {
	case r.UMAP != nil:
		m.placing.Do(func() { // the neighbours of the fit are indexed once
			r.UMAP.Params.Threads = m.Threads
			m.placer, m.unplaced = r.UMAP.NewTransformer(m.train)
		})
		if m.unplaced != nil {
			return nil, nil, m.unplaced
		}
		points, far, err = m.placer.Transform(ctx, x)
	case r.Linear != nil:
		points, err = r.Linear.Transform(ctx, x)
	default:
		points = x.(*Dense)
	}
	return points, far, err
}

// remember indexes the rows of the fit by content.
func (m *Model) remember() {
	n, _ := m.train.Dims()
	m.known = newRowIndex(m.train, n)
	for g, hash := range hashes(m.train, count(n), m.Threads) {
		m.known.add(g, hash)
	}
}

// row returns the place of a topic in Topics, -1 if it is not there.
func (m *Model) row(topic int) int {
	if topic == Outlier {
		if k := len(m.Topics) - 1; k >= 0 && m.Topics[k].ID == Outlier {
			return k
		}
		return -1
	}
	if topic < len(m.Topics) && m.Topics[topic].ID == topic {
		return topic
	}
	return -1
}

func sparse(m Matrix) bool { _, ok := m.(*CSR); return ok }

func layout(m Matrix) string {
	if sparse(m) {
		return "sparse"
	}
	return "dense"
}

// finish puts the model together.
func (f *fit) finish() *Model {
	return &Model{
		Seed: f.p.Seed, Metric: f.p.Metric, Threads: f.p.Threads,
		Topics: f.topics.list, TopicVectors: f.topics.vectors, Vocabulary: f.topics.vocabulary, CTFIDF: f.topics.ctfidf, IDF: f.topics.idf,
		train: f.train, label: f.label, strength: f.strength, far: f.far, rowTopic: f.rowTopics(), ctfidfParams: f.p.CTFIDF,
		reducer: f.reducer, clusterer: f.clusterer,
	}
}
