// Package quality measures how good a reduction, a clustering and a set of
// topics are: trustworthiness and nearest-neighbour label accuracy of vectors,
// adjusted Rand and mutual information scores and DBCV of labels, NPMI
// coherence and diversity of topic words.
//
// The scores are those of scikit-learn, hdbscan.validity, gensim and OCTIS;
// where ties or limits differ, the function says so. Counts and ranks are
// integers and sums are in a fixed order: no score depends on the number of
// threads.
package quality
