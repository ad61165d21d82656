// Package pipeline finds topics: [Fit] reduces and clusters vectors and
// describes each cluster by its words, [Model.Transform] gives other rows
// their topics, [Model.Save] and [Load] keep a model.
//
// It is handed vectors, whoever made them, and texts for the words. Below it
// lies one package an algorithm, each of use by itself.
//
// Everything is deterministic: the same input, parameters and seed give the
// same bits on any number of threads.
package pipeline
