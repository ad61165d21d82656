package hdbscan

import (
	"fmt"
	"math"
	"strings"
)

// maxAbs bounds the coordinates: squares and sums of squares stay finite,
// divided by the smallest alpha too.
const maxAbs = 1e140

// copyPoints copies n rows of d finite numbers and turns -0 into 0, so that
// equal rows have equal bits.
func copyPoints(points []float64, n, d int) ([]float64, error) {
	if n < 0 || d < 1 {
		return nil, fmt.Errorf("points have the shape %d x %d; at least one dimension is needed", n, d)
	}
	if n > math.MaxInt32/2 {
		return nil, fmt.Errorf("%d rows are more than the %d that row numbers can hold", n, math.MaxInt32/2)
	}
	if len(points)/d != n || len(points)%d != 0 {
		return nil, fmt.Errorf("%d values do not make %d rows of %d", len(points), n, d)
	}
	out := make([]float64, len(points))
	for i, v := range points {
		if !(math.Abs(v) <= maxAbs) {
			return nil, badRows(points, d)
		}
		out[i] = v + 0
	}
	return out, nil
}

// badRows names the first rows that copyPoints refuses.
func badRows(points []float64, d int) error {
	const most = 10
	var names []string
	count := 0
	for r := 0; r < len(points)/d; r++ {
		for j, v := range points[r*d : (r+1)*d] {
			if math.Abs(v) <= maxAbs {
				continue
			}
			if count++; count <= most {
				names = append(names, fmt.Sprintf("row %d (%v in column %d)", r, v, j))
			}
			break
		}
	}
	more := ""
	if count > most {
		more = fmt.Sprintf(" and %d more", count-most)
	}
	return fmt.Errorf("%d of the rows are not finite or exceed %g: %s%s; remove or mark them first",
		count, maxAbs, strings.Join(names, ", "), more)
}

// rowGroups gathers identical rows. Clustering runs on one point a group with
// the number of its copies as weight, which is why copies cannot be parted.
// Groups are numbered by their first row.
type rowGroups struct {
	of    []int32 // row -> group
	start []int32 // group -> its rows are rows[start[g]:start[g+1]]
	rows  []int32 // ascending within a group
}

func (g *rowGroups) len() int            { return len(g.start) - 1 }
func (g *rowGroups) weight(i int) int32  { return g.start[i+1] - g.start[i] }
func (g *rowGroups) first(i int32) int32 { return g.rows[g.start[i]] }

// groupRows finds the identical rows of an n x d matrix without -0.
func groupRows(x []float64, n, d int) *rowGroups {
	g := &rowGroups{of: make([]int32, n), rows: make([]int32, n)}
	bits := 4
	for 1<<bits < 2*n {
		bits++
	}
	table := make([]int32, 1<<bits) // group + 1
	mask := uint64(len(table) - 1)
	var firsts, counts []int32
	for i := range n {
		row := x[i*d : (i+1)*d]
		h := hashRow(row) >> (64 - bits)
		for {
			e := table[h&mask]
			if e == 0 {
				firsts = append(firsts, int32(i))
				counts = append(counts, 0)
				e = int32(len(firsts))
				table[h&mask] = e
			} else if f := int(firsts[e-1]); !equalRows(row, x[f*d:(f+1)*d]) {
				h++
				continue
			}
			g.of[i] = e - 1
			counts[e-1]++
			break
		}
	}
	g.start = make([]int32, len(firsts)+1)
	for i, c := range counts {
		g.start[i+1] = g.start[i] + c
	}
	next := append([]int32(nil), g.start...)
	for i, k := range g.of {
		g.rows[next[k]] = int32(i)
		next[k]++
	}
	return g
}

func hashRow(row []float64) uint64 {
	h := uint64(0x9e3779b97f4a7c15)
	for _, v := range row {
		h = (h ^ math.Float64bits(v)) * 0xbf58476d1ce4e5b9
		h ^= h >> 29
	}
	return h * 0x94d049bb133111eb
}

func equalRows(a, b []float64) bool {
	for i, v := range a {
		if v != b[i] {
			return false
		}
	}
	return true
}

// gather returns the first row of every group.
func (g *rowGroups) gather(x []float64, d int) []float64 {
	out := make([]float64, 0, g.len()*d)
	for i := range g.len() {
		r := int(g.first(int32(i)))
		out = append(out, x[r*d:(r+1)*d]...)
	}
	return out
}

// spread turns a reduced distance a group into a distance a row.
func (g *rowGroups) spread(reduced []float64, m metric) []float64 {
	out := make([]float64, len(g.of))
	for i, k := range g.of {
		out[i] = m.distance(reduced[k])
	}
	return out
}
