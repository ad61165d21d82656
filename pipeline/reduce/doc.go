// Package reduce projects vectors linearly to few dimensions: principal
// components (pca), truncated singular vectors without centring (svd) and
// principal components updated batch by batch (incremental-pca).
//
// They are the cheap alternatives to UMAP in a topic model's reduction step.
// The values are those of scikit-learn's PCA(svd_solver="full"),
// TruncatedSVD(algorithm="arpack") and IncrementalPCA, signs included.
package reduce
