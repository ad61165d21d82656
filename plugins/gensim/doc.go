// Program bertopic-embedder-gensim embeds texts by word vectors: word2vec,
// GloVe, fastText, and what gensim has saved. A text's vector is the mean of its
// words', as BERTopic takes it with a gensim model, or as Flair's
// DocumentPoolEmbeddings does, or weighted by tf-idf.
//
// Nothing of Python is needed, and a file is mapped, not read: internal/wordvectors.
// docs/gensim.md tells the options and what a row's vector depends on.
package main
