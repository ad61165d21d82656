// Package corpus reads the rows of a corpus one after the other: texts,
// pictures or both, from the files people have.
//
//	jsonl    one JSON object a line
//	csv tsv  a header line and rows, quoted as RFC 4180 says
//	         (blank lines of these three are not rows)
//	parquet  string columns; pictures may be a list column
//	txt      one document a line, blank lines are empty documents
//	texts    a folder, one file a document
//	images   a folder, one picture a document
//
// The first five may be compressed by gzip, and all but folders may come from
// standard input, named "-". The format follows from the name, else from the
// content; what cannot be told is an error.
//
// Rows stream: memory holds one row at a time, and the ids seen so far where
// the corpus names its ids (each must be unique). Rows are numbered from 0, in
// messages too; lines count from 1 and are lines of the file as an editor
// shows them. Reading stops at the first fault with an *Error that says where
// it is and what to do.
package corpus
