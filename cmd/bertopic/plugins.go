package main

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/bertopic-go/bertopic/host"
	"github.com/bertopic-go/bertopic/internal/run"
)

func (a *app) pluginsCommand() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:     "plugins",
		Short:   "Show the embedder programs that are found",
		Example: "  bertopic plugins list\n  bertopic plugins describe tfidf",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().StringVar(&dir, "dir", "", "search this folder first ([plugins] dir)")
	dirs := func() []string {
		if dir == "" {
			return nil
		}
		return []string{dir}
	}

	list := &cobra.Command{
		Use:     "list",
		Short:   "List the programs, in the order in which they are looked for",
		Long:    "List the programs, in the order in which they are looked for, with what `bertopic conformance` last\nsaid of each, if it has not changed since.",
		Example: "  bertopic plugins list",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found, err := host.List(dirs())
			if err != nil {
				return err
			}
			if len(found) == 0 {
				fmt.Fprintln(a.stdout, "no embedder programs are found in:")
				for _, d := range host.Dirs(dirs()) {
					fmt.Fprintln(a.stdout, "  "+d)
				}
				return nil
			}
			tw := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
			fmt.Fprintln(tw, "NAME\tVERSION\tCONFORMANCE\tSUMMARY\tPROGRAM")
			for _, f := range found {
				d, err := host.Describe(cmd.Context(), f.Path)
				if err != nil {
					fmt.Fprintf(tw, "%s\t?\t?\t%s\t%s\n", f.Name, firstLine(err.Error()), f.Path)
					continue
				}
				fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", f.Name, d.Version, badgeLine(f.Path), d.Summary, f.Path)
			}
			return tw.Flush()
		},
	}

	var asJSON bool
	describe := &cobra.Command{
		Use:     "describe NAME",
		Short:   "Tell what a program does and which options it takes",
		Example: "  bertopic plugins describe tfidf\n  bertopic plugins describe ./bertopic-embedder-mine",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := host.Find(args[0], dirs())
			if err != nil {
				return err
			}
			d, err := host.Describe(cmd.Context(), path)
			if err != nil {
				return err
			}
			if asJSON {
				return run.WriteJSON(a.stdout, d)
			}
			modalities := make([]string, len(d.Modalities))
			for i, m := range d.Modalities {
				modalities[i] = string(m)
			}
			fmt.Fprintf(a.stdout, "%s %s: %s\nprogram: %s\ntakes:   %s\n", d.Name, d.Version, d.Summary, path, strings.Join(modalities, ", "))
			if d.Network {
				fmt.Fprintln(a.stdout, "network: opens connections of its own")
			}
			if len(d.Env) > 0 {
				fmt.Fprintf(a.stdout, "reads:   %s from the environment\n", strings.Join(d.Env, ", "))
			}
			fmt.Fprintln(a.stdout, "\n[embedder.options]")
			tw := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
			for _, o := range d.Options {
				def := "required"
				if !o.Required {
					switch d := o.Default.(type) {
					case nil:
						def = "not given"
					case string:
						def = fmt.Sprintf("%q", d)
					default:
						def = fmt.Sprint(d)
					}
				}
				help := o.Help
				if len(o.Choices) > 0 {
					help += " (" + strings.Join(o.Choices, ", ") + ")"
				}
				fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", o.Name, o.Type, def, help)
			}
			return tw.Flush()
		},
	}
	describe.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	cmd.AddCommand(list, describe, a.lockCommand(dirs), a.newCommand(), a.installCommand())
	return cmd
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Tell the version", Example: "  bertopic version", Args: cobra.NoArgs,
		Run: func(*cobra.Command, []string) { fmt.Fprintln(a.stdout, "bertopic", version()) },
	}
}

func (a *app) initCommand() *cobra.Command {
	var opt run.InitOptions
	var force bool
	var file string
	cmd := &cobra.Command{
		Use:   "init CORPUS",
		Short: "Write a commented configuration for a corpus",
		Long: "Look at CORPUS, guess which of its columns holds what, and write a configuration\n" +
			"with every key, its default and a word on each.",
		Example: "  bertopic init reviews.csv\n  bertopic init --plugin tfidf --text body mails.jsonl",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opt.Corpus, opt.File = args[0], file
			text, said, err := run.Init(cmd.Context(), opt)
			if err != nil {
				return err
			}
			flag := os.O_WRONLY | os.O_CREATE | os.O_EXCL
			if force {
				flag = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
			}
			f, err := os.OpenFile(file, flag, 0o644)
			if os.IsExist(err) {
				return &run.UsageError{Msg: file + " is there already: --force writes over it, --file takes another name"}
			}
			if err != nil {
				return &run.UsageError{Msg: fmt.Sprintf("can't write the configuration: %v", err)}
			}
			if _, err := f.WriteString(text); err != nil {
				f.Close()
				return err
			}
			if err := f.Close(); err != nil {
				return err
			}
			fmt.Fprintf(a.stdout, "%s\n%s is written; `bertopic run %s` finds the topics\n", said, file, file)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&opt.Plugin, "plugin", "", "the embedder (default: tfidf, or clip for a corpus with pictures)")
	f.StringVar(&opt.Text, "text", "", "the column of the text (default: guessed)")
	f.StringVar(&file, "file", "bertopic.toml", "the file to write")
	f.BoolVar(&force, "force", false, "write over the file")
	return cmd
}

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "doctor",
		Short:   "Check that this machine has what a run needs",
		Example: "  bertopic doctor",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			fmt.Fprintln(a.stdout, "bertopic", version())
			return run.Doctor(cmd.Context(), a.stdout)
		},
	}
}
