package reduce

import (
	"context"
	"fmt"
	"math"

	"github.com/bertopic-go/bertopic/internal/linalg"
	"github.com/bertopic-go/bertopic/internal/matrix"
)

// batchValues bounds the values of a batch that nobody sized: 128 MiB.
const batchValues = 16 << 20

func (m *Model) batchSize() int {
	if m.Params.BatchSize > 0 {
		return m.Params.BatchSize
	}
	return max(min(5*m.Cols, batchValues/m.Cols), m.Params.NComponents, 1)
}

// batches cuts 0..n into batches of size rows. A remainder of fewer than
// least rows joins the batch before it.
func batches(n, size, least int) [][2]int {
	var out [][2]int
	lo := 0
	for hi := size; hi+least <= n; hi += size {
		out = append(out, [2]int{lo, hi})
		lo = hi
	}
	if lo < n {
		out = append(out, [2]int{lo, n})
	}
	return out
}

// NewIncremental returns an empty incremental PCA for vectors of cols columns,
// to be fed with PartialFit.
func NewIncremental(cols int, p Params) (*Model, error) {
	p.Method = IncrementalPCA
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("reduce: %w", err)
	}
	if cols < 1 {
		return nil, fmt.Errorf("reduce: vectors of %d columns cannot be reduced", cols)
	}
	return &Model{Params: p.withDefaults(), Cols: cols}, nil
}

// PartialFit updates an incremental PCA with the rows of x, as one batch. The
// model is unchanged if it fails. Until NComponents rows were seen the model
// has fewer components.
func (m *Model) PartialFit(ctx context.Context, x matrix.Matrix) error {
	if m.Params.Method != IncrementalPCA {
		return fmt.Errorf("reduce: a %s model cannot be updated: use %s", m.Params.Method, IncrementalPCA)
	}
	if x == nil {
		return fmt.Errorf("reduce: no matrix given")
	}
	rows, cols := x.Dims()
	if cols != m.Cols {
		return fmt.Errorf("reduce: rows of %d columns given to a model of %d", cols, m.Cols)
	}
	if rows == 0 {
		return nil
	}
	if err := m.update(ctx, x, 0, rows); err != nil {
		return fmt.Errorf("reduce %d rows: %w", rows, err)
	}
	return nil
}

// update merges the rows lo..hi of x into the model: the singular vectors of
// the old components scaled by their singular values, the centred batch, and
// one row for the shift of the mean (Ross, Lim, Lin and Yang, 2008, as in
// scikit-learn).
func (m *Model) update(ctx context.Context, x matrix.Matrix, lo, hi int) error {
	batch, d := hi-lo, m.Cols
	old := m.NComponents
	extra := 0
	if m.RowsSeen > 0 {
		extra = old + 1
	}
	stack := linalg.NewDense(extra+batch, d)
	if err := fill(stack.Data[extra*d:], x, lo, hi); err != nil {
		return err
	}
	mean, square := centre(stack.Data[extra*d:], batch, d)

	seen, total := float64(m.RowsSeen), float64(m.RowsSeen)+float64(batch)
	newMean, newVariance := make([]float64, d), make([]float64, d)
	for j := range d {
		var oldMean, oldSquare float64
		if m.RowsSeen > 0 {
			oldMean, oldSquare = m.Mean[j], m.Variance[j]*seen
		}
		shift := mean[j] - oldMean
		newMean[j] = oldMean + shift*(float64(batch)/total)
		newVariance[j] = (oldSquare + square[j] + shift*shift*(seen*float64(batch)/total)) / total
	}
	if m.RowsSeen > 0 {
		for i := range old {
			for j := range d {
				stack.Data[i*d+j] = m.SingularValues[i] * m.Components[i*d+j]
			}
		}
		weight := math.Sqrt(seen / total * float64(batch))
		for j := range d {
			stack.Data[old*d+j] = weight * (m.Mean[j] - mean[j])
		}
	}
	// The first batch of n rows has rank n - 1 after centring, but keeps n
	// components as scikit-learn does.
	s, err := linalg.TruncatedSVD(ctx, stack, linalg.SVDOptions{Components: m.Params.NComponents, Seed: m.Params.Seed, Threads: m.Params.Threads})
	if err != nil {
		return err
	}
	var scatter float64
	for _, v := range newVariance {
		scatter += v * total
	}
	variance, ratio := make([]float64, len(s.SingularValues)), make([]float64, len(s.SingularValues))
	for i, v := range s.SingularValues {
		variance[i] = v * v / max(total-1, 1)
		if scatter > 0 {
			ratio[i] = v * v / scatter
		}
	}
	m.set(s.Components, s.SingularValues, variance, ratio)
	m.Mean, m.Variance = newMean, newVariance
	m.RowsSeen += int64(batch)
	return nil
}

// fill writes the rows lo..hi of x to dst as dense float64.
func fill(dst []float64, x matrix.Matrix, lo, hi int) error {
	switch x := x.(type) {
	case *matrix.Dense:
		for i, v := range x.Data[lo*x.Cols : hi*x.Cols] {
			dst[i] = float64(v)
		}
	case *linalg.Dense:
		copy(dst, x.Data[lo*x.Cols:hi*x.Cols])
	case *matrix.CSR:
		for i := lo; i < hi; i++ {
			cols, values := x.Row(i)
			row := dst[(i-lo)*x.Cols : (i-lo+1)*x.Cols]
			for k, c := range cols {
				row[c] = float64(values[k])
			}
		}
	case *linalg.CSR:
		for i := lo; i < hi; i++ {
			row := dst[(i-lo)*x.Cols : (i-lo+1)*x.Cols]
			for k := x.Indptr[i]; k < x.Indptr[i+1]; k++ {
				row[x.Indices[k]] = x.Data[k]
			}
		}
	default:
		return fmt.Errorf("matrix of unknown layout %T", x)
	}
	return nil
}

// centre takes the column means out of rows (n x d) and returns them with the
// sums of squares that remain.
func centre(rows []float64, n, d int) (mean, square []float64) {
	mean, square = make([]float64, d), make([]float64, d)
	for i := range n {
		for j, v := range rows[i*d : (i+1)*d] {
			mean[j] += v
		}
	}
	for j := range mean {
		mean[j] /= float64(n)
	}
	for i := range n {
		row := rows[i*d : (i+1)*d]
		for j := range row {
			row[j] -= mean[j]
			square[j] += float64(row[j] * row[j])
		}
	}
	return mean, square
}
