package knn

import (
	"context"
	"errors"
	"fmt"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/par"
)

// Metric names a distance between rows.
type Metric string

// The distances. For sparse rows all three are computed over the stored terms.
const (
	// Cosine is 1 - <x,y>/(|x||y|), in [0, 2]. A zero row is at distance 0
	// from another zero row and at 1 from any other row.
	Cosine Metric = "cosine"
	// Euclidean is |x-y|.
	Euclidean Metric = "euclidean"
	// Hellinger is sqrt(1 - sum sqrt(x y)/sqrt(|x|_1 |y|_1)), in [0, 1], for
	// rows without negative values. Rows that share no term are no neighbours
	// of each other: their distance 1 says nothing (umap-learn's
	// disconnection distance). Two zero rows are at distance 0.
	Hellinger Metric = "hellinger"
)

// Params are the settings of Fit.
type Params struct {
	K       int    // neighbours a row, the row itself included; at least 1
	Metric  Metric // "" means Cosine
	Threads int    // 0 or less: all cores; never changes the result
	// Exact is the number of dense rows up to which the search is exact, under
	// Hellinger and for sparse rows at any number; 0 means ExactRows.
	Exact int
}

// Graph holds the nearest neighbours of N rows, K each, row-major: those of
// row i are Indices[i*K:(i+1)*K], nearest first, ties by index. A neighbour
// that does not exist has index -1 and distance +Inf, and follows those that do.
type Graph struct {
	N, K      int
	Indices   []int32
	Distances []float32
	// Recall is the share of their true neighbours that a sample of rows has:
	// 1 after an exact search.
	Recall float64
}

// Row returns the neighbours of row i and their distances. Both alias g.
func (g *Graph) Row(i int) ([]int32, []float32) {
	lo, hi := i*g.K, (i+1)*g.K
	return g.Indices[lo:hi:hi], g.Distances[lo:hi:hi]
}

// Validate reports every fault of p.
func (p Params) Validate() error {
	var errs []error
	if p.K < 1 {
		errs = append(errs, fmt.Errorf("knn: k is %d; it must be at least 1", p.K))
	}
	return errors.Join(append(errs, p.Metric.validate())...)
}

func (m Metric) validate() error {
	switch m {
	case "", Cosine, Euclidean, Hellinger:
		return nil
	}
	return fmt.Errorf("knn: unknown metric %q; use %q, %q or %q", string(m), Cosine, Euclidean, Hellinger)
}

// Fit finds the p.K nearest neighbours of each row of x among the rows of x.
// Column 0 is the row itself at distance 0. They are exact but for more than
// p.Exact dense rows under Cosine or Euclidean, which are searched by clusters:
// see Graph.Recall.
//
// The result is a function of x, p.K, p.Metric and p.Exact alone. Time is n^2 d
// multiplications for dense rows, n^1.5 d by clusters, the sum of the squared
// document frequencies for sparse ones; memory is half of x, or of a few of the
// clusters, for each row three times K results and a little more, and a few
// tiles a thread, never n^2.
//
// Fit returns an error for bad parameters, for a value that is not finite or,
// under Hellinger, negative, and when ctx ends.
func Fit(ctx context.Context, x matrix.Matrix, p Params) (*Graph, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if p.Metric == "" {
		p.Metric = Cosine
	}
	if p.Exact == 0 {
		p.Exact = ExactRows
	}
	n, columns := x.Dims()
	if d, ok := x.(matrix.Rows); ok && n > max(p.Exact, p.K) && columns > 0 && p.Metric != Hellinger && p.K > 1 {
		if err := Check(x, p.Metric, p.Threads); err != nil {
			return nil, err
		}
		return fitClustered(ctx, d, p.K, p.Metric, p.Threads)
	}
	ix, err := NewIndex(x, p.Metric, p.Threads)
	if err != nil {
		return nil, err
	}
	return ix.self(ctx, p.K)
}

// Index answers nearest-neighbour queries against fixed rows. It is safe for
// concurrent use.
type Index struct {
	metric  Metric
	threads int
	n, d    int
	dense   *denseIndex
	sparse  *sparseIndex
}

// NewIndex prepares the rows of x. It keeps what it needs in its own layout, half
// the size of dense rows, and refers to dense rows, which must not change
// afterwards. The errors are those of Fit.
func NewIndex(x matrix.Matrix, m Metric, threads int) (*Index, error) {
	if err := m.validate(); err != nil {
		return nil, err
	}
	if m == "" {
		m = Cosine
	}
	if err := Check(x, m, threads); err != nil {
		return nil, err
	}
	n, d := x.Dims()
	ix := &Index{metric: m, threads: threads, n: n, d: d}
	switch x := x.(type) {
	case matrix.Rows:
		ix.dense = newDenseIndex(x, m, threads)
	case *matrix.CSR:
		ix.sparse = newSparseIndex(x, m)
	}
	return ix, nil
}

// Len returns the number of rows in the index.
func (ix *Index) Len() int { return ix.n }

// Query finds the exact k nearest rows of the index for each row of q, which
// must have the index's layout and number of columns. Column 0 is the nearest
// row. The result of a row depends, bit for bit, on that row and the index
// alone. Memory is that of the result and a few tiles a thread.
func (ix *Index) Query(ctx context.Context, q matrix.Matrix, k int) (*Graph, error) {
	if k < 1 {
		return nil, fmt.Errorf("knn: k is %d; it must be at least 1", k)
	}
	if err := Check(q, ix.metric, ix.threads); err != nil {
		return nil, err
	}
	rows, cols := q.Dims()
	if cols != ix.d {
		return nil, fmt.Errorf("knn: query rows have %d columns, the index has %d", cols, ix.d)
	}
	switch q := q.(type) {
	case matrix.Rows:
		if ix.dense != nil {
			return ix.dense.query(ctx, q, k)
		}
	case *matrix.CSR:
		if ix.sparse != nil {
			return ix.sparse.search(ctx, prepareSparse(q, ix.metric), rows, k, false, ix.threads)
		}
	}
	return nil, errors.New("knn: the query and the index must both be dense or both be sparse")
}

func (ix *Index) self(ctx context.Context, k int) (*Graph, error) {
	if ix.dense != nil {
		return ix.dense.self(ctx, k)
	}
	return ix.sparse.search(ctx, ix.sparse.rows, ix.n, k, true, ix.threads)
}

// Check reports the first row of x with a value that the metric cannot take,
// and a malformed sparse matrix. Fit, NewIndex and Query do so themselves.
func Check(x matrix.Matrix, m Metric, threads int) error {
	var row func(i int) []float32
	switch x := x.(type) {
	case matrix.Rows:
		row = x.Row
	case *matrix.CSR:
		if err := x.Validate(); err != nil {
			return fmt.Errorf("knn: %w", err)
		}
		row = func(i int) []float32 {
			_, values := x.Row(i)
			return values
		}
	default:
		return fmt.Errorf("knn: a matrix of type %T is neither dense nor csr", x)
	}
	const grain = 1024
	n, _ := x.Dims()
	errs := make([]error, (n+grain-1)/grain)
	par.Blocks(threads, n, grain, func(b, lo, hi int) { errs[b] = check(lo, hi, row, m) })
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func check(lo, hi int, row func(i int) []float32, m Metric) error {
	for i := lo; i < hi; i++ {
		values := row(i)
		var odd float32 // x-x is 0 for finite x, else NaN
		low := float32(0)
		for _, v := range values {
			odd += v - v
			low = min(low, v)
		}
		if odd != 0 {
			return fmt.Errorf("knn: row %d holds a value that is not finite", i)
		}
		if m == Hellinger && low < 0 {
			return fmt.Errorf("knn: row %d holds the negative value %g; the hellinger distance needs counts or weights of 0 and more", i, low)
		}
	}
	return nil
}
