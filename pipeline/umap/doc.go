// Package umap embeds rows in few dimensions so that near rows stay near:
// uniform manifold approximation and projection (McInnes, Healy and Melville,
// 2018), with the definitions and defaults of umap-learn 0.5.12.
//
// The steps are one file each: equal rows are joined (dedupe.go), exact
// neighbours found (package knn), their distances turned into a fuzzy graph
// (fuzzy.go), its points placed by the graph's spectrum (spectral.go, start.go)
// and moved by sampled attraction and repulsion (layout.go, gradient.go,
// force.go). New rows are placed among the old ones by transform.go; project.go
// makes a flat map.
//
// What differs from umap-learn:
//
//   - A seed does not cost the cores. The layout moves all points at once from
//     the positions of the epoch before, with Adam steps, as uwot's batch mode
//     does; every random number is a function of (seed, epoch, point). The bits
//     are the same on any number of threads.
//   - Equal rows become one point, and all get its coordinates.
//   - A row without any neighbour (under the Hellinger metric: one that shares
//     no term with another) or of zeros only (cosine, Hellinger) is reported as
//     disconnected and has the coordinates 0, never NaN.
//   - A new row's coordinates depend on that row and the model, not on the rows
//     it is transformed with.
//   - Neighbourhoods of fewer rows than n_neighbors shrink to what there is.
package umap
