package represent

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/rng"
	"github.com/bertopic-go/bertopic/internal/vectorize"
	"github.com/bertopic-go/bertopic/pipeline/ctfidf"
)

// Document is a document that stands for a topic.
type Document struct {
	Row        int
	Similarity float64 // cosine of its c-TF-IDF to the topic's
}

// Selection says which documents stand for a topic.
type Selection struct {
	Documents int // a topic; 0: 3
	// Samples is how many documents of a topic are looked at, drawn without
	// replacement; 0: 500, negative: all.
	Samples int
	Seed    uint64
	Threads int // 0: all cores; never changes the result
}

// sampleStep sets the draws of this package apart from others of one seed.
const sampleStep = 0x7265707265736e74

// Representative returns for each topic the documents whose words are nearest
// to its own, by falling similarity, equal ones by row. counts are documents x
// terms, group is the topic of each document as a row of topics (negative:
// none), and model is the c-TF-IDF that made topics from sums of counts. Of
// documents with the very same counts the first alone is taken, as long as
// there are others.
func Representative(counts *vectorize.Counts, group []int32, model *ctfidf.Model, topics *vectorize.Weights, s Selection) ([][]Document, error) {
	if len(group) != counts.Rows {
		return nil, fmt.Errorf("representative documents: there are %d topic numbers for %d documents", len(group), counts.Rows)
	}
	if counts.Cols != topics.Cols || len(model.IDF) != counts.Cols {
		return nil, fmt.Errorf("representative documents: documents have %d terms, topics %d and the model %d", counts.Cols, topics.Cols, len(model.IDF))
	}
	members := make([][]int, topics.Rows)
	for i, g := range group {
		if int(g) >= topics.Rows {
			return nil, fmt.Errorf("representative documents: document %d is in topic %d of %d", i, g, topics.Rows)
		}
		if g >= 0 {
			members[g] = append(members[g], i)
		}
	}
	out := make([][]Document, topics.Rows)
	pool := make(chan []float64, par.Threads(s.Threads)+1)
	par.Blocks(s.Threads, topics.Rows, 1, func(g, _, _ int) {
		var weights []float64
		select {
		case weights = <-pool:
		default:
			weights = make([]float64, topics.Cols)
		}
		rows := sample(members[g], orDefault(s.Samples, 500), s.Seed)
		cols, values := topics.Row(g)
		for k, j := range cols {
			weights[j] = values[k]
		}
		out[g] = nearest(counts, rows, model, weights, norm(values), orDefault(s.Documents, 3))
		for _, j := range cols {
			weights[j] = 0
		}
		select {
		case pool <- weights:
		default:
		}
	})
	return out, nil
}

// sample draws n of rows: those with the smallest hashes. n below 0 takes all.
func sample(rows []int, n int, seed uint64) []int {
	if n < 0 || len(rows) <= n {
		return rows
	}
	type draw struct {
		hash uint64
		row  int
	}
	draws := make([]draw, len(rows))
	for i, row := range rows {
		draws[i] = draw{rng.Hash2(seed, sampleStep, uint64(row)), row}
	}
	slices.SortFunc(draws, func(a, b draw) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.row, b.row))
	})
	out := make([]int, n)
	for i := range out {
		out[i] = draws[i].row
	}
	slices.Sort(out)
	return out
}

// nearest returns the n documents of rows that are nearest to a topic, whose
// weights by term and their norm are given.
func nearest(counts *vectorize.Counts, rows []int, model *ctfidf.Model, topic []float64, topicNorm float64, n int) []Document {
	own := counts.Select(rows)
	weights := model.Transform(own, 1)
	docs := make([]int, len(rows)) // places in rows, best first
	similarity := make([]float64, len(rows))
	for i := range rows {
		docs[i] = i
		cols, values := weights.Row(i)
		sum := 0.0
		for k, j := range cols {
			sum += float64(values[k] * topic[j])
		}
		if length := norm(values) * topicNorm; length > 0 {
			similarity[i] = sum / length
		}
	}
	slices.SortFunc(docs, func(a, b int) int {
		return cmp.Or(cmp.Compare(similarity[b], similarity[a]), cmp.Compare(rows[a], rows[b]))
	})
	var first, again []int
	for _, d := range docs {
		if len(first) == n {
			break
		}
		if len(first) > 0 && slices.ContainsFunc(first, func(f int) bool { return similarity[f] == similarity[d] && sameCounts(own, f, d) }) {
			again = append(again, d)
		} else {
			first = append(first, d)
		}
	}
	chosen := append(first, again[:min(len(again), n-len(first))]...)
	slices.SortFunc(chosen, func(a, b int) int {
		return cmp.Or(cmp.Compare(similarity[b], similarity[a]), cmp.Compare(rows[a], rows[b]))
	})
	out := make([]Document, len(chosen))
	for i, d := range chosen {
		out[i] = Document{Row: rows[d], Similarity: similarity[d]}
	}
	return out
}

func sameCounts(counts *vectorize.Counts, a, b int) bool {
	ca, va := counts.Row(a)
	cb, vb := counts.Row(b)
	return slices.Equal(ca, cb) && slices.Equal(va, vb)
}

func norm(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x * x)
	}
	return math.Sqrt(sum)
}
