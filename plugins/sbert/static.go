package main

import (
	"context"
	"fmt"

	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/safetensors"
)

// table is a StaticEmbedding: the vector of a text is the mean of its tokens'.
// The folders of model2vec hold one, too, with two refinements: a weight a
// token, and tokens that share a vector.
type table struct {
	tokens, width int
	vectors       []float32 // rows x width
	rowOf         []int64   // the row of a token; nil: the token's own number
	weights       []float32 // of tokens; nil: 1
	single        bool      // sums are of float32, as numpy's; else of float64
	threads       int
}

// readTable reads a table for a tokenizer of vocabulary tokens.
func readTable(path string, vocabulary, threads int) (*table, error) {
	file, err := safetensors.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	name := ""
	for _, n := range []string{"embedding.weight", "embeddings"} { // sentence-transformers, model2vec
		if _, ok := file.Lookup(n); ok {
			name = n
		}
	}
	if name == "" {
		return nil, fmt.Errorf("read %s: there is neither embedding.weight nor embeddings: it is no table of token vectors", path)
	}
	t := &table{threads: threads}
	values, info, err := readVectors(file, name)
	if err != nil {
		return nil, err
	}
	if len(info.Shape) != 2 || info.Shape[1] == 0 {
		return nil, fmt.Errorf("read %s: %s has the shape %v, not tokens x dimension", path, name, info.Shape)
	}
	t.vectors, t.tokens, t.width = values, info.Shape[0], info.Shape[1]
	if _, ok := file.Lookup("mapping"); ok {
		if t.rowOf, _, err = file.Int64("mapping"); err != nil {
			return nil, err
		}
		for token, row := range t.rowOf {
			if row < 0 || row >= int64(info.Shape[0]) {
				return nil, fmt.Errorf("read %s: the mapping of token %d is %d of %d rows", path, token, row, info.Shape[0])
			}
		}
		t.tokens = len(t.rowOf)
	}
	if _, ok := file.Lookup("weights"); ok {
		if t.weights, _, err = file.Float32("weights"); err != nil {
			return nil, err
		}
		if len(t.weights) != t.tokens {
			return nil, fmt.Errorf("read %s: %d weights for %d tokens", path, len(t.weights), t.tokens)
		}
	}
	if vocabulary > t.tokens {
		return nil, fmt.Errorf("read %s: vectors of %d tokens, where the tokenizer has %d", path, t.tokens, vocabulary)
	}
	return t, nil
}

// readVectors reads a tensor of numbers; model2vec keeps 8-bit integers, too,
// whose scale is lost with the unit length.
func readVectors(file *safetensors.File, name string) ([]float32, safetensors.Info, error) {
	if info, _ := file.Lookup(name); info.DType != safetensors.I8 {
		return file.Float32(name)
	}
	raw, info, err := file.Bytes(name)
	if err != nil {
		return nil, info, err
	}
	values := make([]float32, len(raw))
	for i, b := range raw {
		values[i] = float32(int8(b))
	}
	return values, info, nil
}

func (t *table) dimension() int { return t.width }
func (t *table) close() error   { return nil }

// forward writes the means. A sequence's bits depend on its tokens alone.
func (t *table) forward(ctx context.Context, sequences []sequence, out []float32, done func(n int)) error {
	par.Blocks(t.threads, len(sequences), 64, func(_, lo, hi int) {
		sum := make([]float64, t.width)
		for i := lo; i < hi && ctx.Err() == nil; i++ {
			dst := out[i*t.width : (i+1)*t.width]
			if t.single {
				t.singleMean(dst, sequences[i].ids)
			} else {
				t.mean(dst, sum, sequences[i].ids)
			}
		}
		done(hi - lo)
	})
	return ctx.Err()
}

// mean puts the mean of ids' vectors into dst. sum is working memory.
func (t *table) mean(dst []float32, sum []float64, ids []int64) {
	clear(sum)
	for _, id := range ids {
		v, weight := t.vector(id)
		for j, x := range v[:len(sum)] {
			sum[j] += float64(weight) * float64(x)
		}
	}
	for j, s := range sum {
		dst[j] = float32(s / float64(len(ids)))
	}
}

// singleMean is mean with numpy's sums: of float32, each product rounded.
func (t *table) singleMean(dst []float32, ids []int64) {
	clear(dst)
	for _, id := range ids {
		v, weight := t.vector(id)
		v = v[:len(dst)]
		if weight == 1 {
			for j, x := range v {
				dst[j] += x
			}
			continue
		}
		for j, x := range v {
			dst[j] += float32(weight * x)
		}
	}
	for j := range dst {
		dst[j] /= float32(len(ids))
	}
}

// vector returns the vector of a token and its weight.
func (t *table) vector(id int64) ([]float32, float32) {
	row, weight := id, float32(1)
	if t.rowOf != nil {
		row = t.rowOf[id]
	}
	if t.weights != nil {
		weight = t.weights[id]
	}
	return t.vectors[int(row)*t.width:][:t.width], weight
}
