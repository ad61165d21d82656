package main

import "slices"

// batch is what goes through the encoder in one run: sequences, by their number,
// and the length to which all are padded.
type batch struct {
	length  int
	members []int
}

// tokenBudget is how many tokens a batch has at most, padding included, unless
// it is of one sequence. The weights of a layer are read once for so many tokens,
// and what a layer makes of them still fits the processor's caches: measured, 256
// to 1024 are alike and 4096 takes a tenth more.
const tokenBudget = 512

// plan cuts sequences into batches, the longest first. Without padding the
// sequences of a batch are of one length, and what else is in it has no effect
// on a row's bits; with padding they are of about one length. The plan is a
// function of the lengths and the budget alone.
func plan(lengths []int, budget int, padded bool) []batch {
	order := make([]int, len(lengths))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return lengths[b] - lengths[a] })
	var out []batch
	for start := 0; start < len(order); {
		length := lengths[order[start]]
		end := start + 1
		for end < len(order) && (end-start+1)*length <= budget && (padded || lengths[order[end]] == length) {
			end++
		}
		out = append(out, batch{length: length, members: order[start:end]})
		start = end
	}
	return out
}
