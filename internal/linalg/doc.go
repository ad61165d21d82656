// Package linalg holds the dense linear algebra that the pipeline needs:
// truncated singular value decompositions, principal components and the
// leading eigenpairs of a symmetric operator, of dense or sparse matrices.
//
// All sums are in float64 whatever the input. Work is cut into blocks whose
// bounds depend on the shape alone and partial sums are joined in block order,
// so a result has the same bits on any number of threads. Random start vectors
// come from internal/rng and are a function of the seed.
//
// Matrices are row-major. The inputs may be *matrix.Dense and *matrix.CSR
// (float32) or the float64 twins *Dense and *CSR of this package.
//
// Small factorisations (of a matrix as wide as the number of components) are
// gonum's.
package linalg
