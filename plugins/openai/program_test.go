package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/bertopic-go/bertopic/conformance"
	"github.com/bertopic-go/bertopic/host"
	"github.com/bertopic-go/bertopic/internal/remote/remotetest"
	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/sdktest"
)

// programs is a folder for this program and bertopic.
var programs string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "openai-")
	if err != nil {
		panic(err)
	}
	programs = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// build builds the programs, once.
var build = sync.OnceValue(func() error {
	return remotetest.Build(programs, map[string]string{"bertopic-embedder-openai": ".", "bertopic": "../../cmd/bertopic"})
})

// built returns the folder of the programs.
func built(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds programs and starts processes")
	}
	if err := build(); err != nil {
		t.Fatal(err)
	}
	return programs
}

func TestConformance(t *testing.T) {
	dir := built(t)
	s := remotetest.Start(t, remotetest.Config{})
	var options map[string]any
	if _, err := toml.DecodeFile("testdata/conformance.toml", &options); err != nil {
		t.Fatal(err)
	}
	options["base_url"] = s.URL + "/v1"
	report := conformance.Test(t, conformance.Config{Program: "openai", Dirs: []string{dir}, Options: options})
	if report != nil && !report.Conforms {
		t.Errorf("it does not conform")
	}
}

// A run that is interrupted and gone on with pays for no finished row twice, and
// the key is in nothing that it leaves.
func TestInterruptedRun(t *testing.T) {
	for _, invariant := range []bool{true, false} {
		t.Run(fmt.Sprintf("batch_invariant = %v", invariant), func(t *testing.T) { interrupt(t, invariant) })
	}
}

func interrupt(t *testing.T, invariant bool) {
	t.Setenv("OPENAI_API_KEY", secret)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := remotetest.Start(t, remotetest.Config{Key: secret, Faults: []remotetest.Fault{
		func(_ *remotetest.Server, _ http.ResponseWriter, r *remotetest.Request) bool {
			if r.Number == 9 {
				cancel()
			}
			return false
		},
	}})
	dir, store, log := built(t), t.TempDir(), &logged{}
	texts := numbered(400)
	rows := sdktest.Texts(texts...)
	open := func(concurrency int) *host.Embedder {
		e, err := host.Open(t.Context(), host.Spec{
			Plugin: "openai", Dirs: []string{dir}, BatchSize: 20,
			Options: quick(s.URL, map[string]any{"concurrency": concurrency, "batch_invariant": invariant}),
			Log:     slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		})
		if err != nil {
			t.Fatal(err)
		}
		err = e.Fit(t.Context(), func(yield func(sdk.Row, error) bool) {
			for _, r := range rows {
				if !yield(r, nil) {
					return
				}
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	paid := func() (n int) {
		for _, text := range texts {
			n += s.Answered(text)
		}
		return n
	}

	e := open(2)
	kept, err := host.OpenStore(store)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.Embed(ctx, rows, kept); !errors.Is(err, context.Canceled) {
		t.Fatalf("the interrupted call ends with %v", err)
	}
	if pid := regexp.MustCompile(`pid=(\d+)`).FindStringSubmatch(log.String()); pid != nil && runtime.GOOS == "linux" {
		if line, err := os.ReadFile("/proc/" + pid[1] + "/cmdline"); err == nil && bytes.Contains(line, []byte(secret)) {
			t.Errorf("the key is an argument: %q", line)
		}
	}
	e.Close()
	finished := kept.Len()
	if finished < 40 || finished == 400 {
		t.Fatalf("%d rows are kept of an interrupted run", finished)
	}
	if err := kept.Close(); err != nil {
		t.Fatal(err)
	}

	before := paid()
	e = open(3) // more or less at a time changes no vector
	if kept, err = host.OpenStore(store); err != nil {
		t.Fatal(err)
	}
	r, err := e.Embed(t.Context(), rows, kept)
	if err != nil {
		t.Fatal(err)
	}
	if n := paid() - before; r.Reused != finished || n != 400-finished {
		t.Errorf("%d rows of 400 were kept, %d reused and %d asked for afterwards", finished, r.Reused, n)
	}
	e.Close()
	if err := kept.Close(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"about to be sent, as estimated", "sent, as the server counts"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%q is not in the log:\n%s", want, log)
		}
	}
	if strings.Contains(log.String(), secret) {
		t.Error("the key is in the log")
	}
	remotetest.WantNoKey(t, store, secret)
}

// The example works as it stands, but for the corpus and the address.
func TestExample(t *testing.T) {
	remotetest.Example{Programs: built(t), Config: "../../examples/openai.toml", Path: "/v1", Env: "OPENAI_API_KEY", Key: secret}.Run(t)
}
