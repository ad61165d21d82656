// Program bertopic-embedder-sbert embeds texts by a transformer, as the Python
// library sentence-transformers does with the same folder: tokens, encoder,
// pooling, dense layers, unit length. Plain Hugging Face encoders, static token
// tables and the rules of two more libraries (presets) work too.
//
// Nothing of Python is needed. ONNX Runtime computes the encoder; where a
// folder has no ONNX file, the graph is made from config.json and safetensors.
// docs/sbert.md tells the options and what a row's vector depends on.
package main
