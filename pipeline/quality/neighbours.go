package quality

import (
	"context"
	"fmt"
	"slices"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/rng"
)

// TrustOptions says how Trustworthiness looks.
type TrustOptions struct {
	K       int    // neighbours; 0: 15. Must be less than half the rows
	Metric  Metric // of the original space, "": Euclidean; the reduced space is Euclidean
	Sample  int    // rows whose neighbours are judged; 0, or more than there are: all
	Seed    uint64 // of the sample
	Threads int    // 0: all cores; never changes the result
}

// Trustworthiness says how far the neighbours of a row in reduced are
// neighbours in original, from 0 to 1 (Venna and Kaski, 2001): neighbours that
// were far away cost their rank beyond K. It is scikit-learn's
// trustworthiness(original, reduced, n_neighbors=K), with equal distances
// ordered by row number.
//
// A sample judges that many rows, drawn without replacement, against all rows:
// ranks stay exact. (To judge a subset against itself, select the rows first.)
// Memory is a few vectors of n values a thread; time is sample x n x columns.
func Trustworthiness(ctx context.Context, original, reduced matrix.Matrix, opt TrustOptions) (float64, error) {
	if opt.K == 0 {
		opt.K = 15
	}
	high, err := newSpace(original, opt.Metric)
	if err != nil {
		return 0, fmt.Errorf("trustworthiness: original vectors: %w", err)
	}
	low, err := newSpace(reduced, Euclidean)
	if err != nil {
		return 0, fmt.Errorf("trustworthiness: reduced vectors: %w", err)
	}
	n, k := high.rows(), opt.K
	if low.rows() != n {
		return 0, fmt.Errorf("trustworthiness: %d reduced rows for %d original rows", low.rows(), n)
	}
	if k < 1 || 2*k >= n {
		return 0, fmt.Errorf("trustworthiness of %d rows: k is %d: use at least 1 and less than half the rows", n, k)
	}
	rows := sample(n, opt.Sample, opt.Seed)
	cost := make([]int64, len(rows))
	err = eachRow(ctx, rows, opt.Threads, []space{high, low}, func(slot, i int, keys [][]float64, near *closest) {
		near.reset(k)
		for j, v := range keys[1] {
			if j != i {
				near.offer(v, int32(j))
			}
		}
		cost[slot] = overRank(keys[0], i, near.at)
	})
	if err != nil {
		return 0, fmt.Errorf("trustworthiness: %w", err)
	}
	var sum int64
	for _, c := range cost {
		sum += c
	}
	return 1 - float64(sum)*2/(float64(len(rows))*float64(k)*float64(2*n-3*k-1)), nil
}

// overRank sums what the ranks of the neighbours exceed their number, where
// ranks are by (key, index) among all rows but i, from 1.
func overRank(keys []float64, i int, neighbours []int32) int64 {
	k := len(neighbours)
	sorted := make([]int32, k)
	copy(sorted, neighbours)
	slices.SortFunc(sorted, func(a, b int32) int {
		switch {
		case keys[a] < keys[b]:
			return -1
		case keys[a] > keys[b]:
			return 1
		}
		return int(a - b)
	})
	// before[p] counts the rows that come before neighbour p but not before
	// neighbour p-1.
	before := make([]int64, k+1)
	last := keys[sorted[k-1]]
	for j, v := range keys {
		if v > last || j == i {
			continue
		}
		p := 0
		for p < k && (keys[sorted[p]] < v || keys[sorted[p]] == v && int(sorted[p]) <= j) {
			p++
		}
		before[p]++
	}
	var sum, rank int64
	for p := range k {
		rank += before[p]
		sum += max(0, rank+1-int64(k))
	}
	return sum
}

// sample draws m of the rows 0..n-1 without replacement, ascending; all where
// m is 0 or not less than n.
func sample(n, m int, seed uint64) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	if m <= 0 || m >= n {
		return rows
	}
	for i := range m {
		j := i + rng.Below(rng.Hash2(seed, uint64(i), 0), n-i)
		rows[i], rows[j] = rows[j], rows[i]
	}
	rows = rows[:m]
	slices.Sort(rows)
	return rows
}

// eachRow calls f for every row with its keys in each of the spaces.
func eachRow(ctx context.Context, rows []int, threads int, spaces []space, f func(slot, i int, keys [][]float64, near *closest)) error {
	const grain = 4 * together
	par.Blocks(threads, len(rows), grain, func(_, lo, hi int) {
		out := make([][][]float64, len(spaces))
		for s, sp := range spaces {
			out[s] = make([][]float64, together)
			for q := range out[s] {
				out[s][q] = make([]float64, sp.rows())
			}
		}
		var near closest
		keys := make([][]float64, len(spaces))
		for ; lo < hi && ctx.Err() == nil; lo += together {
			at := rows[lo:min(lo+together, hi)]
			for s, sp := range spaces {
				sp.keys(out[s][:len(at)], at)
			}
			for q, i := range at {
				for s := range spaces {
					keys[s] = out[s][q]
				}
				f(lo+q, i, keys, &near)
			}
		}
	})
	return ctx.Err()
}

// KNNOptions says how KNNAccuracy judges.
type KNNOptions struct {
	K           int    // neighbours that vote; 0: 15
	Metric      Metric // "": Euclidean
	Folds       int    // stratified folds; 0: 5
	LeaveOneOut bool   // every row is a fold of its own
	Sample      int    // rows judged; 0, or more than there are: all
	Seed        uint64 // of the sample
	Threads     int    // 0: all cores; never changes the result
}

// KNNAccuracy is how often the K nearest rows of the other folds vote for a
// row's own label. By default it is the mean over 5 stratified folds, as
// scikit-learn's cross_val_score(KNeighborsClassifier(15), x, labels, cv=5)
// gives it: the folds are the same ones; votes that tie go to the lower label;
// equal distances are ordered by row number.
//
// With a sample, only the sampled rows are judged (each against all rows of the
// other folds) and the result is the plain part that was right. LeaveOneOut
// gives somewhat higher figures than folds do: do not compare the two.
func KNNAccuracy(ctx context.Context, x matrix.Matrix, labels []int32, opt KNNOptions) (float64, error) {
	if opt.K == 0 {
		opt.K = 15
	}
	if opt.Folds == 0 {
		opt.Folds = 5
	}
	s, err := newSpace(x, opt.Metric)
	if err != nil {
		return 0, fmt.Errorf("knn accuracy: %w", err)
	}
	n := s.rows()
	switch {
	case len(labels) != n:
		return 0, fmt.Errorf("knn accuracy: %d labels for %d rows", len(labels), n)
	case opt.K < 1:
		return 0, fmt.Errorf("knn accuracy: k is %d: use 1 or more", opt.K)
	case !opt.LeaveOneOut && (opt.Folds < 2 || opt.Folds > n):
		return 0, fmt.Errorf("knn accuracy of %d rows: %d folds asked for: use 2 to %d", n, opt.Folds, n)
	case n < 2:
		return 0, fmt.Errorf("knn accuracy of %d rows: at least 2 are needed", n)
	}
	index, counts := number(labels)
	var fold []int32
	if opt.LeaveOneOut {
		for i := range n {
			fold = append(fold, int32(i))
		}
	} else {
		fold = stratify(index, counts, opt.Folds)
	}
	rows := sample(n, opt.Sample, opt.Seed)
	right := make([]bool, len(rows))
	err = eachRow(ctx, rows, opt.Threads, []space{s}, func(slot, i int, keys [][]float64, near *closest) {
		near.reset(opt.K)
		for j, v := range keys[0] {
			if fold[j] != fold[i] {
				near.offer(v, int32(j))
			}
		}
		right[slot] = vote(index, near.at) == index[i]
	})
	if err != nil {
		return 0, fmt.Errorf("knn accuracy: %w", err)
	}
	if len(rows) < n || opt.LeaveOneOut {
		hits := 0
		for _, r := range right {
			if r {
				hits++
			}
		}
		return float64(hits) / float64(len(rows)), nil
	}
	hits, size := make([]int, opt.Folds), make([]int, opt.Folds)
	for i, r := range right {
		size[fold[i]]++
		if r {
			hits[fold[i]]++
		}
	}
	var mean float64
	folds := 0
	for f, h := range hits {
		if size[f] > 0 {
			mean += float64(h) / float64(size[f])
			folds++
		}
	}
	return mean / float64(folds), nil
}

// vote returns the most frequent label of the rows, the lowest among equals.
func vote(index []int32, rows []int32) int32 {
	best, most := int32(-1), 0
	for _, i := range rows {
		count := 0
		for _, j := range rows {
			if index[j] == index[i] {
				count++
			}
		}
		if count > most || count == most && index[i] < best {
			best, most = index[i], count
		}
	}
	return best
}

// stratify returns the fold of each row such that every fold holds about the
// same part of each class: scikit-learn's StratifiedKFold without shuffling.
func stratify(index []int32, counts []int, folds int) []int32 {
	// Classes are dealt out in the order of their first row.
	rank := make([]int, len(counts))
	for c := range rank {
		rank[c] = -1
	}
	var order []int
	for _, c := range index {
		if rank[c] < 0 {
			rank[c] = len(order)
			order = append(order, int(c))
		}
	}
	// The sorted labels go round the folds; share[c][f] is what f gets of c.
	share := make([][]int, len(counts))
	at := 0
	for _, c := range order {
		share[c] = make([]int, folds)
		for range counts[c] {
			share[c][at%folds]++
			at++
		}
	}
	// Within a class the first rows go to the first fold, and so on.
	fold := make([]int32, len(index))
	now := make([]int32, len(counts))
	for i, c := range index {
		for share[c][now[c]] == 0 {
			now[c]++
		}
		share[c][now[c]]--
		fold[i] = now[c]
	}
	return fold
}
