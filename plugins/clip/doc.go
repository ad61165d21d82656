// Program bertopic-embedder-clip embeds texts, pictures and rows of both into
// one space, by a CLIP model: two transformers that were trained to give a
// picture and its caption like vectors.
//
// Nothing of Python is needed. ONNX Runtime computes both transformers, whose
// graphs are made from config.json and safetensors; package picture reads the
// pictures. docs/clip.md tells the options and what a row's vector depends on.
package main
