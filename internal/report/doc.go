// Package report writes what a run found as one HTML file.
//
// The page opens offline: style, script and data are inside it, and its
// content security policy forbids any request and any script but its own, so
// a hostile document text stays text. It holds the headline figures, a map of
// the documents, the topics with their words, pictures and examples, the
// likeness of topics, the rows by status and the settings of the run.
//
// Equal input gives equal bytes: nothing is read from the clock or the
// machine, and a map that is too large to draw is thinned by a sample that
// depends on the seed and the row's place only.
package report
