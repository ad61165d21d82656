// Program steps measures single steps of the pipeline for bench/scale.py, and
// makes the points and rows that they are measured on.
//
//	go run ./bench/steps JOB -result FILE [flags]
//
// The jobs are pace, points, near, hdbscan, membership, knn, umap, transform
// and tfidf. Each writes what it found to FILE as JSON. Matrices are .npy files
// of float32.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/vectorfile"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "steps:", err)
		os.Exit(1)
	}
}

// options are the flags of all jobs; each looks at those it needs.
type options struct {
	in, model, queries, out string
	rows, clusters, sample  int
	k, minDF                int
	noise                   float64
	seed                    uint64
	threads, runs           int
}

var jobs = map[string]func(context.Context, options) (any, error){
	"pace":       pace,
	"points":     points,
	"near":       near,
	"hdbscan":    clustering,
	"membership": membership,
	"knn":        neighbours,
	"umap":       layout,
	"transform":  transform,
	"tfidf":      words,
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 || jobs[args[0]] == nil {
		return errors.New("name a job: see the head of bench/steps/main.go")
	}
	var o options
	f := flag.NewFlagSet(args[0], flag.ContinueOnError)
	result := f.String("result", "", "file for the figures")
	f.StringVar(&o.in, "in", "", "matrix or corpus to read")
	f.StringVar(&o.model, "model", "", "folder of a model")
	f.StringVar(&o.queries, "queries", "", "matrix of new rows")
	f.StringVar(&o.out, "out", "", "file or folder to write")
	f.IntVar(&o.rows, "rows", 10000, "rows to make")
	f.IntVar(&o.clusters, "clusters", 200, "clusters to make")
	f.IntVar(&o.sample, "sample", 200, "rows to do one by one")
	f.IntVar(&o.k, "k", 16, "neighbours, the row itself included")
	f.IntVar(&o.minDF, "min-df", 5, "documents that a term must occur in")
	f.Float64Var(&o.noise, "noise", 0.3, "length of what is added to a unit row")
	f.Uint64Var(&o.seed, "seed", 42, "seed")
	f.IntVar(&o.threads, "threads", 0, "threads; 0: all cores")
	f.IntVar(&o.runs, "runs", 1, "times to measure")
	if err := f.Parse(args[1:]); err != nil {
		return err
	}
	found, err := jobs[args[0]](ctx, o)
	if err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	text, err := json.Marshal(found)
	if err != nil {
		return err
	}
	return os.WriteFile(*result, append(text, '\n'), 0o666)
}

// cost is what one run of a step took.
type cost struct {
	Wall float64 `json:"wall"` // seconds
	CPU  float64 `json:"cpu"`  // seconds of all threads; 0 where the system doesn't tell
}

// measure runs f as often as o says.
func (o options) measure(f func() error) ([]cost, error) {
	var out []cost
	for range max(1, o.runs) {
		start, cpu := time.Now(), cpuSeconds()
		if err := f(); err != nil {
			return nil, err
		}
		out = append(out, cost{time.Since(start).Seconds(), cpuSeconds() - cpu})
	}
	return out, nil
}

// dense reads a matrix.
func dense(ctx context.Context, path string) (*matrix.Dense, error) {
	v, err := vectorfile.Read(ctx, path, vectorfile.Options{})
	if err != nil {
		return nil, err
	}
	m, ok := v.Matrix.(*matrix.Dense)
	if !ok {
		return nil, fmt.Errorf("%s is sparse", path)
	}
	return m, nil
}

// writeColumn writes numbers as a matrix of one column.
func writeColumn(path string, values []int32) error {
	m := matrix.NewDense(len(values), 1)
	for i, v := range values {
		m.Data[i] = float32(v)
	}
	return vectorfile.WriteDense(path, m)
}
