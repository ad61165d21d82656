package sdk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc/codes"

	"github.com/bertopic-go/bertopic/sdk/proto"
)

// The tests of Serve start this test binary again as the program or as the host.
const roleEnv = "BERTOPIC_SDK_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleEnv) {
	case "":
		os.Exit(m.Run())
	case "embedder":
		Serve(&program{})
	case "broken":
		Serve(&fake{modes: []Modality{"smell"}})
	case "host":
		hostUntilKilled()
	}
}

// program is an embedder that does as the text of its first row says.
type program struct{ fake }

var fd1 = os.NewFile(1, "fd1")

func (p *program) Describe() Description {
	fmt.Println("a print in Describe")
	fmt.Fprintln(fd1, "a library's line")
	return Description{Name: "test", Version: "0.1.0", Summary: "a test's own", Modalities: []Modality{Text}, Options: everyType.Options}
}

func (p *program) Embed(ctx context.Context, rows []Row) (Vectors, error) {
	switch rows[0].Text {
	case "noise":
		for range 20 {
			fmt.Fprintln(fd1, strings.Repeat("x", 100_000))
		}
		fmt.Println("a print in Embed")
		fmt.Fprintln(os.Stderr, "a line on stderr")
		slog.Info("a record", "rows", len(rows))
		slog.Debug("a detail")
	case "stdin":
		n, err := os.Stdin.Read(make([]byte, 1))
		if n != 0 || err != io.EOF {
			return Vectors{}, fmt.Errorf("read %d bytes of standard input: %v", n, err)
		}
	case "panic":
		panic("oh")
	case "hang":
		select {}
	case "large":
		// 2 rows of 8 MiB.
		d := &Dense{Rows: len(rows), Columns: 2, Data: make([]float32, 2*len(rows))}
		for i := range rows {
			d.Data[2*i] = 1
			d.Data[2*i+1] = float32(len(rows[i].Text))
		}
		return Vectors{Dense: d}, nil
	}
	return lengths(rows), nil
}

func (p *program) Close() error {
	slog.Info("closed in good order")
	return nil
}

var _ Closer = (*program)(nil)

// command is this test binary in another role.
func command(t testing.TB, role string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = []string{roleEnv + "=" + role, "TMPDIR=" + os.TempDir(), "PATH=" + os.Getenv("PATH"),
		"GORACE=atexit_sleep_ms=0", // or a program under the race detector takes a second to end
	}
	if cover := os.Getenv("GOCOVERDIR"); cover != "" {
		cmd.Env = append(cmd.Env, "GOCOVERDIR="+cover)
	}
	return cmd
}

// journal collects a log for a test to look into.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// wait waits until text is there.
func (j *journal) wait(t *testing.T, text string) {
	t.Helper()
	for end := time.Now().Add(5 * time.Second); !strings.Contains(j.String(), text); {
		if time.Now().After(end) {
			log := j.String()
			t.Fatalf("no %q in the log:\n%s", text, log[:min(len(log), 4000)])
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// start runs the program under go-plugin's client.
func start(t *testing.T, change func(*plugin.ClientConfig)) (*plugin.Client, proto.EmbedderClient, *journal) {
	t.Helper()
	log := &journal{}
	config := &plugin.ClientConfig{
		HandshakeConfig:  Handshake,
		VersionedPlugins: ClientPlugins(),
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		SkipHostEnv:      true,
		Logger:           hclog.New(&hclog.LoggerOptions{Output: log, Level: hclog.Trace}),
	}
	change(config)
	client := plugin.NewClient(config)
	t.Cleanup(client.Kill)
	rpc, err := client.Client()
	if err != nil {
		t.Fatalf("start: %v\n%s", err, log)
	}
	if err := rpc.Ping(); err != nil {
		t.Fatal(err)
	}
	raw, err := rpc.Dispense(PluginName)
	if err != nil {
		t.Fatal(err)
	}
	return client, raw.(proto.EmbedderClient), log
}

func TestProcess(t *testing.T) {
	for _, mutualTLS := range []bool{false, true} {
		t.Run(fmt.Sprintf("mutual TLS %v", mutualTLS), func(t *testing.T) {
			client, c, log := start(t, func(config *plugin.ClientConfig) {
				config.Cmd, config.AutoMTLS = command(t, "embedder"), mutualTLS
			})
			configure(t, c)
			say := func(rows ...string) (Vectors, error) {
				v, _, err := embed(t.Context(), c, &proto.EmbedRequest{Rows: texts(rows...)})
				return v, err
			}
			if v, err := say("noise", "b"); err != nil || !slices.Equal(v.Dense.Data, []float32{1, 5, 1, 1}) {
				t.Errorf("with noise: %v, %v", v.Dense, err)
			}
			for _, text := range []string{
				"a print in Describe", "a library's line", "a print in Embed", "a line on stderr", "[INFO]", "a record: rows=2", strings.Repeat("x", 60_000),
			} {
				log.wait(t, text)
			}
			if strings.Contains(log.String(), "a detail") {
				t.Error("a debug record at level info")
			}
			_, err := say("panic")
			wantStatus(t, err, codes.Internal, "panic: oh")
			log.wait(t, "goroutine")
			if _, err := say("stdin"); err != nil {
				t.Error(err)
			}
			// Beyond grpc's own limit of 4 MiB, and beyond ours.
			if v, err := say("large", strings.Repeat("y", 12<<20)); err != nil || v.Dense.Data[3] != 12<<20 {
				t.Errorf("12 MiB: %v", err)
			}
			_, err = say("large", strings.Repeat("y", 65<<20))
			wantStatus(t, err, codes.ResourceExhausted, "larger than max")
			if _, err := say("a"); err != nil {
				t.Errorf("after a request that was too large: %v", err)
			}

			begin := time.Now()
			client.Kill()
			if took := time.Since(begin); took > time.Second {
				t.Errorf("the end took %v", took)
			}
			log.wait(t, "closed in good order")
		})
	}
}

// Kill ends a program whose Embed heeds nothing, and still lets it close.
func TestProcessEndsWhileHanging(t *testing.T) {
	client, c, log := start(t, func(config *plugin.ClientConfig) { config.Cmd = command(t, "embedder") })
	configure(t, c)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, _, err := embed(ctx, c, &proto.EmbedRequest{Rows: texts("hang")})
	wantStatus(t, err, codes.DeadlineExceeded, "")
	// Other calls go on.
	if _, _, err := embed(t.Context(), c, &proto.EmbedRequest{Rows: texts("a")}); err != nil {
		t.Error(err)
	}
	begin := time.Now()
	client.Kill()
	if took := time.Since(begin); took > 1900*time.Millisecond {
		t.Errorf("the end took %v", took)
	}
	log.wait(t, "closed in good order")
}

func TestLogLevel(t *testing.T) {
	_, c, log := start(t, func(config *plugin.ClientConfig) {
		config.Cmd = command(t, "embedder")
		config.Cmd.Env = append(config.Cmd.Env, "BERTOPIC_LOG_PLUGIN_TEST=debug")
	})
	configure(t, c)
	if _, _, err := embed(t.Context(), c, &proto.EmbedRequest{Rows: texts("noise")}); err != nil {
		t.Fatal(err)
	}
	log.wait(t, "a detail")
}

func TestWrongVersion(t *testing.T) {
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  Handshake,
		VersionedPlugins: map[int]plugin.PluginSet{7: ClientPlugins()[1]},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		SkipHostEnv:      true, Cmd: command(t, "embedder"), Logger: hclog.NewNullLogger(),
	})
	defer client.Kill()
	if _, err := client.Start(); err == nil || !strings.Contains(err.Error(), "Plugin version: 1") {
		t.Errorf("got error %v", err)
	}
}

func TestFlags(t *testing.T) {
	run := func(role string, env []string, args ...string) (stdout, stderr string, code int) {
		cmd := command(t, role, args...)
		cmd.Env = append(cmd.Env, env...)
		var out, log bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &log
		err := cmd.Run()
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			code = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		return out.String(), log.String(), code
	}
	cookie := []string{Handshake.MagicCookieKey + "=" + Handshake.MagicCookieValue}

	for name, env := range map[string][]string{"by hand": nil, "under a host": cookie} {
		out, log, code := run("embedder", env, "--describe")
		var got struct {
			Protocols []int
			Description
		}
		if err := json.Unmarshal([]byte(out), &got); err != nil || code != 0 {
			t.Fatalf("describe %s: code %d, %v:\n%s", name, code, err, out)
		}
		if got.Name != "test" || len(got.Options) != len(everyType.Options) || !slices.Equal(got.Protocols, []int{1}) {
			t.Errorf("describe %s: got %+v", name, got)
		}
		if !strings.Contains(log, "a print in Describe\na library's line\n") {
			t.Errorf("describe %s: stderr is %q", name, log)
		}
	}
	for _, c := range []struct {
		role   string
		env    []string
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{"embedder", nil, nil, 1, "", `plugin = "test"`},
		{"embedder", nil, []string{"--nonsense"}, 1, "", "--describe"},
		{"embedder", cookie, []string{"--nonsense"}, 1, "", "--describe"},
		{"embedder", nil, []string{"--help"}, 0, "--debug", ""},
		{"broken", cookie, nil, 1, "", `this embedder program can't be used: describe: modality "smell" is neither`},
	} {
		out, log, code := run(c.role, c.env, c.args...)
		if code != c.code || !strings.Contains(out, c.stdout) || c.stdout == "" && out != "" || !strings.Contains(log, c.stderr) {
			t.Errorf("%s %v: got code %d, stdout %q, stderr %q", c.role, c.args, code, out, log)
		}
	}
}

func TestDebug(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no interrupt can be sent to a process on Windows")
	}
	cmd := command(t, "embedder", "--debug")
	out := &journal{}
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	out.wait(t, "}'\n")
	text, ok := strings.CutPrefix(strings.TrimSpace(out.String()), ReattachEnv+"='")
	if !ok {
		t.Fatalf("got %q", out)
	}
	t.Setenv(ReattachEnv, strings.TrimSuffix(text, "'"))
	programs, err := Reattach()
	if err != nil || programs["test"] == nil {
		t.Fatalf("got %v, %v", programs, err)
	}
	client, c, _ := start(t, func(config *plugin.ClientConfig) {
		config.Reattach, config.SkipHostEnv = programs["test"], false
		config.Plugins = ClientPlugins()[programs["test"].ProtocolVersion]
	})
	configure(t, c)
	if _, _, err := embed(t.Context(), c, &proto.EmbedRequest{Rows: texts("a")}); err != nil {
		t.Error(err)
	}
	client.Kill() // only lets go
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after the interrupt: %v", err)
	}
}

func TestReattach(t *testing.T) {
	t.Setenv(ReattachEnv, "")
	if got, err := Reattach(); got != nil || err != nil {
		t.Errorf("unset: got %v, %v", got, err)
	}
	for text, want := range map[string]string{
		"x": "read " + ReattachEnv,
		`{"a": {"Addr": {"Network": "pigeon", "String": "x"}}}`:      `network "pigeon" is neither`,
		`{"a": {"Addr": {"Network": "tcp", "String": "127.0.0.1"}}}`: "missing port",
	} {
		t.Setenv(ReattachEnv, text)
		if _, err := Reattach(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want %q in it", text, err, want)
		}
	}
}

// hostUntilKilled starts a program, prints its process id and waits for the end.
func hostUntilKilled() {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	cmd := exec.Command(self)
	cmd.Env = []string{roleEnv + "=embedder", "TMPDIR=" + os.TempDir()}
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: Handshake, VersionedPlugins: ClientPlugins(), AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		SkipHostEnv: true, Cmd: cmd, Logger: hclog.NewNullLogger(), SyncStderr: os.Stderr,
	})
	if _, err := client.Client(); err != nil {
		panic(err)
	}
	fmt.Println(client.ReattachConfig().Pid)
	select {}
}

// A program ends soon after its host was killed.
func TestOrphan(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no signal 0 on Windows")
	}
	cmd := command(t, "host")
	cmd.Env = append(cmd.Env, "TMPDIR="+filepath.Clean(t.TempDir())) // the socket stays behind
	out := &journal{}
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out.wait(t, "\n")
	var pid int
	if _, err := fmt.Sscan(out.String(), &pid); err != nil {
		t.Fatal(err)
	}
	p, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Signal(syscall.Signal(0)); err != nil {
		t.Fatalf("the program is not there: %v", err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	begin := time.Now()
	for alive(pid) {
		if time.Since(begin) > 2*time.Second {
			p.Kill()
			t.Fatal("the program outlives its host by 2 s")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// alive reports whether a process runs. One that nobody has waited for yet does
// not.
func alive(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil || p.Signal(syscall.Signal(0)) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return runtime.GOOS != "linux"
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}
