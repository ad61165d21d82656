package safetensors_test

import (
	"bytes"
	"fmt"

	"github.com/bertopic-go/bertopic/internal/safetensors"
)

func Example() {
	var b bytes.Buffer
	err := safetensors.Write(&b, []safetensors.Tensor{
		safetensors.Float32("topic_embeddings", []float32{1, 0, 0.5, 0.5}, 2, 2),
		safetensors.Int64("topics", []int64{-1, 0}),
	}, map[string]string{"format": "pt"})
	if err != nil {
		fmt.Println(err)
		return
	}
	f, err := safetensors.New(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		fmt.Println(err)
		return
	}
	v, info, err := f.Float32("topic_embeddings")
	fmt.Println(f.Names(), f.Metadata())
	fmt.Println(v, info.Shape, info.DType, err)
	// Output:
	// [topic_embeddings topics] map[format:pt]
	// [1 0 0.5 0.5] [2 2] F32 <nil>
}
