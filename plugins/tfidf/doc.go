// Program bertopic-embedder-tfidf turns texts into tf-idf rows as scikit-learn's
// TfidfVectorizer does, or into counts as its CountVectorizer does. Rows are
// sparse and suit the metric hellinger; with svd = n they are the n dense
// columns of the pipeline TfidfVectorizer + TruncatedSVD.
//
// It needs no model: it learns its terms from the corpus, and what it learned
// is saved with the topics (docs/format/tfidf-state.md).
package main
