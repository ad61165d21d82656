// Package safetensors reads and writes the safetensors format: a little-endian
// uint64 that counts the bytes of a JSON header, the header, then the tensors'
// values, little-endian and row-major.
//
// The header maps each tensor's name to {"dtype", "shape", "data_offsets"},
// offsets counting from the end of the header, and "__metadata__" to a map of
// strings. The format is that of the safetensors library of Hugging Face
// (version 0.4 and later), which reads what this package writes.
//
// Reading treats the file as hostile: every length, shape and offset is
// checked against the others and against the file before anything is read or
// allocated, so no input panics or allocates more than it holds itself.
// Values are read on demand, so a large file is never in memory as a whole.
package safetensors
