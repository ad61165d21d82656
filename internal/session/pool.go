package session

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	ort "github.com/yalue/onnxruntime_go"
	"golang.org/x/sync/errgroup"

	"github.com/bertopic-go/bertopic/internal/par"
)

// Pool is a graph in ONNX Runtime. It is safe for concurrent use.
type Pool struct {
	graph   *Graph
	session *ort.DynamicAdvancedSession
	threads int

	running sync.RWMutex // held for reading by a run
	closed  bool
}

// Load takes a graph from its source and loads it on a device, which is not
// Auto. A kept graph that can't be loaded may be damaged: it is made once more.
// Threads is how many runs Each has under way at a time on the CPU, 0 for one a
// core.
func Load(ctx context.Context, from Source, on Device, threads int) (*Pool, error) {
	if err := Start(); err != nil {
		return nil, err
	}
	if on.GPU() {
		if err := checkCUDA(on.ID); err != nil {
			return nil, err
		}
	}
	var failed error
	for range 2 {
		g, err := from.Graph(ctx)
		if err != nil {
			return nil, err
		}
		p, err := open(g, on, threads)
		if err == nil {
			return p, nil
		}
		failed = errors.Join(failed, err)
		if g.path == "" {
			break
		}
		g.remove()
	}
	return nil, failed
}

// open loads a graph.
func open(g *Graph, on Device, threads int) (*Pool, error) {
	o, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer o.Destroy()
	err = errors.Join(
		o.SetIntraOpNumThreads(1), o.SetInterOpNumThreads(1), o.SetExecutionMode(ort.ExecutionModeSequential),
		o.SetGraphOptimizationLevel(ort.GraphOptimizationLevelEnableAll),
		o.SetMemPattern(false), // shapes differ from batch to batch
	)
	if g.External != "" {
		err = errors.Join(err, o.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", g.External))
	}
	if err != nil {
		return nil, err
	}
	p := &Pool{graph: g, threads: par.Threads(threads)}
	if on.GPU() {
		if err := appendCUDA(o, on.ID); err != nil {
			return nil, err
		}
		p.threads = 1
	}
	if g.path != "" {
		p.session, err = ort.NewDynamicAdvancedSession(g.path, g.Inputs, []string{g.Output}, o)
	} else {
		p.session, err = ort.NewDynamicAdvancedSessionWithONNXData(g.bytes, g.Inputs, []string{g.Output}, o)
	}
	if err != nil {
		return nil, fmt.Errorf("load the graph into ONNX Runtime: %w", err)
	}
	g.bytes = nil
	return p, nil
}

// Graph is what the pool runs. It is not to be changed.
func (p *Pool) Graph() *Graph { return p.graph }

// Threads is how many runs Each has under way at a time: 1 on a GPU.
func (p *Pool) Threads() int { return p.threads }

// Close waits for the runs that are under way; later ones fail.
func (p *Pool) Close() error {
	p.running.Lock()
	defer p.running.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	return p.session.Destroy()
}

// Each calls run with 0 to n-1, from as many goroutines as the device takes runs
// at a time, until all are done, one fails, or ctx ends.
func (p *Pool) Each(ctx context.Context, n int, run func(i int) error) error {
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range min(p.threads, n) {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || ctx.Err() != nil {
					return ctx.Err()
				}
				if err := run(i); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}

// Tensor is the content of an input: values of one type, row-major.
type Tensor struct {
	ints   []int64
	floats []float32
	shape  []int64
}

// Ints is a tensor of whole numbers. The values are not copied.
func Ints(values []int64, shape ...int) Tensor { return Tensor{ints: values, shape: dims(shape)} }

// Floats is a tensor of float32. The values are not copied, so that a caller can
// use them again for the next run.
func Floats(values []float32, shape ...int) Tensor {
	return Tensor{floats: values, shape: dims(shape)}
}

func dims(shape []int) []int64 {
	out := make([]int64, len(shape))
	for i, n := range shape {
		out[i] = int64(n)
	}
	return out
}

// value pins the values and makes a tensor of ONNX Runtime of them.
func (t Tensor) value(pin *runtime.Pinner) (ort.Value, error) {
	if len(t.floats) > 0 {
		pin.Pin(&t.floats[0])
		return ort.NewTensor(ort.Shape(t.shape), t.floats)
	}
	if len(t.ints) > 0 {
		pin.Pin(&t.ints[0])
	}
	return ort.NewTensor(ort.Shape(t.shape), t.ints)
}

// Run computes one batch. inputs are in the order of Graph.Inputs; their first
// dimension is the number of rows. out receives the vectors, rows x
// Graph.Dimension. A run that has begun is not ended by ctx.
func (p *Pool) Run(ctx context.Context, inputs []Tensor, out []float32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(inputs) != len(p.graph.Inputs) || len(out) == 0 || len(out)%p.graph.Dimension != 0 {
		return fmt.Errorf("run a graph of %d inputs and vectors of %d on %d inputs and room for %d values", len(p.graph.Inputs), p.graph.Dimension, len(inputs), len(out))
	}
	p.running.RLock()
	defer p.running.RUnlock()
	if p.closed {
		return errors.New("the model has been put away")
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	values := make([]ort.Value, 0, len(inputs)+1)
	defer func() {
		for _, v := range values {
			v.Destroy()
		}
	}()
	for _, t := range append(inputs[:len(inputs):len(inputs)], Floats(out, len(out)/p.graph.Dimension, p.graph.Dimension)) {
		v, err := t.value(&pin)
		if err != nil {
			return err
		}
		values = append(values, v)
	}
	last := len(values) - 1
	return p.session.Run(values[:last], values[last:])
}

// memoryMessages are how ONNX Runtime and CUDA say that memory did not suffice.
var memoryMessages = []string{"Failed to allocate memory", "bad_alloc", "bad allocation", "out of memory", "CUDA_ERROR_OUT_OF_MEMORY", "ALLOC_FAILED"}

// OutOfMemory tells whether an error of Load or Run says that memory did not
// suffice.
func OutOfMemory(err error) bool {
	for _, m := range memoryMessages {
		if err != nil && strings.Contains(err.Error(), m) {
			return true
		}
	}
	return false
}
