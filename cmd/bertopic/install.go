package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/bertopic-go/bertopic/host"
	"github.com/bertopic-go/bertopic/internal/nearest"
	"github.com/bertopic-go/bertopic/internal/pyenv"
	"github.com/bertopic-go/bertopic/internal/run"
	pythonplugins "github.com/bertopic-go/bertopic/plugins/python"
	pythonsdk "github.com/bertopic-go/bertopic/sdk/python"
)

// pythonScheme begins the name of an embedder that is a Python library.
const pythonScheme = "python:"

func (a *app) installCommand() *cobra.Command {
	var opt pyenv.Options
	var requirements string
	var with []string
	var uv bool
	cmd := &cobra.Command{
		Use:   "install [python:NAME | FILE.py]",
		Short: "Install a Python library, or an embedder of one's own in Python",
		Long: "Make an environment of its own with Python's venv and pip, and put the program bertopic-embedder-...\n" +
			"into the user's plugin folder, with the folder bertopic-embedder-....d that holds all that belongs to it.\n" +
			"An earlier install is replaced at the end, when all else has worked.\n\n" +
			"python:NAME is one of the libraries below; their packages are pinned, with hashes. FILE.py holds an\n" +
			"embedder on the Python SDK; it is copied, and requirements.txt beside it, where there is one, is installed\n" +
			"for it. Without an argument, the libraries are listed.\n\n" + pythonTable(),
		Example: "  bertopic plugins install python:spacy\n" +
			"  bertopic plugins install 'python:spacy[transformers]' --python python3.12\n" +
			"  bertopic plugins install python:sklearn --with jieba==0.42.1\n" +
			"  bertopic plugins install embedder.py --to .bertopic/plugins",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				fmt.Fprint(a.stdout, pythonTable())
				return nil
			}
			if runtime.GOOS == "windows" {
				return &run.UsageError{Msg: "plugins install: embedders in Python run on Linux and macOS"}
			}
			src, err := pythonSource(args[0], requirements)
			if err != nil {
				return err
			}
			src.With = with
			if uv {
				if opt.UV, err = exec.LookPath("uv"); err != nil {
					return &run.UsageError{Msg: "plugins install --uv: there is no uv on the PATH"}
				}
			}
			if opt.Folder == "" {
				return &run.UsageError{Msg: "plugins install: there is no folder for the user's data ($HOME is not set): name one with --to"}
			}
			if !a.quiet {
				opt.Say = func(line string) { fmt.Fprintln(a.stderr, line) }
			}
			done, err := pyenv.Install(cmd.Context(), src, opt)
			var python *pyenv.PythonError
			if errors.As(err, &python) {
				return &run.UsageError{Msg: err.Error()}
			}
			if err != nil {
				return err
			}
			fmt.Fprintf(a.stdout, "%s %s is installed, with Python %s: %s\n", done.Name, done.Version, done.Python, done.Program)
			if found, err := host.Find(done.Name, nil); err != nil {
				fmt.Fprintf(a.stdout, "runs don't look in that folder: set [plugins] dir, or $%s\n", host.PathEnv)
			} else if found != done.Program {
				fmt.Fprintf(a.stdout, "runs find %s before it\n", found)
			}
			fmt.Fprintf(a.stdout, "`bertopic plugins describe %s` tells its options\n", done.Name)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&opt.Python, "python", "", "the interpreter (default: the first on the PATH whose version suits)")
	f.StringVar(&opt.Folder, "to", host.UserDir(), "the folder of plugins")
	f.StringVar(&requirements, "requirements", "", "install this file of requirements in the place of the pinned ones")
	f.StringArrayVar(&with, "with", nil, "install this package, too, as pip names it: a spaCy pipeline, say (may be repeated)")
	f.BoolVar(&uv, "uv", false, "let uv, which must be on the PATH, do the work of pip: faster, and files that several environments have are stored once")
	f.BoolVar(&opt.Fresh, "fresh", false, "make the environment anew, even if its packages have not changed")
	f.BoolVar(&opt.Force, "force", false, "replace a program of that name which this command has not installed")
	return cmd
}

// pythonSource finds what the user asked for.
func pythonSource(what, requirements string) (pyenv.Source, error) {
	sdk, err := fs.Sub(pythonsdk.Files, "src")
	if err != nil {
		return pyenv.Source{}, err
	}
	src := pyenv.Source{Origin: what, SDK: sdk}
	var own []byte
	if requirements != "" {
		if own, err = os.ReadFile(requirements); err != nil {
			return src, &run.UsageError{Msg: "plugins install: read the requirements: " + err.Error()}
		}
	}
	base := pyenv.List{Name: "what the SDK needs", Text: pythonplugins.SDKRequirements, Whole: true}
	if name, ok := strings.CutPrefix(what, pythonScheme); ok {
		all := pythonplugins.All()
		i := slices.IndexFunc(all, func(p pythonplugins.Plugin) bool { return p.Name == name })
		if i < 0 {
			return src, &run.UsageError{Msg: unknownPython(name, all)}
		}
		p := all[i]
		src.Name, src.Embedder = p.Program, p.Embedder
		src.Lists = []pyenv.List{{Name: "its packages", Text: p.Requirements, Whole: true}}
		if own != nil {
			src.Lists = []pyenv.List{base, {Name: requirements, Text: own, File: requirements}}
		}
		return src, nil
	}
	if !strings.HasSuffix(what, ".py") {
		return src, &run.UsageError{Msg: fmt.Sprintf("plugins install: %q is neither python:NAME nor a FILE.py (see bertopic plugins install --help)", what)}
	}
	if src.Embedder, err = os.ReadFile(what); err != nil {
		return src, &run.UsageError{Msg: "plugins install: " + err.Error()}
	}
	if src.Origin, err = filepath.Abs(what); err != nil {
		return src, err
	}
	src.Lists = []pyenv.List{base}
	if own == nil {
		requirements = filepath.Join(filepath.Dir(what), "requirements.txt")
		if own, err = os.ReadFile(requirements); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return src, &run.UsageError{Msg: "plugins install: read the requirements: " + err.Error()}
		}
	}
	if own != nil {
		src.Lists = append(src.Lists, pyenv.List{Name: requirements, Text: own, File: requirements})
	}
	return src, nil
}

func unknownPython(name string, all []pythonplugins.Plugin) string {
	var names []string
	for _, p := range all {
		names = append(names, p.Name)
	}
	msg := fmt.Sprintf("plugins install: there is no %s%s; there are %s", pythonScheme, name, strings.Join(names, ", "))
	if near, ok := nearest.Name(name, names); ok {
		msg += fmt.Sprintf("; did you mean %s%s?", pythonScheme, near)
	}
	return msg
}

// pythonTable lists the libraries.
func pythonTable() string {
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, p := range pythonplugins.All() {
		fmt.Fprintf(tw, "  %s%s\t%s\n", pythonScheme, p.Name, p.Summary)
	}
	tw.Flush()
	return b.String()
}
