package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/bertopic-go/bertopic/sdk"
	pb "github.com/bertopic-go/bertopic/sdk/proto"
)

// connect serves a specimen with its lies in this process and configures it.
func connect(t *testing.T, options string) (pb.EmbedderClient, sdk.Info) {
	t.Helper()
	e := &specimen{name: "specimen", version: "0.1.0", sight: []sdk.Modality{sdk.Text}}
	s, err := sdk.NewServer(e)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer()
	pb.RegisterEmbedderServer(server, newLiar(s, e))
	go server.Serve(listener)
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); server.Stop() })
	c := pb.NewEmbedderClient(conn)
	r, err := c.Configure(t.Context(), &pb.ConfigureRequest{OptionsJson: []byte(options)})
	if err != nil {
		t.Fatal(err)
	}
	info, err := sdk.InfoFromProto(r.GetInfo())
	if err != nil {
		t.Fatal(err)
	}
	return c, info
}

// answers sends batches on one stream and returns what comes back until the
// stream's end.
func answers(ctx context.Context, c pb.EmbedderClient, batches ...[]string) ([]*pb.EmbedResponse, error) {
	stream, err := c.Embed(ctx)
	if err != nil {
		return nil, err
	}
	for i, texts := range batches {
		rows := make([]sdk.Row, len(texts))
		for j, s := range texts {
			rows[j] = sdk.Row{Text: s, HasText: true}
		}
		stream.Send(&pb.EmbedRequest{Sequence: uint64(i), Rows: sdk.RowsToProto(rows)})
	}
	stream.CloseSend()
	var all []*pb.EmbedResponse
	for {
		a, err := stream.Recv()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		if a.GetProgress() == nil {
			all = append(all, a)
		}
	}
}

// check holds one answer to what info promises.
func check(a *pb.EmbedResponse, n int, info sdk.Info) error {
	v, err := sdk.VectorsFromProto(a.GetVectors())
	if err != nil {
		return err
	}
	return v.Check(n, info)
}

var batch = []string{"the cat", "a dog", "", "some birds"}

// Each fault shows in row 1, and the other batches are right.
func TestLies(t *testing.T) {
	for fault, want := range map[string]string{
		"short":           "3 rows for a batch of 4",
		"long":            "5 rows for a batch of 4",
		"dimension":       "9 columns where the dimension is 8",
		"nan":             "row 1: value 0 is NaN",
		"inf":             "row 1: value 0 is +Inf",
		"norm":            "row 1 has the norm 2",
		"zeros":           "row 1 is all zeros",
		"vector-without":  "row 1 has a vector",
		"negative":        "row 1 has a negative value",
		"sparse-order":    "row 1: column",
		"sparse-pointer":  "row 1: row pointers",
		"sparse-column":   "row 1: column 8 of 8",
		"truncated-bytes": "125 bytes in a matrix of 4 x 8",
		"no-matrix":       "an answer without a matrix",
		"status-row":      "a status of row 4",
		"status-unknown":  "row 1 has the unknown status 99",
		"failed":          "",
	} {
		t.Run(fault, func(t *testing.T) {
			c, info := connect(t, fmt.Sprintf(`{"fault": %q, "at": 5}`, fault))
			got, err := answers(t.Context(), c, batch, batch, batch)
			if err != nil || len(got) != 3 {
				t.Fatalf("got %d answers, %v", len(got), err)
			}
			for i, a := range got {
				err := check(a, len(batch), info)
				switch {
				case a.GetSequence() != uint64(i):
					t.Errorf("answer %d is to batch %d", i, a.GetSequence())
				case i != 1 || want == "":
					if err != nil {
						t.Errorf("batch %d: %v", i, err)
					}
				case err == nil || !strings.Contains(err.Error(), want):
					t.Errorf("batch %d: got error %v, want %q in it", i, err, want)
				}
			}
		})
	}
}

func TestRightAnswers(t *testing.T) {
	for _, fault := range []string{"none", "noise", "long-line", "wide", "slow", "sparse", "drift"} {
		t.Run(fault, func(t *testing.T) {
			c, info := connect(t, fmt.Sprintf(`{"fault": %q}`, fault))
			got, err := answers(t.Context(), c, batch, batch)
			if err != nil || len(got) != 2 {
				t.Fatalf("got %d answers, %v", len(got), err)
			}
			for i, a := range got {
				if err := check(a, len(batch), info); err != nil {
					t.Errorf("batch %d: %v", i, err)
				}
			}
		})
	}
}

func TestStreamLies(t *testing.T) {
	sequences := func(all []*pb.EmbedResponse) (s []uint64) {
		for _, a := range all {
			s = append(s, a.GetSequence())
		}
		return s
	}
	for fault, want := range map[string][]uint64{
		"sequence": {1, 1, 2},
		"twice":    {0, 0, 1, 2},
		"ends":     nil,
		"reversed": {1, 0, 2},
	} {
		c, _ := connect(t, fmt.Sprintf(`{"fault": %q}`, fault))
		got, err := answers(t.Context(), c, batch, batch, batch)
		if err != nil || !slices.Equal(sequences(got), want) {
			t.Errorf("%s: got answers to %v, %v, want %v", fault, sequences(got), err, want)
		}
	}
}

func TestFailures(t *testing.T) {
	for options, want := range map[string]codes.Code{
		`{"fault": "panic", "poison": "dog"}`:      codes.Internal,
		`{"fault": "error", "at": 3}`:              codes.Unknown,
		`{"fault": "error", "at": 4}`:              codes.OK,
		`{"fault": "error", "poison": "elephant"}`: codes.OK,
		`{"fault": "oom", "limit": 3}`:             codes.ResourceExhausted,
		`{"fault": "oom"}`:                         codes.OK,
		`{"fault": "unavailable"}`:                 codes.Unavailable,
		`{"fault": "hang", "poison": "cat"}`:       codes.DeadlineExceeded,
		`{"fault": "sleep"}`:                       codes.DeadlineExceeded,
		`{"fault": "busy"}`:                        codes.DeadlineExceeded,
		`{"fault": "dense"}`:                       codes.Internal,
		`{"fault": "fit"}`:                         codes.FailedPrecondition,
		`{"fault": "none"}`:                        codes.OK,
	} {
		c, _ := connect(t, options)
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		_, err := answers(ctx, c, batch)
		cancel()
		if status.Code(err) != want {
			t.Errorf("%s: got error %v, want code %v", options, err, want)
		}
	}
}

func TestUnavailableComesBack(t *testing.T) {
	c, _ := connect(t, `{"fault": "unavailable", "at": 1}`)
	var got []codes.Code
	for range 3 {
		_, err := answers(t.Context(), c, batch)
		got = append(got, status.Code(err))
	}
	if want := []codes.Code{codes.Unavailable, codes.Unavailable, codes.OK}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestFit(t *testing.T) {
	c, _ := connect(t, `{"fault": "fit"}`)
	fit, err := c.Fit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	fit.Send(&pb.FitRequest{Rows: sdk.RowsToProto([]sdk.Row{{Text: "a", HasText: true}})})
	r, err := fit.CloseAndRecv()
	if err != nil || r.GetInfo().GetDimension() != dimension {
		t.Fatalf("got %v, %v", r, err)
	}
	got, err := answers(t.Context(), c, []string{"a"}) // byte 97, one row seen: column 2
	if err != nil {
		t.Fatal(err)
	}
	v, err := sdk.VectorsFromProto(got[0].GetVectors())
	if err != nil || v.Dense.Data[2] != 1 {
		t.Errorf("got %v, %v", v.Dense, err)
	}
}

func TestConfigureLies(t *testing.T) {
	e := &specimen{name: "specimen", version: "0.1.0", sight: []sdk.Modality{sdk.Text}}
	s, err := sdk.NewServer(e)
	if err != nil {
		t.Fatal(err)
	}
	l := newLiar(s, e)
	for fault, want := range map[string]string{"no-dimension": "no dimension", "bad-metric": "metric 99"} {
		r, err := l.Configure(t.Context(), &pb.ConfigureRequest{OptionsJson: fmt.Appendf(nil, `{"fault": %q}`, fault)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sdk.InfoFromProto(r.GetInfo()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want %q in it", fault, err, want)
		}
	}
	r, err := l.Configure(t.Context(), &pb.ConfigureRequest{OptionsJson: []byte(`{"fault": "refuse"}`)})
	if err != nil || r.GetInfo() != nil || len(r.GetDiagnostics()) != 2 {
		t.Errorf("refuse: got %v, %v", r, err)
	}
	_, err = l.Configure(t.Context(), &pb.ConfigureRequest{OptionsJson: []byte(`{"fault": "configure-error"}`)})
	if status.Code(err) != codes.InvalidArgument {
		t.Errorf("configure-error: got error %v", err)
	}
}

// README.md and the program name the same faults.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		if !strings.HasPrefix(m[1], "bertopic-") {
			named = append(named, m[1])
		}
	}
	slices.Sort(named)
	if want := slices.Sorted(slices.Values(faults)); !slices.Equal(named, want) {
		t.Errorf("README.md names %q\nthe program %q", named, want)
	}
}

// build makes the program once, for the tests that need a process.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "specimen")
	if err != nil {
		return "", err
	}
	built = dir
	path := filepath.Join(dir, "bertopic-embedder-specimen")
	if out, err := exec.Command("go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		return dir, fmt.Errorf("build: %w\n%s", err, out)
	}
	return dir, nil
})

var built string // its folder, or empty

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(built)
	os.Exit(code)
}

// process starts the program under go-plugin's client.
func process(t *testing.T) (*plugin.Client, *plugin.GRPCClient) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the signals and links of these tests are not to be had on Windows")
	}
	dir, err := build()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(dir, "bertopic-embedder-specimen"))
	cmd.Env = []string{"TMPDIR=" + dir}
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: sdk.Handshake, VersionedPlugins: sdk.ClientPlugins(), AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		SkipHostEnv: true, Cmd: cmd, Logger: hclog.NewNullLogger(),
	})
	t.Cleanup(client.Kill)
	rpc, err := client.Client()
	if err != nil {
		t.Fatal(err)
	}
	return client, rpc.(*plugin.GRPCClient)
}

// The faults that end or stop the process.
func TestProcess(t *testing.T) {
	start := func(t *testing.T, fault string) (*plugin.Client, pb.EmbedderClient, *plugin.GRPCClient) {
		client, rpc := process(t)
		c := pb.NewEmbedderClient(rpc.Conn)
		if _, err := c.Configure(t.Context(), &pb.ConfigureRequest{OptionsJson: fmt.Appendf(nil, `{"fault": %q}`, fault)}); err != nil {
			t.Fatal(err)
		}
		return client, c, rpc
	}
	ended := func(t *testing.T, client *plugin.Client, err error) {
		t.Helper()
		if status.Code(err) != codes.Unavailable {
			t.Errorf("got error %v", err)
		}
		for end := time.Now().Add(2 * time.Second); !client.Exited(); time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatal("the process lives")
			}
		}
	}
	for _, fault := range []string{"crash", "kill"} {
		t.Run(fault, func(t *testing.T) {
			client, c, _ := start(t, fault)
			_, err := answers(t.Context(), c, batch)
			ended(t, client, err)
		})
	}
	t.Run("fit-crash", func(t *testing.T) {
		client, c, _ := start(t, "fit-crash")
		fit, err := c.Fit(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		fit.Send(&pb.FitRequest{Rows: []*pb.Row{{Text: &batch[0]}}})
		_, err = fit.CloseAndRecv()
		ended(t, client, err)
	})
	for _, fault := range []string{"noise", "long-line", "flood"} {
		t.Run(fault, func(t *testing.T) {
			_, c, _ := start(t, fault)
			if got, err := answers(t.Context(), c, batch, batch, batch); err != nil || len(got) != 3 {
				t.Errorf("got %d answers, %v", len(got), err)
			}
		})
	}
	t.Run("freeze", func(t *testing.T) {
		client, c, rpc := start(t, "freeze")
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_, err := answers(ctx, c, batch)
		if status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("got error %v", err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		_, err = grpc_health_v1.NewHealthClient(rpc.Conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: plugin.GRPCServiceName})
		if status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("health: got error %v", err)
		}
		// Kill asks for a shutdown first, without a limit, and so waits for
		// ever for a process that is stopped.
		p, err := os.FindProcess(client.ReattachConfig().Pid)
		if err == nil {
			err = p.Kill()
		}
		if err != nil {
			t.Fatal(err)
		}
	})
	t.Run("state-lost", func(t *testing.T) {
		_, c, _ := start(t, "state-lost")
		load, err := c.LoadState(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		load.Send(&pb.StateChunk{Data: make([]byte, 8)})
		if _, err := load.CloseAndRecv(); status.Code(err) != codes.Unknown {
			t.Errorf("got error %v", err)
		}
	})
	t.Run("configure-hang", func(t *testing.T) {
		_, c, _ := start(t, "none")
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		_, err := c.Configure(ctx, &pb.ConfigureRequest{OptionsJson: []byte(`{"fault": "configure-hang"}`)})
		if status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("got error %v", err)
		}
	})
}

// The faults of the start, by the program's file name.
func TestStart(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the signals and links of these tests are not to be had on Windows")
	}
	programs, err := build()
	if err != nil {
		t.Fatal(err)
	}
	dir, program := t.TempDir(), filepath.Join(programs, "bertopic-embedder-specimen")
	cookie := sdk.Handshake.MagicCookieKey + "=" + sdk.Handshake.MagicCookieValue
	first := func(fault string, args ...string) string {
		link := filepath.Join(dir, "bertopic-embedder-"+fault)
		os.Symlink(program, link)
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		cmd := exec.CommandContext(ctx, link, args...)
		cmd.Env = []string{cookie, "TMPDIR=" + dir, "PLUGIN_UNIX_SOCKET_DIR=" + dir}
		out, _ := cmd.Output()
		line, _, _ := strings.Cut(string(out), "\n")
		return line
	}
	for fault, want := range map[string]string{
		"specimen":               `^1\|1\|unix\|.*\|grpc\|$`,
		"specimen-stdout-noise":  `^loading the model`,
		"specimen-wrong-version": `^1\|7\|unix\|.*\|grpc\|$`,
		"specimen-dies-at-start": `^$`,
		"specimen-silent":        `^$`,
		"specimen-closed-port":   `^1\|1\|unix\|.*no-such-socket\|grpc\|$`,
	} {
		if got := first(fault); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s: the first line is %q, want %s", fault, got, want)
		}
		if got := first(fault, "--describe"); got != "{" {
			t.Errorf("%s --describe: the first line is %q", fault, got)
		}
	}
	if got := first("specimen-bad-describe", "--describe"); !strings.HasPrefix(got, "specimen 0.1.0") {
		t.Errorf("bad-describe: got %q", got)
	}
}
