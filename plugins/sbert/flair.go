package main

import (
	"slices"

	"github.com/bertopic-go/bertopic/internal/tokenize"
)

// flairEncoder encodes a text as Flair has a tokenizer do it. Flair loads those
// of RoBERTa's kind so that each word gets a space in front of it; other kinds
// don't see spaces.
func flairEncoder(t *tokenize.Tokenizer) func(e *tokenize.Encoding, text string, limit int) {
	var without, with tokenize.Encoding
	t.Encode(&without, "a", 0)
	t.Encode(&with, " a", 0)
	prefix := !slices.Equal(without.IDs, with.IDs)
	return func(e *tokenize.Encoding, text string, limit int) {
		words := tokenize.FlairWords(text)
		for i := range words {
			if prefix {
				words[i] = " " + words[i]
			}
		}
		t.EncodeWords(e, words, limit)
	}
}
