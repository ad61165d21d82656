package encoder

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bertopic-go/bertopic/internal/safetensors"
)

// weights reads tensors by name out of the safetensors files of a folder. A
// fault is kept in err.
type weights struct {
	ctx    context.Context
	files  []*safetensors.File
	where  map[string]*safetensors.File // by the name in the file
	prefix string
	err    error
}

// openWeights opens model.safetensors, or the shards that
// model.safetensors.index.json lists.
func openWeights(ctx context.Context, dir string) (*weights, error) {
	names, err := weightFiles(dir)
	if err != nil {
		return nil, err
	}
	w := &weights{ctx: ctx, where: map[string]*safetensors.File{}}
	for _, name := range names {
		f, err := safetensors.Open(filepath.Join(dir, name))
		if err != nil {
			w.close()
			return nil, err
		}
		w.files = append(w.files, f)
		for _, n := range f.Names() {
			w.where[n] = f
		}
	}
	return w, nil
}

// hasWeights tells whether a folder has files that openWeights opens.
func hasWeights(dir string) bool {
	return exists(filepath.Join(dir, "model.safetensors")) || exists(filepath.Join(dir, "model.safetensors.index.json"))
}

func weightFiles(dir string) ([]string, error) {
	if exists(filepath.Join(dir, "model.safetensors")) {
		return []string{"model.safetensors"}, nil
	}
	path := filepath.Join(dir, "model.safetensors.index.json")
	raw, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		if exists(filepath.Join(dir, "pytorch_model.bin")) {
			return nil, errors.New("the weights are in pytorch_model.bin, which runs code when it is read: save the model as safetensors (model.save_pretrained(dir, safe_serialization=True))")
		}
		return nil, errors.New("no weights: neither model.safetensors nor model.safetensors.index.json is there")
	}
	if err != nil {
		return nil, fmt.Errorf("read list of weight files: %w", err)
	}
	var index struct {
		WeightMap map[string]string `json:"weight_map"`
	}
	if err := json.Unmarshal(raw, &index); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	var names []string
	for _, name := range index.WeightMap {
		if name != filepath.Base(name) {
			return nil, fmt.Errorf("read %s: %q is not a file of the folder", path, name)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 {
		return nil, fmt.Errorf("read %s: it lists no weight file", path)
	}
	return names, nil
}

func (w *weights) close() {
	for _, f := range w.files {
		f.Close()
	}
}

// strip finds the prefix that the names of a model with a task's head have
// ("bert.", "roberta.").
func (w *weights) strip(probe string) {
	if w.where[probe] != nil {
		return
	}
	var found []string
	for name := range w.where {
		if p, ok := strings.CutSuffix(name, "."+probe); ok {
			found = append(found, p+".")
		}
	}
	slices.Sort(found)
	if len(found) > 0 {
		w.prefix = found[0]
	}
}

// find returns the name in the file. LayerNorm's weight and bias were gamma
// and beta once.
func (w *weights) find(name string) (string, bool) {
	full := w.prefix + name
	if w.where[full] != nil {
		return full, true
	}
	old := strings.TrimSuffix(full, "LayerNorm.weight") + "LayerNorm.gamma"
	if strings.HasSuffix(full, "LayerNorm.bias") {
		old = strings.TrimSuffix(full, "LayerNorm.bias") + "LayerNorm.beta"
	}
	return old, w.where[old] != nil
}

func (w *weights) has(name string) bool {
	_, ok := w.find(name)
	return ok
}

// values reads a tensor of the given shape. A dimension of -1 is open. A fault
// ends the building; see stopped.
func (w *weights) values(name string, dims ...int) []float32 {
	if err := w.ctx.Err(); err != nil {
		w.stop(err)
	}
	full, ok := w.find(name)
	if !ok {
		w.stop(fmt.Errorf("weight %q is missing: the weights do not belong to this config.json", w.prefix+name))
	}
	info, _ := w.where[full].Lookup(full)
	err := checkShape(info.Shape, dims)
	var v []float32
	if err == nil {
		v, _, err = w.where[full].Float32(full)
	}
	if err != nil {
		w.stop(fmt.Errorf("weight %q: %w", full, err))
	}
	return v
}

// giveUp is what stop panics with.
type giveUp struct{}

// stop keeps a fault and ends the building at once, since sizes that do not fit
// the weights may be of any size.
func (w *weights) stop(err error) {
	w.err = err
	panic(giveUp{})
}

// stopped is deferred by whoever builds with w, to be told of the fault that stop
// has kept.
func (w *weights) stopped(tell func(fault error)) {
	switch r := recover(); r {
	case nil:
	case giveUp{}:
		tell(w.err)
	default:
		panic(r)
	}
}

// number reads a tensor of one value, in however many dimensions.
func (w *weights) number(name string) float64 {
	if full, ok := w.find(name); ok {
		if info, _ := w.where[full].Lookup(full); len(info.Shape) == 1 {
			return float64(w.values(name, 1)[0])
		}
	}
	return float64(w.values(name)[0])
}

func checkShape(got, want []int) error {
	same := len(got) == len(want)
	for i := range min(len(got), len(want)) {
		same = same && (want[i] < 0 || got[i] == want[i])
	}
	if !same {
		return fmt.Errorf("its shape is %v, config.json says %v", got, want)
	}
	return nil
}

// rawFloat32 encodes values as a tensor's bytes.
func rawFloat32(v []float32) []byte {
	b := make([]byte, 4*len(v))
	for i, x := range v {
		binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(x))
	}
	return b
}

func rawInt64(v []int64) []byte {
	b := make([]byte, 8*len(v))
	for i, x := range v {
		binary.LittleEndian.PutUint64(b[8*i:], uint64(x))
	}
	return b
}
