package kmeans

import (
	"math"

	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/rng"
)

// plusPlus draws up to k start centres by greedy k-means++ (Arthur and
// Vassilvitskii, 2007): each centre is the best of 2 + ln k candidates drawn
// with probability proportional to the squared distance from the centres so
// far. It stops early when every point is a centre.
func plusPlus(x []float64, n, d, k int, seed, run uint64, threads int) []float64 {
	trials := 2 + int(math.Log(float64(k)))
	centers := make([]float64, 0, min(k, n)*d)
	add := func(i int) { centers = append(centers, x[i*d:(i+1)*d]...) }
	add(rng.Below(rng.Hash3(seed, run, 0, 0), n))

	closest := make([]float64, n)
	par.Blocks(threads, n, grain, func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			closest[i] = square(x[i*d:(i+1)*d], centers)
		}
	})
	blocks := (n + grain - 1) / grain
	parts := make([]float64, blocks)
	// Candidates are measured four at a time.
	trials4 := (trials + 3) &^ 3
	at := make([]int, trials4)
	trial := make([][]float64, trials4)
	for t := range trial {
		trial[t] = make([]float64, n)
	}
	for c := 1; c < k; c++ {
		potential := 0.0
		par.Blocks(threads, n, grain, func(b, lo, hi int) {
			parts[b] = 0
			for _, v := range closest[lo:hi] {
				parts[b] += v
			}
		})
		for _, v := range parts {
			potential += v
		}
		if potential == 0 {
			break
		}
		for t := range at {
			// The padding repeats the first candidate, which changes nothing.
			at[t] = at[0]
			if t < trials {
				at[t] = draw(closest, parts, rng.Unit(rng.Hash3(seed, run, uint64(c), uint64(t)))*potential)
			}
		}
		for t := 0; t < trials4; t += 4 {
			measure(trial[t:t+4], closest, x, at[t:t+4], d, threads)
		}
		best, least := 0, math.Inf(1)
		for t := range trials {
			if sum := total(trial[t], threads); sum < least {
				best, least = t, sum
			}
		}
		add(at[best])
		closest, trial[best] = trial[best], closest
	}
	return centers
}

// measure sets trial[t][i] to the squared distance of point i from point at[t],
// or to closest[i] where that is less, for four candidates.
func measure(trial [][]float64, closest, x []float64, at []int, d, threads int) {
	row := func(i int) []float64 { return x[i*d : (i+1)*d] }
	a, b, c, e := row(at[0]), row(at[1]), row(at[2]), row(at[3])
	par.Blocks(threads, len(closest), grain, func(_, lo, hi int) {
		var s [8]float64
		for i := lo; i < hi; i += 2 {
			j := min(i+1, hi-1)
			square2x4(&s, row(i), row(j), a, b, c, e)
			for t := range 4 {
				trial[t][i] = min(closest[i], s[t])
				trial[t][j] = min(closest[j], s[4+t])
			}
		}
	})
}

// draw returns the index at which the running sum of weights, whose blocks sum
// to parts, exceeds target. It never returns an index of weight 0.
func draw(weights, parts []float64, target float64) int {
	sum, last := 0.0, -1
	for b, part := range parts {
		if part == 0 {
			continue
		}
		if sum+part <= target && b+1 < len(parts) {
			sum += part
			last = b
			continue
		}
		lo, hi := b*grain, min((b+1)*grain, len(weights))
		at := -1
		for i := lo; i < hi; i++ {
			if weights[i] == 0 {
				continue
			}
			at = i
			if sum += weights[i]; sum > target {
				break
			}
		}
		return at
	}
	// Rounding put the target at the very end, behind empty blocks.
	for i := min((last+1)*grain, len(weights)) - 1; ; i-- {
		if weights[i] > 0 {
			return i
		}
	}
}
