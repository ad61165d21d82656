package linalg

import (
	"context"
	"fmt"

	"github.com/bertopic-go/bertopic/internal/matrix"
)

// Components are the principal components of a matrix: those of the largest
// variance first, with the sign rule of SVD.
type Components struct {
	Mean                   []float64 // cols
	Components             *Dense    // k x cols, orthonormal rows
	SingularValues         []float64 // k, of the centred matrix
	ExplainedVariance      []float64 // k: singular value squared over n - 1
	ExplainedVarianceRatio []float64 // k
	Method                 Method
	Requested              int
}

// PCA returns the leading principal components of x (rows x cols, dense or
// sparse): the truncated singular value decomposition of x less its column
// means. Sparse matrices are centred implicitly and stay sparse.
// It equals scikit-learn's PCA with svd_solver "full".
func PCA(ctx context.Context, x matrix.Matrix, opt SVDOptions) (*Components, error) {
	a, err := asLinear(x)
	if err != nil {
		return nil, fmt.Errorf("pca: %w", err)
	}
	if err := a.checkFinite(); err != nil {
		return nil, fmt.Errorf("pca: %w", err)
	}
	rows, _ := a.Dims()
	mean, scatter := a.moments(opt.Threads)
	scale(mean, 1/float64(max(rows, 1)))
	s, err := decompose(ctx, &centred{a, mean}, opt)
	if err != nil {
		return nil, fmt.Errorf("pca: %w", err)
	}
	p := &Components{
		Mean: mean, Components: s.Components, SingularValues: s.SingularValues,
		Method: s.Method, Requested: s.Requested,
		ExplainedVariance:      make([]float64, len(s.SingularValues)),
		ExplainedVarianceRatio: make([]float64, len(s.SingularValues)),
	}
	for i, v := range s.SingularValues {
		p.ExplainedVariance[i] = v * v / float64(max(rows-1, 1))
		if scatter > 0 {
			p.ExplainedVarianceRatio[i] = v * v / scatter
		}
	}
	return p, nil
}

// Transform returns the rows of x less the mean on the components (x.rows x k).
// A row's result depends on that row alone.
func (p *Components) Transform(x matrix.Matrix, threads int) (*Dense, error) {
	return Project(x, p.Components, p.Mean, threads)
}
