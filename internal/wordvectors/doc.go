// Package wordvectors opens files of word vectors: word2vec's text and binary
// forms, GloVe's text, fastText's .vec and .bin with its subwords, KeyedVectors
// and whole models that gensim has saved, NumPy arrays beside a list of words,
// and the gzip form of each. The content decides what a file is, not its name.
//
// A file is mapped, not read: binary formats as they lie, text and packed ones
// by way of a file in the cache folder that is made once. So a large file opens
// at once, and the processes of a machine that use it share its pages. The list
// of words and its hash table are in the cache, too; docs/format/wordvectors.md
// has the layout.
//
//	t, err := wordvectors.Open(ctx, "glove.6B.50d.txt", wordvectors.Options{CacheDir: dir})
//	if row, ok := t.Lookup("river"); ok {
//		t.AppendTo(nil, row)
//	}
//
// A Finder looks up the words of texts and adds their vectors, many at a time.
//
// The first of two vectors of one word counts, as in gensim. A file is taken to
// be hostile: no content makes Open panic or allocate much more than the file
// holds, and nothing of a pickle is run.
package wordvectors
