package main

import (
	"fmt"

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
		Long: "Write the SHA-256 of the named programs, or of all that are found, to bertopic.lock.\n" +
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
			if err := host.WriteLock(cmd.Context(), file, paths); err != nil {
				return err
			}
			fmt.Fprintf(a.stdout, "%s: %d programs\n", file, len(paths))
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "file", "bertopic.lock", "the file to write")
	return cmd
}
