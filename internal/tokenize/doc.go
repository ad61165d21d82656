// Package tokenize turns text into the token ids a transformer encoder was
// trained on, by the rules in a model's tokenizer.json.
//
// The file is the serialised form of the Hugging Face tokenizers library: a
// normaliser, a pre-tokeniser, a model (WordPiece, BPE, Unigram, WordLevel), a
// post-processor and added tokens. The ids are those of that library (version
// 0.23.3 made the expected values of the tests); a component this package does
// not know is refused by name when the file is read, never passed over.
//
// A Tokenizer is read-only after loading and safe for concurrent use; each
// goroutine brings its own Encoding, which holds the result and all working
// memory, so that encoding into a reused one allocates nothing.
package tokenize
