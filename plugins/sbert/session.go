package main

import (
	"context"
	"fmt"

	"github.com/bertopic-go/bertopic/internal/encoder"
	"github.com/bertopic-go/bertopic/internal/session"
	"github.com/bertopic-go/bertopic/sdk"
)

// transformer is an encoder in ONNX Runtime.
type transformer struct {
	*session.Pool
	padded bool // batches of texts of different lengths, with a mask
	budget int  // tokens of a batch
}

func newTransformer(p *session.Pool, padded bool) *transformer {
	t := &transformer{Pool: p, padded: padded, budget: tokenBudget}
	switch {
	case padded:
		t.budget = paddedTokenBudget
	case p.Graph().Given:
		t.budget = 1 // such a file may scale numbers over a whole batch: one text at a time
	}
	return t
}

// paddedTokenBudget is tokenBudget on a GPU, which wants more at a time.
const paddedTokenBudget = 32768

func (t *transformer) dimension() int { return t.Graph().Dimension }

// close waits for the runs that are under way; later ones fail.
func (t *transformer) close() error { return t.Close() }

// forward writes the vector of each sequence into out, one after the other. done
// is told, from any goroutine, how many more sequences are finished.
func (t *transformer) forward(ctx context.Context, sequences []sequence, out []float32, done func(n int)) error {
	lengths := make([]int, len(sequences))
	for i, q := range sequences {
		lengths[i] = len(q.ids)
	}
	batches := plan(lengths, t.budget, t.padded)
	return t.Each(ctx, len(batches), func(i int) error {
		if err := t.run(ctx, batches[i], sequences, out); err != nil {
			return err
		}
		done(len(batches[i].members))
		return nil
	})
}

// run embeds one batch.
func (t *transformer) run(ctx context.Context, b batch, sequences []sequence, out []float32) error {
	rows, d := len(b.members), t.dimension()
	names := t.Graph().Inputs
	inputs := make([]session.Tensor, len(names))
	for i, name := range names {
		values, err := t.input(name, b, sequences)
		if err != nil {
			return err
		}
		inputs[i] = session.Ints(values, rows, b.length)
	}
	values := make([]float32, rows*d)
	if err := t.Run(ctx, inputs, values); err != nil {
		return classify(fmt.Errorf("run the encoder on %d texts of %d tokens: %w", rows, b.length, err))
	}
	for i, m := range b.members {
		copy(out[m*d:(m+1)*d], values[i*d:(i+1)*d])
	}
	return nil
}

// input is the content of one input of the graph for a batch.
func (t *transformer) input(name string, b batch, sequences []sequence) ([]int64, error) {
	values := make([]int64, len(b.members)*b.length)
	for i, m := range b.members {
		row, q := values[i*b.length:(i+1)*b.length], sequences[m]
		switch name {
		case encoder.InputIDs:
			for j := copy(row, q.ids); j < len(row); j++ {
				row[j] = t.Graph().PadID
			}
		case encoder.AttentionMask:
			for j := range q.ids {
				row[j] = 1
			}
		case encoder.TokenTypeIDs:
			copy(row, q.types)
		default:
			return nil, fmt.Errorf("the graph has an input %q, which is not known", name)
		}
	}
	return values, nil
}

// classify wraps sdk.ErrOutOfMemory where an error of ONNX Runtime says that.
func classify(err error) error {
	if session.OutOfMemory(err) {
		return fmt.Errorf("%w: %w", sdk.ErrOutOfMemory, err)
	}
	return err
}
