//go:build !amd64

package main

// The pace of other processors is not known.
var (
	fusedFlops, unfusedFlops, pairOps float64
	spinFused, spinUnfused, spinPairs = func(int) {}, func(int) {}, func(int) {}
)
