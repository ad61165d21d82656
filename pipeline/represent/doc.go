// Package represent describes topics: it refines the words that c-TF-IDF
// ranks, names topics by them and picks the documents that stand for a topic.
//
// A way to refine words is a [Step]; a [Chain] takes several in order. Word
// vectors come from a [WordEmbedder], which is asked once a step for the words
// of all topics. The rules are those of BERTopic 0.17, with two faults of it
// put right: KeyBERT-inspired words are ranked against the topic's own
// documents, and a topic of few words gets few words, not empty ones.
//
// Results are the same, bit for bit, on any number of threads; ties go to the
// word that comes first and to the document with the lower row.
package represent
