package sdk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/bertopic-go/bertopic/sdk/proto"
)

// stateChunk is the size of the chunks in which SaveState answers.
const stateChunk = 1 << 20

// alone is the weight of a call that no other may run beside.
const alone = 1 << 30

// NewServer returns the protocol's side of an embedder: what Serve runs, for a
// gRPC server in one's own process. Package sdktest is the short way to a test.
func NewServer(e Embedder) (proto.EmbedderServer, error) { return newServer(e) }

// server speaks the protocol for an embedder.
type server struct {
	proto.UnimplementedEmbedderServer
	embedder    Embedder
	description Description
	described   *proto.DescribeResponse

	// calls is taken once by a call that may run beside others and whole by one
	// that changes what follows, which alone may write configured, fitted, info.
	calls      *semaphore.Weighted
	configured bool
	fitted     bool
	info       Info
	running    sync.WaitGroup
}

func newServer(e Embedder) (*server, error) {
	s := &server{embedder: e, calls: semaphore.NewWeighted(alone)}
	if err := protect(func() error { s.description = e.Describe(); return nil }); err != nil {
		return nil, fmt.Errorf("describe: %w", err)
	}
	if err := s.description.Check(); err != nil {
		return nil, fmt.Errorf("describe: %w", err)
	}
	var err error
	s.described, err = s.description.toProto()
	return s, err
}

// call runs f, which is the embedder's code, when its turn comes. It returns
// soon after ctx is done even where f does not; f then goes on holding its turn.
func (s *server) call(ctx context.Context, op string, weight int64, f func() error) error {
	if err := s.calls.Acquire(ctx, weight); err != nil {
		return statusOf(ctx, op, err)
	}
	done := make(chan error, 1)
	s.running.Go(func() {
		defer s.calls.Release(weight)
		err := status.Error(codes.Internal, op+": the embedder ended its goroutine")
		defer func() { done <- err }() // even then
		err = protect(f)
	})
	select {
	case err := <-done:
		return statusOf(ctx, op, err)
	case <-ctx.Done():
		return statusOf(ctx, op, ctx.Err())
	}
}

// protect turns a panic of f into an error.
func protect(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicked(p)
		}
	}()
	return f()
}

func panicked(p any) error {
	slog.Error("panic", "value", fmt.Sprint(p), "stack", string(debug.Stack()))
	return status.Errorf(codes.Internal, "panic: %v", p)
}

func (s *server) Describe(context.Context, *proto.DescribeRequest) (*proto.DescribeResponse, error) {
	return s.described, nil
}

func (s *server) Configure(ctx context.Context, r *proto.ConfigureRequest) (*proto.ConfigureResponse, error) {
	options, err := s.options(r.GetOptionsJson())
	if err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "configure: %v", err)
	}
	settings := Settings{
		Options: options, Seed: r.GetSeed(), Threads: int(r.GetThreads()),
		CacheDir: r.GetCacheDir(), ModelsDir: r.GetModelsDir(), BaseDir: r.GetBaseDir(),
	}
	var answer *proto.ConfigureResponse
	err = s.call(ctx, "configure", alone, func() error {
		s.configured, s.fitted, s.info = false, false, Info{}
		info, remarks, err := s.embedder.Configure(ctx, settings)
		if err != nil {
			return err
		}
		answer = &proto.ConfigureResponse{Diagnostics: remarks.toProto()}
		if remarks.Refused() {
			return nil
		}
		if err := s.promise(info); err != nil {
			return fault("configure", err)
		}
		s.configured, s.info, answer.Info = true, info, info.toProto()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// options checks what a request holds and fills in the defaults.
func (s *server) options(text []byte) (map[string]json.RawMessage, error) {
	values := map[string]any{}
	if len(text) > 0 {
		v, err := decodeJSON(text)
		if err != nil {
			return nil, fmt.Errorf("options are not JSON: %w", err)
		}
		object, ok := v.(map[string]any)
		if !ok && v != nil { // null is what some make of no options at all
			return nil, fmt.Errorf("options are not a JSON object but %s", show(v))
		}
		values = object
	}
	options, faults := CheckOptions(s.description, values)
	if len(faults) > 0 {
		texts := make([]string, len(faults))
		for i, f := range faults {
			texts[i] = f.Error()
		}
		return nil, errors.New(strings.Join(texts, "\n"))
	}
	return options, nil
}

// promise checks info and that the embedder has the abilities it speaks of.
func (s *server) promise(info Info) error {
	err := info.Check()
	if _, ok := s.embedder.(Fitter); info.NeedsFit && !ok {
		err = errors.Join(err, errors.New("needs a fit, but is no Fitter"))
	}
	if _, ok := s.embedder.(WordEmbedder); info.Words && !ok {
		err = errors.Join(err, errors.New("embeds words, but is no WordEmbedder"))
	}
	return err
}

// ready reports whether the embedder can embed. The caller has its turn.
func (s *server) ready() error {
	switch {
	case !s.configured:
		return status.Error(codes.FailedPrecondition, "the embedder has not been configured")
	case s.info.NeedsFit && !s.fitted:
		return status.Error(codes.FailedPrecondition, "the embedder has been neither fitted nor given a state")
	}
	return nil
}

// fitter returns the embedder as a Fitter. The caller has its turn.
func (s *server) fitter() (Fitter, error) {
	if !s.configured {
		return nil, status.Error(codes.FailedPrecondition, "the embedder has not been configured")
	}
	f, ok := s.embedder.(Fitter)
	if !ok || !s.info.NeedsFit {
		return nil, status.Error(codes.FailedPrecondition, "the embedder needs no fit and has no state")
	}
	return f, nil
}

func (s *server) Fit(stream proto.Embedder_FitServer) error {
	ctx := stream.Context()
	var answer *proto.FitResponse
	err := s.call(ctx, "fit", alone, func() error {
		f, err := s.fitter()
		if err != nil {
			return err
		}
		s.fitted = false
		info, remarks, err := f.Fit(ctx, s.received(stream))
		if err != nil {
			return err
		}
		answer = &proto.FitResponse{Diagnostics: remarks.toProto()}
		if remarks.Refused() {
			return nil
		}
		if err := s.learned(info); err != nil {
			return fault("fit", err)
		}
		answer.Info = info.toProto()
		return nil
	})
	if err != nil {
		return err
	}
	return stream.SendAndClose(answer)
}

// learned takes the info of a fitted embedder.
func (s *server) learned(info Info) error {
	if err := s.promise(info); err != nil {
		return err
	}
	if info.Dimension == 0 {
		return errors.New("no dimension, though it has been fitted")
	}
	info.NeedsFit = true
	s.info, s.fitted = info, true
	return nil
}

// received yields the rows of a stream, without those that the embedder does
// not take: Embed has a status for them.
func (s *server) received(stream proto.Embedder_FitServer) iter.Seq2[Row, error] {
	read := false
	return func(yield func(Row, error) bool) {
		if read {
			yield(Row{}, errors.New("the rows can be read once only"))
			return
		}
		read = true
		for {
			r, err := stream.Recv()
			if err == io.EOF {
				return
			}
			if err != nil {
				yield(Row{}, fmt.Errorf("read rows: %w", err))
				return
			}
			for _, p := range r.GetRows() {
				row := rowFromProto(p)
				if s.description.refuses(row).Status == OK && !yield(row, nil) {
					return
				}
			}
		}
	}
}

func (s *server) SaveState(_ *proto.SaveStateRequest, stream proto.Embedder_SaveStateServer) error {
	ctx := stream.Context()
	var state []byte
	err := s.call(ctx, "save state", 1, func() error {
		f, err := s.fitter()
		if err == nil {
			err = s.ready()
		}
		if err == nil {
			state, err = f.SaveState(ctx)
		}
		return err
	})
	for err == nil && len(state) > 0 {
		n := min(stateChunk, len(state))
		err = stream.Send(&proto.StateChunk{Data: state[:n]})
		state = state[n:]
	}
	return err
}

func (s *server) LoadState(stream proto.Embedder_LoadStateServer) error {
	ctx := stream.Context()
	var state bytes.Buffer
	for {
		c, err := stream.Recv()
		if err == io.EOF {
			break
		}
		if err != nil {
			return statusOf(ctx, "load state", err)
		}
		state.Write(c.GetData())
	}
	var answer *proto.LoadStateResponse
	err := s.call(ctx, "load state", alone, func() error {
		f, err := s.fitter()
		if err != nil {
			return err
		}
		s.fitted = false
		info, err := f.LoadState(ctx, state.Bytes())
		if err != nil {
			return err
		}
		if err := s.learned(info); err != nil {
			return fault("load state", err)
		}
		answer = &proto.LoadStateResponse{Info: info.toProto()}
		return nil
	})
	if err != nil {
		return err
	}
	return stream.SendAndClose(answer)
}

// close lets the embedder put its things away, in a second at most.
func (s *server) close() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		calls := make(chan struct{})
		go func() { s.running.Wait(); close(calls) }()
		select {
		case <-calls:
		case <-time.After(500 * time.Millisecond):
		}
		if c, ok := s.embedder.(Closer); ok {
			if err := protect(c.Close); err != nil {
				slog.Error("close", "error", err)
			}
		}
	}()
	select {
	case <-done:
	case <-time.After(time.Second):
		slog.Warn("the embedder did not close within a second")
	}
}
