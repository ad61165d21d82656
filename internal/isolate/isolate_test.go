//go:build linux

package isolate

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// asChild makes the test binary a process that tries what it may not.
const asChild = "BERTOPIC_TEST_ISOLATED"

func TestMain(m *testing.M) {
	if os.Getenv(asChild) != "" {
		try()
		return
	}
	os.Exit(m.Run())
}

// try tells what comes of some attempts, a line each.
func try() {
	say := func(what string, err error) { fmt.Println(what+":", err) }
	dial := func(network, address string) error {
		c, err := net.DialTimeout(network, address, time.Second)
		if err == nil {
			c.Close()
		}
		return err
	}
	say("unix", dial("unix", os.Getenv("SOCKET")))
	say("here", dial("tcp", os.Getenv("ADDRESS")))
	say("away", dial("tcp", "192.0.2.1:80")) // a net for documentation
	_, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", os.Getppid()))
	say("environment", err)
	say("file", os.WriteFile(os.Getenv("FILE"), nil, 0o600))
	fmt.Println("parent:", os.Getppid())
	fmt.Println("user:", os.Getuid(), os.Getgid())
}

func TestKinds(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	u, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer u.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, kind := range []Kind{Namespace, Filter, None} {
		for _, network := range []bool{false, true} {
			t.Run(fmt.Sprintf("%v,network=%v", kind, network), func(t *testing.T) {
				file := filepath.Join(dir, strings.ReplaceAll(filepath.Base(t.Name()), "=", ""))
				var out bytes.Buffer
				p := run(t, kind, network, &out, "SOCKET="+socket, "ADDRESS="+l.Addr().String(), "FILE="+file)
				if p.Kind != kind {
					t.Skip("the system does not allow it:", p.Why)
				}
				said := map[string]string{}
				for line := range strings.Lines(out.String()) {
					k, v, _ := strings.Cut(strings.TrimSpace(line), ": ")
					said[k] = v
				}
				free := network || kind == None
				// Past Landlock, CAP_PERFMON still reads memory.
				hidden := kind == Namespace || kind == Filter && os.Getuid() != 0
				if said["unix"] != "<nil>" || (said["here"] == "<nil>") != free || hidden && said["environment"] == "<nil>" {
					t.Errorf("%s", &out)
				}
				if said["parent"] != fmt.Sprint(os.Getpid()) || said["user"] != fmt.Sprint(os.Getuid(), os.Getgid()) {
					t.Errorf("%s", &out)
				}
				st, err := os.Stat(file)
				if err != nil || int(st.Sys().(*syscall.Stat_t).Uid) != os.Getuid() {
					t.Errorf("%+v %v", st, err)
				}
				n, known := p.Attempts()
				if known != (kind == Namespace && !network) || known && n < 2 {
					t.Errorf("%d attempts, %v", n, known)
				}
			})
		}
	}
}

// run starts this binary as a child of a kind and waits for it.
func run(t *testing.T, kind Kind, network bool, out *bytes.Buffer, env ...string) *Process {
	t.Helper()
	type result struct {
		p   *Process
		err error
	}
	started := make(chan result)
	go func() {
		runtime.LockOSThread()
		p, err := start(func() *exec.Cmd {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(env, asChild+"=1")
			cmd.Stdout, cmd.Stderr = out, out
			return cmd
		}, network, kind, None)
		if err == nil {
			err = p.Cmd.Wait()
		}
		started <- result{p, err}
	}()
	r := <-started
	if r.err != nil {
		t.Fatal(r.err)
	}
	t.Cleanup(r.p.Close)
	return r.p
}

// The filter has stayed with its thread.
func TestThisProcessIsFree(t *testing.T) {
	var out bytes.Buffer
	run(t, Filter, false, &out, "FILE="+filepath.Join(t.TempDir(), "f"))
	for range 20 {
		done := make(chan error)
		go func() {
			runtime.LockOSThread()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err == nil {
				l.Close()
			}
			done <- err
		}()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

// A program that can't be run is no matter of isolation.
func TestNoProgram(t *testing.T) {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		_, err := start(func() *exec.Cmd { return exec.Command(filepath.Join(t.TempDir(), "none")) }, false, Namespace, None)
		done <- err
	}()
	if err := <-done; !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestUnroutable(t *testing.T) {
	for text, want := range map[string]int{
		"Ip: Forwarding OutNoRoutes ReasmTimeout\nIp: 2 4 0\nTcp: A B\nTcp: 1 1\n": 4,
		"Ip6InReceives \t0\nIp6OutNoRoutes                  \t7\n":                 7,
		"":               0,
		"Ip: A\nIp: 3\n": 0,
	} {
		if n := unroutable(text); n != want {
			t.Errorf("%q: %d, not %d", text, n, want)
		}
	}
}

func BenchmarkStart(b *testing.B) {
	for _, kind := range []Kind{None, Filter, Namespace} {
		b.Run(kind.String(), func(b *testing.B) {
			for range b.N {
				done := make(chan error)
				go func() {
					runtime.LockOSThread()
					p, err := start(func() *exec.Cmd { return exec.Command("/bin/true") }, false, kind, None)
					if err == nil {
						err = p.Cmd.Wait()
						p.Close()
					}
					done <- err
				}()
				if err := <-done; err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
