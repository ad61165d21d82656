package run

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

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

// pictureName names a picture of the corpus for people: by its path from the
// corpus's folder, where it lies below that.
func (d *documents) pictureName(path string) string {
	base := d.path
	if info, err := os.Stat(base); base == "-" || err != nil || !info.IsDir() {
		base = filepath.Dir(base)
	}
	return nameBelow(base, path)
}

func nameBelow(base, path string) string {
	if rel, err := relativeTo(base, path); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return path
}

// kinds counts the rows that have a text, and those that have a picture.
func (d *documents) kinds() (texts, pictures int) {
	for _, r := range d.rows {
		if strings.TrimSpace(r.Text) != "" {
			texts++
		}
		if len(r.Images) > 0 {
			pictures++
		}
	}
	return texts, pictures
}

// readCorpus reads all rows of the corpus.
func readCorpus(ctx context.Context, c config.Corpus, env *Env) (*documents, error) {
	defer env.Meter.Step("read corpus")()
	if c.Path == "" {
		return nil, &config.Error{Key: "corpus.path", Msg: "names no corpus: give a file, a folder, or \"-\" for the standard input"}
	}
	o := corpusOptions(c, env.Stdin)
	o.Hash = true
	r, err := corpus.Open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	d := &documents{path: c.Path}
	const chunk = 4096 // rows that grow one list would be copied many times
	var chunks [][]corpus.Row
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if k := len(chunks) - 1; k >= 0 && len(chunks[k]) < chunk {
			chunks[k] = append(chunks[k], row)
		} else {
			chunks = append(chunks, append(make([]corpus.Row, 0, chunk), row))
		}
	}
	d.rows = slices.Concat(chunks...)
	if d.sha256, err = r.SHA256(); err != nil {
		return nil, err
	}
	return d, ctx.Err()
}

func corpusOptions(c config.Corpus, stdin io.Reader) corpus.Options {
	return corpus.Options{
		Path: c.Path, Format: c.Format, Text: named(c.Text, "text"), Image: named(c.Image, "image"), ID: c.ID, Timestamp: c.Timestamp, Class: c.Class,
		InvalidUTF8: c.InvalidUTF8, Stdin: stdin,
	}
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
	_, pictures := d.kinds()
	n := len(d.rows)
	rows.IDs, rows.Texts, rows.Classes = make([]string, 0, n), make([]string, 0, n), make([]string, 0, n)
	for _, r := range d.rows {
		rows.IDs = append(rows.IDs, r.ID)
		rows.Texts = append(rows.Texts, r.Text)
		rows.Classes = append(rows.Classes, r.Class)
		classes = classes || r.Class != ""
		if pictures > 0 {
			name := ""
			if len(r.Images) > 0 {
				name = d.pictureName(r.Images[0])
			}
			rows.Pictures = append(rows.Pictures, name)
		}
	}
	if !classes {
		rows.Classes = nil
	}
	return rows
}
