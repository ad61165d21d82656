package host

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/proto"
)

// Spec says which embedder program to run and how.
type Spec struct {
	Plugin  string         // NAME of bertopic-embedder-NAME, or a path to a program
	Dirs    []string       // searched first
	Options map[string]any // as decoded from TOML or JSON; checked against the program's description
	BaseDir string         // relative paths in Options and a relative Plugin are relative to it; empty: the current folder

	Workers   int // processes; 0: 1
	BatchSize int // rows a batch at most; 0: 32
	Threads   int // of all workers together; 0: all cores
	// Timeout is how long there may be no answer and no progress; 0: 5 minutes.
	Timeout time.Duration
	// MaxRestarts is how many deaths of processes that no row explains are made
	// good in one call; 0: 3; negative: none.
	MaxRestarts int

	Seed      uint64
	CacheDir  string // for files that a program can make anew; may be empty
	ModelsDir string // where models are looked for by name; may be empty
	LockFile  string // bertopic.lock, enforced when it exists; may be empty

	Log      *slog.Logger          // nil: no log
	Progress func(done, total int) // rows; called now and then, from one goroutine at a time; may be nil

	start time.Duration // until the handshake; 0: maxStart; shorter in tests
}

const (
	defaultBatch    = 32
	defaultTimeout  = 5 * time.Minute
	defaultRestarts = 3
)

func (s Spec) withDefaults() Spec {
	s.Workers = max(s.Workers, 1)
	if s.BatchSize <= 0 {
		s.BatchSize = defaultBatch
	}
	if s.Timeout <= 0 {
		s.Timeout = defaultTimeout
	}
	switch {
	case s.MaxRestarts == 0:
		s.MaxRestarts = defaultRestarts
	case s.MaxRestarts < 0:
		s.MaxRestarts = 0
	}
	if s.start == 0 {
		s.start = maxStart
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	return s
}

// threads is what each worker gets of the threads.
func (s Spec) threads() int {
	if s.Workers == 1 {
		return max(s.Threads, 0)
	}
	return max(1, par.Threads(s.Threads)/s.Workers)
}

// Embedder is an embedder program at work, in one or several processes. Its
// methods may be called from several goroutines; calls of Fit, LoadState, Embed
// and EmbedWords wait for each other.
type Embedder struct {
	spec        Spec
	program     program
	attach      *plugin.ReattachConfig // the program runs already
	description sdk.Description
	options     map[string]json.RawMessage
	optionsJSON []byte
	sockets     *socketDir
	life        context.Context // ends with Close
	end         context.CancelFunc

	call    sync.Mutex // held by the call that uses the workers
	workers []*worker
	plain   atomic.Bool // without TLS, since the program can't

	mu       sync.Mutex // guards what follows
	info     sdk.Info
	known    bool // info is set
	state    []byte
	fitted   bool
	warnings []string

	closing sync.Once
}

// Open finds a program, holds it against the lock file, reads its description,
// checks the options, starts the workers and configures them. The context is for
// Open alone; the processes run until Close. An error is an *Error, or that of
// the context.
func Open(ctx context.Context, spec Spec) (*Embedder, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	ctx, cancel := undated(ctx)
	defer cancel(nil)
	spec = spec.withDefaults()
	e := &Embedder{spec: spec}
	fail := func(kind ErrorKind, op string, err error) (*Embedder, error) {
		name := e.description.Name
		if name == "" {
			name = spec.Plugin
		}
		return nil, &Error{Kind: kind, Plugin: name, Op: op, Err: err}
	}
	attach, err := sdk.Reattach()
	if err != nil {
		return fail(KindStart, "attach", err)
	}
	if e.attach = attach[strings.TrimPrefix(spec.Plugin, prefix)]; e.attach != nil {
		err = e.meet(ctx)
	} else {
		err = e.find(ctx)
	}
	if err != nil {
		return nil, err
	}
	var faults []sdk.OptionError
	if e.options, faults = sdk.CheckOptions(e.description, spec.Options); len(faults) > 0 {
		errs := make([]error, len(faults))
		for i, f := range faults {
			errs[i] = f
		}
		return fail(KindOptions, "check embedder.options", errors.Join(errs...))
	}
	if e.optionsJSON, err = json.Marshal(e.options); err != nil {
		return fail(KindOptions, "check embedder.options", err)
	}
	for _, dir := range []*string{&e.spec.BaseDir, &e.spec.CacheDir, &e.spec.ModelsDir} {
		if *dir == "" && dir != &e.spec.BaseDir {
			continue
		}
		if *dir, err = filepath.Abs(*dir); err != nil {
			return fail(KindStart, "find the folder of relative paths", err)
		}
	}
	if e.sockets, err = newSocketDir(); err != nil {
		return fail(KindStart, "start", err)
	}
	e.life, e.end = context.WithCancel(context.Background())
	for i := range spec.Workers {
		e.workers = append(e.workers, &worker{e: e, log: spec.Log.With("plugin", e.description.Name, "worker", i)})
	}
	// The first one alone: it finds out whether the program does TLS and what
	// it promises.
	err = e.workers[0].ensure(ctx)
	if err == nil {
		err = e.each(e.workers[1:], func(w *worker) error { return w.ensure(ctx) })
	}
	if err != nil {
		_ = e.Close()
		return nil, err
	}
	return e, nil
}

// find finds the program and reads its description.
func (e *Embedder) find(ctx context.Context) error {
	plugin := e.spec.Plugin
	if isPath(plugin) && !filepath.IsAbs(plugin) && e.spec.BaseDir != "" {
		plugin = filepath.Join(e.spec.BaseDir, plugin)
	}
	path, err := Find(plugin, e.spec.Dirs)
	if err != nil {
		return err
	}
	if e.program, err = openProgram(path, e.spec.LockFile); err != nil {
		return &Error{Kind: KindChecksum, Plugin: e.spec.Plugin, Op: "check the program", Err: err}
	}
	e.description, err = Describe(ctx, path)
	return err
}

// meet asks a program that runs already for its description. There is one of
// it, so that there is one worker.
func (e *Embedder) meet(ctx context.Context) error {
	e.spec.Workers = 1
	e.description.Name = strings.TrimPrefix(e.spec.Plugin, prefix)
	e.program = program{path: "attached to process " + strconv.Itoa(e.attach.Pid), met: time.Now().Format(time.RFC3339Nano)}
	w := &worker{e: e, log: e.spec.Log}
	if err := w.start(ctx); err != nil {
		return err
	}
	defer w.stop(false)
	d, err := w.describe(ctx)
	if err == nil {
		if fault := d.Check(); fault != nil {
			err = e.errorf(KindProtocol, "describe", w.proc, fault)
		}
	}
	e.description = d
	return err
}

// each runs f for the workers at once and returns the error of the first one in
// order that failed.
func (e *Embedder) each(workers []*worker, f func(*worker) error) error {
	errs := make([]error, len(workers))
	var wg sync.WaitGroup
	for i, w := range workers {
		wg.Go(func() { errs[i] = f(w) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// Description returns what the program says of itself.
func (e *Embedder) Description() sdk.Description { return e.description }

// Info returns what the configured program promises. The dimension of one that
// needs a fit may be 0 before.
func (e *Embedder) Info() sdk.Info {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.info
}

// Program returns the path of the program and the SHA-256 of that file in
// hexadecimal. Where the file is a script, that is of the script alone.
func (e *Embedder) Program() (path, sha256 string) { return e.program.path, e.program.sha256 }

// Warnings returns the remarks of the program on its configuration and fit, and
// the host's on the program.
func (e *Embedder) Warnings() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.warnings)
}

// warn keeps a remark, once.
func (e *Embedder) warn(text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !slices.Contains(e.warnings, text) {
		e.warnings = append(e.warnings, text)
		e.spec.Log.Warn(text, "plugin", e.description.Name)
	}
}

// State returns what the program has learned in Fit, or was given with
// LoadState; nil where it needs no fit or has had none. The caller must not
// change it.
func (e *Embedder) State() []byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.state
}

// Fingerprint names everything that the bits of a vector may depend on, but for
// the row: the program's file, name and version, the options with defaults, the
// model's files, the seed, and what was learned in Fit. It is 64 hexadecimal
// digits. Threads, workers and batch size are not part of it.
func (e *Embedder) Fingerprint() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	state, program := "", e.program.sha256
	if e.attach != nil {
		program = e.program.path + " at " + e.program.met // nobody knows what is behind it the next time
	}
	if e.fitted {
		sum := sha256.Sum256(e.state)
		state = hex.EncodeToString(sum[:])
	}
	text, err := json.Marshal(struct { // map keys are sorted
		Format                 int
		Program, Name, Version string
		Options                map[string]json.RawMessage
		Model, ModelSHA256     string
		Seed                   uint64
		State                  string
	}{1, program, e.description.Name, e.description.Version, e.options, e.info.Model, e.info.ModelSHA256, e.spec.Seed, state})
	if err != nil {
		panic("host: options that were JSON no longer are") // Open has marshalled them
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Close ends the processes and removes their sockets. A call that is under way
// ends with an error. Close may be called again.
func (e *Embedder) Close() error {
	e.closing.Do(func() {
		e.end()
		e.call.Lock()
		defer e.call.Unlock()
		_ = e.each(e.workers, func(w *worker) error { w.stop(true); return nil })
		e.sockets.remove()
	})
	return nil
}

// errClosed is the error of calls after Close.
var errClosed = errors.New("it has been closed")

// begin waits for its turn to use the workers and returns a context that ends
// with ctx and with Close.
func (e *Embedder) begin(ctx context.Context, op string) (context.Context, func(), error) {
	e.call.Lock()
	if e.life.Err() != nil {
		e.call.Unlock()
		return nil, nil, e.errorf(KindFailed, op, nil, errClosed)
	}
	if err := ctx.Err(); err != nil {
		e.call.Unlock()
		return nil, nil, err
	}
	ctx, cancel := undated(ctx)
	unhook := context.AfterFunc(e.life, func() { cancel(e.errorf(KindFailed, op, nil, errClosed)) })
	return ctx, func() {
		unhook()
		cancel(nil)
		e.call.Unlock()
	}, nil
}

// undated returns a context that ends with ctx, whose error is its cause then,
// but has no deadline: gRPC would tell that to the program, which could be the
// first to say that time is up, and it would be taken for a fault of its own.
func undated(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	free, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() { cancel(ctx.Err()) })
	return free, func(cause error) {
		unhook()
		cancel(cause)
	}
}

// errorf makes an *Error; p may be nil.
func (e *Embedder) errorf(kind ErrorKind, op string, p *process, err error) *Error {
	x := &Error{Kind: kind, Plugin: e.description.Name, Op: op, Err: err}
	if p != nil {
		x.Stderr = p.out.lines()
	}
	return x
}

// worker is one process after another of the program.
type worker struct {
	e    *Embedder
	log  *slog.Logger
	proc *process // nil where none runs
}

func (w *worker) stop(grace bool) {
	if w.proc != nil {
		w.proc.stop(grace)
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
		env:    environment(os.Environ(), e.description.Env),

		timeout: e.spec.start,
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
	return nil
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
		return e.errorf(KindCrashed, op, p, fmt.Errorf("the program ended: %s", p.child.state))
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
