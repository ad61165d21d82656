package reduce

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/bertopic-go/bertopic/internal/linalg"
	"github.com/bertopic-go/bertopic/internal/matrix"
)

// Method names a reduction.
type Method string

// The reductions.
const (
	PCA            Method = "pca"
	SVD            Method = "svd"
	IncrementalPCA Method = "incremental-pca"
)

// DefaultComponents is the number of dimensions kept where none is given.
const DefaultComponents = 5

// Params says how to reduce. The zero value is a PCA to five dimensions.
type Params struct {
	Method      Method // "": PCA
	NComponents int    // dimensions to keep; 0: DefaultComponents
	Randomized  bool   // PCA and SVD: a randomised range finder instead of the exact vectors
	BatchSize   int    // IncrementalPCA: rows a batch; 0: 5 times the columns, at most 16 Mi values
	Seed        uint64 // of random directions and start vectors
	Threads     int    // 0: all cores; never changes the result
}

// Validate reports every fault of p.
func (p Params) Validate() error {
	var faults []error
	switch p.Method {
	case "", PCA, SVD, IncrementalPCA:
	default:
		faults = append(faults, fmt.Errorf("method is %q: use %q, %q or %q", p.Method, PCA, SVD, IncrementalPCA))
	}
	if p.NComponents < 0 {
		faults = append(faults, fmt.Errorf("n_components is %d: use 1 or more", p.NComponents))
	}
	if p.BatchSize < 0 {
		faults = append(faults, fmt.Errorf("batch_size is %d: use 1 or more", p.BatchSize))
	}
	if p.Randomized && p.Method == IncrementalPCA {
		faults = append(faults, fmt.Errorf("randomized does not go with %q", IncrementalPCA))
	}
	return errors.Join(faults...)
}

func (p Params) withDefaults() Params {
	if p.Method == "" {
		p.Method = PCA
	}
	if p.NComponents == 0 {
		p.NComponents = DefaultComponents
	}
	return p
}

// Model is a fitted reduction. The exported fields are all that a Transform or
// PartialFit after a restore needs.
type Model struct {
	Params Params // with the defaults filled in
	// NComponents is the number of dimensions kept: Params.NComponents, or less
	// where the rows or columns seen are fewer (see Clamped).
	NComponents int
	Cols        int       // columns of the input
	Mean        []float64 // Cols; nil for SVD
	Components  []float64 // NComponents x Cols, row-major, orthonormal rows

	SingularValues         []float64 // NComponents
	ExplainedVariance      []float64 // NComponents
	ExplainedVarianceRatio []float64 // NComponents

	RowsSeen int64     // rows fitted
	Variance []float64 // IncrementalPCA: Cols, the variance of each column so far
}

// Clamped reports whether fewer dimensions were kept than asked for.
func (m *Model) Clamped() bool { return m.NComponents < m.Params.NComponents }

// Note is one sentence on a clamped number of components, "" without one.
func (m *Model) Note() string {
	if !m.Clamped() {
		return ""
	}
	return fmt.Sprintf("%s kept %d of the %d components asked for: %d rows of %d columns have no more",
		m.Params.Method, m.NComponents, m.Params.NComponents, m.RowsSeen, m.Cols)
}

// Fit finds the projection of the rows of x (rows x cols, dense or sparse).
// The result depends on x, p and the seed alone.
//
// It fails on an empty matrix and on values that are not finite.
func Fit(ctx context.Context, x matrix.Matrix, p Params) (*Model, error) {
	if err := p.Validate(); err != nil {
		return nil, fmt.Errorf("reduce: %w", err)
	}
	p = p.withDefaults()
	if x == nil {
		return nil, errors.New("reduce: no matrix given")
	}
	rows, cols := x.Dims()
	if rows == 0 || cols == 0 {
		return nil, fmt.Errorf("reduce: the matrix is empty (%d x %d): at least one row with a vector is needed", rows, cols)
	}
	m := &Model{Params: p, Cols: cols}
	opt := linalg.SVDOptions{Components: p.NComponents, Seed: p.Seed, Threads: p.Threads}
	if p.Randomized {
		opt.Method = linalg.Randomised
	}
	switch p.Method {
	case PCA:
		c, err := linalg.PCA(ctx, x, opt)
		if err != nil {
			return nil, fmt.Errorf("reduce %d rows: %w", rows, err)
		}
		m.Mean = c.Mean
		m.set(c.Components, c.SingularValues, c.ExplainedVariance, c.ExplainedVarianceRatio)
	case SVD:
		s, err := linalg.TruncatedSVD(ctx, x, opt)
		if err != nil {
			return nil, fmt.Errorf("reduce %d rows: %w", rows, err)
		}
		m.set(s.Components, s.SingularValues, s.ExplainedVariance, s.ExplainedVarianceRatio)
	case IncrementalPCA:
		for _, b := range batches(rows, m.batchSize(), p.NComponents) {
			if err := m.update(ctx, x, b[0], b[1]); err != nil {
				return nil, fmt.Errorf("reduce rows %d-%d: %w", b[0], b[1]-1, err)
			}
		}
		return m, nil
	}
	m.RowsSeen = int64(rows)
	return m, nil
}

func (m *Model) set(c *linalg.Dense, values, variance, ratio []float64) {
	m.Components, m.NComponents = c.Data, c.Rows
	m.SingularValues, m.ExplainedVariance, m.ExplainedVarianceRatio = values, variance, ratio
}

// Transform returns the rows of x on the components (rows x NComponents). The
// result of a row depends on that row alone, bit for bit.
func (m *Model) Transform(ctx context.Context, x matrix.Matrix) (*matrix.Dense, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(m.Components) != m.NComponents*m.Cols || (m.Mean != nil && len(m.Mean) != m.Cols) {
		return nil, fmt.Errorf("reduce: the model is damaged: %d component values for %d components of %d columns", len(m.Components), m.NComponents, m.Cols)
	}
	c := &linalg.Dense{Rows: m.NComponents, Cols: m.Cols, Data: m.Components}
	out, err := linalg.Project(x, c, m.Mean, m.Params.Threads)
	if err != nil {
		return nil, fmt.Errorf("reduce: %w", err)
	}
	for i, v := range out.Data {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("reduce row %d: it holds values that are not finite: leave it out", i/max(out.Cols, 1))
		}
	}
	return out.Float32(), nil
}
