// Package hdbscan clusters rows by density: HDBSCAN* of Campello, Moulavi and
// Sander, "Density-based clustering based on hierarchical density estimates"
// (2013), with the choices of the Python library hdbscan (McInnes, Healy,
// Astels, JOSS 2017), whose results it reproduces.
//
// The steps, a file each: identical rows are gathered (points.go); core
// distances come from a kd-tree (kdtree.go, core.go); the exact minimum
// spanning tree of mutual reachability by Boruvka's algorithm over it (mst.go;
// prim.go in many dimensions); single linkage (linkage.go); the condensed tree
// (condense.go, clusters.go); the choice of clusters (select.go), labels and
// strengths (label.go) and outlier scores (glosh.go). New rows are placed in
// the tree by predict.go and membership.go; restore.go brings a saved model back.
//
// Every result is a function of the rows and the settings alone, bit for bit,
// on any number of threads. Where it differs from hdbscan 0.8.44:
//
//   - lambda is capped where distances are 0 (see CondensedTree), so no output
//     is infinite or NaN;
//   - identical rows are never parted;
//   - ties in mutual reachability are broken by distance, then by row;
//   - fewer rows than min_cluster_size are all noise, also with a single
//     cluster allowed; with "leaf" and no split at all, an allowed single
//     cluster is taken;
//   - stabilities are compared in float64 throughout;
//   - a cluster that would lie within another selected one is not selected,
//     which distances equal to epsilon can bring about;
//   - alpha divides distances, as in the library's Prim; its Boruvka divides
//     squared ones;
//   - prediction knows a selected cluster by its place in the tree, not by the
//     least cluster among its labelled rows; see also Predict.
//
// Rows that are all identical form no split: all noise, or one cluster of
// strength 1 if AllowSingleCluster is set and there are enough of them.
package hdbscan
