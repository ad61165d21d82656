package main

import (
	"io"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/bertopic-go/bertopic/internal/run"
)

func (a *app) searchCommand() *cobra.Command {
	var opt run.SearchOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "search MODEL [QUERY]",
		Short: "Find the topics and rows nearest to a text or a picture",
		Long: "Find the topics and the rows nearest to QUERY, by the MODEL that a run has left. QUERY is a\n" +
			"text; where it names a picture that is there, it is that picture, and is said to be. The rows\n" +
			"are those of the run: its folder must be whole, MODEL being that folder or the model in it.",
		Example: "  bertopic search out \"stock markets\"\n  bertopic search out --image cat.jpg -n 5\n  bertopic search out \"red\" --image car.png --json",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			env, err := a.env()
			if err != nil {
				return err
			}
			env.Meter = run.NewMeter(io.Discard, slog.New(slog.DiscardHandler), true) // one row has no steps to speak of
			if opt.Model = args[0]; len(args) > 1 {
				opt.Query = args[1]
			}
			found, err := run.Search(cmd.Context(), opt, env)
			if err != nil {
				return err
			}
			if asJSON {
				return run.WriteJSON(a.stdout, found)
			}
			run.PrintFound(a.stdout, found, a.width(), relative)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&opt.Image, "image", "", "look for this picture; with QUERY, for both together")
	f.BoolVar(&opt.AsText, "text", false, "QUERY is a text even where it names a picture")
	f.IntVarP(&opt.N, "number", "n", 10, "so many topics and rows at most")
	f.BoolVar(&asJSON, "json", false, "everything that is found, as JSON")
	f.StringVar(&opt.Plugin, "plugin", "", "the embedder's program, where it is not found by its name")
	f.IntVar(&opt.Threads, "threads", 0, "0: all cores; never changes a result")
	return cmd
}
