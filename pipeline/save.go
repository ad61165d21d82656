package pipeline

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/bertopic-go/bertopic/internal/atomicfile"
	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/safetensors"
	"github.com/bertopic-go/bertopic/internal/vectorize"
	"github.com/bertopic-go/bertopic/pipeline/ctfidf"
	"github.com/bertopic-go/bertopic/pipeline/hdbscan"
	"github.com/bertopic-go/bertopic/pipeline/knn"
	"github.com/bertopic-go/bertopic/pipeline/reduce"
	"github.com/bertopic-go/bertopic/pipeline/umap"
)

// The files of a saved model; docs/format/model.md documents them.
const (
	ModelFile      = "model.json"
	tensorsFile    = "model.safetensors"
	vocabularyFile = "vocabulary.json"
	stateFile      = "embedder.state"
	modelFormat    = 1
)

// modelJSON is model.json.
type modelJSON struct {
	Format     int             `json:"format"`
	Seed       uint64          `json:"seed"`
	Metric     knn.Metric      `json:"metric"`
	Source     Source          `json:"source"`
	HasState   bool            `json:"has_embedder_state"`
	Shapes     map[string]int  `json:"columns"` // of each sparse matrix
	Reduce     reduceJSON      `json:"reduce"`
	Cluster    clusterJSON     `json:"cluster"`
	Vectorizer *vectorizerJSON `json:"vectorizer,omitempty"`
	Topics     []Topic         `json:"topics"`
}

type reduceJSON struct {
	Method string    `json:"method"` // "umap", "pca", "svd", "incremental-pca" or "none"
	UMAP   *umapJSON `json:"umap,omitempty"`
	Linear *linJSON  `json:"linear,omitempty"`
}

type umapJSON struct {
	NNeighbors         int     `json:"n_neighbors"`
	NComponents        int     `json:"n_components"`
	MinDist            float64 `json:"min_dist"`
	Spread             float64 `json:"spread"`
	Metric             string  `json:"metric"`
	NEpochs            int     `json:"n_epochs"`
	LearningRate       float64 `json:"learning_rate"`
	RepulsionStrength  float64 `json:"repulsion_strength"`
	SetOpMixRatio      float64 `json:"set_op_mix_ratio"`
	LocalConnectivity  float64 `json:"local_connectivity"`
	NegativeSampleRate int     `json:"negative_sample_rate"`
	Init               string  `json:"init"`
	Seed               uint64  `json:"seed"`
	A                  float64 `json:"a"`
	B                  float64 `json:"b"`
	MeanDistance       float64 `json:"mean_distance"`
}

type linJSON struct {
	NComponents int   `json:"n_components"`
	Asked       int   `json:"n_components_asked"`
	Columns     int   `json:"columns"`
	RowsSeen    int64 `json:"rows_seen"`
	BatchSize   int   `json:"batch_size,omitempty"`
}

type clusterJSON struct {
	Method  string       `json:"method"` // "hdbscan", or "nearest": the nearest of the centres
	HDBSCAN *hdbscanJSON `json:"hdbscan,omitempty"`
	Reach   *float64     `json:"reach,omitempty"` // of nearest; nothing: no limit
}

type hdbscanJSON struct {
	MinClusterSize     int     `json:"min_cluster_size"`
	MinSamples         int     `json:"min_samples"`
	Method             string  `json:"cluster_selection_method"`
	Metric             string  `json:"metric"`
	Epsilon            float64 `json:"cluster_selection_epsilon"`
	Persistence        float64 `json:"cluster_selection_persistence"`
	Alpha              float64 `json:"alpha"`
	MaxClusterSize     int     `json:"max_cluster_size"`
	AllowSingleCluster bool    `json:"allow_single_cluster"`
}

type vectorizerJSON struct {
	Analyzer     string        `json:"analyzer"`
	Tokenizer    string        `json:"tokenizer"`
	TokenPattern string        `json:"token_pattern,omitempty"`
	Lowercase    bool          `json:"lowercase"`
	StripAccents string        `json:"strip_accents,omitempty"`
	StopWords    []string      `json:"stop_words"`
	NgramRange   [2]int        `json:"ngram_range"`
	Binary       bool          `json:"binary"`
	CTFIDF       ctfidf.Params `json:"ctfidf"`
}

// Save writes the model into the folder dir, whole or not at all. A model that
// is there already is replaced; any other folder is left alone and is an error.
func (m *Model) Save(dir string) error {
	_, err := m.SaveSums(dir)
	return err
}

// SaveSums is Save, and returns the SHA-256 of each file by its name, in
// hexadecimal digits.
func (m *Model) SaveSums(dir string) (map[string]string, error) {
	f := &folder{sums: map[string]string{}}
	err := atomicfile.WriteDir(dir, ModelFile, func(tmp string) error {
		f.path = tmp
		head, tensors := m.parts()
		var files errgroup.Group
		files.Go(func() error {
			return f.tensors(tensorsFile, tensors, map[string]string{"format": fmt.Sprint(modelFormat)})
		})
		files.Go(func() error { return m.saveForPython(f) })
		if m.Vocabulary != nil {
			files.Go(func() error { return f.put(vocabularyFile, termsJSON(m.Vocabulary.Terms)) })
		}
		files.Go(func() error { return f.indented(ModelFile, head) })
		if head.HasState {
			files.Go(func() error { return f.put(stateFile, m.Source.Embedder.State) })
		}
		return files.Wait()
	})
	return f.sums, err
}

// folder takes the files of a model; its methods may be called from several
// goroutines at once.
type folder struct {
	path string
	mu   sync.Mutex
	sums map[string]string
}

func (f *folder) write(name string, write func(io.Writer) error) error {
	sum, err := atomicfile.Part(filepath.Join(f.path, name), write)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sums[name] = sum
	return err
}

func (f *folder) put(name string, content ...[]byte) error {
	return f.write(name, func(w io.Writer) error {
		for _, b := range content {
			if _, err := w.Write(b); err != nil {
				return err
			}
		}
		return nil
	})
}

func (f *folder) tensors(name string, tensors []safetensors.Tensor, metadata map[string]string) error {
	return f.write(name, func(w io.Writer) error { return safetensors.Write(w, tensors, metadata) })
}

func (f *folder) indented(name string, v any) error {
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return f.put(name, b, newline)
}

// compact is indented for what holds a number for each row, to be read by
// programs.
func (f *folder) compact(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return f.put(name, b, newline)
}

var newline = []byte{'\n'}

// parts takes the model apart.
func (m *Model) parts() (*modelJSON, []safetensors.Tensor) {
	head := &modelJSON{
		Format: modelFormat, Seed: m.Seed, Metric: m.Metric, Source: m.Source, Topics: m.Topics,
		Shapes: map[string]int{}, Reduce: reduceJSON{Method: "none"},
	}
	head.HasState = m.Source.Embedder != nil && len(m.Source.Embedder.State) > 0
	w := &tensorWriter{shapes: head.Shapes}
	w.matrix("train", m.train)
	w.matrix("topic_vectors", m.TopicVectors)
	w.ints("label", m.label)
	w.add(safetensors.Float64("strength", m.strength))
	w.bools("disconnected", m.far)
	w.ints("row_topic", m.rowTopic)

	switch {
	case m.reducer.UMAP != nil:
		u := m.reducer.UMAP
		p := u.Params
		head.Reduce = reduceJSON{Method: "umap", UMAP: &umapJSON{
			p.NNeighbors, p.NComponents, p.MinDist, p.Spread, string(p.Metric), p.NEpochs, p.LearningRate, p.RepulsionStrength,
			p.SetOpMixRatio, p.LocalConnectivity, p.NegativeSampleRate, p.Init, p.Seed, u.A, u.B, u.MeanDistance,
		}}
		w.matrix("umap.embedding", u.Embedding)
		w.bools("umap.disconnected", u.Disconnected)
		w.add(safetensors.Int32("umap.points", u.Points))
		w.add(safetensors.Int32("umap.first", u.First))
	case m.reducer.Linear != nil:
		l := m.reducer.Linear
		head.Reduce = reduceJSON{Method: string(l.Params.Method), Linear: &linJSON{l.NComponents, l.Params.NComponents, l.Cols, l.RowsSeen, l.Params.BatchSize}}
		w.add(safetensors.Float64("linear.components", l.Components, l.NComponents, l.Cols))
		w.add(safetensors.Float64("linear.singular_values", l.SingularValues))
		w.add(safetensors.Float64("linear.explained_variance", l.ExplainedVariance))
		w.add(safetensors.Float64("linear.explained_variance_ratio", l.ExplainedVarianceRatio))
		if l.Mean != nil {
			w.add(safetensors.Float64("linear.mean", l.Mean))
		}
		if l.Variance != nil {
			w.add(safetensors.Float64("linear.variance", l.Variance))
		}
	}

	head.Cluster.Method = "nearest"
	w.ints("cluster.topic_of", m.clusterer.topicOf)
	switch c := m.clusterer; {
	case c.hdbscan != nil:
		h := c.hdbscan
		p := h.Params
		head.Cluster = clusterJSON{Method: "hdbscan", HDBSCAN: &hdbscanJSON{
			p.MinClusterSize, p.MinSamples, p.Method, p.Metric, p.Epsilon, p.Persistence, p.Alpha, p.MaxClusterSize, p.AllowSingleCluster,
		}}
		w.add(safetensors.Float64("hdbscan.points", h.Points, h.N, h.D))
		w.add(safetensors.Float64("hdbscan.prediction_core", h.PredictionCore))
		w.add(safetensors.Int32("hdbscan.tree.parent", h.Tree.Parent))
		w.add(safetensors.Int32("hdbscan.tree.child", h.Tree.Child))
		w.add(safetensors.Float64("hdbscan.tree.lambda", h.Tree.Lambda))
		w.add(safetensors.Int32("hdbscan.tree.size", h.Tree.Size))
		w.add(safetensors.Int32("hdbscan.selected", h.Selected))
	case c.centres != nil:
		w.matrix("cluster.centres", c.centres)
		w.ints("cluster.owner", c.owner)
		if !math.IsInf(c.reach, 1) {
			head.Cluster.Reach = &c.reach
		}
	}

	if m.Vocabulary != nil {
		o := m.Vocabulary.Options()
		head.Vectorizer = &vectorizerJSON{
			o.Analyzer, o.Tokenizer, o.TokenPattern, !o.KeepCase, o.StripAccents, o.StopWords, o.NgramRange, o.Binary, m.ctfidfParams,
		}
		w.add(safetensors.Int64("ctfidf.indptr", m.CTFIDF.Indptr))
		w.add(safetensors.Int32("ctfidf.indices", m.CTFIDF.Indices))
		w.add(safetensors.Float64("ctfidf.data", m.CTFIDF.Data))
		w.add(safetensors.Float64("ctfidf.idf", m.IDF))
	}
	return head, w.tensors
}

// tensorWriter gathers tensors.
type tensorWriter struct {
	tensors []safetensors.Tensor
	shapes  map[string]int
}

func (w *tensorWriter) add(t safetensors.Tensor) { w.tensors = append(w.tensors, t) }

func (w *tensorWriter) ints(name string, v []int) {
	out := make([]int64, len(v))
	for i, x := range v {
		out[i] = int64(x)
	}
	w.add(safetensors.Int64(name, out))
}

func (w *tensorWriter) bools(name string, v []bool) {
	out := make([]uint8, len(v))
	for i, x := range v {
		if x {
			out[i] = 1
		}
	}
	w.add(safetensors.Uint8(name, out))
}

func (w *tensorWriter) matrix(name string, m Matrix) {
	switch m := m.(type) {
	case *Dense:
		w.add(safetensors.Float32(name, m.Data, m.Rows, m.Cols))
	case *matrix.Part:
		n, d := m.Dims()
		w.add(safetensors.Rows(name, n, d, m.Row))
	case *CSR:
		w.shapes[name] = m.Cols
		w.add(safetensors.Int64(name+".indptr", m.Indptr))
		w.add(safetensors.Int32(name+".indices", m.Indices))
		w.add(safetensors.Float32(name+".data", m.Data))
	}
}

// Load reads a model that Save has written. It runs no code of the model, and
// refuses, naming what is wrong, files that don't fit together.
func Load(dir string) (*Model, error) {
	b, err := os.ReadFile(filepath.Join(dir, ModelFile))
	if err != nil {
		return nil, err
	}
	var head modelJSON
	if err := json.Unmarshal(b, &head); err != nil {
		return nil, fmt.Errorf("%s: %w", ModelFile, err)
	}
	if head.Format != modelFormat {
		return nil, fmt.Errorf("%s has the format %d; this version reads format %d", ModelFile, head.Format, modelFormat)
	}
	f, err := safetensors.Open(filepath.Join(dir, tensorsFile))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m := &Model{Seed: head.Seed, Metric: head.Metric, Source: head.Source, Topics: head.Topics}
	r := &tensorReader{f: f, shapes: head.Shapes}
	m.train = r.matrix("train")
	m.TopicVectors = r.matrix("topic_vectors")
	m.label, m.strength, m.far = r.ints("label"), r.doubles("strength"), r.bools("disconnected")
	m.rowTopic = r.ints("row_topic")
	m.clusterer.topicOf = r.ints("cluster.topic_of")
	m.loadReducer(&head, r)
	m.loadClusterer(&head, r)
	if head.Vectorizer != nil {
		m.loadVocabulary(&head, r, filepath.Join(dir, vocabularyFile))
	}
	if r.err != nil {
		return nil, r.err
	}
	if head.HasState {
		if m.Source.Embedder == nil {
			return nil, fmt.Errorf("%s tells of an embedder's state but of no embedder", ModelFile)
		}
		if m.Source.Embedder.State, err = os.ReadFile(filepath.Join(dir, stateFile)); err != nil {
			return nil, err
		}
	}
	return m, m.validate()
}

func (m *Model) loadReducer(head *modelJSON, r *tensorReader) {
	switch u, l := head.Reduce.UMAP, head.Reduce.Linear; {
	case head.Reduce.Method == "umap" && u != nil:
		model := &umap.Model{
			Params: umap.Params{
				NNeighbors: u.NNeighbors, NComponents: u.NComponents, MinDist: u.MinDist, Spread: u.Spread, Metric: knn.Metric(u.Metric),
				NEpochs: u.NEpochs, LearningRate: u.LearningRate, RepulsionStrength: u.RepulsionStrength, SetOpMixRatio: u.SetOpMixRatio,
				LocalConnectivity: u.LocalConnectivity, NegativeSampleRate: u.NegativeSampleRate, Init: u.Init, Seed: u.Seed,
			},
			A: u.A, B: u.B, MeanDistance: u.MeanDistance,
			Disconnected: r.bools("umap.disconnected"), Points: r.int32s("umap.points"), First: r.int32s("umap.first"),
		}
		r.check(model.Params.Validate())
		embedding, ok := r.matrix("umap.embedding").(*Dense)
		if !ok && r.err == nil {
			r.err = fmt.Errorf("umap.embedding is not a dense matrix")
		}
		model.Embedding = embedding
		m.reducer.UMAP = model
	case head.Reduce.Method == "none":
	case l != nil:
		model := &reduce.Model{
			Params:      reduce.Params{Method: reduce.Method(head.Reduce.Method), NComponents: l.Asked, BatchSize: l.BatchSize},
			NComponents: l.NComponents, Cols: l.Columns, RowsSeen: l.RowsSeen,
			Components: r.doubles("linear.components"), SingularValues: r.doubles("linear.singular_values"),
			ExplainedVariance: r.doubles("linear.explained_variance"), ExplainedVarianceRatio: r.doubles("linear.explained_variance_ratio"),
		}
		if _, ok := r.f.Lookup("linear.mean"); ok {
			model.Mean = r.doubles("linear.mean")
		}
		if _, ok := r.f.Lookup("linear.variance"); ok {
			model.Variance = r.doubles("linear.variance")
		}
		r.check(model.Params.Validate())
		if len(model.Components) != l.NComponents*l.Columns || model.Mean != nil && len(model.Mean) != l.Columns {
			r.check(fmt.Errorf("linear.components does not have the shape %d x %d", l.NComponents, l.Columns))
		}
		m.reducer.Linear = model
	default:
		r.check(fmt.Errorf("%s: reduce method %q is not known", ModelFile, head.Reduce.Method))
	}
}

func (m *Model) loadClusterer(head *modelJSON, r *tensorReader) {
	c := &m.clusterer
	h := head.Cluster.HDBSCAN
	switch {
	case head.Cluster.Method == "hdbscan" && h != nil:
		points, shape := r.shaped("hdbscan.points")
		model := &hdbscan.Model{
			Params: hdbscan.Params{
				MinClusterSize: h.MinClusterSize, MinSamples: h.MinSamples, Method: h.Method, Metric: h.Metric, Epsilon: h.Epsilon,
				Persistence: h.Persistence, Alpha: h.Alpha, MaxClusterSize: h.MaxClusterSize, AllowSingleCluster: h.AllowSingleCluster,
			},
			Points: points, PredictionCore: r.doubles("hdbscan.prediction_core"), Selected: r.int32s("hdbscan.selected"),
			Tree: hdbscan.CondensedTree{Parent: r.int32s("hdbscan.tree.parent"), Child: r.int32s("hdbscan.tree.child"),
				Lambda: r.doubles("hdbscan.tree.lambda"), Size: r.int32s("hdbscan.tree.size")},
		}
		if r.err != nil {
			return
		}
		if len(shape) != 2 {
			r.check(fmt.Errorf("hdbscan.points is not a matrix"))
			return
		}
		model.N, model.D = shape[0], shape[1]
		r.check(model.Restore())
		if len(model.Selected) > len(c.topicOf) {
			r.check(fmt.Errorf("cluster.topic_of has %d entries for %d clusters", len(c.topicOf), len(model.Selected)))
		}
		c.hdbscan = model
	case head.Cluster.Method == "nearest":
		c.reach = math.Inf(1)
		if head.Cluster.Reach != nil {
			c.reach = *head.Cluster.Reach
		}
		if _, ok := r.f.Lookup("cluster.centres"); !ok {
			return
		}
		centres, ok := r.matrix("cluster.centres").(*Dense)
		c.centres, c.owner = centres, r.ints("cluster.owner")
		if r.err == nil && (!ok || len(c.owner) != centres.Rows) {
			r.check(fmt.Errorf("cluster.centres and cluster.owner don't fit together"))
		}
		for _, o := range c.owner {
			if o < 0 || o >= len(c.topicOf) {
				r.check(fmt.Errorf("cluster.owner names the cluster %d of %d", o, len(c.topicOf)))
			}
		}
	default:
		r.check(fmt.Errorf("%s: cluster method %q is not known", ModelFile, head.Cluster.Method))
	}
}

func (m *Model) loadVocabulary(head *modelJSON, r *tensorReader, file string) {
	b, err := os.ReadFile(file)
	if err != nil {
		r.check(err)
		return
	}
	var terms []string
	if err := json.Unmarshal(b, &terms); err != nil {
		r.check(fmt.Errorf("%s: %w", vocabularyFile, err))
		return
	}
	v := head.Vectorizer
	m.Vocabulary, err = vectorize.NewVocabulary(terms, vectorize.Options{
		Analyzer: v.Analyzer, Tokenizer: v.Tokenizer, TokenPattern: v.TokenPattern, KeepCase: !v.Lowercase, StripAccents: v.StripAccents,
		StopWords: v.StopWords, NgramRange: v.NgramRange, Binary: v.Binary,
	})
	r.check(err)
	m.ctfidfParams = v.CTFIDF
	m.IDF = r.doubles("ctfidf.idf")
	m.CTFIDF = &vectorize.Weights{Cols: len(terms), Indptr: r.int64s("ctfidf.indptr"), Indices: r.int32s("ctfidf.indices"), Data: r.doubles("ctfidf.data")}
	m.CTFIDF.Rows = len(m.CTFIDF.Indptr) - 1
	shape := &CSR{Rows: m.CTFIDF.Rows, Cols: len(terms), Indptr: m.CTFIDF.Indptr, Indices: m.CTFIDF.Indices, Data: make([]float32, len(m.CTFIDF.Data))}
	if r.err == nil {
		r.check(shape.Validate())
	}
	if r.err == nil && (len(m.IDF) != len(terms) || m.CTFIDF.Rows != len(m.Topics)) {
		r.check(fmt.Errorf("c-TF-IDF is %d x %d for %d topics and %d words", m.CTFIDF.Rows, len(m.IDF), len(m.Topics), len(terms)))
	}
}

// validate checks what the parts must have in common.
func (m *Model) validate() error {
	n, d := m.train.Dims()
	t, td := m.TopicVectors.Dims()
	switch {
	case len(m.label) != n || len(m.strength) != n || len(m.far) != n:
		return fmt.Errorf("the model has %d rows but %d labels, %d strengths and %d flags", n, len(m.label), len(m.strength), len(m.far))
	case t != len(m.Topics) || td != d || sparse(m.TopicVectors) != sparse(m.train):
		return fmt.Errorf("the model has %d topics and %d x %d topic vectors for rows of %d columns", len(m.Topics), t, td, d)
	}
	topics := 0
	for k, t := range m.Topics {
		if t.ID != k && (t.ID != Outlier || k != len(m.Topics)-1) {
			return fmt.Errorf("topic %d stands at place %d", t.ID, k)
		}
		if t.ID != Outlier {
			topics++
		}
	}
	for _, list := range [][]int{m.label, m.clusterer.topicOf} {
		for _, l := range list {
			if l < Outlier || l >= topics {
				return fmt.Errorf("a row belongs to topic %d, but there are %d topics", l, topics)
			}
		}
	}
	if u := m.reducer.UMAP; u != nil {
		if u.Embedding.Rows != n || len(u.Disconnected) != n || len(u.First) != n {
			return fmt.Errorf("the layout has %d rows for %d", u.Embedding.Rows, n)
		}
	}
	if l := m.reducer.Linear; l != nil && l.Cols != d {
		return fmt.Errorf("the reduction takes %d columns, the rows have %d", l.Cols, d)
	}
	return nil
}

// tensorReader reads tensors and keeps the first error.
type tensorReader struct {
	f      *safetensors.File
	shapes map[string]int
	err    error
}

func (r *tensorReader) check(err error) {
	if r.err == nil {
		r.err = err
	}
}

func (r *tensorReader) int64s(name string) []int64 {
	v, _, err := r.f.Int64(name)
	r.check(err)
	return v
}

func (r *tensorReader) ints(name string) []int { return ints(r.int64s(name)) }

func (r *tensorReader) int32s(name string) []int32 {
	v := r.int64s(name)
	out := make([]int32, len(v))
	for i, x := range v {
		if x != int64(int32(x)) {
			r.check(fmt.Errorf("%s holds %d, which is no 32-bit number", name, x))
		}
		out[i] = int32(x)
	}
	return out
}

func (r *tensorReader) bools(name string) []bool {
	v := r.int64s(name)
	out := make([]bool, len(v))
	for i, x := range v {
		out[i] = x != 0
	}
	return out
}

func (r *tensorReader) doubles(name string) []float64 {
	v, _ := r.shaped(name)
	return v
}

func (r *tensorReader) shaped(name string) ([]float64, []int) {
	v, info, err := r.f.Float64(name)
	r.check(err)
	return v, info.Shape
}

func (r *tensorReader) matrix(name string) Matrix {
	if cols, ok := r.shapes[name]; ok {
		m := &CSR{Cols: cols, Indptr: r.int64s(name + ".indptr"), Indices: r.int32s(name + ".indices")}
		data, _, err := r.f.Float32(name + ".data")
		r.check(err)
		m.Data, m.Rows = data, len(m.Indptr)-1
		if r.err == nil {
			if err := m.Validate(); err != nil {
				r.check(fmt.Errorf("%s: %w", name, err))
			}
		}
		return m
	}
	data, info, err := r.f.Float32(name)
	r.check(err)
	if err == nil && len(info.Shape) != 2 {
		r.check(fmt.Errorf("%s is not a matrix", name))
	}
	if r.err != nil {
		return &Dense{}
	}
	return &Dense{Rows: info.Shape[0], Cols: info.Shape[1], Data: data}
}
