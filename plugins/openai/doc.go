// Program bertopic-embedder-openai asks OpenAI's embeddings, or any server that
// speaks the same API, for vectors. docs/remote.md is its manual.
package main
