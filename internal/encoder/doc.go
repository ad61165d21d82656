// Package encoder builds the inference graph of a transformer text encoder
// from a Hugging Face folder, as an ONNX model for ONNX Runtime.
//
// A folder's config.json names the architecture and its sizes, its safetensors
// files hold the weights. Build writes the nodes that the architecture's
// definition in the transformers library computes in evaluation mode, and
// behind them, if asked, the layers of a sentence-transformers model: pooling,
// dense layers and unit length, so that a run gives one vector a text.
//
// Built are BERT, RoBERTa, XLM-RoBERTa (and CamemBERT), DistilBERT, MPNet,
// ModernBERT, NomicBERT and DeBERTa-v2 (v3 as well, which has its name). A folder of
// another architecture that brings an ONNX file of its own gets its layers by
// Attach.
//
// # Batches and bits
//
// With Spec.Unpadded the graph takes batches of texts of one length and no
// mask. ONNX Runtime then computes a row with the same operations whatever its
// batch mates are, and the row's vector has the same bits alone, in any such
// batch, and on any number of threads. Without it, batches are padded and
// masked: the sum inside a softmax runs over the padding as well, in an order
// that depends on the padded length, so that the last bits of a row may change
// with its batch.
package encoder
