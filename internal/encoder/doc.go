// Package encoder builds the inference graph of a transformer encoder, of texts
// or of texts and pictures, from a Hugging Face folder, as an ONNX model for ONNX
// Runtime.
//
// A folder's config.json names the architecture and its sizes, its safetensors
// files hold the weights. Build writes the nodes that the architecture's
// definition in the transformers library computes in evaluation mode, and
// behind them, if asked, the layers of a sentence-transformers model: pooling,
// dense layers and unit length, so that a run gives one vector a text.
//
// Built of texts alone are BERT, RoBERTa, XLM-RoBERTa (and CamemBERT), DistilBERT, MPNet,
// ModernBERT, NomicBERT and DeBERTa-v2 (v3 as well, which has its name). A folder of
// another architecture that brings an ONNX file of its own gets its layers by
// Attach.
//
// # Texts and pictures
//
// BuildCLIP makes the two towers of CLIP and SigLIP, which put texts and pictures
// into one space, or takes them from ONNX files. FindCLIP says where the parts of
// such a model lie, in each layout that there is. A tower takes batches of texts
// of one length, or of pictures of its one size; of its last layer it computes
// the one row that becomes the vector.
//
// # Batches and bits
//
// With Spec.Unpadded the graph takes batches of texts of one length and no
// mask. ONNX Runtime then computes a row with the same operations whatever its
// batch mates are, and the row's vector has the same bits alone, in any such
// batch, and on any number of threads: the tests show it on the processor that
// they run on, for every architecture, in fp32 and int8. Nothing is computed
// for padding either, so that batches of one length are the fastest too.
//
// Without it, batches are padded and masked. All operations but one add up in
// an order that padding does not change; the sum inside a softmax runs over the
// padding as well, in lanes that depend on the padded length, so that the last
// bits of a row may change with its batch (seen with real weights: rows of 31
// tokens among longer ones).
//
// # Sessions
//
// One session serves any number of goroutines that each run a batch; with one
// thread inside a run (intra-op) they do not disturb one another, and the
// weights are in memory once. Matrix products take five sixths of the time in
// fp32, at the processor's own limit. One attention node computes what a chain
// of plain ones does in the same time, without keeping the scores; joining the
// sum before a layer norm with it (SkipLayerNormalization) was slower and is
// not used.
package encoder
