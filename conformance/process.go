package conformance

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/bertopic-go/bertopic/host"
	"github.com/bertopic-go/bertopic/internal/isolate"
	"github.com/bertopic-go/bertopic/sdk"
	pb "github.com/bertopic-go/bertopic/sdk/proto"
)

const (
	firstAnswer = 10 * time.Second // after the handshake
	stopGrace   = 2 * time.Second  // for a clean end: what the host gives
	tailLines   = 20
	tailLength  = 500
	tailBytes   = 8 << 10
)

// greeting is the handshake: go-plugin's protocol, ours, network, address,
// "grpc", certificate.
var greeting = regexp.MustCompile(`1\|(\d+)\|(unix|tcp)\|([^|]+)\|grpc(\|.*)?$`)

// process is a running process of the program. It is started without mutual TLS,
// but for the rule on that, so that what crosses the wire is the same for every
// language.
type process struct {
	cmd  *exec.Cmd
	wall *isolate.Process
	conn *grpc.ClientConn
	api  pb.EmbedderClient

	secure  *identity     // the host's, where mutual TLS is offered
	parts   []string      // of the handshake, once it is there
	noise   []string      // on standard output before the handshake; read after greeted
	greeted chan []string // the parts of the handshake; closed without where there was none
	exited  chan struct{} // the process has ended
	drained chan struct{} // nobody holds its standard output any more
	state   string        // how it ended; read after exited
	code    int           // exit code; likewise
	stray   atomic.Int64  // bytes on standard output after the handshake
	stderr  atomic.Int64  // bytes on standard error

	mu   sync.Mutex
	tail []byte // the end of standard error
}

// launch starts a command and waits for its handshake. The error says what was
// wrong with the start. The caller stops the process, which is not nil once it
// has run.
//
// As under the host, a program without network is kept from it.
func launch(ctx context.Context, env []string, network bool, strongest isolate.Kind, secure *identity, limit time.Duration, command ...string) (*process, error) {
	p := &process{secure: secure, greeted: make(chan []string, 1), exited: make(chan struct{}), drained: make(chan struct{})}
	outR, outW, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	errR, errW, err := os.Pipe()
	if err != nil {
		_, _ = outR.Close(), outW.Close()
		return nil, err
	}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // what confines the process may stay with the thread
		var err error
		p.wall, err = isolate.StartWithin(func() *exec.Cmd {
			cmd := exec.Command(command[0], command[1:]...)
			cmd.Env, cmd.Stdout, cmd.Stderr = env, outW, errW
			ownGroup(cmd)
			return cmd
		}, network, strongest, isolate.None)
		started <- err
	}()
	err = <-started
	_, _ = outW.Close(), errW.Close()
	if err != nil {
		_, _ = outR.Close(), errR.Close()
		return nil, err
	}
	p.cmd = p.wall.Cmd
	go func() { p.readStdout(outR); _ = outR.Close(); close(p.drained) }()
	go func() { p.readStderr(errR); _ = errR.Close() }()
	go func() {
		_ = p.cmd.Wait()
		p.state, p.code = p.cmd.ProcessState.String(), p.cmd.ProcessState.ExitCode()
		close(p.exited)
	}()
	return p, p.connect(ctx, limit)
}

// connect waits for the handshake and sees that the program answers.
func (p *process) connect(ctx context.Context, limit time.Duration) error {
	if err := p.greet(ctx, limit); err != nil {
		return err
	}
	if p.secure != nil && p.certificate() == "" {
		return nil // it takes no part in it
	}
	conn, err := p.dial(p.secure)
	if err != nil {
		return err
	}
	p.conn, p.api = conn, pb.NewEmbedderClient(conn)
	if err := p.answers(ctx, p.api); err != nil {
		return fmt.Errorf("it does not answer Describe at the address of its handshake, %s %s: %w", p.parts[2], p.parts[3], err)
	}
	return nil
}

// greet waits for the handshake.
func (p *process) greet(ctx context.Context, limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case p.parts = <-p.greeted:
	case <-timer.C:
		return fmt.Errorf("no handshake on standard output within %v", limit)
	case <-ctx.Done():
		return ctx.Err()
	}
	if p.parts == nil {
		if p.gone(time.Second) {
			return fmt.Errorf("it ended before its handshake: %s", p.state)
		}
		return errors.New("it closed its standard output without a handshake")
	}
	if p.parts[1] != fmt.Sprint(sdk.ProtocolVersion) {
		return fmt.Errorf("its handshake says protocol %s, though the host speaks %d alone", p.parts[1], sdk.ProtocolVersion)
	}
	return nil
}

// certificate is the sixth part of the handshake.
func (p *process) certificate() string {
	if len(p.parts) < 6 {
		return ""
	}
	return p.parts[5]
}

// dial connects to the address of the handshake: in plain text, or as identity
// has it.
func (p *process) dial(identity *identity) (*grpc.ClientConn, error) {
	target := "passthrough:///" + p.parts[3]
	if p.parts[2] == "unix" {
		target = "unix:" + p.parts[3]
	}
	how := insecure.NewCredentials()
	if identity != nil {
		config, err := identity.config(p.certificate())
		if err != nil {
			return nil, err
		}
		how = credentials.NewTLS(config)
	}
	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(how), grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)))
	if err != nil {
		return nil, fmt.Errorf("the address of its handshake, %s %s: %w", p.parts[2], p.parts[3], err)
	}
	return conn, nil
}

// answers sees that there is an answer to Describe.
func (p *process) answers(ctx context.Context, api pb.EmbedderClient) error {
	ctx, cancel := context.WithTimeout(ctx, firstAnswer)
	defer cancel()
	_, err := api.Describe(ctx, &pb.DescribeRequest{})
	return err
}

func (p *process) readStdout(r io.Reader) {
	defer close(p.greeted)
	b := bufio.NewReaderSize(r, 64<<10)
	found := false
	for {
		line, err := b.ReadSlice('\n')
		line = bytes.TrimRight(line, "\r\n")
		if m := greeting.FindSubmatchIndex(line); m != nil && !found {
			found = true
			if m[0] > 0 {
				p.noise = append(p.noise, shorten(string(line[:m[0]])))
			}
			p.greeted <- strings.Split(string(line[m[0]:]), "|")
		} else if found {
			p.stray.Add(int64(len(line)))
		} else if len(line) > 0 && len(p.noise) < tailLines {
			p.noise = append(p.noise, shorten(string(line)))
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}

func (p *process) readStderr(r io.Reader) {
	b := make([]byte, 64<<10)
	for {
		n, err := r.Read(b)
		p.stderr.Add(int64(n))
		p.mu.Lock()
		p.tail = append(p.tail, b[max(0, n-tailBytes):n]...)
		p.tail = slices.Delete(p.tail, 0, max(0, len(p.tail)-tailBytes))
		p.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// lines are the last ones of its standard error.
func (p *process) lines() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var lines []string
	for line := range bytes.Lines(p.tail) {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			lines = append(lines, shorten(string(line)))
		}
	}
	return lines[max(0, len(lines)-tailLines):]
}

func shorten(s string) string {
	if len(s) > tailLength {
		s = s[:tailLength] + "..."
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// gone reports whether the process ends within d.
func (p *process) gone(d time.Duration) bool { return within(p.exited, d) }

func within(c <-chan struct{}, d time.Duration) bool {
	select {
	case <-c:
		return true
	default:
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-c:
		return true
	case <-t.C:
		return false
	}
}

// shutdown asks the process to end. It reports an error where the program does
// not know the call.
func (p *process) shutdown(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopGrace)
	defer cancel()
	err := p.conn.Invoke(ctx, "/plugin.GRPCController/Shutdown", &emptypb.Empty{}, &emptypb.Empty{})
	if status.Code(err) == codes.Unavailable { // it may be gone before its answer is
		return nil
	}
	return err
}

// kill ends the process and all that it has started, at once.
func (p *process) kill() {
	if p == nil {
		return
	}
	if p.conn != nil {
		_ = p.conn.Close()
	}
	killGroup(p.cmd)
	<-p.exited
	killGroup(p.cmd) // what it left behind
}

// environment is the host's for a program: an allow-list, the cookie and the
// folder for the socket.
func environment(d sdk.Description, sockets string) []string {
	env := host.Environment(os.Environ(), d)
	return append(env, sdk.Handshake.MagicCookieKey+"="+sdk.Handshake.MagicCookieValue,
		fmt.Sprintf("PLUGIN_PROTOCOL_VERSIONS=%d", sdk.ProtocolVersion), "PLUGIN_UNIX_SOCKET_DIR="+sockets)
}
