package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/bertopic-go/bertopic/corpus"
	"github.com/bertopic-go/bertopic/internal/config"
)

// InitOptions say for which corpus Init writes a configuration.
type InitOptions struct {
	Corpus, Text string
	Plugin       string // "": tfidf, or clip for a corpus with pictures
	File         string // that the configuration will be written to
}

// names that columns of texts, pictures, ids and classes often have, the
// likeliest first.
var (
	imageNames = []string{"image", "images", "picture", "photo", "img", "image_path", "picture_path"}
	textNames  = []string{"text", "document", "doc", "content", "body", "abstract", "description", "review", "message", "tweet", "title"}
	idNames    = []string{"id", "_id", "doc_id", "document_id", "uuid", "key"}
	classNames = []string{"class", "label", "category", "target"}
)

// Init looks at a corpus and returns a configuration for it, and what it saw.
func Init(ctx context.Context, opt InitOptions) (text, said string, err error) {
	columns, err := corpus.Columns(ctx, corpus.Options{Path: opt.Corpus})
	if err != nil {
		return "", "", err
	}
	path := opt.Corpus
	if rel, err := relativeTo(filepath.Dir(opt.File), opt.Corpus); err == nil {
		path = rel
	}
	s := config.Start{Path: path, Text: opt.Text, Plugin: opt.Plugin}
	if len(columns) > 0 { // a format that has columns
		s.Image = pick(columns, imageNames)
		if s.Text == "" {
			s.Text = pick(columns, textNames)
		}
		if s.Text == "" && s.Image != "" {
			s.Text = corpus.NoColumn
		}
		if s.Text == "" {
			return "", "", &UsageError{fmt.Sprintf("which column of %s holds the text? It has %s: say --text NAME", opt.Corpus, strings.Join(columns, ", "))}
		}
		if s.Text != corpus.NoColumn && !slices.Contains(columns, s.Text) {
			return "", "", &UsageError{fmt.Sprintf("%s has no column %q; it has %s", opt.Corpus, s.Text, strings.Join(columns, ", "))}
		}
		s.ID, s.Class = pick(columns, idNames), pick(columns, classNames)
		said = fmt.Sprintf("%s: columns %s; text is %q", opt.Corpus, strings.Join(columns, ", "), s.Text)
		if s.Text == corpus.NoColumn {
			said = fmt.Sprintf("%s: columns %s; no text", opt.Corpus, strings.Join(columns, ", "))
		}
		if s.Image != "" {
			said += fmt.Sprintf(", image is %q", s.Image)
		}
		if s.ID != "" {
			said += fmt.Sprintf(", id is %q", s.ID)
		}
		if s.Class != "" {
			said += fmt.Sprintf(", class is %q", s.Class)
		}
	} else {
		s.Text = "text"
		said = opt.Corpus + ": no columns, each row is a text or a picture"
	}
	r, err := corpus.Open(ctx, corpus.Options{Path: opt.Corpus, Text: named(s.Text, "text"), Image: s.Image, ID: s.ID, Class: s.Class})
	if err != nil {
		return "", "", err
	}
	defer r.Close()
	var sample strings.Builder
	pictures := false
	for n := range 100 {
		row, err := r.Next()
		if errors.Is(err, io.EOF) && n == 0 {
			return "", "", inputErrorf("the corpus %s has no rows", opt.Corpus)
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", "", err
		}
		sample.WriteString(row.Text)
		pictures = pictures || len(row.Images) > 0
	}
	switch {
	case s.Plugin == "" && pictures:
		s.Plugin = "clip"
		said += "; the embedder is clip, for the pictures"
	case s.Plugin == "":
		s.Plugin = "tfidf"
	}
	s.Unspaced = unspaced(sample.String())
	text, err = config.Template(s)
	return text, said, err
}

// unspaced reports whether a good part of the letters of text are of scripts
// that put no spaces between words.
func unspaced(text string) bool {
	letters, of := 0, 0
	for _, r := range text {
		if unicode.IsLetter(r) {
			letters++
			if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar) {
				of++
			}
		}
	}
	return 5*of > letters
}

// pick returns the column that has the first of names, whatever its case.
func pick(columns, names []string) string {
	for _, name := range names {
		for _, c := range columns {
			if strings.EqualFold(c, name) {
				return c
			}
		}
	}
	return ""
}

func relativeTo(dir, path string) (string, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	base, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	return filepath.Rel(base, abs)
}
