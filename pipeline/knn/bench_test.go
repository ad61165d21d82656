package knn

import (
	"context"
	"testing"
)

// Exact 15 neighbours of 18,331 x 384 vectors on two threads.
func BenchmarkFitNewsgroups(b *testing.B) {
	x := newsgroups(b)
	for b.Loop() {
		if _, err := Fit(context.Background(), x, Params{K: 15, Threads: 2}); err != nil {
			b.Fatal(err)
		}
	}
}
