package conformance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/bertopic-go/bertopic/host"
	"github.com/bertopic-go/bertopic/internal/isolate"
	"github.com/bertopic-go/bertopic/sdk"
	pb "github.com/bertopic-go/bertopic/sdk/proto"
)

// Config says which program to try and with what.
type Config struct {
	Program string         // a path, or NAME of bertopic-embedder-NAME
	Dirs    []string       // searched first for NAME
	Options map[string]any // as decoded from TOML or JSON
	// Sample are rows of the kind that the program is for; 32 or more are best.
	// Empty: sentences, or small pictures for a program that takes no text.
	Sample []sdk.Row

	BaseDir   string // relative paths in Options are relative to it; empty: the current folder
	CacheDir  string // for files that the program can make anew; may be empty
	ModelsDir string // where it looks for models by name; may be empty

	// StartTimeout is how long the handshake may take; 0: a minute, which is
	// what the host gives.
	StartTimeout time.Duration
	// Timeout is how long a call may be without answer and progress; 0: 5
	// minutes, which is what the host gives.
	Timeout time.Duration

	Progress func(Result) // called after each rule; may be nil

	// For tests of the rules.
	brief  bool // no measurement of speed, a short one of memory
	filter bool // no network namespaces, which take time; EMB-075 is not judged then
}

// Rules returns all rules in the order in which they are tried.
func Rules() []Rule {
	rules := make([]Rule, len(checks))
	for i, c := range checks {
		rules[i] = c.Rule
	}
	return rules
}

// check is a rule and the way to try it.
type check struct {
	Rule
	// needs are the rules that must have passed before, or this one can't be
	// judged.
	needs []string
	// try returns nil where the rule holds, a notApplicable, or what is wrong.
	// The text is for measurements.
	try func(context.Context, *suite) (string, error)
}

// notApplicable is why a rule says nothing of this program.
type notApplicable string

func (n notApplicable) Error() string { return string(n) }

// Run tries the program against all rules. The error is not about the program's
// promises: that it can't be found, or that ctx has ended. The processes that it
// starts are gone when it returns.
func Run(ctx context.Context, cfg Config) (*Report, error) {
	if cfg.StartTimeout <= 0 {
		cfg.StartTimeout = time.Minute
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 5 * time.Minute
	}
	path, err := host.Find(cfg.Program, cfg.Dirs)
	if err != nil {
		return nil, err
	}
	for _, dir := range []*string{&cfg.BaseDir, &cfg.CacheDir, &cfg.ModelsDir} {
		if *dir == "" && dir != &cfg.BaseDir {
			continue
		}
		if *dir, err = filepath.Abs(*dir); err != nil {
			return nil, err
		}
	}
	sum, err := host.Sum(path)
	if err != nil {
		return nil, &host.Error{Kind: host.KindUnsafe, Plugin: filepath.Base(path), Op: "check the program", Err: err}
	}
	sockets, err := os.MkdirTemp(shortTemp(), "btc-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the program's sockets: %w", err)
	}
	defer os.RemoveAll(sockets)
	s := &suite{cfg: cfg, path: path, sockets: sockets, outcome: map[string]Outcome{}}
	defer s.end()
	report := &Report{Program: path, SHA256: sum.SHA256, Protocol: sdk.ProtocolVersion, Conforms: true}
	for _, c := range checks {
		begin := time.Now()
		x := s.judge(ctx, c)
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if s.unfit != nil {
			return nil, s.unfit
		}
		x.Seconds = time.Since(begin).Seconds()
		s.outcome[c.ID] = x.Outcome
		if x.Outcome == Fail && c.Level == Must {
			report.Conforms = false
		}
		report.Results = append(report.Results, x)
		if cfg.Progress != nil {
			cfg.Progress(x)
		}
	}
	report.Name, report.Version, report.Stderr = s.description.Name, s.description.Version, s.tail
	if report.Name == "" {
		report.Name = filepath.Base(path)
	}
	return report, nil
}

// timed are rules on time. They are tried once more where they fail: the machine
// may have been busy with something else.
var timed = map[string]bool{"EMB-061": true, "EMB-072": true, "EMB-073": true, "EMB-074": true}

// judge tries one rule.
func (s *suite) judge(ctx context.Context, c check) Result {
	x := Result{Rule: c.Rule}
	for _, id := range c.needs {
		if s.outcome[id] != Pass {
			x.Outcome, x.Detail = Skip, "can't be judged without "+id
			return x
		}
	}
	var na notApplicable
	detail, err := c.try(ctx, s)
	if err != nil && timed[c.ID] && !errors.As(err, &na) && ctx.Err() == nil {
		s.stop(s.main) // which may still be at what it was given
		detail, err = c.try(ctx, s)
	}
	switch {
	case err == nil:
		x.Outcome, x.Detail = Pass, detail
	case errors.As(err, &na):
		x.Outcome, x.Detail = Skip, na.Error()
	default:
		x.Outcome, x.Detail = Fail, err.Error()
	}
	return x
}

// shortTemp is a folder for temporary files whose path leaves room for that of a
// socket.
func shortTemp() string {
	if dir := os.TempDir(); len(dir) <= 40 {
		return dir
	}
	return "/tmp"
}

// suite is what the rules share.
type suite struct {
	cfg         Config
	path        string
	sockets     string
	outcome     map[string]Outcome
	description sdk.Description
	tail        []string // the last lines of standard error of the last process that has ended
	processes   []*process

	main     *process // configured and fitted once the rules on that have passed
	promised *pb.Info
	info     sdk.Info
	sample   []sdk.Row
	unfit    error     // of the given sample
	probe    []*answer // to batches, in the order of their coming
	state    []byte

	attempts int  // of ended processes to reach the network
	unseen   bool // of some it can't be known
}

// start starts one more process.
func (s *suite) start(ctx context.Context) (*process, error) {
	return s.startBy(ctx, s.path)
}

func (s *suite) startBy(ctx context.Context, command ...string) (*process, error) {
	return s.launch(ctx, nil, command...)
}

func (s *suite) launch(ctx context.Context, secure *identity, command ...string) (*process, error) {
	env := environment(s.description, s.sockets)
	if secure != nil {
		env = append(env, "PLUGIN_CLIENT_CERT="+secure.pem)
	}
	strongest := isolate.Namespace
	if s.cfg.filter {
		strongest = isolate.Filter
	}
	p, err := launch(ctx, env, s.description.Network, strongest, secure, s.cfg.StartTimeout, command...)
	if p != nil {
		s.processes = append(s.processes, p)
	}
	return p, err
}

// stop ends a process that is not needed any more.
func (s *suite) stop(p *process) {
	if !slices.Contains(s.processes, p) { // or it has been stopped
		return
	}
	p.kill()
	n, known := p.wall.Attempts()
	p.wall.Close()
	s.attempts += n
	s.unseen = s.unseen || !known
	if lines := p.lines(); len(lines) > 0 {
		s.tail = lines
	}
	s.processes = slices.DeleteFunc(s.processes, func(q *process) bool { return q == p })
}

func (s *suite) end() {
	for _, p := range slices.Clone(s.processes) {
		s.stop(p)
	}
}

// ready starts a process, configures it and fits it where that is needed.
func (s *suite) ready(ctx context.Context, threads uint32) (*process, error) {
	p, err := s.start(ctx)
	if err != nil {
		return nil, err
	}
	info, err := s.configure(ctx, p, s.cfg.Options, threads)
	if err == nil && info.NeedsFit {
		_, err = s.fit(ctx, p)
	}
	if err != nil {
		s.stop(p)
		return nil, err
	}
	return p, nil
}

// again sees that the shared process still lives and brings a new one if not.
func (s *suite) again(ctx context.Context) (*process, error) {
	if s.main != nil && !s.main.gone(0) {
		return s.main, nil
	}
	s.stop(s.main)
	var err error
	s.main, err = s.ready(ctx, 0)
	return s.main, err
}

// configure sends options and reads the promise.
func (s *suite) configure(ctx context.Context, p *process, options map[string]any, threads uint32) (sdk.Info, error) {
	r, err := s.configureRaw(ctx, p, options, threads)
	if err != nil {
		return sdk.Info{}, err
	}
	ds, err := sdk.DiagnosticsFromProto(r.GetDiagnostics())
	if err != nil {
		return sdk.Info{}, err
	}
	if ds.Refused() {
		return sdk.Info{}, &refusal{ds}
	}
	return sdk.InfoFromProto(r.GetInfo())
}

// refusal is a configuration that the program does not take.
type refusal struct{ ds sdk.Diagnostics }

func (r *refusal) Error() string {
	var texts []string
	for _, d := range r.ds {
		if d.Error {
			text := strings.TrimSuffix(d.Summary+": "+d.Detail, ": ")
			if d.Option != "" {
				text = fmt.Sprintf("option %q: %s", d.Option, text)
			}
			texts = append(texts, text)
		}
	}
	return "it refuses the options: " + strings.Join(texts, "; ")
}

func (s *suite) configureRaw(ctx context.Context, p *process, options map[string]any, threads uint32) (*pb.ConfigureResponse, error) {
	if options == nil {
		options = map[string]any{}
	}
	text, err := json.Marshal(options)
	if err != nil {
		return nil, fmt.Errorf("write the options as JSON: %w", err)
	}
	call, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	r, err := p.api.Configure(call, &pb.ConfigureRequest{
		OptionsJson: text, Seed: 42, Threads: threads,
		CacheDir: s.cfg.CacheDir, ModelsDir: s.cfg.ModelsDir, BaseDir: s.cfg.BaseDir,
	})
	return r, s.explain(p, err)
}

// fit shows the program the sample.
func (s *suite) fit(ctx context.Context, p *process) (sdk.Info, error) {
	call, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	stream, err := p.api.Fit(call)
	if err != nil {
		return sdk.Info{}, s.explain(p, err)
	}
	for part := range slices.Chunk(s.sample, 16) {
		if stream.Send(&pb.FitRequest{Rows: sdk.RowsToProto(part)}) != nil {
			break // CloseAndRecv has the reason
		}
	}
	r, err := stream.CloseAndRecv()
	if err != nil {
		return sdk.Info{}, s.explain(p, err)
	}
	ds, err := sdk.DiagnosticsFromProto(r.GetDiagnostics())
	if err != nil {
		return sdk.Info{}, err
	}
	if ds.Refused() {
		return sdk.Info{}, &refusal{ds}
	}
	return sdk.InfoFromProto(r.GetInfo())
}

// explain says of a call's error whether the program ended with it or the time
// was up.
func (s *suite) explain(p *process, err error) error {
	if err == nil {
		return nil
	}
	switch c := status.Code(err); {
	case c == codes.DeadlineExceeded || c == codes.Canceled:
		return &callError{c, fmt.Errorf("no answer and no progress for %v", s.cfg.Timeout)}
	case c == codes.Unavailable && p.gone(500*time.Millisecond):
		return &callError{c, fmt.Errorf("the program ended: %s", p.state)}
	default:
		return &callError{c, fmt.Errorf("%v: %s", c, status.Convert(err).Message())}
	}
}

// callError keeps the code of a call's error.
type callError struct {
	code codes.Code
	err  error
}

func (e *callError) Error() string { return e.err.Error() }

// code is that of a call's error, OK for nil.
func code(err error) codes.Code {
	var e *callError
	switch {
	case err == nil:
		return codes.OK
	case errors.As(err, &e):
		return e.code
	}
	return codes.Unknown
}

// ask sends batches on one stream, two in flight as the host does, and returns
// the answers in the order of their coming. Batch i has the sequence i+1. The
// error is what ended the stream, if it did not end in good order.
func (s *suite) ask(ctx context.Context, p *process, words bool, batches ...[]sdk.Row) ([]*answer, error) {
	call, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := p.api.Embed(call)
	if err != nil {
		return nil, s.explain(p, err)
	}
	flying := make(chan struct{}, 2)
	sent := make(chan struct{})
	defer func() { cancel(); <-sent }()
	go func() {
		defer close(sent)
		for i, rows := range batches {
			select {
			case flying <- struct{}{}:
			case <-call.Done():
				return
			}
			if stream.Send(&pb.EmbedRequest{Sequence: uint64(i + 1), Rows: sdk.RowsToProto(rows), Words: words}) != nil {
				return // Recv has the reason
			}
		}
		_ = stream.CloseSend()
	}()
	late := time.AfterFunc(s.cfg.Timeout, cancel)
	defer late.Stop()
	var answers []*answer
	var progress uint32
	for {
		r, err := stream.Recv()
		if err == io.EOF {
			return answers, nil
		}
		if err != nil {
			return answers, s.explain(p, err)
		}
		if done := r.GetProgress().GetRowsDone(); r.GetProgress() != nil {
			if done > progress {
				late.Reset(s.cfg.Timeout)
				progress = done
			}
			continue
		}
		late.Reset(s.cfg.Timeout)
		progress = 0
		answers = append(answers, readAnswer(r, s.info))
		select {
		case <-flying:
		default:
		}
	}
}

// embed sends one batch and returns its answer, which is well-formed and has a
// row for each.
func (s *suite) embed(ctx context.Context, p *process, rows []sdk.Row) (*answer, error) {
	answers, err := s.ask(ctx, p, false, rows)
	switch {
	case err != nil:
		return nil, err
	case len(answers) != 1:
		return nil, fmt.Errorf("%d answers to one batch", len(answers))
	case answers[0].form != nil:
		return nil, answers[0].form
	case answers[0].rows != len(rows):
		return nil, fmt.Errorf("%d rows for a batch of %d", answers[0].rows, len(rows))
	}
	return answers[0], nil
}
