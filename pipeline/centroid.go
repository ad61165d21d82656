package pipeline

import (
	"math"
	"slices"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
)

// groupMeans returns the mean vector of the rows of each of n groups; rows of
// the group -1 belong to none. A group without rows has the zero vector. The
// layout is that of m. Sums are in float64, in the order of the rows.
func groupMeans(m Matrix, rows, group []int, n int) Matrix {
	members := make([][]int, n)
	for k, g := range group {
		if g >= 0 {
			members[g] = append(members[g], rows[k])
		}
	}
	_, d := m.Dims()
	sum := make([]float64, d)
	switch m := m.(type) {
	case *matrix.Dense:
		out := matrix.NewDense(n, d)
		for g, list := range members {
			clear(sum)
			for _, i := range list {
				for j, v := range m.Row(i) {
					sum[j] += float64(v)
				}
			}
			row := out.Row(g)
			for j, s := range sum {
				if len(list) > 0 {
					row[j] = float32(s / float64(len(list)))
				}
			}
		}
		return out
	case *matrix.CSR:
		out := &matrix.CSR{Rows: n, Cols: d, Indptr: make([]int64, 1, n+1)}
		for _, list := range members {
			var touched []int32
			for _, i := range list {
				cols, values := m.Row(i)
				for k, c := range cols {
					if sum[c] == 0 {
						touched = append(touched, c)
					}
					sum[c] += float64(values[k])
				}
			}
			slices.Sort(touched)
			touched = slices.Compact(touched)
			for _, c := range touched {
				if v := float32(sum[c] / float64(len(list))); v != 0 {
					out.Indices = append(out.Indices, c)
					out.Data = append(out.Data, v)
				}
				sum[c] = 0
			}
			out.Indptr = append(out.Indptr, int64(len(out.Indices)))
		}
		return out
	}
	panic("pipeline: unknown matrix layout")
}

// selectRows is SelectRows of package matrix, on several threads: most rows of
// a large matrix are many bytes.
func selectRows(m Matrix, rows []int, threads int) Matrix {
	dense, ok := m.(*Dense)
	if !ok || len(rows) == dense.Rows {
		return matrix.SelectRows(m, rows)
	}
	out := matrix.NewDense(len(rows), dense.Cols)
	par.Blocks(threads, len(rows), 256, func(_, lo, hi int) {
		for k := lo; k < hi; k++ {
			copy(out.Row(k), dense.Row(rows[k]))
		}
	})
	return out
}

// cosine returns the cosine between row i of a and row j of b, which have the
// same layout; 0 where one of them is all zeros.
func cosine(a Matrix, i int, b Matrix, j int) float64 {
	var dot, aa, bb float64
	switch a := a.(type) {
	case matrix.Rows:
		x, y := a.Row(i), b.(matrix.Rows).Row(j)
		for k, v := range x {
			w := y[k]
			dot += float64(v) * float64(w)
			aa += float64(v) * float64(v)
			bb += float64(w) * float64(w)
		}
	case *matrix.CSR:
		xc, xv := a.Row(i)
		yc, yv := b.(*matrix.CSR).Row(j)
		for _, v := range xv {
			aa += float64(v) * float64(v)
		}
		for _, v := range yv {
			bb += float64(v) * float64(v)
		}
		for p, q := 0, 0; p < len(xc) && q < len(yc); {
			switch {
			case xc[p] < yc[q]:
				p++
			case xc[p] > yc[q]:
				q++
			default:
				dot += float64(xv[p]) * float64(yv[q])
				p++
				q++
			}
		}
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return min(1, max(-1, dot/math.Sqrt(aa*bb)))
}
