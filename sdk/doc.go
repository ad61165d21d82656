// Package sdk is what the author of an embedder program imports.
//
// An embedder is a type with three methods and a main function:
//
//	func main() { sdk.Serve(&myEmbedder{}) }
//
// Abilities beyond the three are optional interfaces: [Fitter] for an embedder
// that must see the corpus first, [WordEmbedder] for one that embeds single
// words, [Closer] for one with something to put away. examples/embedder-go is a
// whole program and docs/protocol.md the protocol beneath, for authors in other
// languages. Package sdktest runs an embedder in a unit test.
//
// # What Serve takes care of
//
// Serve checks options against the description and fills in defaults, holds the
// embedder to what its Info promises (so that a fault is named where it was
// made), turns a panic into an error of the call, ends the program when the
// host is gone, and keeps whatever is printed to standard output away from the
// handshake: after Serve has begun, prints of Go code and of native libraries go
// to standard error, from where the host logs them. Print nothing before Serve.
// Log with log/slog; the level is info, or that in the environment variable
// BERTOPIC_LOG_PLUGIN_NAME.
package sdk
