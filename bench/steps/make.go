package main

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/rng"
	"github.com/bertopic-go/bertopic/internal/vectorfile"
)

// pointDims are the dimensions that UMAP hands to the clusterer by default.
const pointDims = 5

// points makes rows in five dimensions: clusters of unequal widths, and a
// tenth of noise.
func points(_ context.Context, o options) (any, error) {
	m := matrix.NewDense(o.rows, pointDims)
	par.Blocks(o.threads, o.rows, 1024, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			row := m.Row(i)
			c := rng.Hash3(o.seed, uint64(i), 0, 1) % uint64(o.clusters)
			width := 0.05 + 0.3*rng.Unit(rng.Hash3(o.seed, c, 0, 2))
			for j := range row {
				if rng.Unit(rng.Hash3(o.seed, uint64(i), 0, 3)) < 0.1 {
					row[j] = float32(12 * rng.Unit(rng.Hash3(o.seed, uint64(i), uint64(j), 4)))
					continue
				}
				centre := 12 * rng.Unit(rng.Hash3(uint64(o.clusters), c, uint64(j), 5))
				row[j] = float32(centre + width*rng.Normal(rng.Hash3(o.seed, uint64(i), 0, 6), uint64(j), 0))
			}
		}
	})
	return struct{}{}, vectorfile.WriteDense(o.out, m)
}

// near makes rows near those of a matrix: a row and noise, of length 1. It
// leaves corpus.jsonl and vectors.npy in a folder.
func near(ctx context.Context, o options) (any, error) {
	x, err := dense(ctx, o.in)
	if err != nil {
		return nil, err
	}
	m := matrix.NewDense(o.rows, x.Cols)
	size := o.noise / math.Sqrt(float64(x.Cols))
	par.Blocks(o.threads, o.rows, 256, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			row := m.Row(i)
			key := rng.Hash3(o.seed, uint64(i), 0, 1)
			sum := 0.0
			for j, v := range x.Row(int(key % uint64(x.Rows))) {
				w := float64(v) + size*rng.Normal(key, uint64(j), 0)
				row[j] = float32(w)
				sum += w * w
			}
			for j := range row {
				row[j] /= float32(math.Sqrt(sum))
			}
		}
	})
	if err := os.MkdirAll(o.out, 0o777); err != nil {
		return nil, err
	}
	if err := vectorfile.WriteDense(filepath.Join(o.out, "vectors.npy"), m); err != nil {
		return nil, err
	}
	file, err := os.Create(filepath.Join(o.out, "corpus.jsonl"))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	w := bufio.NewWriter(file)
	for i := range o.rows {
		fmt.Fprintf(w, "{\"id\":\"n%d\",\"text\":\"new row %d\"}\n", i, i)
	}
	if err := w.Flush(); err != nil {
		return nil, err
	}
	return struct{}{}, file.Close()
}
