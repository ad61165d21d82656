// Package session runs the graphs of package encoder by ONNX Runtime, for the
// embedder programs that have such graphs.
//
// A Source makes a graph and keeps it in a folder, so that the next start takes
// it from there. Load puts one on a device and gives a Pool, which any number of
// goroutines may run at a time. Place settles which device that is, and says why
// where it is not the GPU.
//
// On the CPU each goroutine runs batches of its own on its own core: no thread
// waits for another within an operator, and the weights are in memory once. A
// row's bits are then those of the graph alone, on any number of threads. On a
// GPU they may depend on the batch.
package session
