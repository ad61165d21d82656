package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"strings"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/bertopic-go/bertopic/internal/isolate"
	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/proto"
)

const (
	maxStart  = 60 * time.Second // until the handshake; a model is loaded after it
	stopGrace = 2 * time.Second  // for a clean end, then SIGKILL
	pingLimit = 5 * time.Second
)

// process is a running process of an embedder program, connected.
type process struct {
	conn    *grpc.ClientConn // nil: not connected yet
	api     proto.EmbedderClient
	health  grpc_health_v1.HealthClient
	client  *plugin.Client
	started bool // go-plugin took the handshake
	child   *child
	out     *output
}

// launch says how processes are started.
type launch struct {
	attach    *plugin.ReattachConfig // not nil: the process runs already
	path      string
	env       []string
	socketDir string
	bounds    confinement
	timeout   time.Duration // until the handshake
	log       *slog.Logger
}

// errNoTLS: the program does not do mutual TLS as go-plugin has it.
var errNoTLS = errors.New("it does not take part in mutual TLS")

// startProcess starts a process, connects to it and sees that it answers. With
// tls, the error is errNoTLS where only that stands in the way. An *Error has
// neither name nor operation yet.
func startProcess(ctx context.Context, l launch, tls bool) (*process, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	out := newOutput(l.log)
	if l.attach != nil {
		return attachProcess(ctx, l, out)
	}
	var c *child
	unhook := func() bool { return true }
	start, stop := context.WithTimeout(ctx, l.timeout)
	defer stop()
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  sdk.Handshake,
		VersionedPlugins: sdk.ClientPlugins(),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, _ string) (runner.Runner, error) {
			c = newChild(l.path, append(l.env[:len(l.env):len(l.env)], cmd.Env...), out, tls, l.bounds)
			unhook = context.AfterFunc(start, func() { _ = c.Kill(context.Background()) })
			return c, nil
		},
		UnixSocketConfig: &plugin.UnixSocketConfig{TempDir: l.socketDir},
		StartTimeout:     l.timeout + time.Second, // ours comes first
		SkipHostEnv:      true,
		AutoMTLS:         tls,
		SyncStdout:       out,
		SyncStderr:       out,
		Logger:           hclog.NewNullLogger(),
	})
	p := &process{client: client, out: out}
	err := p.connect(start, &c, tls)
	if unhook() && err == nil {
		return p, nil
	}
	p.child = c
	p.stop(false)
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, errNoTLS):
		return nil, errNoTLS
	case start.Err() != nil:
		return nil, &Error{Kind: KindStart, Err: fmt.Errorf("no handshake within %v: raise embedder.start_timeout if it needs longer", l.timeout), Stderr: out.lines()}
	}
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{Kind: KindStart, Err: err}
	}
	if p.overMemory() {
		e.Kind = KindMemory
	}
	e.Err, e.Stderr = p.withAttempts(e.Err), out.lines()
	return nil, e
}

// overMemory reports whether the process was ended for using too much memory.
func (p *process) overMemory() bool { return p.child != nil && p.child.excess.Load() > 0 }

// withAttempts adds to an error what the process has tried besides, which may be
// its cause.
func (p *process) withAttempts(err error) error {
	if p.child == nil || err == nil {
		return err
	}
	if p.child.attempts() == 0 {
		return err
	}
	return fmt.Errorf("%w; %s", err, attempted)
}

// attempted is said of a program that has tried to reach the network in spite of
// its description.
const attempted = "it tried to reach the network, which its description does not declare, and was kept from it " +
	"(network = true in the description allows it, and so does [plugins] isolate = \"off\")"

func (p *process) connect(ctx context.Context, c **child, tls bool) error {
	_, err := p.client.Start()
	p.child = *c
	if err != nil {
		return p.explainStart(err)
	}
	p.started = true
	if tls && !p.child.offersTLS() {
		return errNoTLS
	}
	return p.dial(ctx, tls)
}

// attachProcess connects to a process that runs already.
func attachProcess(ctx context.Context, l launch, out *output) (*process, error) {
	p := &process{out: out, child: newAttached(out)}
	p.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  sdk.Handshake,
		Plugins:          sdk.ClientPlugins()[sdk.ProtocolVersion],
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		Reattach:         l.attach,
		SyncStdout:       out,
		SyncStderr:       out,
		Logger:           hclog.NewNullLogger(),
	})
	if v := l.attach.ProtocolVersion; v != sdk.ProtocolVersion {
		return nil, &Error{Kind: KindProtocol, Err: fmt.Errorf("it speaks protocol %d, this host speaks %d", v, sdk.ProtocolVersion)}
	}
	_, err := p.client.Start()
	if err == nil {
		err = p.dial(ctx, false)
	}
	if err != nil {
		p.stop(false)
		return nil, &Error{Kind: KindStart, Err: fmt.Errorf("attach as $%s says: %w", sdk.ReattachEnv, err)}
	}
	return p, nil
}

// dial connects to a process that has been started and sees that it answers.
func (p *process) dial(ctx context.Context, tls bool) error {
	protocol, err := p.client.Client()
	if err != nil {
		return &Error{Kind: KindProtocol, Err: fmt.Errorf("connect: %w", err)}
	}
	g, ok := protocol.(*plugin.GRPCClient)
	if !ok {
		return &Error{Kind: KindProtocol, Err: fmt.Errorf("it does not speak gRPC but %s", p.client.Protocol())}
	}
	p.conn = g.Conn
	p.health = grpc_health_v1.NewHealthClient(g.Conn)
	p.api = proto.NewEmbedderClient(g.Conn)
	if err := p.ping(ctx); err != nil {
		if p.gone(time.Second / 2) {
			return &Error{Kind: KindStart, Err: fmt.Errorf("it ended right after the handshake: %s", p.child.state)}
		}
		if tls {
			// It offers a certificate and then can't: grpc's C core, and so Python,
			// refuses the curve of go-plugin's, in words that vary.
			return errNoTLS
		}
		network, address := p.child.address()
		if w := p.child.wall.Load(); network == "tcp" && w != nil && w.Kind == isolate.Namespace && !p.child.network {
			return &Error{Kind: KindProtocol, Err: fmt.Errorf("it serves at %s, which can't be reached since it declares no network and is kept from it: a socket in $PLUGIN_UNIX_SOCKET_DIR can", address)}
		}
		return &Error{Kind: KindProtocol, Err: fmt.Errorf("it does not answer at the address of its handshake (%s %s): %s", network, address, status.Convert(err).Message())}
	}
	return nil
}

// explainStart says in our words why go-plugin could not start the program.
func (p *process) explainStart(err error) error {
	var e *Error
	switch {
	case errors.As(err, &e):
		return e
	case p.child == nil || p.child.process.Load() == nil:
		return &Error{Kind: KindStart, Err: err}
	case strings.Contains(err.Error(), "incompatible API version"):
		version, _, _ := strings.Cut(strings.TrimPrefix(p.child.greeting(), "1|"), "|")
		return &Error{Kind: KindProtocol, Err: fmt.Errorf("it speaks protocol %s, this host speaks %d: the older of the two needs an update", version, sdk.ProtocolVersion)}
	case p.child.greeting() != "":
		return &Error{Kind: KindProtocol, Err: fmt.Errorf("bad handshake %q: %w", p.child.greeting(), err)}
	case p.gone(time.Second / 2):
		return &Error{Kind: KindStart, Err: fmt.Errorf("it ended before its handshake: %s", p.child.state)}
	}
	return &Error{Kind: KindProtocol, Err: errors.New("it closed its standard output without a handshake: it is no embedder program")}
}

// ping asks whether the program serves. A program without the health service
// that says so is alive as well.
func (p *process) ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, pingLimit)
	defer cancel()
	r, err := p.health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: plugin.GRPCServiceName})
	switch status.Code(err) {
	case codes.OK:
		if s := r.GetStatus(); s != grpc_health_v1.HealthCheckResponse_SERVING {
			return status.Errorf(codes.Unavailable, "its health is %s", s)
		}
		return nil
	case codes.Unimplemented, codes.NotFound:
		return nil
	}
	return err
}

// gone reports whether the process ends within d.
func (p *process) gone(d time.Duration) bool {
	select {
	case <-p.child.exited:
		return true
	default:
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-p.child.exited:
		return true
	case <-t.C:
		return false
	}
}

// stop ends the process: with grace, it is asked first and given a little time.
// It returns when the process is gone.
func (p *process) stop(grace bool) {
	if p.child == nil {
		return
	}
	if p.child.attached {
		_ = p.child.Kill(context.Background())
		if p.conn != nil {
			_ = p.conn.Close()
		}
		return
	}
	kill := func() { _ = p.child.Kill(context.Background()) }
	if p.conn == nil && p.started {
		// go-plugin connects before it kills, and leaks the connection where the
		// process is dead by then.
		t := time.AfterFunc(stopGrace, kill)
		_, _ = p.client.Client()
		t.Stop()
	}
	if grace && p.conn != nil {
		p.askToEnd()
	}
	kill()
	<-p.child.exited
	p.client.Kill()
	_ = p.child.reader.Close()
	p.child.leave()
}

// askToEnd asks the process to end and waits a little. A program that does not
// know go-plugin's call is sent the signal that asks.
func (p *process) askToEnd() {
	ctx, cancel := context.WithTimeout(context.Background(), stopGrace)
	defer cancel()
	err := p.conn.Invoke(ctx, "/plugin.GRPCController/Shutdown", &emptypb.Empty{}, &emptypb.Empty{})
	switch status.Code(err) {
	case codes.OK, codes.Unavailable: // it may be gone before its answer is
		p.gone(stopGrace)
	case codes.Unimplemented:
		terminate(p.child.process.Load())
		p.gone(stopGrace)
	}
}
