// Package embedder makes an embedder program of a remote embedding service: its
// options, what it promises, the key in its environment, the estimate of the
// cost before and the count after.
//
// The program asks for nothing before Fit. Fit reads the corpus to tell about
// how many tokens it has, asks for the vector of one word where the dimension is
// not known, and its state is that dimension. It learns nothing else, so that
// vectors of one corpus do for another.
package embedder
