// Command matrix tries every embedder program of this repository against every
// rule, and every rule against the specimen that breaks it.
//
//	make conformance
//	go run ./conformance/matrix -bin bin
//
// It runs in the repository's root. The options of a program are in
// plugins/NAME/testdata/conformance*.toml, a line of the matrix for each file.
// Programs of the user's plugin folder are tried where there are such options for
// them. The exit code is 0 only if every must is kept and every specimen is
// caught.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/bertopic-go/bertopic/conformance"
	"github.com/bertopic-go/bertopic/host"
	"github.com/bertopic-go/bertopic/internal/hub"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("matrix", flag.ContinueOnError)
	bin := flags.String("bin", "bin", "folder of the programs")
	only := flags.String("only", "", "a regular expression: no other programs than those whose name it matches")
	specimens := flags.Bool("specimens", true, "see that every rule is broken by its specimen, too")
	verbose := flags.Bool("v", false, "tell each rule as it is tried")
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := regexp.Compile(*only)
	if err != nil {
		return err
	}
	temp, err := os.MkdirTemp("", "bertopic-matrix-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	m := matrix{temp: temp, stderr: stderr, verbose: *verbose}
	defer m.stopStandIn()
	tries, err := m.find(ctx, *bin)
	if err != nil {
		return err
	}
	var lines []line
	for _, t := range tries {
		if !chosen.MatchString(t.name) {
			continue
		}
		fmt.Fprintf(stderr, "%s ...\n", t.name)
		begin := time.Now()
		l := line{try: t}
		if t.skip == "" {
			l.report, l.err = m.run(ctx, t)
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		l.took = time.Since(begin)
		lines = append(lines, l)
	}
	write(stdout, lines)
	bad := 0
	for _, l := range lines {
		if l.err != nil || l.report != nil && !l.report.Conforms {
			bad++
		}
	}
	if *specimens {
		fmt.Fprintln(stderr, "the specimens ...")
		if err := prove(ctx, stdout); err != nil {
			return err
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d programs do not conform", bad)
	}
	return nil
}

// try is one program with one set of options.
type try struct {
	name    string // of the line
	program string
	options string // file; empty: none
	skip    string // why it is not tried
}

type line struct {
	try
	report *conformance.Report
	err    error
	took   time.Duration
}

type matrix struct {
	temp    string
	stderr  io.Writer
	verbose bool
	standIn *exec.Cmd
	address string // of the stand-in
}

// find lists the programs and their options.
func (m *matrix) find(ctx context.Context, bin string) ([]try, error) {
	var tries []try
	paths, err := filepath.Glob(filepath.Join(bin, "bertopic-embedder-*"))
	if err != nil {
		return nil, err
	}
	for _, p := range paths {
		if st, err := os.Stat(p); err == nil && st.Mode().IsRegular() {
			tries = append(tries, variants(p, filepath.Join("plugins", nameOf(p)), true)...)
		}
	}
	if len(tries) == 0 {
		return nil, fmt.Errorf("no programs are in %s: make build", bin)
	}
	tries = append(tries, m.goExample(ctx), m.pythonExample(ctx))
	if dir := host.UserDir(); dir != "" {
		found, err := host.List([]string{dir})
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			if python, ok := strings.CutPrefix(f.Name, "python-"); ok && f.Dir == dir {
				tries = append(tries, variants(f.Path, filepath.Join("plugins", "python", python), false)...)
			}
		}
	}
	return tries, nil
}

func nameOf(path string) string {
	return strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), "bertopic-embedder-"), ".exe")
}

// variants are the files of options for a program. Without any, it is tried as
// it is, if it may be.
func variants(program, source string, bare bool) []try {
	files, _ := filepath.Glob(filepath.Join(source, "testdata", "conformance*.toml"))
	if len(files) == 0 && bare {
		return []try{{name: nameOf(program), program: program}}
	}
	if len(files) == 0 {
		return []try{{name: nameOf(program), skip: "there is no " + filepath.Join(source, "testdata", "conformance.toml")}}
	}
	var tries []try
	for _, f := range files {
		name := nameOf(program)
		if variant := strings.TrimPrefix(strings.TrimSuffix(filepath.Base(f), ".toml"), "conformance-"); variant != "conformance" {
			name += " (" + variant + ")"
		}
		tries = append(tries, try{name: name, program: program, options: f})
	}
	return tries
}

func (m *matrix) goExample(ctx context.Context) try {
	t := try{name: "examples/embedder-go", program: filepath.Join(m.temp, "go", "bertopic-embedder-hashing")} // the one in Python has its name
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", t.program, "./examples/embedder-go").CombinedOutput(); err != nil {
		t.skip = fmt.Sprintf("go build: %v: %s", err, out)
	}
	return t
}

// pythonExample uses the environment that sdk/python/test.sh has made.
func (m *matrix) pythonExample(ctx context.Context) try {
	t := try{name: "examples/embedder-python"}
	tools := os.Getenv("BERTOPIC_TOOLS")
	if cache, err := os.UserCacheDir(); err == nil && tools == "" {
		tools = filepath.Join(cache, "bertopic", "tools")
	}
	made, _ := filepath.Glob(filepath.Join(tools, "python-sdk-*", "done"))
	for _, done := range made {
		python := filepath.Join(filepath.Dir(done), "bin", "python")
		out, err := exec.CommandContext(ctx, python, "-m", "bertopic_sdk", "install", "examples/embedder-python/embedder.py", "--to", filepath.Join(m.temp, "python")).Output()
		if err == nil {
			t.program, t.skip = strings.TrimSpace(string(out)), ""
			return t
		}
		t.skip = fmt.Sprintf("%s: %v", python, err)
	}
	if t.skip == "" {
		t.skip = "there is no environment for it: make test-python-sdk makes one"
	}
	return t
}

// run tries one line, and remembers the outcome for `bertopic plugins list`.
func (m *matrix) run(ctx context.Context, t try) (*conformance.Report, error) {
	models, err := hub.ModelsDir()
	if err != nil {
		return nil, err
	}
	cfg := conformance.Config{Program: t.program, ModelsDir: models, CacheDir: filepath.Dir(models)}
	if cfg.Program, err = filepath.Abs(t.program); err != nil {
		return nil, err
	}
	if t.options != "" {
		if cfg.Options, err = m.readOptions(ctx, t.options); err != nil {
			return nil, err
		}
		cfg.BaseDir = filepath.Dir(t.options)
	}
	if m.verbose {
		cfg.Progress = func(r conformance.Result) {
			fmt.Fprintf(m.stderr, "  %s %s %.1f s %s\n", r.ID, r.Outcome, r.Seconds, r.Detail)
		}
	}
	report, err := conformance.Run(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if dir := conformance.Folder(); dir != "" && !strings.HasPrefix(report.Program, m.temp) {
		if err := report.Keep(dir, time.Now()); err != nil {
			return nil, err
		}
	}
	return report, nil
}

// standInAddress is where a file of options expects the stand-in for a service.
const standInAddress = "127.0.0.1:8089"

// readOptions reads a file of options. Where they speak of the stand-in for a
// service, that is started, at an address that is free.
func (m *matrix) readOptions(ctx context.Context, path string) (map[string]any, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if strings.Contains(string(text), standInAddress) {
		if err := m.startStandIn(ctx); err != nil {
			return nil, err
		}
		text = []byte(strings.ReplaceAll(string(text), standInAddress, m.address))
	}
	var values map[string]any
	if err := toml.Unmarshal(text, &values); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if embedder, ok := values["embedder"].(map[string]any); ok {
		values, _ = embedder["options"].(map[string]any)
	}
	return values, nil
}

func (m *matrix) startStandIn(ctx context.Context) error {
	if m.standIn != nil {
		return nil
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	m.address = free.Addr().String()
	free.Close()
	program := filepath.Join(m.temp, "standin")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "./internal/remote/remotetest/standin").CombinedOutput(); err != nil {
		return fmt.Errorf("build the stand-in: %w: %s", err, out)
	}
	m.standIn = exec.Command(program, "-listen", m.address)
	if err := m.standIn.Start(); err != nil {
		return fmt.Errorf("start the stand-in: %w", err)
	}
	for begin := time.Now(); time.Since(begin) < 10*time.Second; time.Sleep(50 * time.Millisecond) {
		if c, err := net.Dial("tcp", m.address); err == nil {
			return c.Close()
		}
	}
	return errors.New("the stand-in for a service does not answer")
}

func (m *matrix) stopStandIn() {
	if m.standIn != nil && m.standIn.Process != nil {
		_ = m.standIn.Process.Kill()
		_ = m.standIn.Wait()
	}
}

// groups are the rules by the tens of their numbers.
var groups = map[string]string{
	"0": "start", "1": "options", "2": "answers", "3": "rows", "4": "same bits", "5": "state", "6": "limits", "7": "life",
}

// write writes the matrix: for each program and group, the rules that it keeps of
// those that apply to it.
func write(w io.Writer, lines []line) {
	tens := slices.Sorted(maps.Keys(groups))
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(tw, "PROGRAM\tVERSION")
	for _, k := range tens {
		fmt.Fprint(tw, "\t", strings.ToUpper(groups[k]))
	}
	fmt.Fprintln(tw, "\tMUST\tSHOULD\tROWS/S\tSECONDS")
	var below []string
	for _, l := range lines {
		if l.report == nil {
			why := l.skip
			if l.err != nil {
				why = l.err.Error()
			}
			below = append(below, fmt.Sprintf("%s: not tried: %s", l.name, why))
			continue
		}
		fmt.Fprintf(tw, "%s\t%s", l.name, l.report.Version)
		for _, k := range tens {
			kept, applied := 0, 0
			for _, r := range l.report.Results {
				if r.ID[5:6] != k || r.Outcome == conformance.Skip {
					continue
				}
				applied++
				if r.Outcome == conformance.Pass {
					kept++
				}
			}
			cell := "-"
			if applied > 0 {
				cell = fmt.Sprintf("%d/%d", kept, applied)
			}
			fmt.Fprint(tw, "\t", cell)
		}
		speed := "-"
		for _, r := range l.report.Results {
			if r.ID == "EMB-090" && r.Outcome == conformance.Pass {
				speed, _, _ = strings.Cut(r.Detail, " ")
			}
			if r.Outcome == conformance.Fail {
				below = append(below, fmt.Sprintf("%s: %s (%s) %s: %s", l.name, r.ID, r.Level, r.Title, r.Detail))
			}
		}
		fmt.Fprintf(tw, "\t%s\t%s\t%s\t%.1f\n", tally(l.report, conformance.Must), tally(l.report, conformance.Should), speed, l.took.Seconds())
	}
	_ = tw.Flush()
	if len(below) > 0 {
		fmt.Fprintln(w)
	}
	for _, b := range below {
		fmt.Fprintln(w, b)
	}
	fmt.Fprintln(w)
}

// tally counts the rules of a level: kept of those that apply.
func tally(r *conformance.Report, level conformance.Level) string {
	kept, applied := 0, 0
	for _, x := range r.Results {
		if x.Level != level || x.Outcome == conformance.Skip {
			continue
		}
		applied++
		if x.Outcome == conformance.Pass {
			kept++
		}
	}
	return fmt.Sprintf("%d/%d", kept, applied)
}

var specimen = regexp.MustCompile(`(?m)^ +\S+: +[0-9.]+ s specimen`)

// prove runs the test in which each specimen breaks its rule and no other.
func prove(ctx context.Context, w io.Writer) error {
	out, err := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", "-run", "^TestSpecimens$", "./conformance").CombinedOutput()
	if err != nil {
		return fmt.Errorf("the specimens: %w\n%s", err, out)
	}
	rules := 0
	for _, r := range conformance.Rules() {
		if r.Level != conformance.Note {
			rules++
		}
	}
	_, err = fmt.Fprintf(w, "%d specimens: each breaks the rule that it is to break and no other, or none if it is odd but right; all %d rules are broken by one\n",
		len(specimen.FindAll(out, -1)), rules)
	return err
}
