//go:build !amd64

package main

// The pace of other processors is not known.
var (
	fusedFlops, unfusedFlops float64
	spinFused, spinUnfused   = func(int) {}, func(int) {}
)
