package host

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/sdk"
)

// programs is the folder of the embedder programs that the tests run.
var programs string

// asHost makes the test binary a host that is meant to be killed.
const asHost = "BERTOPIC_TEST_AS_HOST"

func TestMain(m *testing.M) {
	if os.Getenv(asHost) != "" {
		actAsHost()
		return
	}
	flag.Parse()
	if f := flag.Lookup("test.fuzzworker"); f != nil && f.Value.String() == "true" {
		os.Exit(m.Run()) // it runs no programs
	}
	os.Exit(runTests(m))
}

func runTests(m *testing.M) (code int) {
	dir, err := os.MkdirTemp("", "bh-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	programs = filepath.Join(dir, "programs")
	for name, pkg := range map[string]string{"specimen": "../conformance/specimens", "plain": "./testdata/plain"} {
		build := exec.Command("go", "build", "-o", filepath.Join(programs, fileName(name)), pkg)
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", pkg, err, out)
			return 1
		}
	}
	for _, fault := range []string{"stdout-noise", "wrong-version", "dies-at-start", "silent", "closed-port", "other-name", "bad-describe"} {
		if err := os.Link(filepath.Join(programs, fileName("specimen")), filepath.Join(programs, fileName("specimen-"+fault))); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	if err := os.Link(filepath.Join(programs, fileName("plain")), filepath.Join(programs, fileName("plain-cert"))); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	sockets := filepath.Join(dir, "t")
	if err := os.Mkdir(sockets, 0o700); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	os.Setenv("TMPDIR", sockets)
	firstWait = 5 * time.Millisecond
	_ = flag.Set("test.parallel", "8") // most of the time is spent waiting
	code = m.Run()
	// Whatever the tests did: nothing of it is left.
	if left, _ := filepath.Glob(filepath.Join(sockets, socketPrefix+"*")); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "folders of sockets are left:", left)
		code = 1
	}
	if left := children(os.Getpid()); len(left) > 0 {
		fmt.Fprintln(os.Stderr, "processes are left:", left)
		code = 1
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, "goroutines are left:", err)
		code = 1
	}
	return code
}

// children returns the processes that pid has started, on Linux.
func children(pid int) []int {
	var all []int
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, f := range files {
		text, _ := os.ReadFile(f)
		for _, s := range strings.Fields(string(text)) {
			if n, err := strconv.Atoi(s); err == nil {
				all = append(all, n)
			}
		}
	}
	return all
}

// options are those of the specimen.
type options = map[string]any

func spec(plugin string, o options, change ...func(*Spec)) Spec {
	s := Spec{Plugin: plugin, Dirs: []string{programs}, Options: o, Timeout: 20 * time.Second}
	for _, f := range change {
		f(&s)
	}
	return s
}

func open(t *testing.T, plugin string, o options, change ...func(*Spec)) *Embedder {
	t.Helper()
	e, err := Open(t.Context(), spec(plugin, o, change...))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func texts(n int) []sdk.Row {
	rows := make([]sdk.Row, n)
	for i := range rows {
		rows[i] = sdk.Row{HasText: true, Text: fmt.Sprintf("row %d of %x", i, i*i*2654435761)}
	}
	return rows
}

// byHand is the specimen's rule; turn is the number of rows that it was fitted on.
func byHand(text string, turn int) []float32 {
	var v [8]float64
	for _, b := range []byte(text) {
		v[(int(b)+turn)%8]++
	}
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	out := make([]float32, 8)
	for k, x := range v {
		out[k] = float32(x / math.Sqrt(sum))
	}
	return out
}

// checkSpecimen holds a result of the specimen against its rule.
func checkSpecimen(t *testing.T, rows []sdk.Row, r *Result, without map[int]sdk.Status, turn ...int) {
	t.Helper()
	d, ok := r.Vectors.(*matrix.Dense)
	if !ok || d.Rows != len(rows) || d.Cols != 8 || len(r.Statuses) != len(rows) {
		t.Fatalf("%T with %d statuses for %d rows", r.Vectors, len(r.Statuses), len(rows))
	}
	for i, row := range rows {
		want, status := make([]float32, 8), without[i]
		if status == sdk.OK {
			want = byHand(row.Text, append(turn, 0)[0])
		}
		if r.Statuses[i].Status != status {
			t.Fatalf("row %d has the status %+v, not %v", i, r.Statuses[i], status)
		}
		for k, x := range d.Row(i) {
			if math.Abs(float64(x-want[k])) > 1e-6 {
				t.Fatalf("row %d is %v, not %v", i, d.Row(i), want)
			}
		}
	}
}

// checkError sees that err is an *Error of one of the kinds, with text in it.
func checkError(t *testing.T, err error, kind ErrorKind, parts ...string) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v (%T), want one of kind %q", err, err, kind)
	}
	if e.Kind != kind {
		t.Fatalf("error of kind %q, not %q: %v", e.Kind, kind, err)
	}
	for _, p := range parts {
		if !strings.Contains(err.Error(), p) {
			t.Errorf("error does not speak of %q: %v", p, err)
		}
	}
	return e
}

func TestEmbed(t *testing.T) {
	t.Parallel()
	rows := texts(100)
	rows[7].Text = ""
	rows[9] = sdk.Row{}
	rows[60] = rows[3]
	rows[61].Text = "caf\xe9"
	var mu sync.Mutex
	last := -1
	e := open(t, "specimen", nil, func(s *Spec) {
		s.Progress = func(done, total int) {
			mu.Lock()
			defer mu.Unlock()
			if total != len(rows) && total != 0 || done < last {
				t.Errorf("progress %d of %d after %d", done, total, last)
			}
			last = done
		}
	})
	r, err := e.Embed(t.Context(), rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(rows)
	want[61].Text = "caf\uFFFD"
	checkSpecimen(t, want, r, map[int]sdk.Status{7: sdk.Empty, 9: sdk.Empty})
	if r.Embedded != 100 || r.Reused != 0 || r.Restarts != 0 || last != 100 {
		t.Errorf("embedded %d, reused %d, restarts %d, progress %d", r.Embedded, r.Reused, r.Restarts, last)
	}
	if !slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, "row 61") }) {
		t.Errorf("no word of the row that is not UTF-8: %q", r.Warnings)
	}
	last = -1
	if r, err = e.Embed(t.Context(), nil, nil); err != nil || len(r.Statuses) != 0 {
		t.Errorf("no rows: %v %v", r, err)
	}
	if len(e.Warnings()) != 0 {
		t.Errorf("a program of the SDK has warnings: %q", e.Warnings())
	}
	words, err := e.EmbedWords(t.Context(), []string{"river", "bank", "river"})
	if err != nil || words.Rows != 3 || !slices.Equal(words.Row(0), words.Row(2)) || slices.Equal(words.Row(0), words.Row(1)) {
		t.Errorf("words: %v %v", words, err)
	}
}

// Neither workers nor batches nor restarts change a bit.
func TestSameBits(t *testing.T) {
	t.Parallel()
	rows := texts(150)
	var want []float32
	for _, workers := range []int{1, 2} {
		for _, batch := range []int{1, 7, 64} {
			e := open(t, "specimen", options{"fault": "none"}, func(s *Spec) { s.Workers, s.BatchSize = workers, batch })
			r, err := e.Embed(t.Context(), rows, nil)
			if err != nil {
				t.Fatal(err)
			}
			have := r.Vectors.(*matrix.Dense).Data
			if want == nil {
				want = have
			}
			if !slices.Equal(have, want) {
				t.Errorf("%d workers, batches of %d: other bits", workers, batch)
			}
			e.Close()
		}
	}
}

func TestRightInSpiteOf(t *testing.T) {
	t.Parallel()
	for fault, o := range map[string]options{
		"noise": {}, "long-line": {}, "flood": {}, "failed": {"poison": "row 5 "},
		"oom": {}, "unavailable": {"at": 2},
		"panic": {"poison": "row 5 "}, "error": {"poison": "row 5 "}, "crash": {"poison": "row 5 "}, "kill": {"poison": "row 5 "},
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			o["fault"] = fault
			rows := texts(40)
			e := open(t, "specimen", o, func(s *Spec) { s.BatchSize = 16 })
			r, err := e.Embed(t.Context(), rows, nil)
			if err != nil {
				t.Fatal(err)
			}
			without := map[int]sdk.Status{}
			if o["poison"] != nil {
				without[5] = sdk.Failed
				if r.Statuses[5].Reason == "" {
					t.Error("no reason")
				}
				t.Log(r.Statuses[5].Reason, "- restarts:", r.Restarts)
			}
			checkSpecimen(t, rows, r, without)
			if died := fault == "crash" || fault == "kill"; died != (r.Restarts > 0) {
				t.Errorf("%d restarts", r.Restarts)
			}
		})
	}
}

func TestLies(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{
		"short", "long", "dimension", "nan", "inf", "norm", "zeros", "vector-without", "negative", "sparse-order", "sparse-pointer",
		"sparse-column", "truncated-bytes", "no-matrix", "sequence", "reversed", "twice", "ends", "status-row", "status-unknown",
	} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			e := open(t, "specimen", options{"fault": fault, "at": 17}, func(s *Spec) { s.BatchSize = 8 })
			_, err := e.Embed(t.Context(), texts(40), nil)
			checkError(t, err, KindLied, "embedder specimen: embed")
			t.Log(err)
		})
	}
}

func TestSparse(t *testing.T) {
	t.Parallel()
	rows := texts(50)
	rows[11].Text = ""
	rows[30] = rows[2]
	e := open(t, "specimen", options{"fault": "sparse"}, func(s *Spec) { s.BatchSize, s.Workers = 7, 2 })
	store, err := OpenStore(filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	for range 2 { // embedded, then reused
		r, err := e.Embed(t.Context(), rows, store)
		if err != nil {
			t.Fatal(err)
		}
		m := r.Vectors.(*matrix.CSR)
		if err := m.Validate(); err != nil || m.Rows != 50 || m.Cols != 8 {
			t.Fatalf("%d x %d: %v", m.Rows, m.Cols, err)
		}
		for i, row := range rows {
			want := byHand(row.Text, 0)
			if i == 11 {
				want = make([]float32, 8)
			}
			have := make([]float32, 8)
			columns, values := m.Row(i)
			for k, c := range columns {
				have[c] = values[k]
			}
			for k := range have {
				if math.Abs(float64(have[k]-want[k])) > 1e-6 {
					t.Fatalf("row %d is %v, not %v", i, have, want)
				}
			}
		}
		if r.Statuses[11].Status != sdk.Empty {
			t.Errorf("row 11: %+v", r.Statuses[11])
		}
	}
}

func TestStartFailures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		plugin string
		o      options
		kind   ErrorKind
		parts  []string
	}{
		{"specimen-wrong-version", nil, KindProtocol, []string{"protocol 7", "speaks 1"}},
		{"specimen-dies-at-start", nil, KindStart, []string{"exit status 1", "libmodel.so.3"}},
		{"specimen-silent", nil, KindStart, []string{"no handshake within"}},
		{"specimen-closed-port", nil, KindProtocol, []string{"does not answer"}},
		{"specimen-other-name", nil, KindLied, []string{"otherwise"}},
		{"specimen-bad-describe", nil, KindProtocol, []string{"at your service"}},
		{"specimen", options{"falt": "none"}, KindOptions, []string{"falt", `"fault"`}},
		{"specimen", options{"at": "x", "fault": "nonne"}, KindOptions, []string{"integer", `"none"`}},
		{"specimen", options{"fault": "refuse"}, KindOptions, []string{"this fault is refused"}},
		{"specimen", options{"fault": "configure-error"}, KindOptions, []string{"takes no such options"}},
		{"specimen", options{"fault": "configure-hang"}, KindTimeout, []string{"configure", "embedder.timeout"}},
		{"specimen", options{"fault": "bad-metric"}, KindLied, []string{"metric"}},
		{"specimn", nil, KindNotFound, []string{`did you mean "specimen"`, programs}},
		{programs + "/nothing", nil, KindNotFound, []string{"no such file"}},
	} {
		t.Run(c.plugin+fmt.Sprint(c.o["fault"]), func(t *testing.T) {
			t.Parallel()
			e, err := Open(t.Context(), spec(c.plugin, c.o, func(s *Spec) {
				if c.plugin == "specimen-silent" { // the others have time, on a loaded machine too
					s.StartTimeout = 2 * time.Second
				}
				if c.o["fault"] == "configure-hang" {
					s.Timeout = 4 * time.Second
				}
			}))
			if err == nil {
				e.Close()
			}
			checkError(t, err, c.kind, c.parts...)
			t.Log(err)
		})
	}
}

func TestNoise(t *testing.T) {
	t.Parallel()
	e := open(t, "specimen-stdout-noise", nil)
	rows := texts(10)
	r, err := e.Embed(t.Context(), rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkSpecimen(t, rows, r, nil)
}

// More than 4 MiB cross either way.
func TestLargeBatches(t *testing.T) {
	t.Parallel()
	rows := texts(64)
	for i := range rows {
		rows[i].Text = strings.Repeat(rows[i].Text+" ", 40000) // 1 MiB and more
	}
	e := open(t, "specimen", options{"fault": "wide"}, func(s *Spec) { s.BatchSize = 64 })
	r, err := e.Embed(t.Context(), rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := r.Vectors.(*matrix.Dense); d.Cols != 1<<16 || d.Rows != 64 {
		t.Errorf("%d x %d", d.Rows, d.Cols)
	}
	huge := []sdk.Row{{HasText: true, Text: strings.Repeat("x", 65<<20)}, {HasText: true, Text: strings.Repeat("y", 17<<20)}}
	r, err = e.Embed(t.Context(), huge, nil)
	if err != nil || r.Statuses[0].Status != sdk.Failed || r.Statuses[1].Status != sdk.OK {
		t.Errorf("%+v %v", r, err)
	}
}

func TestHangs(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"hang", "sleep", "busy", "freeze"} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			short := func(s *Spec) { s.Timeout, s.BatchSize = time.Second, 16 }
			rows := texts(40)
			e := open(t, "specimen", options{"fault": fault, "poison": "row 20 "}, short)
			r, err := e.Embed(t.Context(), rows, nil)
			if err != nil {
				t.Fatal(err)
			}
			checkSpecimen(t, rows, r, map[int]sdk.Status{20: sdk.Failed})
			t.Log(r.Statuses[20].Reason, "- restarts:", r.Restarts)

			e = open(t, "specimen", options{"fault": fault, "poison": "row"}, short)
			begin := time.Now()
			_, err = e.Embed(t.Context(), rows, nil)
			checkError(t, err, KindTimeout, "no answer and no progress for 1s", "embed rows")
			if d := time.Since(begin); d > time.Minute { // not for each row anew
				t.Errorf("it took %v", d)
			}
			t.Log(err)
		})
	}
}

// A slow program that reports progress is none that hangs.
func TestSlowIsNotHung(t *testing.T) {
	t.Parallel()
	rows := texts(30)
	e := open(t, "specimen", options{"fault": "slow"}, func(s *Spec) { s.Timeout = 700 * time.Millisecond })
	r, err := e.Embed(t.Context(), rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkSpecimen(t, rows, r, nil)
}

func TestCancel(t *testing.T) {
	t.Parallel()
	for _, fault := range []string{"slow", "hang"} {
		e := open(t, "specimen", options{"fault": fault})
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		defer cancel()
		begin := time.Now()
		_, err := e.Embed(ctx, texts(500), nil)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: error %v", fault, err)
		}
		if d := time.Since(begin); d > 1500*time.Millisecond {
			t.Errorf("%s: the end took %v", fault, d)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if _, err := e.Embed(t.Context(), texts(1), nil); err == nil || !errors.Is(err, errClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
}

func TestCloseDuringEmbed(t *testing.T) {
	t.Parallel()
	e := open(t, "specimen", options{"fault": "slow"})
	done := make(chan error)
	go func() {
		_, err := e.Embed(context.Background(), texts(500), nil)
		done <- err
	}()
	time.Sleep(200 * time.Millisecond)
	e.Close()
	if err := <-done; !errors.Is(err, errClosed) {
		t.Errorf("error %v", err)
	}
}

// kill -9 in the midst of 1000 rows: nothing is lost, doubled or shifted.
func TestKilledFromOutside(t *testing.T) {
	t.Parallel()
	rows := texts(1000)
	undisturbed, err := open(t, "plain", nil).Embed(t.Context(), rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(t.TempDir(), "log")
	e := open(t, "plain", options{"log": log, "pause": 3}, func(s *Spec) { s.BatchSize = 10 })
	pid := pidOf(e)
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		for range 5000 {
			if text, _ := os.ReadFile(log); bytes.Count(text, []byte("\n")) >= 500 {
				p, _ := os.FindProcess(pid)
				_ = p.Kill()
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	r, err := e.Embed(t.Context(), rows, nil)
	<-killed
	if err != nil {
		t.Fatal(err)
	}
	if r.Restarts != 1 || r.Embedded != 1000 {
		t.Errorf("%d restarts, %d embedded", r.Restarts, r.Embedded)
	}
	if !slices.Equal(r.Vectors.(*matrix.Dense).Data, undisturbed.Vectors.(*matrix.Dense).Data) {
		t.Error("the result is another one")
	}
	for i, s := range r.Statuses {
		if s.Status != sdk.OK {
			t.Fatalf("row %d: %+v", i, s)
		}
	}
}

func pidOf(e *Embedder) int {
	n, _ := strconv.Atoi(e.workers[0].proc.child.ID())
	return n
}

// The process dies of itself at row 500 of 1000, and again and again: the kill
// limit, and each further run goes on where the last one ended.
func TestKillLimitAndResume(t *testing.T) {
	t.Parallel()
	rows := texts(1000)
	undisturbed, err := open(t, "plain", nil).Embed(t.Context(), rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	o := options{"log": log, "die_after": 120}
	var r *Result
	runs := 0
	for r == nil {
		if runs++; runs > 10 {
			t.Fatal("no end")
		}
		store, err := OpenStore(filepath.Join(dir, "store"))
		if err != nil {
			t.Fatal(err)
		}
		had := store.Len()
		e := open(t, "plain", o, func(s *Spec) { s.BatchSize, s.MaxRestarts = 10, 2 })
		r, err = e.Embed(t.Context(), rows, store)
		if err != nil {
			x := checkError(t, err, KindKillLimit, "exit status 7", "max_restarts", "out of luck")
			if len(x.Stderr) == 0 {
				t.Error("no last lines")
			}
			if store.Len() < had+300 {
				t.Errorf("run %d kept %d rows", runs, store.Len()-had)
			}
		} else if r.Reused != had || r.Embedded != 1000-had {
			t.Errorf("reused %d, embedded %d, with %d in the store", r.Reused, r.Embedded, had)
		}
		if err := store.Close(); err != nil {
			t.Fatal(err)
		}
		e.Close()
	}
	if runs < 3 {
		t.Errorf("%d runs", runs)
	}
	if !slices.Equal(r.Vectors.(*matrix.Dense).Data, undisturbed.Vectors.(*matrix.Dense).Data) {
		t.Error("the result is another one")
	}
	// A row whose batch was finished was never sent again: what the log has
	// twice are batches of 10 whose answer was in flight when the end came.
	text, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	slices.Sort(lines)
	if unique := len(slices.Compact(slices.Clone(lines))); unique != 1000 || len(lines) > 1000+10*10 {
		t.Errorf("%d different texts in %d lines", unique, len(lines))
	}
}

// A program without TLS, health service and shutdown, noisy, and with its own
// environment.
func TestPlainProgram(t *testing.T) {
	t.Setenv("BERTOPIC_TEST_KEY", "mine")
	t.Setenv("BERTOPIC_TEST_OTHER_KEY", "another's")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1") // must not come between
	var log bytes.Buffer
	e := open(t, "plain", nil, func(s *Spec) {
		s.Workers = 2
		s.Log = slog.New(slog.NewTextHandler(&lockedWriter{w: &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	r, err := e.Embed(t.Context(), texts(200), nil)
	if err != nil {
		t.Fatal(err)
	}
	w := strings.Join(r.Warnings, "\n")
	for _, want := range []string{"mutual TLS", "standard output", "keys: mine"} {
		if !strings.Contains(w, want) {
			t.Errorf("the warnings %q don't speak of %q", w, want)
		}
	}
	if strings.Contains(w, "another's") {
		t.Errorf("a variable of another program's got through: %q", w)
	}
	e.Close()
	for _, want := range []string{"welcome to the native library", "loading 100%", "chatter"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not have %q", want)
		}
	}
}

// A program whose TLS fails is started again without.
func TestBrokenTLS(t *testing.T) {
	t.Parallel()
	e := open(t, "plain-cert", nil, func(s *Spec) { s.Workers = 2 })
	if _, err := e.Embed(t.Context(), texts(200), nil); err != nil {
		t.Fatal(err)
	}
	if w := strings.Join(e.Warnings(), "\n"); !strings.Contains(w, "mutual TLS") {
		t.Errorf("no word of it: %q", w)
	}
}

type lockedWriter struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// A program that is ill at every row ends the run soon.
func TestIllProgram(t *testing.T) {
	t.Parallel()
	for fault, kind := range map[string]ErrorKind{"crash": KindKillLimit, "error": KindFailed, "panic": KindFailed} {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			e := open(t, "specimen", options{"fault": fault, "poison": "row"})
			_, err := e.Embed(t.Context(), texts(200), nil)
			t.Log(checkError(t, err, kind, "embed row"))
		})
	}
}

func TestUnavailableForGood(t *testing.T) {
	t.Parallel()
	e := open(t, "specimen", options{"fault": "unavailable", "at": 1000})
	_, err := e.Embed(t.Context(), texts(20), nil)
	checkError(t, err, KindFailed, "tried 7 times")
}

func TestPoisonAmongWorkers(t *testing.T) {
	t.Parallel()
	rows := texts(300)
	without := map[int]sdk.Status{}
	for _, i := range []int{3, 4, 150, 299} {
		rows[i].Text += " poison"
		without[i] = sdk.Failed
	}
	e := open(t, "specimen", options{"fault": "crash", "poison": "poison"}, func(s *Spec) { s.Workers = 2 })
	r, err := e.Embed(t.Context(), rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkSpecimen(t, rows, r, without)
	t.Log("restarts:", r.Restarts)
}

func TestFit(t *testing.T) {
	t.Parallel()
	rows := texts(700)
	e := open(t, "specimen", options{"fault": "fit"}, func(s *Spec) { s.Workers = 2 })
	_, err := e.Embed(t.Context(), rows, nil)
	checkError(t, err, KindFailed, "fitted first")
	before := e.Fingerprint()
	if err := e.Fit(t.Context(), func(yield func(sdk.Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if e.Info().Dimension != 8 || len(e.State()) == 0 || e.Fingerprint() == before {
		t.Errorf("dimension %d, %d bytes of state", e.Info().Dimension, len(e.State()))
	}
	r, err := e.Embed(t.Context(), rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkSpecimen(t, rows, r, nil, 700)
	p, _ := os.FindProcess(pidOf(e)) // a restarted process gets the state too
	_ = p.Kill()
	if r, err = e.Embed(t.Context(), rows, nil); err != nil {
		t.Fatal(err)
	}
	checkSpecimen(t, rows, r, nil, 700)

	other := open(t, "specimen", options{"fault": "fit"})
	if err := other.LoadState(t.Context(), e.State()); err != nil {
		t.Fatal(err)
	}
	if other.Fingerprint() != e.Fingerprint() {
		t.Error("the same state, another fingerprint")
	}
	if r, err = other.Embed(t.Context(), rows, nil); err != nil {
		t.Fatal(err)
	}
	checkSpecimen(t, rows, r, nil, 700)
}

func TestFitFailures(t *testing.T) {
	t.Parallel()
	all := func(yield func(sdk.Row, error) bool) {
		for _, r := range texts(2000) {
			if !yield(r, nil) {
				return
			}
		}
	}
	err := open(t, "specimen", options{"fault": "fit-crash"}).Fit(t.Context(), all)
	checkError(t, err, KindCrashed, "exit status 3")
	err = open(t, "specimen", options{"fault": "state-lost"}, func(s *Spec) { s.Workers = 2 }).Fit(t.Context(), all)
	checkError(t, err, KindFailed, "load the state")
	err = open(t, "specimen", nil).Fit(t.Context(), all)
	checkError(t, err, KindFailed, "needs no fit")
	sick := errors.New("the disk is sick")
	e := open(t, "specimen", options{"fault": "fit"})
	err = e.Fit(t.Context(), func(yield func(sdk.Row, error) bool) { _ = yield(texts(1)[0], nil) && yield(sdk.Row{}, sick) })
	if !errors.Is(err, sick) {
		t.Errorf("error %v", err)
	}
	if err := e.Fit(t.Context(), all); err != nil {
		t.Errorf("a second fit: %v", err)
	}
}

// Where vectors depend on the batch, an interrupted run equals one that was not.
func TestNotBatchInvariant(t *testing.T) {
	t.Parallel()
	rows := texts(95)
	rows[50] = rows[4]
	want, err := open(t, "plain", options{"invariant": false}, func(s *Spec) { s.BatchSize = 10 }).Embed(t.Context(), rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var have *Result
	for runs := 0; have == nil && runs < 10; runs++ {
		store, err := OpenStore(dir)
		if err != nil {
			t.Fatal(err)
		}
		e := open(t, "plain", options{"invariant": false, "die_after": 35}, func(s *Spec) { s.BatchSize, s.MaxRestarts = 10, -1 })
		have, _ = e.Embed(t.Context(), rows, store)
		store.Close()
		e.Close()
	}
	if have == nil || have.Reused == 0 || !slices.Equal(have.Vectors.(*matrix.Dense).Data, want.Vectors.(*matrix.Dense).Data) {
		t.Errorf("not the same: %+v", have)
	}
}

// The test binary as a host, which prints the process of its program and embeds
// until it is killed.
func actAsHost() {
	e, err := Open(context.Background(), Spec{
		Plugin: os.Getenv(asHost), Options: options{"fault": "slow"}, Workers: 2, Timeout: time.Minute,
	})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for _, w := range e.workers {
		fmt.Println(w.proc.child.ID())
	}
	fmt.Println("ready")
	_, err = e.Embed(context.Background(), texts(1<<16), nil)
	fmt.Println(err)
}

func TestHostKilled(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("processes are watched through /proc, which this system does not have")
	}
	sockets := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asHost+"="+filepath.Join(programs, fileName("specimen")), "TMPDIR="+sockets)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pids []int
	eachLine(out, func(line []byte) {
		if n, err := strconv.Atoi(string(line)); err == nil {
			pids = append(pids, n)
			return
		}
		if string(line) != "ready" {
			t.Errorf("the host says %s", line)
		}
		time.Sleep(100 * time.Millisecond)
		_ = cmd.Process.Kill()
	})
	_ = cmd.Wait()
	if len(pids) != 2 {
		t.Fatalf("processes %v", pids)
	}
	for end := time.Now().Add(2 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if !slices.ContainsFunc(pids, alive) {
			break
		}
		if time.Now().After(end) {
			t.Fatal("two seconds after the host was killed its programs are there")
		}
	}
	// The next host clears its sockets away.
	left, _ := filepath.Glob(filepath.Join(sockets, socketPrefix+"*"))
	if len(left) == 0 {
		left, _ = filepath.Glob("/tmp/" + socketPrefix + "*")
	}
	for _, dir := range left {
		old := time.Now().Add(-time.Hour)
		_ = os.Chtimes(dir, old, old)
		sweepSocketDirs(filepath.Dir(dir))
	}
	if left, _ = filepath.Glob(filepath.Join(sockets, socketPrefix+"*")); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

// alive: the process is there and no zombie.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

func TestLongTempDir(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("d", 100))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("TMPDIR", long)
	e := open(t, "specimen", nil)
	rows := texts(5)
	r, err := e.Embed(t.Context(), rows, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkSpecimen(t, rows, r, nil)
	dir := e.sockets.path
	if st, err := os.Stat(dir); err != nil || st.Mode().Perm() != 0o700 || len(dir) > maxSocketDir {
		t.Errorf("%s: %v %v", dir, st.Mode(), err)
	}
	e.Close()
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left", dir)
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	of := func(o options, change ...func(*Spec)) string {
		e := open(t, "specimen", o, change...)
		defer e.Close()
		return e.Fingerprint()
	}
	plain := of(nil)
	if len(plain) != 64 {
		t.Errorf("%q", plain)
	}
	same := of(options{"limit": 4.0, "fault": "none"}, func(s *Spec) { s.Workers, s.BatchSize, s.Threads, s.CacheDir = 2, 7, 3, t.TempDir() })
	if same != plain {
		t.Error("defaults that are written out, workers, batches, threads or folders make another fingerprint")
	}
	if of(options{"limit": 5}) == plain || of(nil, func(s *Spec) { s.Seed = 1 }) == plain {
		t.Error("another option or seed makes no other fingerprint")
	}
}

func TestOpenCancelled(t *testing.T) {
	t.Parallel()
	for _, plugin := range []string{"specimen", "specimen-silent"} {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		begin := time.Now()
		_, err := Open(ctx, spec(plugin, options{"fault": "configure-hang"}))
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 4*time.Second {
			t.Errorf("%s: after %v: %v", plugin, time.Since(begin), err)
		}
	}
}

// Batches are cut by number and by size.
func TestCut(t *testing.T) {
	j := &job{e: &Embedder{spec: Spec{BatchSize: 3}}, sizes: []int{1, 1, 1, 1, maxBatch, 1, maxBatch - 1, 1, maxRow, 5}}
	var have [][]int32
	j.cut([]int32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, func(b []int32) { have = append(have, b) })
	want := [][]int32{{0, 1, 2}, {3}, {4}, {5, 6}, {7}, {8}, {9}}
	if fmt.Sprint(have) != fmt.Sprint(want) {
		t.Errorf("%v, not %v", have, want)
	}
}

func TestRowNames(t *testing.T) {
	for want, rows := range map[string][]int32{
		"row 7": {7}, "rows 3-5": {3, 4, 5}, "rows 1, 3-4, 9": {1, 3, 4, 9}, "rows 0, 2, 4, 6, ... (5 rows)": {0, 2, 4, 6, 8},
	} {
		if have := rowNames(rows); have != want {
			t.Errorf("%q, not %q", have, want)
		}
	}
}

func TestOutput(t *testing.T) {
	var log bytes.Buffer
	o := newOutput(slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	var in bytes.Buffer
	fmt.Fprintln(&in, `{"@level":"warn","@message":"low on memory","@timestamp":"x","free":3}`)
	fmt.Fprintln(&in, strings.Repeat("l", 3*maxLine))
	for i := range 3000 {
		fmt.Fprintln(&in, "line", i)
	}
	fmt.Fprintln(&in, "panic: index out of range")
	fmt.Fprint(&in, "goroutine 1")
	o.stderr(&in)
	o.end()
	lines := o.lines()
	if len(lines) != tailLines || lines[tailLines-1] != "goroutine 1" || lines[tailLines-2] != "panic: index out of range" || lines[0] != "line 2982" {
		t.Errorf("%q", lines)
	}
	text := log.String()
	for _, want := range []string{`level=WARN msg="low on memory" free=3`, "left out of the log"} {
		if !strings.Contains(text, want) {
			t.Errorf("the log has no %s", want)
		}
	}
	if n := strings.Count(text, "\n"); n > lineRate+2 {
		t.Errorf("%d lines in the log", n)
	}
}

func BenchmarkEmbed(b *testing.B) {
	for _, workers := range []int{1, 2} {
		b.Run(fmt.Sprint(workers), func(b *testing.B) {
			e, err := Open(b.Context(), spec("specimen", nil, func(s *Spec) { s.Workers, s.BatchSize = workers, 256 }))
			if err != nil {
				b.Fatal(err)
			}
			defer e.Close()
			rows := texts(20000)
			b.ResetTimer()
			for b.Loop() {
				if _, err := e.Embed(b.Context(), rows, nil); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(rows)*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
