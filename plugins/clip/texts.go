package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/bertopic-go/bertopic/internal/encoder"
	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/session"
	"github.com/bertopic-go/bertopic/internal/tokenize"
)

// Tokens of a run of the text tower, at most. On the CPU so many keep the
// processor's caches warm; a GPU wants more at a time.
const (
	textBudget    = 512
	textBudgetGPU = 32768
)

// textReader makes vectors of texts.
type textReader struct {
	tokenizer *tokenize.Tokenizer
	pool      *session.Pool
	most      int // tokens of a text, its marks included
	padID     int64
	threads   int
	full      bool // every text is filled up to most tokens
	padded    bool // texts of different lengths share a run
	budget    int  // tokens of a run, if rows is 0
	rows      int  // texts of a run
}

// textSide is what became of a text.
type textSide struct {
	ids    []int64   // none: there is nothing to embed
	blank  bool      // nothing but white space
	lost   int       // tokens that were cut off
	vector []float32 // as the tower gives it
}

// read tokenises texts and embeds those that have tokens of their own. done is
// told, from any goroutine, how many more are finished.
func (r *textReader) read(ctx context.Context, texts []string, dimension int, done func(n int)) ([]textSide, error) {
	sides := make([]textSide, len(texts))
	par.Blocks(r.threads, len(texts), 16, func(_, lo, hi int) {
		var e tokenize.Encoding
		for i := lo; i < hi && ctx.Err() == nil; i++ {
			sides[i] = r.tokens(&e, texts[i])
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	runs := r.plan(sides)
	for _, s := range sides {
		if s.ids == nil {
			done(1)
		}
	}
	err := r.pool.Each(ctx, len(runs), func(i int) error {
		run := runs[i]
		out := make([]float32, len(run)*dimension)
		if err := r.run(ctx, sides, run, out); err != nil {
			return err
		}
		for k, at := range run {
			sides[at].vector = out[k*dimension : (k+1)*dimension : (k+1)*dimension]
		}
		done(len(run))
		return nil
	})
	return sides, err
}

func (r *textReader) tokens(e *tokenize.Encoding, text string) textSide {
	if strings.TrimSpace(text) == "" {
		return textSide{blank: true}
	}
	r.tokenizer.Encode(e, text, r.most)
	if !slices.Contains(e.Special, false) {
		return textSide{}
	}
	return textSide{ids: slices.Clone(e.IDs), lost: e.TokensLost}
}

// plan cuts the texts into runs, the longest first. Without padding those of a
// run are of one length, so that none has an effect on the bits of another.
func (r *textReader) plan(sides []textSide) [][]int {
	var order []int
	for i, s := range sides {
		if s.ids != nil {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return len(sides[b].ids) - len(sides[a].ids) })
	var runs [][]int
	for len(order) > 0 {
		length := r.length(sides[order[0]])
		most := r.rows
		if most == 0 {
			most = max(1, r.budget/length)
		}
		n := 1
		for n < min(most, len(order)) && (r.padded || r.length(sides[order[n]]) == length) {
			n++
		}
		runs, order = append(runs, order[:n]), order[n:]
	}
	return runs
}

// length is how many tokens a text has in a run.
func (r *textReader) length(s textSide) int {
	if r.full {
		return r.most
	}
	return len(s.ids)
}

// run computes the vectors of one run, whose first text is the longest.
func (r *textReader) run(ctx context.Context, sides []textSide, run []int, out []float32) error {
	length := r.length(sides[run[0]])
	ids, mask := make([]int64, len(run)*length), make([]int64, len(run)*length)
	for k, at := range run {
		row := ids[k*length : (k+1)*length]
		n := copy(row, sides[at].ids)
		for j := range row {
			if j < n {
				mask[k*length+j] = 1
			} else {
				row[j] = r.padID
			}
		}
	}
	inputs := make([]session.Tensor, len(r.pool.Graph().Inputs))
	for i, name := range r.pool.Graph().Inputs {
		switch name {
		case encoder.InputIDs:
			inputs[i] = session.Ints(ids, len(run), length)
		case encoder.AttentionMask:
			inputs[i] = session.Ints(mask, len(run), length)
		default:
			return fmt.Errorf("the text tower has an input %q, which is not known", name)
		}
	}
	if err := r.pool.Run(ctx, inputs, out); err != nil {
		return classify(fmt.Errorf("run the text tower on %d texts of %d tokens: %w", len(run), length, err))
	}
	return nil
}
