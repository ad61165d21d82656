// Package vectorize counts the words of documents as scikit-learn's
// CountVectorizer does and weighs them as its TfidfTransformer does.
//
// Documents are read once, as a stream. [Fit] learns the [Vocabulary] and
// returns the documents' [Counts], a compressed sparse matrix of documents by
// terms, from which the words of topics, of merged topics and of classes are
// sums of rows ([SumRows]): no text is cut into words a second time.
//
// The rules are those of scikit-learn 1.9: its tokens, n-grams, bounds on the
// document frequency and norms, with terms in code point order. What differs
// is said where it does: the tokenizer "unicode", the order of ties under
// MaxFeatures, and the stop words of other languages.
//
// Results are the same, bit for bit, on any number of threads.
package vectorize
