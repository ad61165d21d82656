// Program synthetic writes a corpus and its vectors of any size: clusters of
// unequal sizes on the unit sphere, and noise. The same arguments give the same
// bytes.
//
//	go run ./bench/synthetic -rows 200000 -out FOLDER
//
// leaves FOLDER/corpus.jsonl, with a text of its cluster's words and the class
// for each row, and FOLDER/vectors.npy.
package main

import (
	"bufio"
	"encoding/binary"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/rng"
)

const (
	dim    = 384
	spread = 0.7 // length of a row's difference from its centre, which has length 1
	noise  = 0.1 // share of the rows without a cluster
)

// The uses of random numbers, the first word of each.
const (
	ofCentre = iota
	ofSize
	ofCluster
	ofRow
	ofWord
)

func main() {
	rows := flag.Int("rows", 10000, "rows")
	clusters := flag.Int("clusters", 0, "clusters (0: the square root of half the rows)")
	seed := flag.Uint64("seed", 7, "seed")
	out := flag.String("out", "", "folder to write")
	flag.Parse()
	if *clusters == 0 {
		*clusters = int(math.Sqrt(float64(*rows) / 2))
	}
	if err := write(*out, *rows, *clusters, *seed); err != nil {
		fmt.Fprintln(os.Stderr, "synthetic:", err)
		os.Exit(1)
	}
}

func write(out string, rows, clusters int, seed uint64) error {
	if err := os.MkdirAll(out, 0o777); err != nil {
		return err
	}
	member := members(rows, clusters, seed)
	if err := inFile(filepath.Join(out, "vectors.npy"), func(w *bufio.Writer) error { return vectors(w, member, clusters, seed) }); err != nil {
		return err
	}
	return inFile(filepath.Join(out, "corpus.jsonl"), func(w *bufio.Writer) error { return texts(w, member, seed) })
}

func inFile(path string, f func(*bufio.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	w := bufio.NewWriterSize(file, 1<<20)
	if err := f(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return file.Close()
}

// members gives each row its cluster, or -1. A cluster's share is exponential,
// as those of a Dirichlet distribution are.
func members(rows, clusters int, seed uint64) []int {
	bound := make([]float64, clusters)
	sum := 0.0
	for c := range bound {
		sum += 0.2 - math.Log(1-rng.Unit(rng.Hash3(seed, ofSize, uint64(c), 0)))
		bound[c] = sum
	}
	out := make([]int, rows)
	for i := range out {
		if rng.Unit(rng.Hash3(seed, ofCluster, uint64(i), 0)) < noise {
			out[i] = -1
			continue
		}
		at := sum * rng.Unit(rng.Hash3(seed, ofCluster, uint64(i), 1))
		for lo, hi := 0, clusters-1; lo <= hi; {
			if mid := (lo + hi) / 2; bound[mid] > at {
				out[i], hi = mid, mid-1
			} else {
				lo = mid + 1
			}
		}
	}
	return out
}

func vectors(w *bufio.Writer, member []int, clusters int, seed uint64) error {
	centre := make([]float32, clusters*dim)
	for c := range clusters {
		unit(centre[c*dim:(c+1)*dim], nil, 1, rng.Hash3(seed, ofCentre, uint64(c), 0))
	}
	header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%d, %d), }", len(member), dim)
	fmt.Fprintf(w, "\x93NUMPY\x01\x00\x76\x00%-117s\n", header)
	const chunk = 4096
	values := make([]float32, chunk*dim)
	bytes := make([]byte, 4*len(values))
	for lo := 0; lo < len(member); lo += chunk {
		n := min(chunk, len(member)-lo)
		par.Blocks(0, n, 64, func(_, from, to int) {
			for i := from; i < to; i++ {
				row := values[i*dim : (i+1)*dim]
				key := rng.Hash3(seed, ofRow, uint64(lo+i), 0)
				if c := member[lo+i]; c >= 0 {
					unit(row, centre[c*dim:(c+1)*dim], spread/math.Sqrt(dim), key)
				} else {
					unit(row, nil, 1, key)
				}
			}
		})
		for k, v := range values[:n*dim] {
			binary.LittleEndian.PutUint32(bytes[4*k:], math.Float32bits(v))
		}
		if _, err := w.Write(bytes[:4*n*dim]); err != nil {
			return err
		}
	}
	return nil
}

// unit writes centre and noise of the given size to row, of length 1.
func unit(row, centre []float32, size float64, key uint64) {
	sum := 0.0
	for d := range row {
		v := size * rng.Normal(key, uint64(d), 0)
		if centre != nil {
			v += float64(centre[d])
		}
		row[d] = float32(v)
		sum += v * v
	}
	for d := range row {
		row[d] /= float32(math.Sqrt(sum))
	}
}

// texts writes eight words a row, six of them of its cluster.
func texts(w *bufio.Writer, member []int, seed uint64) error {
	for i, c := range member {
		fmt.Fprintf(w, `{"id":%d,"class":"%d","text":"`, i, c)
		for k := range uint64(8) {
			h := rng.Hash3(seed, ofWord, uint64(i), k)
			if c >= 0 && k < 6 {
				fmt.Fprintf(w, "%s ", word(uint64(c)*20+h%20, 'c'))
			} else {
				fmt.Fprintf(w, "%s ", word(h%5000, 'w'))
			}
		}
		if _, err := w.WriteString("\"}\n"); err != nil {
			return err
		}
	}
	return nil
}

// word spells a number.
func word(n uint64, first byte) string {
	b := []byte{first}
	for range 5 {
		b = append(b, "bdfgklmnprst"[n%12], "aeiou"[n%5])
		n /= 12
	}
	return string(b)
}
