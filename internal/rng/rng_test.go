package rng

import "testing"

func TestHash2s(t *testing.T) {
	dst := make([]uint64, 5)
	Hash2s(dst, 1, 2, 3)
	for k, got := range dst {
		if want := Hash2(1, 2, 3+uint64(k)); got != want {
			t.Errorf("number %d: %x, want %x", k, got, want)
		}
	}
}
