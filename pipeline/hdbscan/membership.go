package hdbscan

import (
	"context"
	"fmt"
	"math"

	"github.com/bertopic-go/bertopic/internal/par"
)

// walk lists the labels in the order of a depth-first walk through the cluster
// tree, so that the labels under any cluster are a range of that list.
func (ix *index) walk() {
	c := ix.ct
	ix.from, ix.to = make([]int32, c.k), make([]int32, c.k)
	stack := []int32{0}
	for len(stack) > 0 {
		i := stack[len(stack)-1]
		if i < 0 { // all below ^i has been seen
			stack = stack[:len(stack)-1]
			ix.to[^i] = int32(len(ix.order))
			continue
		}
		stack[len(stack)-1] = ^i
		ix.from[i] = int32(len(ix.order))
		if l := c.label[i]; l >= 0 && c.selected[l] == i {
			ix.order = append(ix.order, l)
		}
		stack = append(stack, c.below(int(i))...)
	}
	// What lies below a selected cluster has that one's range.
	for i := 1; i < c.k; i++ {
		if l := c.label[i]; l >= 0 && c.selected[l] != int32(i) {
			ix.from[i], ix.to[i] = ix.from[c.parent[i]], ix.to[c.parent[i]]
		}
	}
}

// findExemplars gathers for every label the densest rows of each leaf cluster
// at or below it.
func (ix *index) findExemplars(m *Model) {
	c := ix.ct
	points := make([][]float64, len(c.selected))
	for i := range ix.groups.len() {
		r := ix.groups.first(int32(i))
		p := c.rowParent[r]
		if l := c.label[p]; l >= 0 && len(c.below(int(p))) == 0 && c.rowLambda[r] == c.last[p] {
			points[l] = append(points[l], m.Points[int(r)*m.D:(int(r)+1)*m.D]...)
		}
	}
	ix.exemplars = make([]*kdTree, len(points))
	for l, x := range points {
		if len(x) > 0 {
			ix.exemplars[l] = newKDTree(x, len(x)/m.D, m.D, ix.tree.metric, 1)
		}
	}
}

// heights fills dst, one value a label, with the lambda at which cluster at
// and the label's cluster join; where one lies within the other that is own.
// It costs O(labels + depth).
func (ix *index) heights(dst []float64, at int32, own float64) {
	c := ix.ct
	lo, hi := ix.from[at], ix.to[at]
	for _, l := range ix.order[lo:hi] {
		dst[l] = own
	}
	for at > 0 {
		at = c.parent[at]
		l, h := ix.from[at], ix.to[at]
		v := c.split[at]
		if s := c.label[at]; s >= 0 {
			v = own
			lo, hi = l, l
		}
		for _, k := range ix.order[l:lo] {
			dst[k] = v
		}
		for _, k := range ix.order[hi:h] {
			dst[k] = v
		}
		lo, hi = l, h
	}
}

// closeness fills dst with the share of each label in the sum of
// 1/distance(q, nearest exemplar). Labels at distance 0 share all.
func (ix *index) closeness(dst, q []float64, nearest []*knnSearch) {
	sum, zeros := 0.0, 0
	for l, s := range nearest {
		dst[l] = 0
		if s == nil {
			continue
		}
		if d := ix.tree.metric.distance(s.query(q)[0].dist); d > tiny {
			dst[l] = 1 / d
			sum += dst[l]
		} else {
			dst[l] = -1
			zeros++
		}
	}
	for l := range dst {
		switch {
		case zeros > 0 && dst[l] < 0:
			dst[l] = 1 / float64(zeros)
		case zeros > 0:
			dst[l] = 0
		case sum > 0:
			dst[l] /= sum
		}
	}
}

func (ix *index) exemplarSearches() []*knnSearch {
	out := make([]*knnSearch, len(ix.exemplars))
	for l, t := range ix.exemplars {
		if t != nil {
			out[l] = newKNNSearch(t, 1)
		}
	}
	return out
}

// softmax replaces x by exp(x) over its sum.
func softmax(x []float64) {
	top := math.Inf(-1)
	for _, v := range x {
		top = max(top, v)
	}
	for i, v := range x {
		if v == top {
			x[i] = 1 // also where top is infinite
		} else {
			x[i] = math.Exp(v - top)
		}
	}
	normalise(x)
}

// normalise makes x sum to 1 and reports false, leaving x, if its sum is 0.
func normalise(x []float64) bool {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	if !(sum > 0) {
		return false
	}
	for i := range x {
		x[i] /= sum
	}
	return true
}

// argmax is the first index of the largest value.
func argmax(x []float64) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}

// join puts the two parts of a membership vector together: dst times other,
// as a distribution, times the probability of being in a cluster at all. If
// the parts exclude each other, the one by density decides.
func join(dst, density []float64, inSome float64) {
	for i, v := range density {
		dst[i] *= v
	}
	if !normalise(dst) {
		copy(dst, density)
		normalise(dst)
	}
	for i := range dst {
		dst[i] *= inSome
	}
}

// MembershipVectors returns, for every training row, how much it belongs to
// each of the C clusters: N x C row-major, rows summing to at most 1, hdbscan's
// all_points_membership_vectors. It costs O(C) searches among exemplars a row.
func (m *Model) MembershipVectors(ctx context.Context) ([]float64, error) {
	if m.idx == nil {
		return nil, fmt.Errorf("hdbscan membership vectors: %w", errNotReady)
	}
	ix, c, k := m.idx, m.idx.ct, m.NumClusters()
	if k == 0 {
		return nil, ctx.Err()
	}
	out := make([]float64, m.N*k)
	par.Blocks(m.Params.Threads, ix.groups.len(), queryBlock, func(_, lo, hi int) {
		if ctx.Err() != nil {
			return
		}
		nearest, scores := ix.exemplarSearches(), make([]float64, k)
		for g := lo; g < hi; g++ {
			rows := ix.groups.rows[ix.groups.start[g]:ix.groups.start[g+1]]
			r := int(rows[0])
			dst := out[r*k : (r+1)*k]
			ix.closeness(dst, m.Points[r*m.D:(r+1)*m.D], nearest)
			inSome := ix.trainingScores(scores, c.rowParent[r], c.rowLambda[r])
			join(dst, scores, inSome)
			for _, copyOf := range rows[1:] {
				copy(out[int(copyOf)*k:], dst)
			}
		}
	})
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("hdbscan membership vectors: %w", err)
	}
	return out, nil
}

// epsilonLambda keeps hdbscan's divisions from 0; its value is hdbscan's.
const epsilonLambda = 1e-8

// trainingScores is the part by density for a row of the tree.
func (ix *index) trainingScores(scores []float64, at int32, lambda float64) (inSome float64) {
	c := ix.ct
	ix.heights(scores, at, lambda)
	top := argmax(scores)
	inSome = min(1, scores[top]/max(c.last[c.selected[top]], lambda))
	last := c.last[at] + epsilonLambda
	for j, h := range scores {
		scores[j] = math.Exp(-(last / h))
	}
	softmax(scores)
	return inSome
}

// PredictMembership returns membership vectors of new rows, n x C row-major:
// hdbscan's membership_vector. points are row-major with D dimensions.
func (m *Model) PredictMembership(ctx context.Context, points []float64) ([]float64, error) {
	k := m.NumClusters()
	var out []float64
	if m.D > 0 {
		out = make([]float64, len(points)/m.D*k)
	}
	err := m.queries(ctx, points, func(r int, q []float64, pl *placer) {
		if k == 0 {
			return
		}
		if pl.nearest == nil {
			pl.nearest, pl.scores = m.idx.exemplarSearches(), make([]float64, k)
		}
		dst := out[r*k : (r+1)*k]
		row, lambda := pl.place(q)
		lambda = min(lambda, m.idx.ct.rowLambda[row])
		m.idx.closeness(dst, q, pl.nearest)
		for j, v := range dst {
			dst[j] = math.Sqrt(v)
		}
		inSome := m.idx.newRowScores(pl.scores, m.idx.ct.rowParent[row], lambda)
		for j, v := range pl.scores {
			pl.scores[j] = float64(v * v)
		}
		join(dst, pl.scores, inSome)
	})
	if err != nil {
		return nil, fmt.Errorf("hdbscan membership of new rows: %w", err)
	}
	return out, nil
}

// newRowScores is the part by density for a new row. hdbscan rounds lambda to
// float32 here; last-h is small for dense rows, so that the rounding shows and
// has to be followed for equal values.
func (ix *index) newRowScores(scores []float64, at int32, lambda float64) (inSome float64) {
	c := ix.ct
	ix.heights(scores, at, lambda)
	top := argmax(scores)
	inSome = min(1, scores[top]/(max(lambda, c.last[c.selected[top]])+epsilonLambda))
	ix.heights(scores, at, float64(float32(lambda)))
	last := c.last[at]
	for j, h := range scores {
		gap := last - h
		if gap <= 0 {
			gap = epsilonLambda
		}
		scores[j] = last / gap
	}
	softmax(scores)
	return inSome
}
