package sdk

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/bertopic-go/bertopic/sdk/proto"
)

const (
	// maxRequest is the largest message that a program receives. The host's
	// requests stay under 16 MiB but for a single row that is larger.
	maxRequest = 64 << 20
	// firstCall is how long a program waits for the host that started it.
	firstCall = 2 * time.Minute
)

// parent is read early, so that a host which dies during the start is noticed.
var parent = os.Getppid()

// Serve runs an embedder as a program of its own and returns when the host has
// no more need of it. It is what main calls, first thing. It looks at the
// program's arguments: --describe prints the description as JSON, --debug serves
// without a host and prints how one may attach. Where it can't serve, it says
// why on standard error and ends the process with exit code 1.
func Serve(e Embedder) {
	ServeWith(e, func(s proto.EmbedderServer) proto.EmbedderServer { return s })
}

// ServeWith is Serve with something of the caller's between the wire and the
// embedder: wrap gets the server that speaks the protocol for e and returns the
// one to serve. It is for programs that misbehave on purpose, to test a host.
func ServeWith(e Embedder, wrap func(proto.EmbedderServer) proto.EmbedderServer) {
	if code := run(e, wrap, os.Args[1:]); code != 0 {
		os.Exit(code)
	}
}

func run(e Embedder, wrap func(proto.EmbedderServer) proto.EmbedderServer, args []string) int {
	stderr := os.Stderr
	stdout, err := divertStdout()
	if err != nil {
		fmt.Fprintln(stderr, "divert standard output:", err)
		return 1
	}
	s, err := newServer(e)
	if err != nil {
		fmt.Fprintln(stderr, "this embedder program can't be used:", err)
		return 1
	}
	slog.SetDefault(newLogger(stderr, s.description.Name))

	hosted := os.Getenv(Handshake.MagicCookieKey) == Handshake.MagicCookieValue
	switch {
	case len(args) == 1 && (args[0] == "--describe" || args[0] == "-describe"):
		err = s.printDescription(stdout)
	case len(args) == 1 && (args[0] == "--debug" || args[0] == "-debug"):
		err = s.debug(wrap(s), stdout, stderr)
	case len(args) == 0 && hosted:
		s.serve(wrap(s), stdout, stderr)
	case len(args) == 1 && (args[0] == "--help" || args[0] == "-h"):
		s.usage(stdout)
	default:
		s.usage(stderr)
		return 1
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

func (s *server) usage(w io.Writer) {
	d := s.description
	fmt.Fprintf(w, `%s %s: %s

This is an embedder program of bertopic, which starts it by itself. Name it in
bertopic.toml, or put it in one of the plugin folders and write

    [embedder]
    plugin = %q

By hand it takes one of:
    --describe    print what it is and its options, as JSON
    --debug       serve until interrupted, and print how bertopic may attach
`, d.Name, d.Version, d.Summary, d.Name)
}

func (s *server) printDescription(w io.Writer) error {
	d := s.description
	if d.Options == nil {
		d.Options = []Option{}
	}
	if d.Env == nil {
		d.Env = []string{}
	}
	text, err := json.MarshalIndent(struct {
		Protocols []int `json:"protocols"`
		Description
	}{[]int{ProtocolVersion}, d}, "", "  ")
	if err != nil {
		return fmt.Errorf("print the description: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s\n", text)
	return err
}

// serve hands the process to go-plugin until the host ends it.
func (s *server) serve(wire proto.EmbedderServer, stdout, stderr *os.File) {
	stop := watchParent(parent, func() {
		slog.Error("the host is gone")
		s.close()
		os.Exit(1)
	})
	defer stop()
	impatience := time.AfterFunc(firstCall, func() {
		slog.Error("no host has called", "within", firstCall.String())
		s.close()
		os.Exit(1)
	})
	var once sync.Once
	called := func() {
		once.Do(func() {
			impatience.Stop()
			// go-plugin has put pipes here that end in the host's hands. Its
			// way for a program's log is standard error.
			os.Stdout, os.Stderr = stderr, stderr
		})
	}
	os.Stdout = stdout // for the handshake
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  Handshake,
		VersionedPlugins: serverPlugins(wire),
		GRPCServer:       func(opts []grpc.ServerOption) *grpc.Server { return newGRPCServer(opts, called) },
		Logger:           newPluginLogger(stderr, s.description.Name),
	})
	impatience.Stop()
	os.Stdout, os.Stderr = stderr, stderr
	s.close()
}

func serverPlugins(s proto.EmbedderServer) map[int]plugin.PluginSet {
	return map[int]plugin.PluginSet{ProtocolVersion: {PluginName: &grpcPlugin{server: s}}}
}

// debug serves a host that attaches, until interrupted.
func (s *server) debug(wire proto.EmbedderServer, stdout, stderr *os.File) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	attach := make(chan *plugin.ReattachConfig, 1)
	closed := make(chan struct{})
	go plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  Handshake,
		VersionedPlugins: serverPlugins(wire),
		GRPCServer:       func(opts []grpc.ServerOption) *grpc.Server { return newGRPCServer(opts, func() {}) },
		Logger:           newPluginLogger(stderr, s.description.Name),
		Test:             &plugin.ServeTestConfig{Context: ctx, ReattachConfigCh: attach, CloseCh: closed},
	})
	select {
	case c := <-attach:
		p := reattach{Protocol: string(c.Protocol), ProtocolVersion: c.ProtocolVersion, Pid: c.Pid}
		p.Addr.Network, p.Addr.String = c.Addr.Network(), c.Addr.String()
		text, err := json.Marshal(map[string]reattach{s.description.Name: p})
		if err != nil {
			return fmt.Errorf("print how to attach: %w", err)
		}
		fmt.Fprintf(stderr, "Serving until interrupted. Set this variable where bertopic runs:\n")
		fmt.Fprintf(stdout, "%s='%s'\n", ReattachEnv, text)
		<-closed
	case <-closed:
		return fmt.Errorf("serve: no socket could be opened in %s", os.TempDir())
	}
	s.close()
	return nil
}

// newGRPCServer is go-plugin's server with a larger receive limit, panics turned
// into errors, and a word to called at each call.
func newGRPCServer(opts []grpc.ServerOption, called func()) *grpc.Server {
	return grpc.NewServer(append(opts,
		grpc.MaxRecvMsgSize(maxRequest),
		grpc.UnaryInterceptor(func(ctx context.Context, r any, _ *grpc.UnaryServerInfo, h grpc.UnaryHandler) (answer any, err error) {
			called()
			err = protect(func() error { answer, err = h(ctx, r); return err })
			return answer, err
		}),
		grpc.StreamInterceptor(func(s any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, h grpc.StreamHandler) error {
			called()
			return protect(func() error { return h(s, stream) })
		}),
	)...)
}
