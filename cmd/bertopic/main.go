// Command bertopic finds the topics of a corpus of texts, pictures or both.
//
// `bertopic run` is the main job; `bertopic help` lists the rest.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"runtime/pprof"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/bertopic-go/bertopic/internal/run"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second interrupt ends the program at once
	code := runMain(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// runMain is the whole program but for the exit.
func runMain(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	out := &output{w: stdout}
	app := &app{stdin: stdin, stdout: out, stderr: stderr, terminal: stdout}
	root := app.command()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(out)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	pprof.StopCPUProfile()
	if app.meter != nil {
		app.meter.Close()
	}
	if err == nil && out.err != nil {
		err = fmt.Errorf("write to the standard output: %w", out.err)
	}
	if err == nil {
		return run.ExitDone
	}
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		fmt.Fprintln(stderr, "interrupted"+app.resumable())
		return run.ExitInterrupted
	}
	for line := range strings.SplitSeq(err.Error(), "\n") {
		fmt.Fprintln(stderr, "error:", line)
	}
	return run.ExitCode(err)
}

// app is the world around a command.
type app struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	terminal       io.Writer // what is behind stdout
	meter          *run.Meter
	kept           string // folder that keeps the finished vectors of an interrupted job; "": none

	logFormat  string
	quiet      bool
	verbose    bool
	cpuProfile string
}

// startProfile begins the profile that --cpuprofile asks for; it ends with the
// program.
func (a *app) startProfile() error {
	if a.cpuProfile == "" {
		return nil
	}
	f, err := os.Create(a.cpuProfile)
	if err != nil {
		return &run.UsageError{Msg: "--cpuprofile: " + err.Error()}
	}
	return pprof.StartCPUProfile(f)
}

// output remembers that a write has failed: what is printed by the way has no
// other means to tell.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

// resumable says how to go on with an interrupted job, if there is something
// to go on from.
func (a *app) resumable() string {
	if entries, err := os.ReadDir(a.kept); a.kept == "" || err != nil || len(entries) == 0 {
		return ""
	}
	return ": what was embedded is kept; the same command with --resume goes on from there"
}

func (a *app) command() *cobra.Command {
	root := &cobra.Command{
		Use:           "bertopic",
		Short:         "Topics of texts, pictures and mixed corpora",
		Long:          "bertopic finds the topics of a corpus: it embeds each row by a program of its own,\nreduces and clusters the vectors, and describes each cluster by its words.",
		Example:       "  bertopic init corpus.jsonl      write a commented bertopic.toml\n  bertopic run                    find topics as bertopic.toml says\n  bertopic topics out/model       show them again",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	flags := root.PersistentFlags()
	flags.StringVar(&a.logFormat, "log", "text", "how to log on the standard error: text or json")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "no progress, warnings only")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "log what the embedder's process says, too")
	flags.StringVar(&a.cpuProfile, "cpuprofile", "", "write a profile of this process for go tool pprof")
	_ = flags.MarkHidden("cpuprofile")
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return a.startProfile() }
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &run.UsageError{Msg: fmt.Sprintf("%v (see %s --help)", err, cmd.CommandPath())}
	})
	usage(root)
	root.AddCommand(a.runCommand(), a.transformCommand(), a.searchCommand(), a.topicsCommand(), a.embedCommand(),
		a.pluginsCommand(), a.modelsCommand(), a.initCommand(), a.doctorCommand(), a.versionCommand())
	root.AddCommand(a.conformanceCommand())
	for _, c := range root.Commands() {
		usage(c)
	}
	return root
}

// usage makes a wrong number of arguments a usage error.
func usage(c *cobra.Command) {
	if check := c.Args; check != nil {
		c.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return &run.UsageError{Msg: fmt.Sprintf("%v (see %s --help)", err, cmd.CommandPath())}
			}
			return nil
		}
	}
	for _, sub := range c.Commands() {
		usage(sub)
	}
}

// env makes the world of a job, as the flags want it.
func (a *app) env() (*run.Env, error) {
	level := slog.LevelInfo
	if a.quiet {
		level = slog.LevelWarn
	}
	if a.verbose {
		level = slog.LevelDebug
	}
	var handler slog.Handler
	switch a.logFormat {
	case "json":
		handler = slog.NewJSONHandler(a.stderr, &slog.HandlerOptions{Level: level})
	case "text":
		handler = run.NewTextHandler(a.stderr, level)
	default:
		return nil, &run.UsageError{Msg: fmt.Sprintf("--log %q: say text or json", a.logFormat)}
	}
	log := slog.New(handler)
	a.meter = run.NewMeter(a.stderr, log, a.quiet || a.logFormat == "json")
	return &run.Env{Stdin: a.stdin, Stdout: a.stdout, Stderr: a.stderr, Log: log, Meter: a.meter, Version: version(), Quiet: a.quiet}, nil
}

// release is set by the linker of a release.
var release string

// version is the release, or what the build knows of its revision.
func version() string {
	if release != "" {
		return release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	v := info.Main.Version
	if v == "" || v == "(devel)" {
		v = "0.1.0-dev"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 && !strings.Contains(v, s.Value[:12]) {
			v += "+" + s.Value[:12]
		}
	}
	return v
}
