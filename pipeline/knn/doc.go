// Package knn finds exact nearest neighbours.
//
// Dense rows are compared twice. First all pairs, as rows of 16-bit integers: a
// blocked matrix product whose error is known, multiplied once for both rows by
// a register-tiled kernel, tells which few pairs may be neighbours. Then these,
// in float64, which decides. The result is exact, whatever the integers lose.
//
// Sparse rows are compared through an inverted index. The Hellinger distance is
// the root of the cosine distance of square-rooted rows (sum sqrt(x y) is a dot
// product of roots), so both metrics share one path.
//
// The definitions of the distances are those of umap-learn 0.5.12
// (umap.distances, umap.sparse). Where float32 rounding would leave a tiny
// distance between equal rows, the distance is 0.
//
// On amd64 the kernel is written for AVX2 and AVX-512 and chosen at start;
// BERTOPIC_SIMD=off selects the Go version, BERTOPIC_SIMD=avx2 the narrower
// one. All of them give the same bits, as does any number of threads.
package knn
