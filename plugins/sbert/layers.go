package main

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"github.com/bertopic-go/bertopic/internal/encoder"
	"github.com/bertopic-go/bertopic/internal/safetensors"
)

// layerNormEpsilon is the default of torch.nn.LayerNorm, which is what the
// LayerNorm module of sentence-transformers has.
const layerNormEpsilon = 1e-5

// layersOf loads the layers behind a transformer. Pooling leaves out the first
// skip tokens of a text.
func layersOf(f *folder, skip int) ([]encoder.Layer, error) {
	out := []encoder.Layer{encoder.Pooling{Modes: f.pooling, Skip: skip}}
	for _, l := range f.head {
		switch l.kind {
		case "Dense":
			d, err := encoder.ReadDense(l.dir)
			if err != nil {
				return nil, err
			}
			out = append(out, d)
		case "LayerNorm":
			weight, bias, err := readPair(filepath.Join(l.dir, "model.safetensors"), "norm.weight", "norm.bias")
			if err != nil {
				return nil, err
			}
			out = append(out, encoder.LayerNorm{Weight: weight, Bias: bias, Epsilon: layerNormEpsilon})
		case "Normalize":
			out = append(out, encoder.Normalize{})
		case "pooler":
			d, err := readPooler(l.dir)
			if err != nil {
				return nil, err
			}
			out = append(out, d)
		}
	}
	return out, nil
}

// readPair reads two tensors of a safetensors file.
func readPair(path, first, second string) (a, b []float32, err error) {
	file, err := safetensors.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	if a, _, err = file.Float32(first); err != nil {
		return nil, nil, err
	}
	b, _, err = file.Float32(second)
	return a, b, err
}

// readPooler reads the dense layer that BERT and its kin have over the first
// token, whose output the transformers library calls pooler_output.
func readPooler(dir string) (encoder.Dense, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.safetensors"))
	if err != nil {
		return encoder.Dense{}, err
	}
	for _, path := range paths {
		file, err := safetensors.Open(path)
		if err != nil {
			return encoder.Dense{}, err
		}
		name := ""
		for _, n := range file.Names() {
			if strings.HasSuffix("."+n, ".pooler.dense.weight") {
				name = n
			}
		}
		file.Close()
		if name == "" {
			continue
		}
		weight, bias, err := readPair(path, name, strings.TrimSuffix(name, "weight")+"bias")
		if err != nil {
			return encoder.Dense{}, err
		}
		n := len(bias)
		return encoder.Dense{In: n, Out: n, Weight: weight, Bias: bias, Activation: "tanh"}, nil
	}
	return encoder.Dense{}, fmt.Errorf("read the weights of %s: there is no pooler.dense.weight, and the preset %s takes the output of the pooler: the model has none", dir, presetSpacy)
}

// normalize makes x unit length. A vector of zeros stays one.
func normalize(x []float32) {
	var sum float64
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	if norm := math.Sqrt(sum); norm > 0 {
		for i, v := range x {
			x[i] = float32(float64(v) / norm)
		}
	}
}
