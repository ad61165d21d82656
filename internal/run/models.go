package run

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/bertopic-go/bertopic/internal/hub"
)

// ListModels writes what the folder of models holds, as a table or as JSON.
func ListModels(w io.Writer, asJSON bool) error {
	dir, err := hub.ModelsDir()
	if err != nil {
		return err
	}
	models, err := hub.List(dir)
	if err != nil {
		return fmt.Errorf("list the models of %s: %w", dir, err)
	}
	if asJSON {
		if models == nil {
			models = []hub.Model{}
		}
		return WriteJSON(w, models)
	}
	if len(models) == 0 {
		_, err := fmt.Fprintf(w, "no models are in %s; `bertopic models get sentence-transformers/all-MiniLM-L6-v2` brings one\n", dir)
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "NAME\tSIZE\tREVISION\tFROM\tSTATE")
	for _, m := range models {
		revision, source, state := m.Revision, m.Source, "ready"
		if len(revision) > 12 {
			revision = revision[:12]
		}
		if revision == "" {
			revision = "-"
		}
		if source == "" {
			source = "-"
		}
		switch {
		case m.Unfinished:
			state = "unfinished: `bertopic models get " + m.Name + "` goes on"
		case m.Fault != "":
			state = "spoilt: " + m.Fault
		}
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%s\n", m.Name, megabytes(m.Bytes), revision, source, state)
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "in %s\n", dir)
	return err
}

// GetModels fetches models and tells how to use each. A fault of one ends the
// job; those before it stay.
func GetModels(ctx context.Context, names []string, o hub.GetOptions, env *Env) error {
	client, err := hub.NewClient(os.Getenv, env.Version)
	if err != nil {
		return modelError(err)
	}
	for _, name := range names {
		if err := getModel(ctx, client, name, o, env); err != nil {
			return err
		}
	}
	return nil
}

func getModel(ctx context.Context, client *hub.Client, name string, o hub.GetOptions, env *Env) error {
	start := time.Now()
	bar := newByteBar(env, name)
	defer bar.close()
	files := 0
	o.Progress = bar.progress
	o.Fetched = func(f hub.ManifestFile) {
		files++
		bar.close()
		env.Log.Info("fetched", "file", f.Path, "bytes", f.Size)
	}
	r, err := client.Get(ctx, name, o)
	bar.close()
	if err != nil {
		if ctx.Err() != nil {
			fmt.Fprintln(env.Stderr, "what has come is kept: the same command goes on from there")
			return ctx.Err()
		}
		return modelError(err)
	}
	for _, n := range r.Notes {
		env.Log.Warn(r.Name + ": " + n)
	}
	if r.There {
		fmt.Fprintf(env.Stdout, "%s is there: %s\n", r.Name, r.Dir)
		return nil
	}
	plugin, revision := "sbert", "revision"
	if hub.IsVectors(r.Name) {
		plugin, revision = "gensim", "MD5"
	}
	fmt.Fprintf(env.Stdout, "%s is fetched: %s\n  %s %s, %s in %d files, %d of them fetched now, in %.1f s\n  use it by:  [embedder]  plugin = %q   [embedder.options]  model = %q\n",
		r.Name, r.Dir, revision, r.Manifest.Revision, megabytes(r.Manifest.Bytes()), len(r.Manifest.Files), files, time.Since(start).Seconds(), plugin, r.Name)
	return nil
}

// modelError makes a usage error of what the user's words or settings cause.
func modelError(err error) error {
	var e *hub.Error
	if errors.As(err, &e) {
		switch e.Kind {
		case hub.KindName, hub.KindMissing, hub.KindAccess, hub.KindOffline, hub.KindLocal:
			return &UsageError{Msg: e.Error()}
		}
	}
	return err
}

func megabytes(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// byteBar shows a download on a terminal, and nothing elsewhere.
type byteBar struct {
	env  *Env
	name string
	show bool
	bar  *progressbar.ProgressBar
}

func newByteBar(env *Env, name string) *byteBar {
	f, ok := env.Stderr.(*os.File)
	return &byteBar{env: env, name: name, show: ok && !env.Quiet && term.IsTerminal(int(f.Fd()))}
}

func (b *byteBar) progress(file string, done, total int64) {
	if !b.show {
		return
	}
	if b.bar == nil {
		b.bar = progressbar.NewOptions64(total,
			progressbar.OptionSetWriter(b.env.Stderr), progressbar.OptionShowBytes(true), progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30))
	}
	b.bar.Describe(b.name + " " + filepath.Base(strings.TrimSuffix(file, "/")))
	b.bar.Set64(done)
}

func (b *byteBar) close() {
	if b.bar != nil {
		b.bar.Clear()
		b.bar = nil
	}
}
