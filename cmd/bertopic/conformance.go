package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/spf13/cobra"

	"github.com/bertopic-go/bertopic/conformance"
	"github.com/bertopic-go/bertopic/corpus"
	"github.com/bertopic-go/bertopic/host"
	"github.com/bertopic-go/bertopic/internal/atomicfile"
	"github.com/bertopic-go/bertopic/internal/hub"
	"github.com/bertopic-go/bertopic/internal/run"
	"github.com/bertopic-go/bertopic/sdk"
)

// sampleRows is how many rows of a corpus serve as a sample.
const sampleRows = 256

func (a *app) conformanceCommand() *cobra.Command {
	var options, sample, junit, dir string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "conformance PROGRAM",
		Short: "Try an embedder program against the rules that every one must keep",
		Long: "Start PROGRAM, a path or a name as in embedder.plugin, as a run would, several times, and try each rule\n" +
			"of docs/conformance.md. The exit code is 0 only if no rule of level must is broken. The outcome\n" +
			"is kept for `bertopic plugins list`.\n\n" +
			"FILE holds the options as TOML or JSON, at its top level or in [embedder.options]. CORPUS is any that a\n" +
			"run reads; without one, the program embeds sentences of the suite's own.",
		Example: "  bertopic conformance tfidf\n" +
			"  bertopic conformance ./bertopic-embedder-mine --options mine.toml --sample corpus.jsonl\n" +
			"  bertopic conformance sbert --options examples/sbert.toml --junit conformance.xml",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg := conformance.Config{Program: args[0]}
			if dir != "" {
				cfg.Dirs = []string{dir}
			}
			var err error
			if options != "" {
				if cfg.Options, err = readOptions(options); err != nil {
					return &run.UsageError{Msg: err.Error()}
				}
				cfg.BaseDir = filepath.Dir(options)
			}
			if sample != "" {
				if cfg.Sample, err = a.readSample(cmd, sample); err != nil {
					return err
				}
			}
			if cfg.ModelsDir, err = hub.ModelsDir(); err != nil {
				return err
			}
			cfg.CacheDir = filepath.Dir(cfg.ModelsDir)
			report, err := conformance.Run(cmd.Context(), cfg)
			var unfit *conformance.SampleError
			if errors.As(err, &unfit) {
				return &run.InputError{Msg: sample + ": " + err.Error()}
			}
			if err != nil {
				return err
			}
			if err := keepBadge(report); err != nil {
				fmt.Fprintln(a.stderr, "warning:", err)
			}
			if junit != "" {
				if err := atomicfile.WriteFile(junit, report.WriteJUnit); err != nil {
					return err
				}
			}
			write := report.WriteTable
			if asJSON {
				write = report.WriteJSON
			}
			if err := write(a.stdout); err != nil {
				return err
			}
			if report.Conforms {
				return nil
			}
			return &host.Error{Kind: host.KindLied, Plugin: report.Name, Op: "conformance", Err: fmt.Errorf("broken: %s", strings.Join(report.Failed(), ", "))}
		},
	}
	f := cmd.Flags()
	f.StringVar(&options, "options", "", "file of the program's options, TOML or JSON")
	f.StringVar(&sample, "sample", "", "corpus to embed")
	f.BoolVar(&asJSON, "json", false, "the report as JSON")
	f.StringVar(&junit, "junit", "", "write the report as JUnit XML to this file, too")
	f.StringVar(&dir, "dir", "", "search this folder first ([plugins] dir)")
	return cmd
}

// keepBadge remembers the outcome for `bertopic plugins list`.
func keepBadge(r *conformance.Report) error {
	dir := conformance.Folder()
	if dir == "" {
		return errors.New("the outcome can't be kept: the user has no data folder")
	}
	return r.Keep(dir, time.Now())
}

// badgeLine is what is known of the program at path.
func badgeLine(path string) string {
	b := conformance.Recall(conformance.Folder(), path)
	if b == nil {
		return b.Line("")
	}
	sum, err := host.KnownSum(path)
	if err != nil {
		return "? (" + err.Error() + ")"
	}
	return b.Line(sum.SHA256)
}

// readOptions reads a file of options, or of a run's configuration.
func readOptions(path string) (map[string]any, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the options: %w", err)
	}
	var values map[string]any
	if strings.EqualFold(filepath.Ext(path), ".json") {
		d := json.NewDecoder(bytes.NewReader(text))
		d.UseNumber()
		err = d.Decode(&values)
	} else {
		err = toml.Unmarshal(text, &values)
	}
	if err != nil {
		return nil, fmt.Errorf("read the options: %s: %w", path, err)
	}
	if embedder, ok := values["embedder"].(map[string]any); ok {
		values, _ = embedder["options"].(map[string]any)
	}
	return values, nil
}

// readSample reads the first rows of a corpus.
func (a *app) readSample(cmd *cobra.Command, path string) ([]sdk.Row, error) {
	r, err := corpus.Open(cmd.Context(), corpus.Options{Path: path, Stdin: a.stdin})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var rows []sdk.Row
	for row, err := range r.All() {
		if err != nil {
			return nil, err
		}
		out := sdk.Row{Text: row.Text, HasText: row.HasText}
		for _, m := range row.Images {
			if m, err = filepath.Abs(m); err != nil {
				return nil, err
			}
			out.Images = append(out.Images, sdk.ImageSource{Path: m})
		}
		if rows = append(rows, out); len(rows) == sampleRows {
			break
		}
	}
	if len(rows) == 0 {
		return nil, &run.InputError{Msg: path + " has no rows"}
	}
	return rows, nil
}
