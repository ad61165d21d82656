// Package run does the jobs of the command line: it joins the corpus, the
// embedder's process and the pipeline, and writes what they leave.
package run

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/bertopic-go/bertopic/internal/config"
	"github.com/bertopic-go/bertopic/pipeline"
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
func Run(ctx context.Context, c *config.Config, env *Env, resume bool) (*Record, error) {
	start := time.Now()
	params, err := params(c, env)
	if err != nil {
		return nil, err
	}
	source, err := newSource(ctx, c)
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
	if err := os.MkdirAll(c.Run.Out, 0o755); err != nil {
		return nil, fmt.Errorf("make the output folder: %w", err)
	}

	vectors, err := source.vectors(ctx, docs, env, vectorsWanted{partial: filepath.Join(c.Run.Out, partialDir), resume: resume, fit: true})
	if err != nil {
		return nil, err
	}
	defer vectors.Close()
	if err := refuseBadRows(c.Run.OnBadRow, docs, vectors); err != nil {
		return nil, err
	}
	params.Metric = vectors.metric
	if params.Words, err = vectors.words(c); err != nil {
		return nil, err
	}

	model, result, err := pipeline.Fit(ctx, docs.pipelineRows(vectors), params)
	if err != nil {
		return nil, fmt.Errorf("find topics: %w", err)
	}
	for _, s := range result.Steps {
		env.Meter.Record(s.Name, s.Took)
	}
	for _, w := range append(vectors.warnings, result.Warnings...) {
		env.warn(w)
	}
	model.Source = vectors.modelSource(c)

	record := newRecord(c, env, docs, vectors, model, result)
	done := env.Meter.Step("write")
	if err := writeOutputs(c.Run.Out, docs, vectors, model, result, record, env, start, done); err != nil {
		return nil, err
	}
	return record, os.RemoveAll(filepath.Join(c.Run.Out, partialDir))
}

// partialDir holds the vectors of a run that is not finished, inside its
// output folder.
const partialDir = ".partial"

// refuseBadRows holds on_bad_row = "error": it names every row that has no
// usable vector.
func refuseBadRows(rule string, docs *documents, v *vectors) error {
	if rule != "error" {
		return nil
	}
	var bad []string
	for i, s := range pipeline.Check(v.matrix, v.statuses) {
		if !s.HasVector() {
			bad = append(bad, fmt.Sprintf("%s (%s)", docs.rows[i].ID, s))
		}
	}
	if len(bad) == 0 {
		return nil
	}
	return inputErrorf("%d of %d rows can't be used, and [run] on_bad_row is \"error\": %s", len(bad), len(docs.rows), some(bad, len(bad)))
}
