package quality

import (
	"fmt"
	"math"

	"github.com/bertopic-go/bertopic/internal/linalg"
	"github.com/bertopic-go/bertopic/internal/matrix"
)

// Metric says how far apart two rows are.
type Metric string

// The metrics. A row of zeros is at cosine distance 1 from every row.
const (
	Euclidean Metric = "euclidean"
	Cosine    Metric = "cosine"
	Hellinger Metric = "hellinger" // of rows taken for distributions; values must not be negative
)

// together is the number of rows whose keys are computed in one pass.
const together = 4

// space orders rows by their distance from a row.
type space interface {
	rows() int
	// keys sets out[q] (rows long), for each q, to values that order all rows
	// as their distances from row at[q] do. It takes up to together rows.
	keys(out [][]float64, at []int)
}

func newSpace(x matrix.Matrix, m Metric) (space, error) {
	switch m {
	case "", Euclidean, Cosine, Hellinger:
	default:
		return nil, fmt.Errorf("metric is %q: use %q, %q or %q", m, Euclidean, Cosine, Hellinger)
	}
	switch x := x.(type) {
	case *matrix.Dense:
		return newDenseSpace(x.Rows, x.Cols, x.Data, m)
	case *linalg.Dense:
		return newDenseSpace(x.Rows, x.Cols, x.Data, m)
	case *matrix.CSR:
		if err := x.Validate(); err != nil {
			return nil, err
		}
		return newSparseSpace(x, m)
	case nil:
		return nil, fmt.Errorf("no matrix given")
	}
	return nil, fmt.Errorf("matrix of unknown layout %T", x)
}

// weighing holds what turns inner products into keys.
type weighing struct {
	cosine bool
	// square is the squared length of each row; scale its inverse length, 0 for
	// a row of zeros.
	square, scale []float64
}

func (w *weighing) set(i int, square float64) {
	w.square[i] = square
	if square > 0 {
		w.scale[i] = 1 / math.Sqrt(square)
	}
}

// turn replaces the inner products of row at with every row by keys. The
// squared distance lacks the row's own length, which is the same for all; a row
// of zeros has every row at one cosine distance.
func (w *weighing) turn(dots []float64, at int) {
	if w.cosine {
		own := w.scale[at]
		for i, v := range dots {
			dots[i] = -float64(v*own) * w.scale[i]
		}
		return
	}
	for i, v := range dots {
		dots[i] = w.square[i] - 2*v
	}
}

func checkValue(v float64, m Metric, i, j int) error {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return fmt.Errorf("row %d, column %d holds %v: leave such rows out", i, j, v)
	}
	if m == Hellinger && v < 0 {
		return fmt.Errorf("row %d, column %d holds %v: the hellinger metric takes no negative values", i, j, v)
	}
	return nil
}

type denseSpace[T float32 | float64] struct {
	n, d int
	data []T
	weighing
}

func newDenseSpace[T float32 | float64](n, d int, data []T, m Metric) (space, error) {
	if len(data) != n*d {
		return nil, fmt.Errorf("dense matrix of shape %d x %d holds %d values", n, d, len(data))
	}
	for i, v := range data {
		if err := checkValue(float64(v), m, i/d, i%d); err != nil {
			return nil, err
		}
	}
	if m == Hellinger {
		// Hellinger is the cosine order of square roots.
		root := make([]T, len(data))
		for i, v := range data {
			root[i] = T(math.Sqrt(float64(v)))
		}
		data = root
	}
	s := &denseSpace[T]{n, d, data, weighing{m == Cosine || m == Hellinger, make([]float64, n), make([]float64, n)}}
	for i := range n {
		var sum float64
		for _, v := range data[i*d : (i+1)*d] {
			sum += float64(float64(v) * float64(v))
		}
		s.set(i, sum)
	}
	return s, nil
}

func (s *denseSpace[T]) rows() int { return s.n }

func (s *denseSpace[T]) keys(out [][]float64, at []int) {
	var q, o [together][]float64
	for k := range q {
		q[k] = make([]float64, s.d)
		if k >= len(at) {
			o[k] = make([]float64, s.n)
			continue
		}
		o[k] = out[k]
		for j, v := range s.data[at[k]*s.d : (at[k]+1)*s.d] {
			q[k][j] = float64(v)
		}
	}
	var dots [8]float64
	i := 0
	for ; i+2 <= s.n; i += 2 {
		dot2x4(&dots, s.data[i*s.d:(i+1)*s.d], s.data[(i+1)*s.d:(i+2)*s.d], q[0], q[1], q[2], q[3])
		for k := range o {
			o[k][i], o[k][i+1] = dots[k], dots[4+k]
		}
	}
	if i < s.n {
		last := s.data[i*s.d:]
		dot2x4(&dots, last, last, q[0], q[1], q[2], q[3])
		for k := range o {
			o[k][i] = dots[k]
		}
	}
	for k, i := range at {
		s.turn(out[k], i)
	}
}

// dot2x4 sets out to the inner products of row u, then of row v, with four
// vectors, each summed in index order.
func dot2x4[T float32 | float64](out *[8]float64, u, v []T, a, b, c, e []float64) {
	n := len(u)
	v, a, b, c, e = v[:n], a[:n], b[:n], c[:n], e[:n]
	var u0, u1, u2, u3, v0, v1, v2, v3 float64
	for i, w := range u {
		f, g := float64(w), float64(v[i])
		x := a[i]
		u0 += float64(f * x)
		v0 += float64(g * x)
		x = b[i]
		u1 += float64(f * x)
		v1 += float64(g * x)
		x = c[i]
		u2 += float64(f * x)
		v2 += float64(g * x)
		x = e[i]
		u3 += float64(f * x)
		v3 += float64(g * x)
	}
	*out = [8]float64{u0, u1, u2, u3, v0, v1, v2, v3}
}

type sparseSpace struct {
	*matrix.CSR
	weighing
}

func newSparseSpace(x *matrix.CSR, m Metric) (space, error) {
	s := &sparseSpace{x, weighing{m == Cosine || m == Hellinger, make([]float64, x.Rows), make([]float64, x.Rows)}}
	if m == Hellinger {
		root := *x
		root.Data = make([]float32, len(x.Data))
		for i, v := range x.Data {
			root.Data[i] = float32(math.Sqrt(float64(v)))
		}
		s.CSR = &root
	}
	for i := range x.Rows {
		cols, values := x.Row(i)
		for k, v := range values {
			if err := checkValue(float64(v), m, i, int(cols[k])); err != nil {
				return nil, err
			}
		}
		var sum float64
		_, values = s.Row(i)
		for _, v := range values {
			sum += float64(float64(v) * float64(v))
		}
		s.set(i, sum)
	}
	return s, nil
}

func (s *sparseSpace) rows() int { return s.Rows }

func (s *sparseSpace) keys(out [][]float64, at []int) {
	wide := make([]float64, s.Cols)
	for k, i := range at {
		cols, values := s.Row(i)
		for j, c := range cols {
			wide[c] = float64(values[j])
		}
		dst := out[k]
		for r := range s.Rows {
			cols, values := s.Row(r)
			var sum float64
			for j, c := range cols {
				sum += float64(float64(values[j]) * wide[c])
			}
			dst[r] = sum
		}
		for _, c := range cols {
			wide[c] = 0
		}
		s.turn(dst, i)
	}
}

// closest keeps the k least (key, index) pairs seen, in ascending order.
type closest struct {
	k   int
	key []float64
	at  []int32
}

func (c *closest) reset(k int) {
	c.k, c.key, c.at = k, c.key[:0], c.at[:0]
}

// offer adds index i with its key. Indices must come in ascending order.
func (c *closest) offer(key float64, i int32) {
	n := len(c.key)
	if n == c.k {
		if key >= c.key[n-1] {
			return
		}
		n--
	} else {
		c.key, c.at = append(c.key, 0), append(c.at, 0)
	}
	for n > 0 && key < c.key[n-1] {
		c.key[n], c.at[n] = c.key[n-1], c.at[n-1]
		n--
	}
	c.key[n], c.at[n] = key, i
}
