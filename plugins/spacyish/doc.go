// Program bertopic-embedder-spacyish embeds texts by the word vectors of a spaCy
// pipeline: it reads the pipeline's folder, cuts a text into the tokens that
// spaCy cuts it into, and averages their vectors as Doc.vector does. Pipelines
// with floret vectors and pruned ones work, too; no Python is needed.
//
// docs/spacyish.md tells the options and how a row fares whose words have no
// vectors.
package main
