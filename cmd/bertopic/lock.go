package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/bertopic-go/bertopic/host"
)

// lockCommand writes the checksums of programs; dirs are the folders to look
// in first.
func (a *app) lockCommand(dirs func() []string) *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "lock [NAME]...",
		Short: "Write the checksums of programs, which every run then holds them to",
		Long: "Write the SHA-256 of the named programs, or of all that are found, to bertopic.lock, and say what it\n" +
			"covers: the program's file, and all that is in bertopic-embedder-NAME.d beside it.\n" +
			"A run whose folder has that file ([plugins] lock) refuses a program that differs.",
		Example: "  bertopic plugins lock tfidf\n  bertopic plugins lock",
		RunE: func(cmd *cobra.Command, names []string) error {
			var paths []string
			if len(names) == 0 {
				found, err := host.List(dirs())
				if err != nil {
					return err
				}
				for _, f := range found {
					if !f.Shadowed {
						paths = append(paths, f.Path)
					}
				}
			}
			for _, name := range names {
				path, err := host.Find(name, dirs())
				if err != nil {
					return err
				}
				paths = append(paths, path)
			}
			locked, err := host.WriteLock(cmd.Context(), file, paths)
			if err != nil {
				return err
			}
			tw := tabwriter.NewWriter(a.stdout, 0, 0, 2, ' ', 0)
			for _, l := range locked {
				fmt.Fprintf(tw, "%s\t%s\t%s\n", l.Name, l.Version, l.Covers)
			}
			if err := tw.Flush(); err != nil {
				return err
			}
			fmt.Fprintf(a.stdout, "%s: %s\n", file, number(len(locked), "program"))
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "file", "bertopic.lock", "the file to write")
	return cmd
}
