package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bertopic-go/bertopic/internal/run"
	"github.com/bertopic-go/bertopic/internal/scaffold"
	pythonsdk "github.com/bertopic-go/bertopic/sdk/python"
)

func (a *app) newCommand() *cobra.Command {
	var lang, dir, source string
	cmd := &cobra.Command{
		Use:     "new NAME",
		Short:   "Write a project for an embedder of one's own",
		Long:    "new writes the beginning of an embedder program into the folder bertopic-embedder-NAME:\na project that builds, conforms and has its own tests, to be changed from there.",
		Example: "  bertopic plugins new mine --lang go\n  bertopic plugins new mine --lang python --to mine",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if !slices.Contains(scaffold.Langs, lang) {
				return &run.UsageError{Msg: fmt.Sprintf("--lang %q: say %s", lang, strings.Join(scaffold.Langs, " or "))}
			}
			p := scaffold.Project{Name: args[0], Lang: lang, Version: "v0.0.0", PythonSDK: pythonsdk.Files}
			if dir == "" {
				dir = "bertopic-embedder-" + p.Name
			}
			var err error
			switch {
			case lang != "go":
			case source != "":
				p.Source, err = checkout(source)
			case release != "":
				p.Version = "v" + strings.TrimPrefix(release, "v")
			default:
				if p.Source, err = builtFrom(); err != nil {
					err = &run.UsageError{Msg: "this bertopic is no release and its sources are not where it was built: say --sdk DIR, a checkout of bertopic"}
				}
			}
			if err != nil {
				return err
			}
			files, err := scaffold.Write(dir, p)
			if err != nil {
				return &run.UsageError{Msg: "plugins new: " + err.Error()}
			}
			fmt.Fprintf(a.stdout, "%s: %s\n", dir, strings.Join(files, ", "))
			if p.Source != "" {
				fmt.Fprintf(a.stdout, "its go.mod uses the sources in %s\n", p.Source)
			}
			fmt.Fprintf(a.stdout, "next:\n  cd %s\n", dir)
			for _, line := range p.Next() {
				fmt.Fprintln(a.stdout, "  "+line)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&lang, "lang", "", "go or python")
	cmd.Flags().StringVar(&dir, "to", "", "the folder to write (bertopic-embedder-NAME)")
	cmd.Flags().StringVar(&source, "sdk", "", "a checkout of bertopic to build against, in Go; without it the release that this is, or the sources that this was built from")
	return cmd
}

// builtFrom is the checkout that this program was built from.
func builtFrom() (string, error) {
	_, file, _, _ := runtime.Caller(0)
	return checkout(filepath.Join(filepath.Dir(file), "..", ".."))
}

// checkout is dir, absolute, if it holds bertopic's sources.
func checkout(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(abs, "go.mod"))
	if err != nil || !strings.HasPrefix(string(text), "module github.com/bertopic-go/bertopic\n") {
		return "", &run.UsageError{Msg: fmt.Sprintf("--sdk %s: this is no checkout of bertopic: it has no go.mod of github.com/bertopic-go/bertopic", dir)}
	}
	return abs, nil
}
