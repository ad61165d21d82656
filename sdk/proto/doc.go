// Package proto is the generated Go code of the protocol between the host and
// an embedder program. embedder.proto is the source and the documentation;
// generate.sh makes the rest.
//
// An embedder's author has no need of it: package sdk says the same in plain
// Go.
package proto
