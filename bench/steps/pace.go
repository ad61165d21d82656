package main

import (
	"context"
	"sync"
	"time"

	"github.com/bertopic-go/bertopic/internal/par"
)

// flops is the speed of multiplying and adding in registers alone, in GFLOP/s of
// one core while all threads do it: the most that a product of matrices could
// reach. It is taken by CPU time, which other programs disturb less than the
// clock. Fused and Unfused are of float32, rounded once or twice a pair, Pairs of
// 16-bit integers, as the search for neighbours multiplies. 0 is unknown.
type flops struct {
	Fused   float64 `json:"fused"`
	Unfused float64 `json:"unfused"`
	Pairs   float64 `json:"pairs"`
}

// spins is how often a loop of registers runs at a time, for some milliseconds.
const spins = 1 << 21

// floatPace takes the best of several tries, which a neighbour on the same
// core disturbs the least.
func floatPace(threads int) flops {
	var best flops
	for range 5 {
		best.Fused = max(best.Fused, together(threads, fusedFlops, func() { spinFused(spins) }))
		best.Unfused = max(best.Unfused, together(threads, unfusedFlops, func() { spinUnfused(spins) }))
		best.Pairs = max(best.Pairs, together(threads, pairOps, func() { spinPairs(spins) }))
	}
	return best
}

// together runs f on some threads at once, repeatedly, and returns the GFLOP/s
// of one of them, given the operations of one spin.
func together(threads int, flop float64, f func()) float64 {
	if flop == 0 {
		return 0
	}
	const repeat = 8
	o := options{runs: 1}
	took, _ := o.measure(func() error {
		var wg sync.WaitGroup
		for range threads {
			wg.Go(func() {
				for range repeat {
					f()
				}
			})
		}
		wg.Wait()
		return nil
	})
	spent := took[0].CPU
	if spent == 0 {
		spent = took[0].Wall * float64(threads)
	}
	return float64(threads) * repeat * spins * flop / spent / 1e9
}

// pace measures the machine: arithmetic in registers, and copying memory.
func pace(_ context.Context, o options) (any, error) {
	threads := par.Threads(o.threads)
	return map[string]any{
		"threads": threads, "flops": floatPace(threads), "flops_one": floatPace(1),
		"copy_gb_s": copyPace(threads), "sum_gb_s": sumPace(threads),
	}, nil
}

// big is more memory than the caches hold.
const big = 1 << 26

// copyPace is GB/s read and written by copies.
func copyPace(threads int) float64 {
	from, to := make([]uint64, big/8), make([]uint64, big/8)
	for i := range from {
		from[i] = uint64(i)
	}
	copy(to, from) // makes the pages
	best := 0.0
	for range 5 {
		start := time.Now()
		par.Blocks(threads, len(from), len(from)/threads+1, func(_, lo, hi int) { copy(to[lo:hi], from[lo:hi]) })
		best = max(best, 2*big/time.Since(start).Seconds()/1e9)
	}
	return best
}

// sumPace is GB/s read.
func sumPace(threads int) float64 {
	data := make([]uint64, big/8)
	for i := range data {
		data[i] = uint64(i)
	}
	best := 0.0
	sums := make([]uint64, threads)
	for range 5 {
		start := time.Now()
		par.Blocks(threads, len(data), len(data)/threads+1, func(b, lo, hi int) {
			var s0, s1, s2, s3 uint64
			part := data[lo:hi]
			for ; len(part) >= 4; part = part[4:] {
				s0, s1, s2, s3 = s0+part[0], s1+part[1], s2+part[2], s3+part[3]
			}
			sums[b] = s0 + s1 + s2 + s3
		})
		best = max(best, big/time.Since(start).Seconds()/1e9)
	}
	return best
}
