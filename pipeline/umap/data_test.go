package umap

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/pipeline/knn"
)

// besideRoot opens a file of the folder beside the module's root, or skips.
func besideRoot(tb testing.TB, elem ...string) *os.File {
	tb.Helper()
	dir, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if filepath.Dir(dir) == dir {
			tb.Skip("the module's root was not found")
		}
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(append([]string{dir, "..", "shared"}, elem...)...)
	f, err := os.Open(path)
	if err != nil {
		tb.Skipf("%s is absent", filepath.Join(elem...))
	}
	tb.Cleanup(func() { f.Close() })
	return f
}

func newsgroups(tb testing.TB) (*matrix.Dense, []string) {
	tb.Helper()
	f := besideRoot(tb, "data", "20ng_minilm.npy")
	head := make([]byte, 10)
	if _, err := io.ReadFull(f, head); err != nil {
		tb.Fatal(err)
	}
	text := make([]byte, binary.LittleEndian.Uint16(head[8:]))
	if _, err := io.ReadFull(f, text); err != nil {
		tb.Fatal(err)
	}
	var n, d int
	if _, err := fmt.Sscanf(string(text)[strings.Index(string(text), "("):], "(%d, %d)", &n, &d); err != nil {
		tb.Fatalf("npy header %q: %v", text, err)
	}
	x := matrix.NewDense(n, d)
	if err := binary.Read(f, binary.LittleEndian, x.Data); err != nil {
		tb.Fatal(err)
	}
	z, err := gzip.NewReader(besideRoot(tb, "data", "20ng.jsonl.gz"))
	if err != nil {
		tb.Fatal(err)
	}
	var labels []string
	for s := json.NewDecoder(bufio.NewReader(z)); ; {
		var row struct{ Label any }
		if err := s.Decode(&row); err == io.EOF {
			break
		} else if err != nil {
			tb.Fatal(err)
		}
		labels = append(labels, fmt.Sprint(row.Label))
	}
	if len(labels) != n {
		tb.Fatalf("%d labels for %d rows", len(labels), n)
	}
	return x, labels
}

// trustworthiness of y at k, by the cosine ranks of the unit rows of x.
func trustworthiness(tb testing.TB, x, y *matrix.Dense, k int) float64 {
	tb.Helper()
	n := x.Rows
	g, err := knn.Fit(context.Background(), y, knn.Params{K: k + 1, Metric: knn.Euclidean})
	if err != nil {
		tb.Fatal(err)
	}
	penalty := make([]float64, n)
	par.Blocks(0, n, 8, func(_, lo, hi int) {
		sim := make([]float32, n)
		for i := lo; i < hi; i++ {
			for j := range n {
				sim[j] = dot(x.Row(i), x.Row(j))
			}
			idx, _ := g.Row(i)
			for _, j := range idx[1:] {
				rank := 1
				for o, v := range sim {
					if o != i && (v > sim[j] || v == sim[j] && o < int(j)) {
						rank++
					}
				}
				penalty[i] += float64(max(0, rank-k))
			}
		}
	})
	var sum float64
	for _, v := range penalty {
		sum += v
	}
	return 1 - 2*sum/(float64(n*k)*float64(2*n-3*k-1))
}

func dot(x, y []float32) float32 {
	y = y[:len(x)]
	var a, b, c, d float32
	i := 0
	for ; i+4 <= len(x); i += 4 {
		a += x[i] * y[i]
		b += x[i+1] * y[i+1]
		c += x[i+2] * y[i+2]
		d += x[i+3] * y[i+3]
	}
	for ; i < len(x); i++ {
		a += x[i] * y[i]
	}
	return a + b + c + d
}

// accuracy is the share of rows whose label is the commonest among their k
// nearest others in y, the first label in order where several are.
func accuracy(tb testing.TB, y *matrix.Dense, labels []string, k int) float64 {
	tb.Helper()
	g, err := knn.Fit(context.Background(), y, knn.Params{K: k + 1, Metric: knn.Euclidean})
	if err != nil {
		tb.Fatal(err)
	}
	hits := 0
	for i := range g.N {
		idx, _ := g.Row(i)
		votes := map[string]int{}
		for _, j := range idx[1:] {
			votes[labels[j]]++
		}
		names := make([]string, 0, len(votes))
		for l := range votes {
			names = append(names, l)
		}
		slices.SortFunc(names, func(a, b string) int {
			return cmp.Or(cmp.Compare(votes[b], votes[a]), cmp.Compare(a, b))
		})
		if names[0] == labels[i] {
			hits++
		}
	}
	return float64(hits) / float64(g.N)
}
