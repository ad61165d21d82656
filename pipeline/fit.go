package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/pipeline/knn"
	"github.com/bertopic-go/bertopic/pipeline/reduce"
	"github.com/bertopic-go/bertopic/pipeline/umap"
)

// ErrNoRows means that there is nothing to fit.
var ErrNoRows = errors.New("the corpus has no rows")

// Fit finds the topics of rows: equal vectors are joined, the rest is reduced
// and clustered, each topic is described by its words, and what a later
// Transform needs is kept in the model.
//
// The same rows, parameters and seed give the same bits on any number of
// threads. Rows without a usable vector have the topic Outlier. Any number of
// rows but 0 finishes; Result.Warnings says in a sentence what was out of the
// ordinary.
func Fit(ctx context.Context, rows Rows, params Params) (*Model, *Result, error) {
	if err := rows.validate(); err != nil {
		return nil, nil, err
	}
	if len(rows.IDs) == 0 {
		return nil, nil, ErrNoRows
	}
	if err := params.Validate(); err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	f := &fit{ctx: ctx, rows: rows, kinds: rows.kinds(), p: params.withDefaults(), result: &Result{}}
	defer f.beside.running.Wait()
	defer cancel()
	f.words = begin(&f.beside, f.countRows) // the texts are there: no need to wait for topics
	for _, step := range []struct {
		name string
		run  func() error
	}{
		{"prepare", f.prepare},
		{"reduce", f.reduce},
		{"cluster", f.cluster},
		{"merge topics", f.merge},
		{"describe", f.describe},
		{"time and classes", f.over},
		{"draw map", f.draw},
		{"measure", f.measure},
	} {
		start := time.Now()
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if err := step.run(); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", step.name, err)
		}
		f.result.Steps = append(f.result.Steps, Step{step.name, time.Since(start)})
	}
	return f.finish(), f.result, nil
}

// fit is the state of one Fit, filled from top to bottom.
type fit struct {
	ctx    context.Context
	rows   Rows
	kinds  []Kind // of the rows; nil where none has a picture
	p      Params
	result *Result

	beside background
	words  func() (rowWords, error)
	plane  func() (*Dense, error) // the layout in two dimensions; nil without UMAP

	// prepare
	status []RowStatus
	usable []int    // rows that take part
	same   distinct // groups of equal rows among them
	train  Matrix   // one row a group

	// reduce
	reducer reducer
	reduced *Dense // a row a group
	placed  []int  // groups that have coordinates
	far     []bool // groups that have none, and no topic
	umap    *umap.Model

	// cluster: a label a group
	clusterer clusterer
	label     []int
	strength  []float64

	// describe
	topics topics
}

func (f *fit) warn(code, format string, args ...any) {
	f.result.Warnings = append(f.result.Warnings, Warning{code, fmt.Sprintf(format, args...)})
}

func (f *fit) progress(step string) func(done, total int) {
	if f.p.Progress == nil {
		return nil
	}
	return func(done, total int) { f.p.Progress(step, done, total) }
}

// prepare finds the rows that take part and joins equal ones.
func (f *fit) prepare() error {
	f.status = checked(f.rows.Vectors, f.rows.Statuses, f.p.Metric, f.p.Threads)
	causes := map[Status]int{}
	for i, s := range f.status {
		if s.HasVector() {
			f.usable = append(f.usable, i)
		}
		causes[s.Status]++
	}
	for _, c := range []struct {
		status Status
		text   string
	}{
		{Empty, "%d of %d rows are empty and have no topic"},
		{OOV, "%d of %d rows hold no word that the embedder knows and have no topic"},
		{Failed, "%d of %d rows could not be embedded and have no topic; their status says why"},
		{Truncated, "%d of %d rows are longer than the embedder takes and were embedded from their beginning only"},
	} {
		if n := causes[c.status]; n > 0 {
			f.warn("rows-"+string(c.status), c.text, n, len(f.status))
		}
	}
	f.same = distinctRows(f.rows.Vectors, f.usable, f.p.Threads)
	first := make([]int32, len(f.same.first))
	for k, i := range f.same.first {
		first[k] = int32(i)
	}
	f.train = matrix.Pick(f.rows.Vectors, first)
	return nil
}

// reduce places each distinct row in few dimensions.
func (f *fit) reduce() error {
	n := len(f.same.first)
	f.far = make([]bool, n)
	if n == 0 {
		f.reduced = &Dense{Cols: f.p.Reduce.NComponents}
		return nil
	}
	var err error
	if f.p.Reduce.Method == "umap" {
		p := f.p.Reduce.UMAP
		p.Progress = f.progress("reduce")
		f.umap, err = umap.Fit(f.ctx, f.train, p)
		if err != nil {
			return err
		}
		f.reducer.UMAP = f.umap
		if r := f.umap.Recall; r < 1 {
			f.warn("neighbours", "of more than %d rows, neighbours are searched by clusters: %.1f %% of the true neighbours of a sample were found", knn.ExactRows, 100*r)
		}
		f.reduced = f.umap.Embedding
		f.plane = begin(&f.beside, func() (*Dense, error) { return f.umap.Project(f.ctx, f.p.Threads) })
		if n == 1 { // there is no other row to be far from
			f.reduced = &Dense{Rows: 1, Cols: f.p.Reduce.NComponents, Data: make([]float32, f.p.Reduce.NComponents)}
			f.placed = []int{0}
			return nil
		}
		for g := range n {
			if !f.umap.Disconnected[g] {
				f.placed = append(f.placed, g)
			}
			f.far[g] = f.umap.Disconnected[g]
		}
		return nil
	}
	for g := range n {
		f.placed = append(f.placed, g)
	}
	train := matrix.Whole(f.train)
	if f.p.Reduce.Method == "none" {
		dense, ok := train.(*Dense)
		if !ok {
			return errors.New(`sparse vectors can't be clustered as they are: choose [reduce] method "umap" or "svd"`)
		}
		f.reduced = dense
		return nil
	}
	f.reducer.Linear, err = reduce.Fit(f.ctx, train, reduce.Params{
		Method: reduce.Method(f.p.Reduce.Method), NComponents: f.p.Reduce.NComponents, BatchSize: f.p.Reduce.BatchSize,
		Seed: f.p.Seed, Threads: f.p.Threads,
	})
	if err != nil {
		return err
	}
	if note := f.reducer.Linear.Note(); note != "" {
		f.warn("components", "%s", note)
	}
	f.reduced, err = f.reducer.Linear.Transform(f.ctx, train)
	return err
}

// cluster labels each distinct row. Labels are 0 for the topic of most rows,
// and so on; ties go to the topic of the first row.
func (f *fit) cluster() error {
	n := len(f.same.first)
	f.label = make([]int, n)
	f.strength = make([]float64, n)
	for g := range f.label {
		f.label[g] = Outlier
	}
	if len(f.placed) > 0 {
		points := f.reduced
		if len(f.placed) < n {
			points = f.reduced.Select(f.placed)
		}
		label, strength, err := f.clusterer.fit(f.ctx, points, f.p, f.warn)
		if err != nil {
			return err
		}
		for k, g := range f.placed {
			f.label[g], f.strength[g] = label[k], strength[k]
		}
	}
	f.repeated()
	f.renumber()
	f.explain()
	return nil
}

// repeated makes a topic of its own of a row that is repeated min_cluster_size
// times or more and fell into no cluster: equal rows are one point to the
// clusterer, however many they are.
func (f *fit) repeated() {
	next := 0
	for _, l := range f.label {
		next = max(next, l+1)
	}
	for g := range f.label {
		if f.label[g] == Outlier && f.same.size[g] >= f.p.Cluster.HDBSCAN.MinClusterSize {
			f.label[g], f.strength[g], f.far[g] = next, 1, false
			next++
		}
	}
	far := 0
	for g, is := range f.far {
		if is {
			far += f.same.size[g]
		}
	}
	if far > 0 {
		f.warn("rows-disconnected", "%d of %d rows have nothing in common with any row unlike them and have no topic", far, len(f.status))
	}
}

// renumber orders the labels by the number of their rows.
func (f *fit) renumber() {
	order := bySize(f.label, f.same.size)
	f.clusterer.topicOf = order
	for g, l := range f.label {
		if l != Outlier {
			f.label[g] = order[l]
		}
	}
}

// explain says why there are no topics, or a single one.
func (f *fit) explain() {
	topics := 0
	for _, l := range f.label {
		topics = max(topics, l+1)
	}
	size := f.p.Cluster.HDBSCAN.MinClusterSize
	switch n := len(f.status); {
	case topics > 0 || f.p.Cluster.Method != "hdbscan":
	case len(f.usable) == 0:
		f.warn("no-rows", "no row could be embedded, so there are no topics")
	case len(f.same.first) < 2*size:
		some := ""
		if len(f.same.first) < n {
			some = fmt.Sprintf(", %d of them distinct", len(f.same.first))
		}
		f.warn("few-rows", "too few rows for topics of %d rows and more, so every row is an outlier: there are %d%s (lower [cluster] min_cluster_size)", size, n, some)
	default:
		f.warn("no-topics", "no group of %d rows or more stands out: every row is an outlier (lower [cluster] min_cluster_size, or set allow_single_cluster)", size)
	}
}

// bySize returns, for each label, its place when labels are ordered by the
// number of their rows, the most first; ties go to the first to appear.
// Labels may leave gaps; a label that no row has keeps Outlier.
func bySize(label, weight []int) []int {
	labels := 0
	for _, l := range label {
		labels = max(labels, l+1)
	}
	size := make([]int, labels)
	first := make([]int, labels)
	for i := len(label) - 1; i >= 0; i-- {
		if l := label[i]; l != Outlier {
			size[l] += weight[i]
			first[l] = i
		}
	}
	order := make([]int, 0, labels)
	for l := range labels {
		if size[l] > 0 {
			order = append(order, l)
		}
	}
	sortBy(order, func(a, b int) bool {
		if size[a] != size[b] {
			return size[a] > size[b]
		}
		return first[a] < first[b]
	})
	place := make([]int, labels)
	for l := range place {
		place[l] = Outlier
	}
	for rank, l := range order {
		place[l] = rank
	}
	return place
}

// groupOf returns, for each row, its group, or -1 where it takes no part.
func (f *fit) groupOf() []int {
	out := make([]int, len(f.status))
	for i := range out {
		out[i] = -1
	}
	for k, i := range f.usable {
		out[i] = f.same.group[k]
	}
	return out
}

// rowTopics returns the topic of every row.
func (f *fit) rowTopics() []int {
	out := make([]int, len(f.status))
	for i, g := range f.groupOf() {
		out[i] = Outlier
		if g >= 0 {
			out[i] = f.label[g]
		}
	}
	return out
}

// spread copies coordinates of groups to rows; a row that has none gets NaN.
func (f *fit) spread(points *Dense) *Dense {
	out := &Dense{Rows: len(f.status), Cols: points.Cols, Data: make([]float32, len(f.status)*points.Cols)}
	nan := float32(math.NaN())
	placed := make([]bool, len(f.same.first))
	for _, g := range f.placed {
		placed[g] = true
	}
	for i, g := range f.groupOf() {
		row := out.Row(i)
		if g >= 0 && placed[g] {
			copy(row, points.Row(g))
			continue
		}
		for j := range row {
			row[j] = nan
		}
	}
	return out
}
