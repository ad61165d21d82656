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

// TestLookupAll: many words at once are found where one is found.
func TestLookupAll(t *testing.T) {
	list := []string{"", "a", "the", "river", "eight888", "sixteen-letters!", "seventeen-letters", strings.Repeat("long", 5000)}
	for i := range 300 {
		list = append(list, fmt.Sprintf("%x", i*i*i))
	}
	var text strings.Builder
	for i, w := range list[1 : len(list)-100] {
		fmt.Fprintf(&text, "%s %d %d\n", w, i, i+1)
	}
	path := filepath.Join(t.TempDir(), "words.txt")
	if err := os.WriteFile(path, []byte(text.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	v := open(t, path, Options{})
	for at := 0; at < len(list); at += Batch {
		words := list[at:min(len(list), at+Batch)]
		rows := make([]int, len(words))
		v.LookupAll(rows, words)
		for k, w := range words {
			want, ok := v.Lookup(w)
			if !ok {
				want = -1
			}
			if rows[k] != want {
				t.Errorf("%.20q is in row %d, want %d", w, rows[k], want)
			}
		}
	}
}
