// Package onnx writes ONNX models and reads as much of a given one as is
// needed to add nodes behind its outputs.
//
// It holds the dozen messages of the format's schema (onnx.proto, IR version
// 10) that an inference graph needs, written against the protobuf wire format
// by hand: fields, types and numbers are those of the specification at
// https://onnx.ai/onnx/repo-docs/IR.html. Nothing here runs a model.
//
// The same Model gives the same bytes every time.
package onnx
