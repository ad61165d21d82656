package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/bertopic-go/bertopic/internal/isolate"
	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/proto"
)

// worker is one process after another of the program.
type worker struct {
	e    *Embedder
	log  *slog.Logger
	proc *process // nil where none runs
}

func (w *worker) stop(grace bool) {
	if w.proc != nil {
		w.proc.stop(grace)
		w.noteAttempts()
		w.proc = nil
	}
}

// ensure sees to it that the worker has a process which is configured and, where
// there is a state, has that.
func (w *worker) ensure(ctx context.Context) (err error) {
	if w.proc != nil && !w.proc.gone(0) {
		return nil
	}
	w.stop(false)
	e := w.e
	if e.attach == nil {
		if err := e.program.unchanged(); err != nil {
			return e.errorf(KindChecksum, "check the program", nil, err)
		}
	}
	if err := w.start(ctx); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			w.stop(false)
		}
	}()
	if err := w.agree(ctx); err != nil {
		return err
	}
	if err := w.configure(ctx); err != nil {
		return err
	}
	e.mu.Lock()
	state, fitted := e.state, e.fitted
	e.mu.Unlock()
	if fitted {
		info, err := w.load(ctx, state)
		if err != nil {
			return err
		}
		return e.same("load the state", w.proc, info)
	}
	return nil
}

// start starts a process, without TLS where it takes no part in it.
func (w *worker) start(ctx context.Context) error {
	e := w.e
	l := launch{
		attach: e.attach,
		path:   e.program.path,
		env:    Environment(os.Environ(), e.description),

		bounds:  confinement{isolate: e.spec.Isolate, network: e.description.Network, memory: e.spec.Memory},
		timeout: e.spec.StartTimeout,
		log:     w.log,
	}
	if e.sockets != nil {
		l.socketDir = e.sockets.path
	}
	tls := !e.plain.Load()
	p, err := startProcess(ctx, l, tls)
	if tls && errors.Is(err, errNoTLS) {
		e.plain.Store(true)
		if p, err = startProcess(ctx, l, false); err == nil {
			text := "the program takes no part in mutual TLS: its connection is guarded by the socket's folder alone, which only this user may enter"
			if network, address := p.child.address(); network != "unix" {
				text = "the program takes no part in mutual TLS: its connection at " + address + " is open to every user of this machine"
			}
			e.warn(text)
		}
	}
	var x *Error
	if errors.As(err, &x) {
		x.Plugin, x.Op = e.description.Name, "start "+e.program.path
	}
	if err != nil {
		return err
	}
	w.proc = p
	w.log.Debug("started", "pid", p.child.ID())
	if p.child.noise.Load() {
		e.warn("the program wrote to standard output before its handshake; the SDK's Serve keeps such lines apart")
	}
	if wall := p.child.wall.Load(); wall != nil && wall.Kind == isolate.None && !e.description.Network && e.spec.Isolate != IsolateOff {
		why := ""
		if wall.Why != nil {
			why = " (" + strings.ReplaceAll(wall.Why.Error(), "\n", "; ") + ")"
		}
		e.warn("the program declares no network, but this system has no means to keep it from it" + why +
			": [plugins] isolate = \"require\" refuses such a run, \"off\" agrees to it")
	}
	return nil
}

// noteAttempts warns of a program that has tried to reach the network.
func (w *worker) noteAttempts() {
	if w.proc != nil && w.proc.child.attempts() > 0 {
		w.e.warn("the program tried to reach the network, which its description does not declare, and was kept from it")
	}
}

// agree holds the description that the process gives against that of
// --describe.
func (w *worker) agree(ctx context.Context) error {
	d, err := w.describe(ctx)
	if err != nil {
		return err
	}
	want, err1 := json.Marshal(w.e.description)
	have, err2 := json.Marshal(d)
	if err := errors.Join(err1, err2); err != nil {
		return w.e.errorf(KindLied, "describe", w.proc, err)
	}
	if !sameJSON(want, have) {
		return w.e.errorf(KindLied, "describe", w.proc, fmt.Errorf("it describes itself in two ways: %s with --describe, %s over gRPC", want, have))
	}
	return nil
}

func (w *worker) describe(ctx context.Context) (sdk.Description, error) {
	const op = "describe"
	r, err := unary(ctx, w, op, func(ctx context.Context) (*proto.DescribeResponse, error) {
		return w.proc.api.Describe(ctx, &proto.DescribeRequest{})
	})
	if err != nil {
		return sdk.Description{}, err
	}
	d, err := sdk.DescriptionFromProto(r)
	if err != nil {
		return d, w.e.errorf(KindLied, op, w.proc, err)
	}
	return d, nil
}

// sameJSON compares without regard to null and empty lists.
func sameJSON(a, b []byte) bool {
	clean := func(text []byte) []byte {
		return bytes.ReplaceAll(bytes.ReplaceAll(text, []byte(":null"), []byte(":[]")), []byte(`:""`), []byte(":[]"))
	}
	return bytes.Equal(clean(a), clean(b))
}

// configure hands over the options.
func (w *worker) configure(ctx context.Context) error {
	const op = "configure"
	e := w.e
	r, err := unary(ctx, w, op, func(ctx context.Context) (*proto.ConfigureResponse, error) {
		return w.proc.api.Configure(ctx, &proto.ConfigureRequest{
			OptionsJson: e.optionsJSON, Seed: e.spec.Seed, Threads: uint32(e.spec.threads()),
			CacheDir: e.spec.CacheDir, ModelsDir: e.spec.ModelsDir, BaseDir: e.spec.BaseDir,
		})
	})
	if err != nil {
		return err
	}
	if err := w.remarks(op, r.GetDiagnostics()); err != nil {
		return err
	}
	info, err := sdk.InfoFromProto(r.GetInfo())
	if err != nil {
		return e.errorf(KindLied, op, w.proc, err)
	}
	e.mu.Lock()
	if !e.known {
		e.info, e.known = info, true
	}
	fitted := e.fitted
	e.mu.Unlock()
	if fitted {
		return nil // the info to compare with is that after the fit
	}
	return e.same(op, w.proc, info)
}

// same sees that a process promises what the first one did. The device may
// differ.
func (e *Embedder) same(op string, p *process, info sdk.Info) error {
	e.mu.Lock()
	first := e.info
	e.mu.Unlock()
	first.Device, info.Device = "", ""
	if !reflect.DeepEqual(first, info) {
		return e.errorf(KindLied, op, p, fmt.Errorf("with the same options it promises %+v once and %+v later", first, info))
	}
	return nil
}

// remarks keeps the warnings among diagnostics and returns the errors.
func (w *worker) remarks(op string, ps []*proto.Diagnostic) error {
	ds, err := sdk.DiagnosticsFromProto(ps)
	if err != nil {
		return w.e.errorf(KindLied, op, w.proc, err)
	}
	var faults []error
	for _, d := range ds {
		text := d.Summary
		if d.Detail != "" {
			text += ": " + d.Detail
		}
		if d.Option != "" {
			text = "option " + strconv.Quote(d.Option) + ": " + text
		}
		if d.Error {
			faults = append(faults, errors.New(text))
		} else {
			w.e.warn(text)
		}
	}
	if len(faults) > 0 {
		return w.e.errorf(KindOptions, op, w.proc, errors.Join(faults...))
	}
	return nil
}

// unary makes a call that answers once, within the timeout.
func unary[T any](ctx context.Context, w *worker, op string, f func(context.Context) (T, error)) (T, error) {
	// Not a deadline: the program would see it, and be the first to say so.
	call, _, late, stop := watch(ctx, w.e.spec.Timeout)
	defer stop()
	r, err := f(call)
	if err != nil {
		return r, w.callError(ctx, op, late(), err)
	}
	return r, nil
}

// goneLimit is how long to wait after an error for the end of the process that
// may be behind it.
const goneLimit = 50 * time.Millisecond

// callError says what became of a call that can't be repeated.
func (w *worker) callError(ctx context.Context, op string, late bool, err error) error {
	e, p := w.e, w.proc
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if late {
		return e.errorf(KindTimeout, op, p, fmt.Errorf("no answer within %v: raise embedder.timeout if it needs longer", e.spec.Timeout))
	}
	st := status.Convert(err)
	if p.gone(goneLimit) || st.Code() == codes.Unavailable && p.ping(ctx) != nil && p.gone(time.Second) {
		kind := KindCrashed
		if p.overMemory() {
			kind = KindMemory
		}
		return e.errorf(kind, op, p, fmt.Errorf("the program ended: %s", p.child.state))
	}
	kind := KindFailed
	if st.Code() == codes.InvalidArgument && op == "configure" {
		kind = KindOptions
	}
	if st.Code() == codes.Unimplemented {
		kind = KindProtocol
	}
	err = errors.New(message(err))
	if st.Code() == codes.Unavailable || st.Code() == codes.ResourceExhausted {
		err = passing{err}
	}
	return e.errorf(kind, op, p, err)
}

// passing is an error that may not come again, a device that is still busy say.
type passing struct{ error }

// wrapping is what a status looks like that was made an error and then part of
// another status.
var wrapping = regexp.MustCompile(`rpc error: code = \w+ desc = `)

// message is what a program has to say with an error.
func message(err error) string { return wrapping.ReplaceAllString(status.Convert(err).Message(), "") }
