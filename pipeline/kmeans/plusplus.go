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
	trial, best := make([]float64, n), make([]float64, n)
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
		bestPotential, bestAt := math.Inf(1), 0
		for t := range trials {
			at := draw(closest, parts, rng.Unit(rng.Hash3(seed, run, uint64(c), uint64(t)))*potential)
			p := x[at*d : (at+1)*d]
			par.Blocks(threads, n, grain, func(_, lo, hi int) {
				for i := lo; i < hi; i++ {
					trial[i] = min(closest[i], square(x[i*d:(i+1)*d], p))
				}
			})
			if sum := total(trial, threads); sum < bestPotential {
				bestPotential, bestAt = sum, at
				best, trial = trial, best
			}
		}
		add(bestAt)
		closest, best = best, closest
	}
	return centers
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
