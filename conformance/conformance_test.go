package conformance

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/bertopic-go/bertopic/internal/ortlib"
)

// programs holds the programs that the tests try.
var programs string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if runtime.GOOS == "windows" {
		fmt.Println("skipped: the specimens are started through links and signals that Windows lacks")
		return 0
	}
	dir, err := os.MkdirTemp("", "conformance-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	for name, pkg := range map[string]string{"specimen": "./specimens", "tfidf": "../plugins/tfidf", "hashing": "../examples/embedder-go"} {
		if out, err := exec.Command("go", "build", "-o", program(dir, name), pkg).CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "build %s: %v\n%s", pkg, err, out)
			return 1
		}
	}
	programs = dir
	return m.Run()
}

func program(dir, name string) string { return filepath.Join(dir, "bertopic-embedder-"+name) }

// The text of one row of the sample alone.
const oneRow = "minister of finance counted the seeds"

// broken are the specimens: what each is started with and the rules that it
// breaks.
var broken = []struct {
	file    string // what follows specimen- in the file's name
	options string // JSON
	rules   string
}{
	{"bad-describe", `{}`, "EMB-001"},
	{"other-name", `{}`, "EMB-001"},
	{"dies-at-start", `{}`, "EMB-002"},
	{"silent", `{}`, "EMB-002"},
	{"wrong-version", `{}`, "EMB-002"},
	{"closed-port", `{}`, "EMB-002"},
	{"stdout-noise", `{}`, "EMB-003"},
	{"fickle", `{}`, "EMB-004"},
	{"unwell", `{}`, "EMB-005"},
	{"half-tls", `{}`, "EMB-006"},

	{"eager", `{}`, "EMB-010"},
	{"", `{"fault": "lax"}`, "EMB-011"},
	{"", `{"fault": "coerce", "poison": "coerce"}`, "EMB-012"},
	{"", `{"fault": "refuse"}`, "EMB-013"},
	{"", `{"fault": "configure-error"}`, "EMB-013"},
	{"", `{"fault": "configure-hang"}`, "EMB-013"},
	{"", `{"fault": "no-dimension"}`, "EMB-014"},
	{"", `{"fault": "bad-metric"}`, "EMB-014"},
	{"", `{"fault": "once"}`, "EMB-015"},
	{"", `{"fault": "early"}`, "EMB-016"},
	{"", `{"fault": "fit-crash"}`, "EMB-017"},
	{"", `{"fault": "wordless"}`, "EMB-018"},

	{"", `{"fault": "panic", "poison": "` + oneRow + `"}`, "EMB-020"},
	{"", `{"fault": "crash", "poison": "` + oneRow + `"}`, "EMB-020"},
	{"", `{"fault": "hang", "poison": "` + oneRow + `"}`, "EMB-020"},
	{"", `{"fault": "busy", "poison": "` + oneRow + `"}`, "EMB-020"},
	{"", `{"fault": "ends", "poison": "` + oneRow + `"}`, "EMB-020"},
	{"", `{"fault": "sequence", "poison": "` + oneRow + `"}`, "EMB-021"},
	{"", `{"fault": "twice", "poison": "` + oneRow + `"}`, "EMB-021"},
	{"", `{"fault": "reversed"}`, "EMB-021"},
	{"", `{"fault": "truncated-bytes", "poison": "` + oneRow + `"}`, "EMB-022"},
	{"", `{"fault": "no-matrix", "poison": "` + oneRow + `"}`, "EMB-022"},
	{"", `{"fault": "sparse-order", "poison": "` + oneRow + `"}`, "EMB-022"},
	{"", `{"fault": "sparse-pointer", "poison": "` + oneRow + `"}`, "EMB-022"},
	{"", `{"fault": "sparse-column", "poison": "` + oneRow + `"}`, "EMB-022"},
	{"", `{"fault": "short", "poison": "` + oneRow + `"}`, "EMB-023"},
	{"", `{"fault": "long", "poison": "` + oneRow + `"}`, "EMB-023"},
	{"", `{"fault": "dimension", "poison": "` + oneRow + `"}`, "EMB-024"},
	{"", `{"fault": "nan", "poison": "` + oneRow + `"}`, "EMB-025"},
	{"", `{"fault": "inf", "poison": "` + oneRow + `"}`, "EMB-025"},
	{"", `{"fault": "status-row", "poison": "` + oneRow + `"}`, "EMB-026"},
	{"", `{"fault": "status-unknown", "poison": "` + oneRow + `"}`, "EMB-026"},
	{"", `{"fault": "vector-without", "poison": "` + oneRow + `"}`, "EMB-026"},
	{"", `{"fault": "zeros", "poison": "` + oneRow + `"}`, "EMB-026"},
	{"", `{"fault": "norm", "poison": "` + oneRow + `"}`, "EMB-027"},
	{"", `{"fault": "negative", "poison": "` + oneRow + `"}`, "EMB-028"},
	{"", `{"fault": "all-fail"}`, "EMB-029"},

	{"", `{"fault": "restless"}`, "EMB-030"},
	{"", `{"fault": "swapped", "poison": "` + oneRow + `"}`, "EMB-031"},
	{"", `{"fault": "invents"}`, "EMB-032"},
	{"", `{"fault": "error", "poison": "` + longBegin + `"}`, "EMB-033"},
	{"", `{"fault": "error", "poison": "\u202e"}`, "EMB-034"},
	{"", `{"fault": "no-pictures"}`, "EMB-035"},
	{"", `{"fault": "contagion"}`, "EMB-036"},
	{"sees", `{"fault": "brittle"}`, "EMB-035"},
	{"sees", `{"fault": "sums"}`, "EMB-037"},
	{"sees", `{"fault": "unturned"}`, "EMB-038"},
	{"only-sees", `{"fault": "unturned"}`, "EMB-038"},
	{"", `{"fault": "drift"}`, "EMB-040"},
	{"", `{"fault": "moody"}`, "EMB-041"},
	{"", `{"fault": "threads"}`, "EMB-042"},
	{"", `{"fault": "one-stream"}`, "EMB-043"},
	{"sees", `{"fault": "mixes-up"}`, "EMB-044"},
	{"", `{"fault": "state-lost"}`, "EMB-050"},
	{"", `{"fault": "state-any"}`, "EMB-051"},
	{"small-limit", `{}`, "EMB-060"},
	{"", `{"fault": "stubborn", "poison": "` + cancelBegin + `"}`, "EMB-061"},
	{"", `{"fault": "leak"}`, "EMB-062"},
	{"chatty", `{}`, "EMB-070"},
	{"", `{"fault": "flood"}`, "EMB-071"},
	{"deaf", `{}`, "EMB-072"},
	{"orphan", `{}`, "EMB-073"},
	{"", `{"fault": "clings", "poison": "` + busyBegin + `"}`, "EMB-074"},
	{"", `{"fault": "dial", "poison": "` + oneRow + `"}`, "EMB-075"},

	// What is odd and yet right.
	{"", `{}`, ""},
	{"sees", `{}`, ""},
	{"only-sees", `{}`, ""},
	{"", `{"fault": "sparse"}`, ""},
	{"", `{"fault": "fit"}`, ""},
	{"", `{"fault": "noise"}`, ""},
	{"", `{"fault": "failed", "poison": "` + oneRow + `"}`, ""},
}

// Each specimen breaks its rule and no other.
func TestSpecimens(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var group errgroup.Group
	group.SetLimit(8) // most of the time they wait
	notices := map[string]string{}
	for _, b := range broken {
		group.Go(func() error {
			begin := time.Now()
			name := strings.TrimSuffix("specimen-"+b.file, "-")
			path := program(programs, name)
			if b.file != "" {
				if err := os.Symlink(program(programs, "specimen"), path); err != nil && !os.IsExist(err) {
					return err
				}
			}
			var options map[string]any
			if err := json.Unmarshal([]byte(b.options), &options); err != nil {
				return err
			}
			report, err := Run(t.Context(), Config{Program: path, Options: options, StartTimeout: 3 * time.Second, Timeout: 3 * time.Second, brief: true,
				filter: b.rules != "EMB-075" && b.rules != ""})
			if err != nil {
				return fmt.Errorf("%s %s: %w", name, b.options, err)
			}
			mu.Lock()
			defer mu.Unlock()
			t.Logf("%.1f s %s %s", time.Since(begin).Seconds(), name, b.options)
			if b.rules == "EMB-075" && slices.ContainsFunc(report.Results, func(x Result) bool { return x.ID == b.rules && x.Outcome == Skip }) {
				t.Log("this system has no network namespaces, so that EMB-075 sees nothing")
				notices[b.rules] = "nothing"
				return nil
			}
			if got := strings.Join(report.Failed(), " "); got != b.rules {
				var table bytes.Buffer
				_ = report.WriteTable(&table)
				t.Errorf("%s %s breaks %q, not %q\n%s", name, b.options, got, b.rules, table.String())
			}
			for _, x := range report.Results {
				if x.Outcome == Fail {
					notices[x.ID] = x.Detail
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, r := range Rules() {
		if _, ok := notices[r.ID]; !ok && r.Level != Note {
			t.Errorf("no specimen breaks %s: %s", r.ID, r.Title)
		}
	}
}

func TestOursConform(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		options map[string]any
	}{
		{"tfidf", nil},
		{"tfidf", map[string]any{"svd": 10, "ngram_range": []int{1, 2}}},
		{"hashing", nil},
	} {
		conforms(t, c.name, c.options)
	}
}

func conforms(t *testing.T, name string, options map[string]any) {
	t.Helper()
	report := Test(t, Config{Program: program(programs, name), Options: options, brief: true})
	if !report.Conforms || !strings.Contains(report.Badge(), name+" 0.1.0 conforms to embedder protocol 1 (sha256 ") {
		t.Errorf("%s %v: %s", name, options, report.Badge())
	}
}

func TestSBERTConforms(t *testing.T) {
	t.Parallel()
	if _, err := ortlib.Path(); err != nil {
		t.Skip("sbert needs ONNX Runtime:", err)
	}
	if out, err := exec.Command("go", "build", "-o", program(programs, "sbert"), "../plugins/sbert").CombinedOutput(); err != nil {
		t.Fatalf("build sbert: %v\n%s", err, out)
	}
	models, err := filepath.Abs(filepath.Join("..", "plugins", "sbert", "testdata", "st"))
	if err != nil {
		t.Fatal(err)
	}
	for _, options := range []map[string]any{
		{"model": filepath.Join(models, "mean-normalize")},
		{"model": filepath.Join(models, "static-embedding")},
	} {
		conforms(t, "sbert", options)
	}
}

// Nothing is left of the processes and sockets.
func TestLeavesNothing(t *testing.T) {
	before, err := filepath.Glob(filepath.Join(shortTemp(), "btc-*"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), Config{Program: program(programs, "hashing")}); err != nil {
		t.Fatal(err)
	}
	after, err := filepath.Glob(filepath.Join(shortTemp(), "btc-*"))
	if err != nil || len(after) > len(before) {
		t.Errorf("got %q, %v; there were %q", after, err, before)
	}
}

func TestPictures(t *testing.T) {
	rows, err := pictures()
	if err != nil || len(rows) < full {
		t.Fatalf("%d pictures, %v", len(rows), err)
	}
	seen := map[string]bool{}
	for _, r := range rows {
		seen[string(r.Images[0].Data)] = true
	}
	if len(seen) != len(rows) {
		t.Errorf("%d of %d pictures are different", len(seen), len(rows))
	}
	large, err := largePicture()
	if err != nil || len(large.Images[0].Data) <= 4<<20 {
		t.Errorf("a large picture of %d bytes, %v", len(large.Images[0].Data), err)
	}
}

func TestNoProgram(t *testing.T) {
	if _, err := Run(t.Context(), Config{Program: filepath.Join(t.TempDir(), "bertopic-embedder-none")}); err == nil {
		t.Error("no error for a program that is not there")
	}
}

func TestReports(t *testing.T) {
	r := &Report{Name: "mine", Version: "1.2.3", Protocol: 1, SHA256: "ab", Results: []Result{
		{Rule: Rule{ID: "EMB-001", Title: "one", Level: Must}, Outcome: Fail, Detail: "a <fault>\x1b"},
		{Rule: Rule{ID: "EMB-002", Title: "two", Level: Should}, Outcome: Fail, Detail: "slow"},
		{Rule: Rule{ID: "EMB-003", Title: "three", Level: Must}, Outcome: Skip, Detail: "no need"},
		{Rule: Rule{ID: "EMB-004", Title: "four", Level: Must}, Outcome: Pass},
	}}
	var b bytes.Buffer
	if err := r.WriteJUnit(&b); err != nil {
		t.Fatal(err)
	}
	var suite junitSuite
	if err := xml.Unmarshal(b.Bytes(), &suite); err != nil {
		t.Fatal(err)
	}
	if suite.Tests != 4 || suite.Failures != 1 || suite.Skipped != 2 || suite.Cases[0].Failure.Message != "a <fault>\uFFFD" {
		t.Errorf("got %+v", suite)
	}
	b.Reset()
	if err := r.WriteTable(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"must: 1 pass, 1 fail, 1 skip; should: 0 pass, 1 fail, 0 skip", "mine 1.2.3 does not conform"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	b.Reset()
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(b.Bytes(), &back); err != nil || !slices.Equal(back.Failed(), r.Failed()) {
		t.Errorf("got %+v, %v", back, err)
	}
}

// Ids are unique and ascend, and a rule needs none that comes after it.
func TestRules(t *testing.T) {
	seen := map[string]bool{}
	last := ""
	for _, c := range checks {
		if c.ID <= last || c.Title == "" || c.Why == "" || c.Level == "" {
			t.Errorf("%+v after %s", c.Rule, last)
		}
		last = c.ID
		for _, id := range c.needs {
			if !seen[id] {
				t.Errorf("%s needs %s, which does not come before", c.ID, id)
			}
		}
		seen[c.ID] = true
	}
}

// docs/conformance.md lists the rules as they are.
func TestDocs(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "conformance.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range Rules() {
		if line := fmt.Sprintf("| %s | %s | %s | %s |\n", r.ID, r.Level, r.Title, r.Why); !strings.Contains(string(text), line) {
			t.Errorf("docs/conformance.md lacks the line\n%s", line)
		}
	}
	if n := strings.Count(string(text), "\n| EMB-"); n != len(Rules()) {
		t.Errorf("docs/conformance.md lists %d rules, there are %d", n, len(Rules()))
	}
}
