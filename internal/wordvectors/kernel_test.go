package wordvectors

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestKernels: the vector version is the Go version, bit for bit, at any address.
func TestKernels(t *testing.T) {
	if !useAVX {
		t.Skip("this machine has no vector version")
	}
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 75 {
		for _, rows := range []int{1, 2, 9, Batch} {
			vectors := make([]byte, 3+4*n*rows)
			for i := 3; i < len(vectors); i += 4 {
				le.PutUint32(vectors[i:], math.Float32bits(float32(random.NormFloat64()*math.Pow(10, float64(random.IntN(60)-30)))))
			}
			offsets, weights := make([]int64, rows+rowsAhead), make([]float64, rows)
			for k := range rows {
				offsets[k], weights[k] = int64(3+4*n*random.IntN(rows)), random.Float64()*3
			}
			a := make([]float64, n)
			for i := range a {
				a[i] = random.NormFloat64()
			}
			b := slices.Clone(a)
			addRows(a, vectors, offsets[:rows], weights)
			addRowsGo(b, vectors, offsets[:rows], weights)
			for i := range a {
				if math.Float64bits(a[i]) != math.Float64bits(b[i]) {
					t.Fatalf("%d rows of %d values, value %d: %v, want %v", rows, n, i, a[i], b[i])
				}
			}
		}
	}
}

// TestFinder: many words at once are found where one is found, and again when they
// came lately.
func TestFinder(t *testing.T) {
	list := []string{"", "a", "the", "river", "eight888", "sixteen-letters!", "seventeen-letters", strings.Repeat("long", 5000), "the" + strings.Repeat("e", 1<<16)}
	for i := range 6000 {
		list = append(list, fmt.Sprintf("%x", i*i*i))
	}
	var text strings.Builder
	for i, w := range list[1 : len(list)-1000] {
		if len(w) > maxWord {
			continue
		}
		fmt.Fprintf(&text, "%s %d %d %d\n", w, i, i+1, -i)
	}
	path := filepath.Join(t.TempDir(), "words.txt")
	if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	v := open(t, path, Options{})
	f := NewFinder(v)
	places, weights := make([]int64, Batch), make([]float64, Batch)
	for k := range weights {
		weights[k] = float64(k) / 3
	}
	for range 2 {
		for words := range slices.Chunk(list, Batch) {
			f.Find(places, words)
			sum, want := make([]float64, 3), make([]float64, 3)
			var there []int64
			for k, w := range words {
				row, ok := v.Lookup(w)
				if ok != (places[k] >= 0) || ok && places[k] != v.Place(row) {
					t.Fatalf("%.20q is at %d; row %d, %v", w, places[k], row, ok)
				}
				if ok {
					v.Add(want, row, weights[len(there)])
					there = append(there, places[k])
				}
			}
			f.AddAt(sum, there, weights)
			if !slices.Equal(sum, want) {
				t.Fatalf("the sum is %v, want %v", sum, want)
			}
		}
	}
	_ = v.Close()
	f.Find(places, []string{"the"})
	if places[0] >= 0 {
		t.Error("a closed table has a word")
	}
}
