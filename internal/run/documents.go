package run

import (
	"context"
	"errors"
	"io"

	"github.com/bertopic-go/bertopic/corpus"
	"github.com/bertopic-go/bertopic/internal/config"
	"github.com/bertopic-go/bertopic/pipeline"
	"github.com/bertopic-go/bertopic/sdk"
)

// documents is a corpus in memory.
type documents struct {
	path   string
	rows   []corpus.Row
	sha256 string
}

func (d *documents) name() string {
	if d.path == "-" {
		return "on the standard input"
	}
	return d.path
}

// readCorpus reads all rows of the corpus.
func readCorpus(ctx context.Context, c config.Corpus, env *Env) (*documents, error) {
	defer env.Meter.Step("read corpus")()
	if c.Path == "" {
		return nil, &config.Error{Key: "corpus.path", Msg: "names no corpus: give a file, a folder, or \"-\" for the standard input"}
	}
	r, err := corpus.Open(ctx, corpus.Options{
		Path: c.Path, Format: c.Format, Text: named(c.Text, "text"), Image: named(c.Image, "image"), ID: c.ID, Timestamp: c.Timestamp, Class: c.Class,
		InvalidUTF8: c.InvalidUTF8, Stdin: env.Stdin,
	})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	d := &documents{path: c.Path}
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		d.rows = append(d.rows, row)
	}
	if d.sha256, err = r.SHA256(); err != nil {
		return nil, err
	}
	return d, ctx.Err()
}

// named returns a column that the corpus must have; the usual name is one that
// it may have.
func named(column, usual string) string {
	if column == usual {
		return ""
	}
	return column
}

// sdkRows is the corpus as an embedder sees it.
func (d *documents) sdkRows() []sdk.Row {
	out := make([]sdk.Row, len(d.rows))
	for i, r := range d.rows {
		out[i] = sdk.Row{Text: r.Text, HasText: r.HasText}
		for _, path := range r.Images {
			out[i].Images = append(out[i].Images, sdk.ImageSource{Path: path})
		}
	}
	return out
}

// pipelineRows is the corpus as the pipeline sees it.
func (d *documents) pipelineRows(v *vectors) pipeline.Rows {
	rows := pipeline.Rows{Vectors: v.matrix, Statuses: v.statuses}
	classes := false
	for _, r := range d.rows {
		rows.IDs = append(rows.IDs, r.ID)
		rows.Texts = append(rows.Texts, r.Text)
		rows.Classes = append(rows.Classes, r.Class)
		classes = classes || r.Class != ""
	}
	if !classes {
		rows.Classes = nil
	}
	return rows
}
