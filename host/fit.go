package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/proto"
)

const (
	fitRows    = 512     // a request at most
	stateChunk = 1 << 20 // bytes
)

// Fit shows the program all rows once, in order, on one worker, and then carries
// what it learned to the others. An error that rows yields ends it and is
// returned. A fit that fails is not repeated, since rows may not be.
func (e *Embedder) Fit(ctx context.Context, rows iter.Seq2[sdk.Row, error]) error {
	const op = "fit"
	ctx, done, err := e.begin(ctx, op)
	if err != nil {
		return err
	}
	defer done()
	if !e.Info().NeedsFit {
		return e.errorf(KindFailed, op, nil, errors.New("it needs no fit"))
	}
	first := e.workers[0]
	if err := first.ensure(ctx); err != nil {
		return err
	}
	info, err := first.fit(ctx, rows)
	if err != nil {
		first.stop(false)
		return err
	}
	state, err := first.save(ctx)
	if err != nil {
		first.stop(false)
		return err
	}
	return e.settle(ctx, info, state, e.workers[1:])
}

// LoadState makes the program what it was when State was taken, by an Embedder
// of the same program and options, in this process or another.
func (e *Embedder) LoadState(ctx context.Context, state []byte) error {
	const op = "load the state"
	ctx, done, err := e.begin(ctx, op)
	if err != nil {
		return err
	}
	defer done()
	if !e.Info().NeedsFit {
		return e.errorf(KindFailed, op, nil, errors.New("it needs no fit and so takes no state"))
	}
	first := e.workers[0]
	if err := first.ensure(ctx); err != nil {
		return err
	}
	info, err := first.load(ctx, state)
	if err != nil {
		return err
	}
	return e.settle(ctx, info, bytes.Clone(state), e.workers[1:])
}

// settle takes what one worker has learned and gives it to others.
func (e *Embedder) settle(ctx context.Context, info sdk.Info, state []byte, others []*worker) error {
	e.mu.Lock()
	if state == nil {
		state = []byte{}
	}
	e.info, e.state, e.fitted = info, state, true
	e.mu.Unlock()
	return e.each(others, func(w *worker) error {
		if w.proc == nil || w.proc.gone(0) {
			return w.ensure(ctx) // loads it too
		}
		info, err := w.load(ctx, state)
		if err != nil {
			return err
		}
		return e.same("load the state", w.proc, info)
	})
}

// watch ends a call that makes no progress: the context it returns ends when
// alive has not been called for the timeout. late tells whether it did so.
func watch(ctx context.Context, timeout time.Duration) (call context.Context, alive func(), late func() bool, stop func()) {
	call, cancel := context.WithCancelCause(ctx)
	t := time.AfterFunc(timeout, func() { cancel(context.DeadlineExceeded) })
	return call, func() { t.Reset(timeout) },
		func() bool { return ctx.Err() == nil && context.Cause(call) == context.DeadlineExceeded },
		func() { t.Stop(); cancel(nil) }
}

// fit streams the rows to the process.
func (w *worker) fit(ctx context.Context, rows iter.Seq2[sdk.Row, error]) (sdk.Info, error) {
	const op = "fit"
	call, alive, late, stop := watch(ctx, w.e.spec.Timeout)
	defer stop()
	stream, err := w.proc.api.Fit(call)
	if err != nil {
		return sdk.Info{}, w.callError(ctx, op, late(), err)
	}
	var batch []sdk.Row
	size, sent := 0, 0
	send := func() error {
		err := stream.Send(&proto.FitRequest{Rows: sdk.RowsToProto(batch)})
		sent += len(batch)
		batch, size = batch[:0], 0
		alive()
		return err
	}
	for row, err := range rows {
		if err != nil {
			return sdk.Info{}, fmt.Errorf("read row %d: %w", sent+len(batch), err)
		}
		alive() // a slow source of rows is not the program's fault
		row, _ = clean(row)
		n := rowSize(row)
		if n > maxRow {
			w.e.warn(fmt.Sprintf("row %d takes no part in the fit: it has %d MiB, %d are the end", sent+len(batch), n>>20, maxRow>>20))
			continue
		}
		if len(batch) > 0 && (len(batch) == fitRows || size+n > maxBatch) {
			if err = send(); err != nil {
				break // RecvMsg has the reason
			}
		}
		batch, size = append(batch, row), size+n
	}
	if len(batch) > 0 && err == nil {
		_ = send()
	}
	r, err := stream.CloseAndRecv()
	if err != nil {
		return sdk.Info{}, w.callError(ctx, op, late(), err)
	}
	if err := w.remarks(op, r.GetDiagnostics()); err != nil {
		return sdk.Info{}, err
	}
	return w.learned(op, r.GetInfo())
}

// learned reads the info of a fitted process.
func (w *worker) learned(op string, p *proto.Info) (sdk.Info, error) {
	info, err := sdk.InfoFromProto(p)
	if err == nil && info.Dimension == 0 {
		err = errors.New("it promises no dimension, though it has been fitted")
	}
	if err != nil {
		return info, w.e.errorf(KindLied, op, w.proc, err)
	}
	info.NeedsFit = true
	return info, nil
}

// save asks for the state.
func (w *worker) save(ctx context.Context) ([]byte, error) {
	const op = "save the state"
	call, alive, late, stop := watch(ctx, w.e.spec.Timeout)
	defer stop()
	stream, err := w.proc.api.SaveState(call, &proto.SaveStateRequest{})
	if err != nil {
		return nil, w.callError(ctx, op, late(), err)
	}
	var state bytes.Buffer
	for {
		c, err := stream.Recv()
		if err == io.EOF {
			return state.Bytes(), nil
		}
		if err != nil {
			return nil, w.callError(ctx, op, late(), err)
		}
		alive()
		state.Write(c.GetData())
	}
}

// load hands over a state.
func (w *worker) load(ctx context.Context, state []byte) (sdk.Info, error) {
	const op = "load the state"
	call, alive, late, stop := watch(ctx, w.e.spec.Timeout)
	defer stop()
	stream, err := w.proc.api.LoadState(call)
	if err != nil {
		return sdk.Info{}, w.callError(ctx, op, late(), err)
	}
	for len(state) > 0 {
		n := min(stateChunk, len(state))
		if err := stream.Send(&proto.StateChunk{Data: state[:n]}); err != nil {
			break // CloseAndRecv has the reason
		}
		alive()
		state = state[n:]
	}
	r, err := stream.CloseAndRecv()
	if err != nil {
		return sdk.Info{}, w.callError(ctx, op, late(), err)
	}
	return w.learned(op, r.GetInfo())
}
