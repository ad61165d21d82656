package run

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"

	"github.com/bertopic-go/bertopic/host"
)

// Doctor checks that this machine has what a run needs, tells each finding to
// w, and returns an error if a run could not work.
func Doctor(ctx context.Context, w io.Writer) error {
	bad := 0
	say := func(ok bool, format string, args ...any) {
		mark := "ok  "
		if !ok {
			mark = "BAD "
			bad++
		}
		fmt.Fprintf(w, mark+format+"\n", args...)
	}
	say(true, "%s/%s, %d cores in use of %d", runtime.GOOS, runtime.GOARCH, runtime.GOMAXPROCS(0), runtime.NumCPU())

	cache, err := os.UserCacheDir()
	if err == nil {
		cache = filepath.Join(cache, "bertopic")
		err = writable(cache)
	}
	say(err == nil, "cache folder %s%s", cache, because(err))
	err = writable(os.TempDir())
	say(err == nil, "temporary folder %s%s", os.TempDir(), because(err))

	found, err := host.List(nil)
	if err != nil {
		say(false, "look for embedder programs: %v", err)
	}
	for _, f := range found {
		d, err := host.Describe(ctx, f.Path)
		if err != nil {
			say(false, "embedder %s: %v", f.Name, err)
			continue
		}
		say(true, "embedder %s %s (%s)", d.Name, d.Version, f.Path)
	}
	if len(found) == 0 {
		say(false, "no embedder program is found; looked in:")
		for _, d := range host.Dirs(nil) {
			fmt.Fprintln(w, "      "+d)
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d of the findings above stand in the way of a run", bad)
	}
	return nil
}

// writable makes dir and a file in it, and removes the file.
func writable(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".doctor-")
	if err != nil {
		return err
	}
	f.Close()
	return os.Remove(f.Name())
}

func because(err error) string {
	if err == nil {
		return ""
	}
	return ": " + err.Error()
}
