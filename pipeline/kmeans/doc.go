// Package kmeans clusters points by Lloyd's k-means or by mini-batch k-means,
// both started by greedy k-means++.
//
// Semantics are scikit-learn's (KMeans with algorithm "lloyd",
// MiniBatchKMeans), with random numbers of our own: the same start gives the
// same centres as scikit-learn, the same seed does not. The same points,
// parameters and seed give the same bits on any number of threads.
package kmeans
