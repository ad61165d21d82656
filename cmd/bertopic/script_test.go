package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bertopic-go/bertopic/internal/isolate"
	"github.com/bertopic-go/bertopic/internal/rng"
	"github.com/bertopic-go/bertopic/internal/run"
)

// programs holds the embedder programs that the scripts use.
var programs string

func TestMain(m *testing.M) {
	testscript.Main(withPrograms{m}, map[string]func(){
		"bertopic": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			os.Exit(runMain(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
		},
	})
}

// withPrograms builds the embedder programs before the tests and removes them
// after.
type withPrograms struct{ m *testing.M }

func (w withPrograms) Run() int {
	dir, err := os.MkdirTemp("", "bertopic-programs-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	for name, pkg := range map[string]string{
		"bertopic-embedder-tfidf":    "../../plugins/tfidf",
		"bertopic-embedder-specimen": "../../conformance/specimens",
		"bertopic-embedder-hashing":  "../../examples/embedder-go",
		"bertopic-embedder-colours":  "./testdata/colours",
	} {
		cmd := exec.Command("go", "build", "-o", filepath.Join(dir, name), pkg)
		if out, err := cmd.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", pkg, err, out)
			return 1
		}
	}
	programs = dir
	return w.m.Run()
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("BERTOPIC_PLUGIN_PATH", programs)
			env.Setenv("PROGRAMS", programs)
			env.Setenv("XDG_CACHE_HOME", filepath.Join(env.WorkDir, ".cache"))
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "namespaces" {
				return namespaces()
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"corpus": corpusCommand,
			"mixed":  mixedCommand,
			"rename": renameCommand,
			"code":   codeCommand,
			"lines":  linesCommand,
			"topics": topicsCommand,
			"repeat": repeatCommand,
			"hub":    hubCommand,

			"append":       appendCommand,
			"line":         lineCommand,
			"interrupt":    interruptCommand,
			"embeddedonce": embeddedOnceCommand,
		},
	})
}

// corpusCommand, "corpus FILE ROWS", writes a JSON lines corpus of five themes.
func corpusCommand(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	themes := []string{
		"orbit rocket launch planet crater moon comet telescope lander probe",
		"flour oven butter dough yeast crust sugar knead bake pastry",
		"violin chord rhythm melody tempo concert sonata flute orchestra cello",
		"harbour anchor sail tide deck mast rudder captain keel voyage",
		"pawn bishop knight castle rook queen checkmate gambit opening endgame",
	}
	var b bytes.Buffer
	for i := range n {
		words := strings.Fields(themes[i%len(themes)])
		text := make([]string, 12)
		for j := range text {
			text[j] = words[rng.Below(rng.Hash3(11, uint64(i), uint64(j), 0), len(words))]
		}
		row, _ := json.Marshal(map[string]string{
			"id": fmt.Sprintf("doc-%03d", i), "class": strconv.Itoa(i % len(themes)), "text": strings.Join(text, " "),
		})
		b.Write(append(row, '\n'))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b.Bytes(), 0o644))
}

// codeCommand, "code N COMMAND...", runs a command that must end with exit
// code N; its output is what stdout and stderr look at.
func codeCommand(ts *testscript.TestScript, neg bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if err != nil {
		exit, ok := err.(*exec.ExitError)
		if !ok {
			ts.Fatalf("%v", err)
		}
		code = exit.ExitCode()
	}
	if got := strconv.Itoa(code); got != args[0] {
		ts.Fatalf("exit code %s, want %s\n%s%s", got, args[0], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// linesCommand, "lines FILE N", counts lines.
func linesCommand(ts *testscript.TestScript, neg bool, args []string) {
	text := ts.ReadFile(args[0])
	if got := strconv.Itoa(strings.Count(text, "\n")); got != args[1] {
		ts.Fatalf("%s has %s lines, want %s", args[0], got, args[1])
	}
}

// topicsCommand, "topics FILE N", wants a documents.csv with N topics.
func topicsCommand(ts *testscript.TestScript, neg bool, args []string) {
	seen := map[string]bool{}
	for i, line := range strings.Split(strings.TrimSpace(ts.ReadFile(args[0])), "\n") {
		if f := strings.Split(line, ","); i > 0 && f[1] != "-1" {
			seen[f[1]] = true
		}
	}
	if got := strconv.Itoa(len(seen)); got != args[1] {
		ts.Fatalf("%s has %s topics, want %s", args[0], got, args[1])
	}
}

// repeatCommand, "repeat FILE N TEXT", writes TEXT and a line end N times.
func repeatCommand(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Repeat(args[2]+"\n", n)), 0o644))
}

// interruptCommand, "interrupt FILE BYTES COMMAND...", sends an interrupt once
// FILE has so many bytes, and wants the exit code of an interrupted run. The
// standard error is what stderr looks at.
func interruptCommand(ts *testscript.TestScript, neg bool, args []string) {
	file := ts.MkAbs(args[0])
	size, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	done, work := make(chan struct{}), ts.MkAbs(".")
	defer close(done)
	go func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(10 * time.Millisecond):
			}
			if info, err := os.Stat(file); err == nil && info.Size() >= size {
				interruptChildren("bertopic", work)
				return
			}
		}
	}()
	codeCommand(ts, false, append([]string{strconv.Itoa(run.ExitInterrupted)}, args[2:]...))
}

// embeddedOnceCommand, "embeddedonce FILE N", wants a run.json of a run that
// embedded or reused each of N rows.
func embeddedOnceCommand(ts *testscript.TestScript, neg bool, args []string) {
	var record struct {
		Embedder struct{ Embedded, Reused int }
	}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &record))
	if n := record.Embedder.Embedded + record.Embedder.Reused; strconv.Itoa(n) != args[1] {
		ts.Fatalf("%d rows embedded and %d reused, want %s in all", record.Embedder.Embedded, record.Embedder.Reused, args[1])
	}
}

// lineCommand, "line FILE TEXT", adds a line to a file.
func lineCommand(ts *testscript.TestScript, neg bool, args []string) {
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_WRONLY|os.O_APPEND, 0)
	ts.Check(err)
	_, err = fmt.Fprintln(f, args[1])
	ts.Check(err)
	ts.Check(f.Close())
}

// namespaces reports whether programs get network namespaces of their own here.
func namespaces() (bool, error) {
	started := make(chan *isolate.Process)
	fault := make(chan error)
	go func() {
		runtime.LockOSThread()
		p, err := isolate.Start(func() *exec.Cmd {
			return exec.Command(filepath.Join(programs, "bertopic-embedder-specimen"), "--describe")
		}, false, isolate.None)
		if err != nil {
			fault <- err
			return
		}
		_ = p.Cmd.Wait()
		p.Close()
		started <- p
	}()
	select {
	case p := <-started:
		return p.Kind == isolate.Namespace, nil
	case err := <-fault:
		return false, err
	}
}

// appendCommand, "append FILE", adds a byte to a file.
func appendCommand(ts *testscript.TestScript, neg bool, args []string) {
	f, err := os.OpenFile(ts.MkAbs(args[0]), os.O_WRONLY|os.O_APPEND, 0)
	ts.Check(err)
	_, err = f.Write([]byte{0})
	ts.Check(err)
	ts.Check(f.Close())
}
