// Package run does the jobs of the command line: it joins the corpus, the
// embedder's process and the pipeline, and writes what they leave.
package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/bertopic-go/bertopic/internal/config"
	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/pipeline"
	"github.com/bertopic-go/bertopic/pipeline/knn"
)

// Env is the world around a job.
type Env struct {
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Log     *slog.Logger
	Meter   *Meter
	Version string
	Quiet   bool
}

// warn tells a warning at once; the record keeps it too.
func (e *Env) warn(w pipeline.Warning) { e.Log.Warn(w.Text, "code", w.Code) }

// Run does the main job: it reads the corpus of c, embeds it, finds its topics
// and leaves everything in c.Run.Out. With resume it goes on from the vectors
// that an interrupted run of the same embedder left there.
func Run(ctx context.Context, c *config.Config, env *Env, resume bool) (record *Record, err error) {
	start := time.Now()
	params, err := params(c, env)
	if err != nil {
		return nil, err
	}
	made, err := makeOut(c)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil && made {
			os.Remove(c.Run.Out) // unless there is something in it
		}
	}()
	source, err := newSource(ctx, c, c.Run.Out)
	if err != nil {
		return nil, err
	}
	docs, err := readCorpus(ctx, c.Corpus, env)
	if err != nil {
		return nil, err
	}
	if len(docs.rows) == 0 {
		return nil, inputErrorf("the corpus %s has no rows", docs.name())
	}
	times, untimed := docs.times(c.Corpus)
	for _, w := range untimed {
		env.warn(w)
	}

	vectors, err := source.vectors(ctx, docs, env, vectorsWanted{
		partial: filepath.Join(c.Run.Out, partialDir), resume: resume, fit: true, room: true, words: len(c.Representation) > 0 || !c.Topics.Labels.IsZero(),
	})
	if err != nil {
		return nil, err
	}
	defer vectors.Close()
	if err := refuseBadRows(c.Run.OnBadRow, docs, vectors); err != nil {
		return nil, err
	}
	if err := checkVectors(c, docs, vectors); err != nil {
		return nil, err
	}
	params.Metric = vectors.metric
	if e := vectors.embedder; e != nil && e.Info().Words {
		params.Words = e
	}
	rows := docs.pipelineRows(vectors)
	rows.Times, vectors.warnings = times, append(vectors.warnings, untimed...)
	gap := modalityGap(rows, vectors.metric)
	for _, w := range slices.Concat(ignored(docs, vectors), gap.warnings(vectors.embedder, c.Embedder.Options)) {
		vectors.warnings = append(vectors.warnings, w)
		env.warn(w)
	}

	model, result, err := pipeline.Fit(ctx, rows, params)
	if err != nil {
		return nil, fmt.Errorf("find topics: %w", err)
	}
	for _, s := range result.Steps {
		env.Meter.Record(s.Name, s.Took)
	}
	for _, w := range result.Warnings { // the host has told those of the vectors
		env.warn(w)
	}
	model.Source = vectors.modelSource(c)

	record = newRecord(c, env, docs, vectors, model, result)
	record.Gap = gap
	done := env.Meter.Step("write")
	if err := writeOutputs(c.Run.Out, docs, vectors, model, result, record, env, start, done); err != nil {
		if vectors.embedder != nil {
			err = fmt.Errorf("%w\nthe vectors are kept: the same command with --resume goes on from there", err)
		}
		return nil, err
	}
	return record, os.RemoveAll(filepath.Join(c.Run.Out, partialDir))
}

// partialDir holds the vectors of a run that is not finished, inside its
// output folder.
const partialDir = ".partial"

// Kept is the folder that keeps the finished vectors of a job that is to leave
// its results in out: a folder, or the file of Embed.
func Kept(out string) string {
	if ext := filepath.Ext(out); ext == ".npy" || ext == ".npz" {
		return out + partialDir
	}
	return filepath.Join(out, partialDir)
}

// makeOut makes the output folder and sees that the results can go there,
// before hours of work are spent on them. A folder model/ that is not a
// model's is not ours to replace. made tells whether the folder is new.
func makeOut(c *config.Config) (made bool, err error) {
	_, err = os.Stat(c.Run.Out)
	made = errors.Is(err, fs.ErrNotExist)
	if err := takesResults(c); err != nil {
		if made {
			os.Remove(c.Run.Out)
		}
		return false, err
	}
	return made, nil
}

func takesResults(c *config.Config) error {
	fail := func(format string, args ...any) error { return c.Fault("run.out", format, args...) }
	if err := os.MkdirAll(c.Run.Out, 0o755); err != nil {
		return fail("can't make the folder for the results: %w", err)
	}
	probe, err := os.MkdirTemp(c.Run.Out, ".writing-")
	if err != nil {
		return fail("can't write into the folder for the results: %w", err)
	}
	if err := os.Remove(probe); err != nil {
		return fail("can't write into the folder for the results: %w", err)
	}
	dir := filepath.Join(c.Run.Out, "model")
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fail("the model is to be %s, which is something else: choose another folder: %w", dir, err)
	}
	if len(entries) > 0 {
		if _, err := os.Stat(filepath.Join(dir, pipeline.ModelFile)); err != nil {
			return fail("the folder %s holds something other than a model of bertopic and would be replaced: choose another folder for the results", dir)
		}
	}
	return nil
}

// checkVectors finds what makes the vectors unfit for the rest of the run.
func checkVectors(c *config.Config, docs *documents, v *vectors) error {
	if _, sparse := v.matrix.(*matrix.CSR); sparse && c.Reduce.Method == "none" {
		return c.Fault("reduce.method", `sparse vectors can't be clustered as they are: choose "umap" or "svd"`)
	}
	return refuseNegative(docs, v)
}

// refuseNegative names the first row with a negative value where the metric
// can't have one.
func refuseNegative(docs *documents, v *vectors) error {
	if v.metric != knn.Hellinger {
		return nil
	}
	for i, s := range pipeline.Check(v.matrix, v.statuses, v.metric) {
		if !s.HasVector() {
			continue
		}
		for _, x := range values(v.matrix, i) {
			if x < 0 {
				return inputErrorf("row %s has the negative value %v in its vector, and the hellinger distance needs values of 0 and more: choose the metric cosine or euclidean", docs.rows[i].ID, x)
			}
		}
	}
	return nil
}

// values are the stored values of row i.
func values(m matrix.Matrix, i int) []float32 {
	if sparse, ok := m.(*matrix.CSR); ok {
		_, v := sparse.Row(i)
		return v
	}
	return m.(*matrix.Dense).Row(i)
}

// refuseBadRows holds on_bad_row = "error": it names every row that has no
// usable vector.
func refuseBadRows(rule string, docs *documents, v *vectors) error {
	if rule != "error" {
		return nil
	}
	var bad []string
	for i, s := range pipeline.Check(v.matrix, v.statuses, v.metric) {
		if !s.HasVector() {
			bad = append(bad, fmt.Sprintf("%s (%s)", docs.rows[i].ID, s))
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return inputErrorf("%d of %d rows can't be used, and [run] on_bad_row is \"error\": %s", len(bad), len(docs.rows), some(bad, len(bad)))
}
