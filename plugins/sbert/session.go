package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	ort "github.com/yalue/onnxruntime_go"
	"golang.org/x/sync/errgroup"

	"github.com/bertopic-go/bertopic/internal/encoder"
	"github.com/bertopic-go/bertopic/internal/ortlib"
	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/sdk"
)

// environment is ONNX Runtime's, of which a process has one.
var environment struct {
	sync.Mutex
	ready bool
}

// startRuntime loads the library of ONNX Runtime, once. After a failure the next
// call tries again.
func startRuntime() error {
	environment.Lock()
	defer environment.Unlock()
	if environment.ready {
		return nil
	}
	path, err := ortlib.Path()
	if err != nil {
		return err
	}
	ort.SetSharedLibraryPath(path)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return fmt.Errorf("start ONNX Runtime from %s: %w", path, err)
	}
	environment.ready = true
	return nil
}

// session is a graph in ONNX Runtime. One session serves all threads: each runs
// batches of its own on its own core, so that no thread waits for another within
// an operator, and the weights are there once.
type session struct {
	graph   *graph
	session *ort.DynamicAdvancedSession
	threads int
	padded  bool
	budget  int // tokens of a batch

	running sync.RWMutex // held for reading by a run
	closed  bool
}

// newSession loads a graph for a device, cpu or cuda.
func newSession(g *graph, device string, id, threads int, padded bool) (*session, error) {
	o, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer o.Destroy()
	err = errors.Join(
		o.SetIntraOpNumThreads(1), o.SetInterOpNumThreads(1), o.SetExecutionMode(ort.ExecutionModeSequential),
		o.SetGraphOptimizationLevel(ort.GraphOptimizationLevelEnableAll),
		o.SetMemPattern(false), // lengths differ from batch to batch
	)
	if g.External != "" {
		err = errors.Join(err, o.AddSessionConfigEntry("session.model_external_initializers_file_folder_path", g.External))
	}
	if err != nil {
		return nil, err
	}
	s := &session{graph: g, threads: par.Threads(threads), padded: padded, budget: tokenBudget}
	if g.Foreign {
		s.budget = 1 // such a file may scale numbers over a whole batch: one text at a time
	}
	if device == "cuda" {
		if err := appendCUDA(o, id); err != nil {
			return nil, err
		}
		s.threads, s.budget = 1, cudaTokenBudget
	}
	if g.path != "" {
		s.session, err = ort.NewDynamicAdvancedSession(g.path, g.Inputs, []string{g.Output}, o)
	} else {
		s.session, err = ort.NewDynamicAdvancedSessionWithONNXData(g.bytes, g.Inputs, []string{g.Output}, o)
	}
	if err != nil {
		return nil, classify(fmt.Errorf("load the graph into ONNX Runtime: %w", err))
	}
	g.bytes = nil
	return s, nil
}

// cudaTokenBudget is tokenBudget on a GPU, which wants more at a time.
const cudaTokenBudget = 32768

func appendCUDA(o *ort.SessionOptions, id int) error {
	c, err := ort.NewCUDAProviderOptions()
	if err == nil {
		defer c.Destroy()
		err = c.Update(map[string]string{"device_id": strconv.Itoa(id), "use_tf32": "0"})
	}
	if err == nil {
		err = o.AppendExecutionProviderCUDA(c)
	}
	if err != nil {
		return fmt.Errorf("use the GPU cuda:%d: %w (it takes an ONNX Runtime with CUDA, named by the variable %s, and the CUDA and cuDNN libraries)", id, err, ortlib.EnvVar)
	}
	return nil
}

// checkCUDA tells, before a graph is made, whether a session could use the GPU.
func checkCUDA(id int) error {
	o, err := ort.NewSessionOptions()
	if err != nil {
		return err
	}
	defer o.Destroy()
	return appendCUDA(o, id)
}

// gpuIsThere tells whether the machine seems to have an NVIDIA GPU.
func gpuIsThere() bool {
	_, err := os.Stat("/dev/nvidiactl")
	return err == nil && os.Getenv("CUDA_VISIBLE_DEVICES") != "-1"
}

func (s *session) dimension() int { return s.graph.Dimension }

// close waits for the runs that are under way; later ones fail.
func (s *session) close() error {
	s.running.Lock()
	defer s.running.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return s.session.Destroy()
}

// forward writes the vector of each sequence into out, one after the other. done
// is told, from any goroutine, how many more sequences are finished.
func (s *session) forward(ctx context.Context, sequences []sequence, out []float32, done func(n int)) error {
	lengths := make([]int, len(sequences))
	for i, q := range sequences {
		lengths[i] = len(q.ids)
	}
	batches := plan(lengths, s.budget, s.padded)
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range min(s.threads, len(batches)) {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(batches) || ctx.Err() != nil {
					return ctx.Err()
				}
				if err := s.run(batches[i], sequences, out); err != nil {
					return err
				}
				done(len(batches[i].members))
			}
		})
	}
	return group.Wait()
}

// run embeds one batch.
func (s *session) run(b batch, sequences []sequence, out []float32) error {
	s.running.RLock()
	defer s.running.RUnlock()
	if s.closed {
		return errors.New("the model has been put away")
	}
	rows, d := len(b.members), s.graph.Dimension
	shape := ort.NewShape(int64(rows), int64(b.length))
	inputs := make([]ort.Value, len(s.graph.Inputs))
	defer func() {
		for _, v := range inputs {
			if v != nil {
				v.Destroy()
			}
		}
	}()
	for i, name := range s.graph.Inputs {
		values, err := s.input(name, b, sequences)
		if err != nil {
			return err
		}
		t, err := ort.NewTensor(shape, values)
		if err != nil {
			return err
		}
		inputs[i] = t
	}
	result, err := ort.NewEmptyTensor[float32](ort.NewShape(int64(rows), int64(d)))
	if err != nil {
		return err
	}
	defer result.Destroy()
	if err := s.session.Run(inputs, []ort.Value{result}); err != nil {
		return classify(fmt.Errorf("run the encoder on %d texts of %d tokens: %w", rows, b.length, err))
	}
	values := result.GetData()
	for i, m := range b.members {
		copy(out[m*d:(m+1)*d], values[i*d:(i+1)*d])
	}
	return nil
}

// input is the content of one input of the graph for a batch.
func (s *session) input(name string, b batch, sequences []sequence) ([]int64, error) {
	values := make([]int64, len(b.members)*b.length)
	for i, m := range b.members {
		row, q := values[i*b.length:(i+1)*b.length], sequences[m]
		switch name {
		case encoder.InputIDs:
			for j := copy(row, q.ids); j < len(row); j++ {
				row[j] = s.graph.PadID
			}
		case encoder.AttentionMask:
			for j := range q.ids {
				row[j] = 1
			}
		case "token_type_ids":
			copy(row, q.types)
		default:
			return nil, fmt.Errorf("the graph has an input %q, which is not known", name)
		}
	}
	return values, nil
}

// memoryMessages are how ONNX Runtime and CUDA say that memory did not suffice.
var memoryMessages = []string{"Failed to allocate memory", "bad_alloc", "bad allocation", "out of memory", "CUDA_ERROR_OUT_OF_MEMORY", "ALLOC_FAILED"}

// classify wraps sdk.ErrOutOfMemory where an error of ONNX Runtime says that.
func classify(err error) error {
	for _, m := range memoryMessages {
		if err != nil && strings.Contains(err.Error(), m) {
			return fmt.Errorf("%w: %w", sdk.ErrOutOfMemory, err)
		}
	}
	return err
}
