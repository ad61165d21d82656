// Program bertopic-embedder-cohere asks Cohere's embeddings (the API of version
// 2) for vectors of texts. docs/remote.md is its manual.
package main
