package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/bertopic-go/bertopic/internal/config"
	"github.com/bertopic-go/bertopic/internal/run"
)

// configFlags are the flags of every command that reads a configuration.
type configFlags struct {
	sets []string
	out  string
}

func (f *configFlags) add(cmd *cobra.Command, outHelp string) {
	cmd.Flags().StringArrayVar(&f.sets, "set", nil, "set one key: --set cluster.min_cluster_size=20 (may be repeated)")
	cmd.Flags().StringVarP(&f.out, "out", "o", "", outHelp)
}

// load reads the configuration that args name, bertopic.toml if they name none.
func (f *configFlags) load(args []string) (*config.Config, error) {
	path := "bertopic.toml"
	if len(args) > 0 {
		path = args[0]
	} else if _, err := os.Stat(path); err != nil {
		return nil, &run.UsageError{Msg: "there is no bertopic.toml here: name a configuration, or let `bertopic init CORPUS` write one"}
	}
	return config.Load(path, f.sets)
}

func (a *app) runCommand() *cobra.Command {
	var flags configFlags
	var resume bool
	cmd := &cobra.Command{
		Use:   "run [CONFIG]",
		Short: "Find the topics of a corpus",
		Long:  "Find the topics of a corpus, as CONFIG (bertopic.toml) says, and leave documents.csv,\ntopics.csv, a report and the model in the output folder.",
		Example: "  bertopic run\n  bertopic run run.toml --set run.threads=2 --out results\n" +
			"  bertopic run run.toml --resume      go on after an interruption",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			env, err := a.env()
			if err != nil {
				return err
			}
			c, err := flags.load(args)
			if err != nil {
				return err
			}
			if flags.out != "" {
				if c.Run.Out, err = filepath.Abs(flags.out); err != nil {
					return err
				}
			}
			a.kept = run.Kept(c.Run.Out)
			record, err := run.Run(cmd.Context(), c, env, resume)
			if err != nil {
				return err
			}
			a.summary(record, c.Run.Out)
			return nil
		},
	}
	flags.add(cmd, "folder for the results ([run] out)")
	cmd.Flags().BoolVar(&resume, "resume", false, "go on from the vectors of an interrupted run in the same folder")
	return cmd
}

func (a *app) summary(r *run.Record, out string) {
	a.meter.Close()
	run.PrintTopics(a.stdout, r.Topics, a.width())
	q := r.Quality
	line := fmt.Sprintf("\n%s, %s, %.1f%% outliers", number(r.Corpus.Rows, "row"), number(q.Topics, "topic"), 100*q.OutlierShare)
	for _, f := range []struct {
		name  string
		value *float64
	}{{"coherence (NPMI)", q.NPMI}, {"diversity", q.Diversity}, {"NMI with known classes", q.ClassNMI}} {
		if f.value != nil {
			line += fmt.Sprintf(", %s %.2f", f.name, *f.value)
		}
	}
	fmt.Fprintf(a.stdout, "%s, %.1f s\n", line, r.Seconds)
	run.PrintKinds(a.stdout, q.ByKind)
	fmt.Fprintf(a.stdout, "report: %s\n", relative(filepath.Join(out, "report.html")))
}

// number counts things in words.
func number(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// width is the width of the terminal, or 110 columns.
func (a *app) width() int {
	if f, ok := a.terminal.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return w
		}
	}
	return 110
}

// relative shortens a path below the working directory.
func relative(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(wd, path); err == nil && !strings.HasPrefix(rel, "..") {
		return rel
	}
	return path
}

func (a *app) transformCommand() *cobra.Command {
	var opt run.TransformOptions
	cmd := &cobra.Command{
		Use:   "transform MODEL CORPUS",
		Short: "Give the rows of another corpus their topics",
		Long: "Give each row of CORPUS its topic by a MODEL that a run has left. A row's topic depends on\n" +
			"the row alone; the rows that the model was fitted on get the topics they had.",
		Example: "  bertopic transform out/model new.jsonl --out new\n  bertopic transform out/model - --format jsonl < new.jsonl\n" +
			"  bertopic transform out/model new.csv --embeddings new.npy",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			env, err := a.env()
			if err != nil {
				return err
			}
			opt.Model, opt.Corpus = args[0], args[1]
			done, err := run.Transform(cmd.Context(), opt, env)
			if err != nil {
				return err
			}
			if opt.Out != "" {
				line := fmt.Sprintf("%s: %s, %.1f%% outliers", number(done.Rows, "row"), relative(filepath.Join(opt.Out, "documents.csv")), 100*done.OutlierShare)
				if done.ClassNMI != nil {
					line += fmt.Sprintf(", NMI with known classes %.2f", *done.ClassNMI)
				}
				fmt.Fprintln(a.stdout, line)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVarP(&opt.Out, "out", "o", "", "folder for documents.csv (default: lines on the standard output)")
	f.StringVar(&opt.Format, "format", "", "of the corpus: jsonl, csv, tsv, parquet, txt, texts, images (default: by its name)")
	f.StringVar(&opt.Text, "text", "", "the column of the text (default: called as in the corpus of the fit)")
	f.StringVar(&opt.Image, "image", "", "the column of the pictures (default: called as in the corpus of the fit)")
	f.StringVar(&opt.ID, "id", "", "the column of the id (default: called as in the corpus of the fit)")
	f.StringVar(&opt.Class, "class", "", "a column of known classes, for figures only; \"folder\": the folders of a folder of pictures or texts")
	f.StringVar(&opt.Embeddings, "embeddings", "", "vectors of the corpus, where the model was fitted on vectors from a file")
	f.StringVar(&opt.Plugin, "plugin", "", "the embedder's program, where it is not found by its name")
	f.IntVar(&opt.Threads, "threads", 0, "0: all cores; never changes a result")
	f.IntVar(&opt.Workers, "workers", 1, "embedder processes")
	f.IntVar(&opt.BatchSize, "batch-size", 32, "rows a batch")
	return cmd
}

func (a *app) topicsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "topics MODEL",
		Short:   "Show the topics of a model",
		Example: "  bertopic topics out/model\n  bertopic topics out/model --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			m, err := run.LoadModel(args[0])
			if err != nil {
				return err
			}
			if asJSON {
				return run.WriteJSON(a.stdout, m.Topics)
			}
			run.PrintTopics(a.stdout, m.Topics, a.width())
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "everything about them, as JSON")
	return cmd
}

func (a *app) embedCommand() *cobra.Command {
	var flags configFlags
	var resume bool
	cmd := &cobra.Command{
		Use:   "embed [CONFIG] --out FILE",
		Short: "Make the vectors of a corpus, and nothing else",
		Long: "Make a vector for each row of the corpus and write them to FILE: .npy for a dense float32\n" +
			"matrix, .npz for SciPy's sparse one. A row without a vector is zeros; FILE.status.csv tells why.",
		Example: "  bertopic embed run.toml --out vectors.npy",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			env, err := a.env()
			if err != nil {
				return err
			}
			if flags.out == "" {
				return &run.UsageError{Msg: "name the file for the vectors: --out vectors.npy"}
			}
			c, err := flags.load(args)
			if err != nil {
				return err
			}
			a.kept = run.Kept(flags.out)
			shape, err := run.Embed(cmd.Context(), c, env, flags.out, resume)
			if err != nil {
				return err
			}
			fmt.Fprintf(a.stdout, "%s: %s\n", flags.out, shape)
			return nil
		},
	}
	flags.add(cmd, "file for the vectors, .npy or .npz")
	cmd.Flags().BoolVar(&resume, "resume", false, "go on from the vectors of an interrupted embed to the same file")
	return cmd
}
