// Package spacy reads what a spaCy pipeline's folder says about word vectors,
// and cuts texts into the tokens that spaCy cuts them into.
//
// Open reads a folder: its config, its table of vectors (one row a word, rows
// shared by several words, or floret's rows by hashes of parts of words), and
// its tokenizer's rules. No component of the pipeline is run.
//
//	p, err := spacy.Open(dir)
//	...
//	defer p.Close()
//	for _, token := range p.NewTokenizer().Tokens(nil, "Don't panic.") { ... }
//
// Tokens are those of spaCy 3.8 for every text of the tests; the rules are
// matched by package pyregex.
package spacy
