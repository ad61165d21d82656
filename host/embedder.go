package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-plugin"

	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/sdk"
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

	// StartTimeout is how long the program may take until its handshake, and
	// with --describe; 0: a minute.
	StartTimeout time.Duration
	// Memory is how many bytes each of the processes, with those that it starts,
	// may use; one that uses more is ended. 0: no limit. On Linux alone.
	Memory int64
	// Isolate says what is done to keep a program from the network that does not
	// declare it; empty: IsolateAuto.
	Isolate string

	Seed      uint64
	CacheDir  string // for files that a program can make anew; may be empty
	ModelsDir string // where models are looked for by name; may be empty
	LockFile  string // bertopic.lock, enforced when it exists; may be empty

	// Examined is what Examine has found for this Spec; nil: Open does it itself.
	Examined *Examined

	Log      *slog.Logger          // nil: no log
	Progress func(done, total int) // rows; called now and then, from one goroutine at a time; may be nil
}

// What Spec.Isolate may be.
const (
	IsolateAuto    = "auto"    // by the best means that the system allows; a warning where there is none
	IsolateOff     = "off"     // nothing is done
	IsolateRequire = "require" // an error where there is no means
)

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
	if s.StartTimeout <= 0 {
		s.StartTimeout = maxStart
	}
	if s.Isolate == "" {
		s.Isolate = IsolateAuto
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
	if spec.Memory > 0 && !canLimitMemory {
		return fail(KindOptions, "limit its memory", fmt.Errorf("[embedder] memory is kept on Linux alone, not on %s: leave it out", runtime.GOOS))
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

// Examined is a program that has been found, is the one of the lock file where
// there is one, and has described itself.
type Examined struct {
	Description sdk.Description
	program     program
}

// Examine does the first part of Open: it finds the program, holds it against
// the lock file and only then runs it for its description. An error is an *Error.
func Examine(ctx context.Context, spec Spec) (*Examined, error) {
	spec = spec.withDefaults()
	plugin := spec.Plugin
	if isPath(plugin) && !filepath.IsAbs(plugin) && spec.BaseDir != "" {
		plugin = filepath.Join(spec.BaseDir, plugin)
	}
	path, err := Find(plugin, spec.Dirs)
	if err != nil {
		return nil, err
	}
	p, kind, err := openProgram(path, spec.LockFile)
	if err != nil {
		return nil, &Error{Kind: kind, Plugin: nameOf(path), Op: "check the program", Err: err}
	}
	d, err := describe(ctx, path, max(describeTimeout, spec.StartTimeout), spec.Isolate)
	if err != nil {
		return nil, err
	}
	return &Examined{d, p}, nil
}

// find takes the program that was examined, or examines it now.
func (e *Embedder) find(ctx context.Context) (err error) {
	x := e.spec.Examined
	if x == nil {
		if x, err = Examine(ctx, e.spec); err != nil {
			return err
		}
	}
	e.program, e.description = x.program, x.Description
	return nil
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

// Program returns the path of the program and its SHA-256 in hexadecimal, as Sum
// takes it.
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
// digits. Threads, workers, batch size and options that are mere tuning are not
// part of it.
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
	options := maps.Clone(e.options)
	for _, o := range e.description.Options {
		if o.Tuning {
			delete(options, o.Name)
		}
	}
	text, err := json.Marshal(struct { // map keys are sorted
		Format                 int
		Program, Name, Version string
		Options                map[string]json.RawMessage
		Model, ModelSHA256     string
		Seed                   uint64
		State                  string
	}{1, program, e.description.Name, e.description.Version, options, e.info.Model, e.info.ModelSHA256, e.spec.Seed, state})
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
		x.Err = p.withAttempts(err)
	}
	return x
}
