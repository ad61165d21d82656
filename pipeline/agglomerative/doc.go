// Package agglomerative builds a hierarchy of clusters from below, by ward,
// average, complete or single linkage, from points or from given distances.
//
// It clusters documents, and merges topics (average linkage on 1 - cosine) or
// orders them in a tree (ward). Merge heights are those of
// scipy.cluster.hierarchy.linkage, cuts those of scikit-learn's
// AgglomerativeClustering. There are no random numbers; ties go to the lower
// index, so a result is the same on any number of threads.
package agglomerative
