// Package rng makes random numbers that are a pure function of a seed and a
// few counters. No state is carried from one number to the next, so the value
// drawn for (step, index) is the same on any number of threads and can be
// drawn again at any time.
package rng

import "math"

const (
	golden = 0x9e3779b97f4a7c15
	mixA   = 0xbf58476d1ce4e5b9
	mixB   = 0x94d049bb133111eb
)

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood: "Fast splittable
// pseudorandom number generators", 2014).
func mix(z uint64) uint64 {
	z = (z ^ (z >> 30)) * mixA
	z = (z ^ (z >> 27)) * mixB
	return z ^ (z >> 31)
}

// Hash2 returns 64 random bits for (seed, a, b).
func Hash2(seed, a, b uint64) uint64 {
	return mix(mix(mix(seed+golden)+a*golden+1) + b*golden + 2)
}

// Hash2s sets dst[k] to Hash2(seed, a, b+k).
func Hash2s(dst []uint64, seed, a, b uint64) {
	z := mix(mix(seed+golden)+a*golden+1) + b*golden + 2
	for k := range dst {
		dst[k] = mix(z)
		z += golden
	}
}

// Hash3 returns 64 random bits for (seed, a, b, c).
func Hash3(seed, a, b, c uint64) uint64 {
	return mix(Hash2(seed, a, b) + c*golden + 3)
}

// Below maps 64 random bits to 0..n-1 by multiply-shift on the upper 32 bits.
// n must be between 1 and 1<<32.
func Below(bits uint64, n int) int {
	return int((bits >> 32) * uint64(n) >> 32)
}

// Unit maps 64 random bits to [0, 1) in steps of 2^-53.
func Unit(bits uint64) float64 { return float64(bits>>11) * (1.0 / (1 << 53)) }

// Normal returns a standard normal number for (seed, a, b), by Box and Muller.
func Normal(seed, a, b uint64) float64 {
	u := 1 - Unit(Hash3(seed, a, b, 0)) // in (0, 1], so that the logarithm is finite
	v := Unit(Hash3(seed, a, b, 1))
	return math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*v)
}
