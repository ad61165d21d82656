package run

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bertopic-go/bertopic/corpus"
	"github.com/bertopic-go/bertopic/internal/config"
	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/vectorfile"
	"github.com/bertopic-go/bertopic/pipeline"
)

// TransformOptions say what Transform is to do.
type TransformOptions struct {
	Model, Corpus string
	Out           string // folder; "": lines on the standard output
	Format        string // of the corpus; "": by its name
	Text, Image   string // its columns; "": called as those of the fit, where it has such
	ID            string // the same, but it must be there
	Class         string // column of known classes, for figures; "folder": of a folder, the folders in it
	Embeddings    string // vectors, where the model has no embedder
	Plugin        string // the embedder's program, where its name does not find it
	Threads       int
	Workers       int
	BatchSize     int
}

// Transformed says what Transform has done.
type Transformed struct {
	Rows         int
	OutlierShare float64
	ClassNMI     *float64 // of rows with a topic, where classes are known
}

// Transform gives each row of a corpus its topic.
func Transform(ctx context.Context, opt TransformOptions, env *Env) (Transformed, error) {
	if f := opt.Format; f != "" && !slices.Contains(corpus.Formats(), f) {
		return Transformed{}, usageErrorf("--format %q is not one of %s", f, strings.Join(corpus.Formats(), ", "))
	}
	model, err := LoadModel(opt.Model)
	if err != nil {
		return Transformed{}, err
	}
	if err := transformOut(opt.Out); err != nil {
		return Transformed{}, err
	}
	c, want, err := transformConfig(model, opt)
	if err != nil {
		return Transformed{}, err
	}
	if err := freshColumns(ctx, &c.Corpus, opt, env); err != nil {
		return Transformed{}, err
	}
	source, err := newSource(ctx, c, "")
	if err != nil {
		return Transformed{}, err
	}
	docs, err := readCorpus(ctx, c.Corpus, env)
	if err != nil {
		return Transformed{}, err
	}
	if len(docs.rows) == 0 {
		return Transformed{}, inputErrorf("the corpus %s has no rows", docs.name())
	}
	v, err := source.vectors(ctx, docs, env, want)
	if err != nil {
		return Transformed{}, err
	}
	defer v.Close()
	sameEmbedder(model, v, env)
	for _, w := range ignored(docs, v) {
		env.warn(w)
	}
	if err := refuseNegative(docs, v); err != nil {
		return Transformed{}, err
	}
	done := env.Meter.Step("transform")
	model.Threads = opt.Threads
	rows, err := model.Transform(ctx, v.matrix, v.statuses)
	if err != nil {
		return Transformed{}, inputErrorf("%v", err)
	}
	done()
	t := Transformed{Rows: len(rows)}
	lost, outliers := 0, 0
	classes := make([]string, len(rows))
	for i, a := range rows {
		classes[i] = docs.rows[i].Class
		if a.Topic == pipeline.Outlier {
			outliers++
		}
		if !a.Status.HasVector() && a.Status.Status != pipeline.Disconnected {
			lost++
		}
	}
	if lost > 0 {
		env.warn(pipeline.Warning{Code: "rows-lost", Text: fmt.Sprintf("%d of %d rows have no vector and so no topic; their status says why", lost, len(rows))})
	}
	t.OutlierShare = float64(outliers) / float64(len(rows))
	if t.ClassNMI, _, err = pipeline.ClassAgreement(rows, classes); err != nil {
		return Transformed{}, err
	}
	lines := documentLines(docs, model, rows, nil)
	if opt.Out == "" {
		return t, csvTo(env.Stdout, lines)
	}
	return t, writeWhole(filepath.Join(opt.Out, "documents.csv"), lines)
}

// sameEmbedder warns where the vectors are not of the embedder of the fit.
func sameEmbedder(model *pipeline.Model, v *vectors, env *Env) {
	if s := model.Source.Embedder; s != nil && v.embedder.Fingerprint() != s.Fingerprint {
		env.warn(pipeline.Warning{Code: "other-embedder", Text: fmt.Sprintf(
			"%s is not the embedder that the model was fitted with (the program, its options or its model's files differ): topics may differ", s.Name)})
	}
}

// freshColumns leaves out the columns of the fit that the new corpus need not
// have: all of them where it has no columns, and of texts and pictures one,
// where the other is there.
func freshColumns(ctx context.Context, c *config.Corpus, opt TransformOptions, env *Env) error {
	if c.Path == "-" {
		return nil // it can be read once only
	}
	columns, err := corpus.Columns(ctx, corpusOptions(*c, nil))
	if err != nil {
		return err
	}
	if len(columns) == 0 { // a folder, lines of text
		d := config.Default().Corpus
		if opt.Text == "" {
			c.Text = d.Text
		}
		if opt.Image == "" {
			c.Image = d.Image
		}
		if opt.ID == "" {
			c.ID = d.ID
		}
		return nil
	}
	for _, side := range []struct {
		name, given, other *string
		flag, rest         string
	}{{&c.Text, &opt.Text, &c.Image, "--text", "pictures"}, {&c.Image, &opt.Image, &c.Text, "--image", "texts"}} {
		if *side.given == "" && !slices.Contains(columns, *side.name) && slices.Contains(columns, *side.other) {
			if d := config.Default().Corpus; *side.name != d.Text && *side.name != d.Image && *side.name != corpus.NoColumn {
				env.warn(pipeline.Warning{Code: "no-column", Text: fmt.Sprintf("%s has no column %q: its rows count as %s alone (%s NAME names another column)", c.Path, *side.name, side.rest, side.flag)})
			}
			*side.name = corpus.NoColumn
		}
	}
	return nil
}

// transformOut makes the folder for documents.csv. That of a run is refused:
// its own documents.csv would be lost.
func transformOut(dir string) error {
	if dir == "" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(dir, "run.json")); err == nil {
		return usageErrorf("--out %s holds the results of a run, whose documents.csv would be replaced: choose another folder", dir)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return usageErrorf("--out %s: can't make the folder: %v", dir, err)
	}
	return nil
}

// transformConfig makes the configuration that reads the corpus and embeds it
// as the model's own run did.
func transformConfig(model *pipeline.Model, opt TransformOptions) (*config.Config, vectorsWanted, error) {
	c := config.Default()
	s := model.Source
	c.Corpus.Path, c.Corpus.Format = opt.Corpus, opt.Format
	c.Corpus.Text, c.Corpus.Image, c.Corpus.ID = s.Corpus.Text, s.Corpus.Image, s.Corpus.ID
	if opt.Text != "" {
		c.Corpus.Text = opt.Text
	}
	if opt.Image != "" {
		c.Corpus.Image = opt.Image
	}
	if opt.ID != "" {
		c.Corpus.ID = opt.ID
	}
	c.Corpus.Class = opt.Class
	c.Run.Threads, c.Run.Seed = opt.Threads, model.Seed
	c.Reduce.Metric = string(model.Metric)
	switch {
	case s.Embedder == nil && opt.Embeddings == "":
		return nil, vectorsWanted{}, &UsageError{"the model was fitted on vectors from a file: give those of this corpus with --embeddings FILE"}
	case s.Embedder != nil && opt.Embeddings != "":
		return nil, vectorsWanted{}, &UsageError{fmt.Sprintf("the model embeds by %s: leave --embeddings out", s.Embedder.Name)}
	case s.Embedder == nil:
		c.Embeddings.Path = opt.Embeddings
		return c, vectorsWanted{}, nil
	}
	c.Embedder.Plugin, c.Plugins.Dir = s.Embedder.Plugin, s.Embedder.Dir
	if opt.Plugin != "" {
		c.Embedder.Plugin = opt.Plugin
	}
	c.Embedder.Options, c.BaseDir = s.Embedder.Options, s.Embedder.BaseDir
	c.Embedder.Workers, c.Embedder.BatchSize = max(1, opt.Workers), max(1, opt.BatchSize)
	return c, vectorsWanted{state: s.Embedder.State}, nil
}

// LoadModel loads the model in dir; the folder of a run will do as well.
func LoadModel(dir string) (*pipeline.Model, error) {
	if _, err := os.Stat(filepath.Join(dir, "model", pipeline.ModelFile)); err == nil {
		dir = filepath.Join(dir, "model")
	}
	m, err := pipeline.Load(dir)
	if err != nil {
		return nil, inputErrorf("load the model %s: %v", dir, err)
	}
	return m, nil
}

// Embed makes the vectors of the corpus of c, writes them to file and returns
// a word on their shape.
func Embed(ctx context.Context, c *config.Config, env *Env, file string, resume bool) (string, error) {
	ext := filepath.Ext(file)
	if ext != ".npy" && ext != ".npz" {
		return "", &UsageError{fmt.Sprintf("%s: name the file .npy (a dense matrix) or .npz (SciPy's sparse one)", file)}
	}
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		return "", usageErrorf("--out %s is a folder: name a file", file)
	}
	source, err := newSource(ctx, c, "")
	if err != nil {
		return "", err
	}
	docs, err := readCorpus(ctx, c.Corpus, env)
	if err != nil {
		return "", err
	}
	if len(docs.rows) == 0 {
		return "", inputErrorf("the corpus %s has no rows", docs.name())
	}
	partial := file + partialDir
	v, err := source.vectors(ctx, docs, env, vectorsWanted{partial: partial, resume: resume, fit: true})
	if err != nil {
		return "", err
	}
	defer v.Close()
	if err := refuseBadRows(c.Run.OnBadRow, docs, v); err != nil {
		return "", err
	}
	if err := writeMatrix(file, v.matrix); err != nil {
		return "", fmt.Errorf("write the vectors: %w", err)
	}
	statuses := pipeline.Check(v.matrix, v.statuses, v.metric)
	err = writeWhole(file+".status.csv", func(yield func(...string)) {
		yield("id", "status")
		for i, s := range statuses {
			yield(docs.rows[i].ID, s.String())
		}
	})
	if err != nil {
		return "", err
	}
	rows, cols := v.matrix.Dims()
	return fmt.Sprintf("%d x %d, %s, status of each row in %s.status.csv", rows, cols, v.metric, file), os.RemoveAll(partial)
}

// writeMatrix writes m in the format of the file's name.
func writeMatrix(file string, m matrix.Matrix) error {
	sparse, isSparse := m.(*matrix.CSR)
	if filepath.Ext(file) == ".npz" {
		if !isSparse {
			sparse = matrix.Sparse(m.(*matrix.Dense))
		}
		return vectorfile.WriteCSR(file, sparse)
	}
	if !isSparse {
		return vectorfile.WriteDense(file, m.(*matrix.Dense))
	}
	w, err := vectorfile.CreateNPY(file, sparse.Cols)
	if err != nil {
		return err
	}
	defer w.Abort()
	row := make([]float32, sparse.Cols)
	for i := range sparse.Rows {
		clear(row)
		cols, values := sparse.Row(i)
		for k, c := range cols {
			row[c] = values[k]
		}
		if err := w.WriteRows(row); err != nil {
			return err
		}
	}
	return w.Commit()
}
