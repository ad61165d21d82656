package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-plugin/runner"

	"github.com/bertopic-go/bertopic/internal/isolate"
	"github.com/bertopic-go/bertopic/internal/size"
)

// drain is how long the pipes of a dead process are read for what is left in
// them, where something else still holds them open.
const drain = 300 * time.Millisecond

// memoryTick is how often the memory of a process is looked at, where it has a
// limit.
const memoryTick = 50 * time.Millisecond

// handshake is the line that go-plugin waits for: core protocol, version of the
// application's protocol, network, address, "grpc", certificate.
var handshake = regexp.MustCompile(`1\|\d+\|(unix|tcp)\|[^|]+(\|.*)?$`)

// child runs one process of an embedder program for go-plugin. Where go-plugin's
// own runner would take the host's standard input, die of a stray line on
// standard output or wait for ever for a grandchild that holds a pipe, this one
// does not.
type child struct {
	confinement
	path string
	env  []string
	out  *output
	tls  bool // a certificate was asked for

	wall  atomic.Pointer[isolate.Process] // nil: never started
	tried atomic.Int64                    // to reach the network, up to leave

	handshake string // the line, once greeted is closed; empty where none came
	greeted   chan struct{}
	noise     atomic.Bool   // something else was on standard output before the handshake
	ended     chan struct{} // closed when the process has ended
	exited    chan struct{} // closed when its output has been read, too
	state     string        // how it ended, once exited is closed
	killed    atomic.Bool   // by Kill
	excess    atomic.Int64  // memory in use when the limit was passed; 0: it never was
	process   atomic.Pointer[os.Process]

	attached bool // it is not ours
	letGo    sync.Once

	reader *io.PipeReader // what go-plugin reads
	writer *io.PipeWriter
}

var _ runner.Runner = (*child)(nil)

// newAttached stands for a process that somebody else runs, under a debugger
// say. To kill it is to let go of it.
func newAttached(out *output) *child {
	c := &child{out: out, attached: true, greeted: make(chan struct{}), ended: make(chan struct{}), exited: make(chan struct{})}
	c.reader, c.writer = io.Pipe()
	c.state = "it is gone"
	return c
}

// confinement says what is kept from a process.
type confinement struct {
	isolate string // of Spec
	network bool   // the description says that it opens connections
	memory  int64  // of Spec
}

func newChild(path string, env []string, out *output, tls bool, bounds confinement) *child {
	c := &child{
		path: path, env: env, out: out, tls: tls, confinement: bounds,
		greeted: make(chan struct{}), ended: make(chan struct{}), exited: make(chan struct{}),
	}
	c.reader, c.writer = io.Pipe()
	return c
}

// startConfined starts a command from a thread of its own, which the calling
// goroutine is locked to and ends with.
func (c confinement) startConfined(newCommand func() *exec.Cmd) (*isolate.Process, error) {
	if c.isolate == IsolateOff {
		return isolate.Plain(newCommand())
	}
	weakest := isolate.None
	if c.isolate == IsolateRequire && !c.network {
		weakest = isolate.Filter
	}
	p, err := isolate.Start(newCommand, c.network, weakest)
	var unable *isolate.Unable
	if errors.As(err, &unable) {
		return nil, &Error{Kind: KindUnsafe, Err: fmt.Errorf("it declares no network and can't be kept from it here, which [plugins] isolate = \"require\" demands: %w", err)}
	}
	return p, err
}

// Start starts the process and the goroutines that read what it writes. These
// end with the process.
func (c *child) Start(context.Context) (err error) {
	var files []*os.File // closed if the start fails
	defer func() {
		if err != nil {
			for _, f := range files {
				_ = f.Close()
			}
			_ = c.writer.Close()
			c.state = "it was never started"
			close(c.greeted)
			close(c.exited)
		}
	}()
	stdout, stdoutEnd, err := os.Pipe()
	if err != nil {
		return err
	}
	files = append(files, stdout, stdoutEnd)
	stderr, stderrEnd, err := os.Pipe()
	if err != nil {
		return err
	}
	files = append(files, stderr, stderrEnd)
	started := make(chan error)
	go func() {
		// Linux kills the child when the thread that started it ends, not the
		// process: this thread has to stay until the child is gone. It ends with
		// this goroutine, since what confines the child may stay with it.
		runtime.LockOSThread()
		wall, err := c.startConfined(func() *exec.Cmd {
			cmd := exec.Command(c.path)
			cmd.Env, cmd.Stdout, cmd.Stderr = c.env, stdoutEnd, stderrEnd
			setAttributes(cmd)
			return cmd
		})
		if err != nil {
			started <- err
			return
		}
		cmd := wall.Cmd
		c.wall.Store(wall)
		c.process.Store(cmd.Process)
		if c.killed.Load() { // meanwhile
			_ = c.Kill(context.Background())
		}
		started <- nil
		_ = stdoutEnd.Close()
		_ = stderrEnd.Close()
		var readers sync.WaitGroup
		readers.Go(func() { c.readStdout(stdout) })
		readers.Go(func() { c.out.stderr(stderr) })
		readers.Go(c.watchMemory)
		_ = cmd.Wait()
		killGroup(cmd.Process)
		close(c.ended)
		timer := time.AfterFunc(drain, func() { _ = stdout.Close(); _ = stderr.Close() })
		readers.Wait()
		timer.Stop()
		_ = stdout.Close()
		_ = stderr.Close()
		c.out.end()
		c.state = describeState(cmd.ProcessState)
		if n := c.excess.Load(); n > 0 {
			c.state = fmt.Sprintf("stopped by the host: it used %s, over [embedder] memory = %s", size.Rough(n), size.Exact(c.memory))
		}
		close(c.exited)
	}()
	return <-started
}

// readStdout finds the handshake and hands it to go-plugin; all else goes to the
// log, so that a native library's greeting does no harm.
func (c *child) readStdout(r io.Reader) {
	found := false
	eachLine(r, func(line []byte) {
		if !found {
			if at := handshake.FindIndex(line); at != nil {
				found = true
				if at[0] > 0 {
					c.noise.Store(true)
					c.out.stray(line[:at[0]])
				}
				c.handshake = string(line[at[0]:])
				if parts := strings.Split(c.handshake, "|"); !c.tls && len(parts) > 5 {
					// go-plugin dereferences nil at a certificate it has not asked for.
					c.handshake = strings.Join(parts[:5], "|")
				}
				close(c.greeted)
				_, _ = io.WriteString(c.writer, c.handshake+"\n")
				return
			}
			c.noise.Store(true)
		}
		c.out.stray(line)
	})
	if !found {
		close(c.greeted)
	}
	_ = c.writer.Close()
}

// watchMemory ends the process when it and those that it started use more memory
// than they may. It returns when the process has ended.
func (c *child) watchMemory() {
	p := c.process.Load()
	preferToEnd(p.Pid)
	if c.memory <= 0 {
		return
	}
	tick := time.NewTicker(memoryTick)
	defer tick.Stop()
	m := memory{pid: p.Pid}
	for {
		select {
		case <-c.ended:
			return
		case <-tick.C:
		}
		if n := m.used(); n > c.memory {
			c.excess.Store(n)
			_ = c.Kill(context.Background())
			return
		}
	}
}

// attempts returns how often the process has tried to reach the network, as far
// as it is known.
func (c *child) attempts() int {
	w := c.wall.Load()
	if w == nil {
		return 0
	}
	n, _ := w.Attempts()
	return max(n, int(c.tried.Load()))
}

// leave lets go of what is held of a process that is gone.
func (c *child) leave() {
	c.tried.Store(int64(c.attempts()))
	if w := c.wall.Load(); w != nil {
		w.Close()
	}
}

// greeting is the handshake, or empty where there has been none yet.
func (c *child) greeting() string {
	select {
	case <-c.greeted:
		return c.handshake
	default:
		return ""
	}
}

// offersTLS reports whether the handshake holds a certificate.
func (c *child) offersTLS() bool {
	parts := strings.Split(c.greeting(), "|")
	return len(parts) >= 6 && len(parts[5]) > 50
}

// address is the network and the address in the handshake.
func (c *child) address() (network, address string) {
	parts := strings.Split(c.greeting(), "|")
	if len(parts) < 4 {
		return "", ""
	}
	return parts[2], parts[3]
}

// Wait waits for the end of the process.
func (c *child) Wait(context.Context) error {
	<-c.exited
	return nil
}

// Kill ends the process and what it has started, at once.
func (c *child) Kill(context.Context) error {
	if c.attached {
		c.letGo.Do(func() { close(c.exited) })
		return nil
	}
	select {
	case <-c.exited:
		return nil
	default:
	}
	c.killed.Store(true)
	p := c.process.Load()
	if p == nil {
		return nil // Start looks at killed
	}
	killGroup(p)
	if err := p.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill the process %d: %w", p.Pid, err)
	}
	return nil
}

// Stdout is what go-plugin may see of standard output: the handshake.
func (c *child) Stdout() io.ReadCloser { return c.reader }

// Stderr is empty: the child itself reads standard error.
func (c *child) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Name returns the path of the program.
func (c *child) Name() string { return c.path }

// ID returns the number of the process.
func (c *child) ID() string {
	p := c.process.Load()
	if p == nil {
		return ""
	}
	return strconv.Itoa(p.Pid)
}

// Diagnose has nothing to add.
func (c *child) Diagnose(context.Context) string { return "" }

// PluginToHost returns what it is given: both sides see the same sockets.
func (c *child) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

// HostToPlugin returns what it is given.
func (c *child) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}
