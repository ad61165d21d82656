// Program wire measures the way from the host to an embedder program and back:
// rows of a corpus through the host to a program that has its vectors at hand,
// against the same call in this process. bench/wire.py prepares and calls it.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/bertopic-go/bertopic/bench/wire/ready"
	"github.com/bertopic-go/bertopic/corpus"
	"github.com/bertopic-go/bertopic/host"
	"github.com/bertopic-go/bertopic/sdk"
)

// figure is one line of the outcome, seconds for all rows.
type figure struct {
	Name    string    `json:"name"`
	Rows    int       `json:"rows"`
	Seconds []float64 `json:"seconds"`
}

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "wire:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	path := flag.String("corpus", "", "corpus of the texts")
	n := flag.Int("rows", 20000, "rows through the wire")
	real := flag.Int("real", 400, "rows through the transformer")
	batch := flag.Int("batch", 256, "rows a batch")
	runs := flag.Int("runs", 5, "runs of each")
	inGo := flag.String("go", "", "the program in Go")
	inPython := flag.String("python", "", "the program in Python")
	sbert := flag.String("sbert", "", "the transformer's program")
	models := flag.String("models", "", "folder of models")
	threads := flag.Int("threads", 0, "threads")
	flag.Parse()

	texts, err := read(ctx, *path)
	if err != nil {
		return err
	}
	rows := make([]sdk.Row, *n)
	for i := range rows { // all different, since the host sends equal rows once
		rows[i] = sdk.Row{HasText: true, Text: fmt.Sprintf("%d %s", i, texts[i%len(texts)])}
	}
	var figures []figure
	figures = append(figures, figure{"in this process", *n, timed(*runs, func() error { return direct(ctx, rows, *batch) })})
	for _, p := range []struct {
		name, plugin string
		rows         []sdk.Row
		options      map[string]any
		runs         int
	}{
		{"program in Go", *inGo, rows, nil, *runs},
		{"program in Python", *inPython, rows, nil, *runs},
		{"all-MiniLM-L6-v2", *sbert, rows[:*real], map[string]any{"model": "all-MiniLM-L6-v2"}, min(*runs, 3)},
	} {
		e, err := host.Open(ctx, host.Spec{Plugin: p.plugin, Options: p.options, BatchSize: *batch, Threads: *threads, ModelsDir: *models})
		if err != nil {
			return err
		}
		once := func() error {
			r, err := e.Embed(ctx, p.rows, nil)
			if err == nil && r.Embedded != len(p.rows) {
				err = fmt.Errorf("%s: %d of %d rows were embedded", p.name, r.Embedded, len(p.rows))
			}
			return err
		}
		if err = once(); err == nil { // warm
			s := timed(p.runs, once)
			if s == nil {
				err = fmt.Errorf("%s failed while it was timed", p.name)
			}
			figures = append(figures, figure{p.name, len(p.rows), s})
		}
		e.Close()
		if err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(figures)
}

// timed returns the seconds of each run, or nil if one failed.
func timed(runs int, f func() error) []float64 {
	seconds := make([]float64, runs)
	for i := range seconds {
		begin := time.Now()
		if f() != nil {
			return nil
		}
		seconds[i] = time.Since(begin).Seconds()
	}
	return seconds
}

// direct is what the host does with an answer, without a host: a call a batch,
// and a copy of its vectors to their places.
func direct(ctx context.Context, rows []sdk.Row, batch int) error {
	out := make([]float32, 0, len(rows)*ready.Dimension)
	for part := range slices.Chunk(rows, batch) {
		v, err := ready.Embedder{}.Embed(ctx, part)
		if err != nil {
			return err
		}
		out = append(out, v.Dense.Data...)
	}
	if len(out) != len(rows)*ready.Dimension {
		return errors.New("vectors are missing")
	}
	return nil
}

func read(ctx context.Context, path string) ([]string, error) {
	r, err := corpus.Open(ctx, corpus.Options{Path: path})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var texts []string
	for {
		row, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if strings.TrimSpace(row.Text) != "" {
			texts = append(texts, row.Text)
		}
	}
	if len(texts) == 0 {
		return nil, fmt.Errorf("%s has no texts", path)
	}
	return texts, nil
}
