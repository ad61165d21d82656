package pyenv

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/bertopic-go/bertopic/internal/atomicfile"
)

const (
	// Prefix begins the file name of every embedder program.
	Prefix = "bertopic-embedder-"
	// Suffix ends the name of the folder that belongs to a program.
	Suffix = ".d"
	// Manifest is the file of that folder that says where it came from.
	Manifest = "install.json"

	building = ".bertopic-install-" // begins the name of a folder that is not finished
	stale    = 24 * time.Hour       // after which nobody builds it any more
)

// program is the program file. It is the same for every embedder. With -B, Python
// writes nothing into the folder, which the lock file covers with its bytecode.
const program = `#!/bin/sh
# An embedder program of bertopic, in Python. What belongs to it is in the
# folder beside it, which has the same name and .d at its end.
d="$0.d"
if [ ! -x "$d/venv/bin/python" ]; then
	echo "$d/venv is missing or its Python is gone: install $(basename "$0") anew, with bertopic plugins install" >&2
	exit 1
fi
exec "$d/venv/bin/python" -I -B "$d/launch.py" "$@"
`

const launch = `import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, here)

from bertopic_sdk import launch  # noqa: E402

launch(os.path.join(here, "embedder.py"))
`

// Source is what a program is made of.
type Source struct {
	Origin   string   // what the user asked for: python:spacy, or a file
	Name     string   // NAME of the program; empty: whatever the embedder's description says
	Embedder []byte   // embedder.py
	SDK      fs.FS    // holds the package bertopic_sdk
	Lists    []List   // of packages, installed one after the other
	With     []string // further packages, as the user wrote them
}

// List is a file of requirements.
type List struct {
	Name string // in messages
	Text []byte // as pip reads it
	File string // where it is, for one that may name other files beside it; may be empty
	// Whole says that the list names everything, with hashes: pip then takes
	// nothing that is not in it.
	Whole bool
}

// Options say where and how to install.
type Options struct {
	Folder string            // of plugins; made where it does not exist
	Python string            // the interpreter; empty: the first on the PATH that suits
	Fresh  bool              // make the environment anew, even where the one that is there has the same packages
	Force  bool              // replace a program file that no install has written
	UV     string            // the program uv, which then does pip's work; empty: pip
	Say    func(line string) // is told of each step; may be nil
}

// Installed is what an install has left.
type Installed struct {
	Name    string
	Version string
	Program string // path of the program file
	Folder  string // and of the folder that belongs to it
	Python  string // the version of Python in it, 3.11.7
	Reused  bool   // the environment was there before
}

// manifest is install.json.
type manifest struct {
	Origin       string   `json:"origin"`
	Name         string   `json:"name"`
	Version      string   `json:"version"`
	Python       string   `json:"python"`
	Arch         string   `json:"arch"`
	Requirements string   `json:"requirements_sha256"`
	With         []string `json:"with,omitempty"`
}

// Install installs a program, in the place of an earlier one of its name. It
// downloads packages with pip, whose settings are the user's. On an error the
// folder of plugins is as it was.
func Install(ctx context.Context, src Source, o Options) (*Installed, error) {
	if o.Say == nil {
		o.Say = func(string) {}
	}
	done, err := install(ctx, src, o)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("install %s: %w", src.Origin, err)
	}
	return done, nil
}

func install(ctx context.Context, src Source, o Options) (*Installed, error) {
	python, err := find(ctx, o.Python, src.versions())
	if err != nil {
		return nil, err
	}
	folder, err := filepath.Abs(o.Folder)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	if src.Name != "" {
		if err := ours(folder, src.Name, o.Force); err != nil {
			return nil, err
		}
	}
	sweep(folder)
	dir, err := os.MkdirTemp(folder, building)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) // nothing is there after a success
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, err
	}
	if err := writeCode(src, dir); err != nil {
		return nil, err
	}
	m := manifest{Origin: src.Origin, Python: python.Full, Arch: python.Arch, Requirements: src.sum(), With: src.With}
	reused, err := environment(ctx, src, o, python, m, folder, dir)
	if err != nil {
		return nil, err
	}
	if err := compile(ctx, dir); err != nil {
		return nil, err
	}
	m.Name, m.Version, err = describe(ctx, dir)
	switch {
	case err != nil:
		return nil, err
	case src.Name == "":
		if err := ours(folder, m.Name, o.Force); err != nil {
			return nil, err
		}
	case m.Name != src.Name:
		return nil, fmt.Errorf("it calls itself %q, not %q", m.Name, src.Name)
	}
	if err := writeManifest(dir, m); err != nil {
		return nil, err
	}
	path := filepath.Join(folder, Prefix+m.Name)
	if err := place(dir, path, o.Force); err != nil {
		return nil, err
	}
	return &Installed{Name: m.Name, Version: m.Version, Program: path, Folder: path + Suffix, Python: python.Full, Reused: reused}, nil
}

// ours says whether a program of this name may be replaced: not one that
// somebody put there by other means.
func ours(folder, name string, force bool) error {
	path := filepath.Join(folder, Prefix+name)
	if _, err := os.Lstat(path); force || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, err := os.Stat(filepath.Join(path+Suffix, Manifest)); err == nil {
		return nil
	}
	return fmt.Errorf("%s is there already and was not put there by plugins install: move it away, or replace it with --force", path)
}

// sweep removes what an install that was killed has left.
func sweep(folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && strings.HasPrefix(e.Name(), building) && time.Since(info.ModTime()) > stale {
			_ = os.RemoveAll(filepath.Join(folder, e.Name()))
		}
	}
}

// environment fills dir/venv: with links to the files of the environment that
// is there, where its packages are those wanted, or else by pip.
func environment(ctx context.Context, src Source, o Options, python *interpreter, want manifest, folder, dir string) (reused bool, err error) {
	venv := filepath.Join(dir, "venv")
	if old := previous(folder, want); old != "" && !o.Fresh {
		o.Say("the environment that is there has these packages already: it is kept (--fresh makes it anew)")
		if err := linkTree(filepath.Join(old, "venv"), venv); err == nil {
			return true, nil
		}
		o.Say("it could not be linked to, so it is made anew")
		if err := os.RemoveAll(venv); err != nil {
			return false, err
		}
	}
	o.Say(fmt.Sprintf("making an environment of its own with Python %s (%s)", python.Full, python.path))
	args := []string{"-I", "-m", "venv", venv}
	if len(src.Lists) == 0 && len(src.With) == 0 {
		args = append(args, "--without-pip")
	}
	if err := runTool(ctx, nil, python.path, args...); err != nil {
		return false, fmt.Errorf("make the environment: %w", err)
	}
	inside := filepath.Join(venv, "bin", "python")
	for i, list := range src.Lists {
		o.Say(fmt.Sprintf("%s fetches and installs %s", o.tool(), list.Name))
		args := []string{"-r", cmp.Or(list.File, requirements(dir, i))}
		if list.Whole {
			args = append(args, "--no-deps", "--require-hashes")
		}
		if err := o.pip(ctx, inside, args...); err != nil {
			return false, err
		}
	}
	if len(src.With) > 0 {
		o.Say(o.tool() + " fetches and installs " + strings.Join(src.With, " "))
		if err := o.pip(ctx, inside, append([]string{"--"}, src.With...)...); err != nil {
			return false, err
		}
	}
	return false, tidy(venv)
}

// tidy removes the scripts of the environment that name the place where it was
// built, and so would not start; its pip is `venv/bin/python -m pip`. And it takes
// from others the right to change files, which some packages bring along: the host
// runs no program that they might have changed.
func tidy(venv string) error {
	bin := filepath.Join(venv, "bin")
	return filepath.WalkDir(venv, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if filepath.Dir(path) == bin && !strings.HasPrefix(e.Name(), "python") || e.Name() == ".lock" && filepath.Dir(path) == venv {
			if err := os.RemoveAll(path); err != nil || !e.IsDir() {
				return err
			}
			return filepath.SkipDir
		}
		if e.Type()&fs.ModeSymlink != 0 {
			return nil
		}
		info, err := e.Info()
		if err != nil || info.Mode()&0o022 == 0 {
			return err
		}
		return os.Chmod(path, info.Mode()&^0o022)
	})
}

func (o Options) tool() string {
	if o.UV != "" {
		return "uv"
	}
	return "pip"
}

func (o Options) pip(ctx context.Context, python string, args ...string) error {
	var err error
	if o.UV != "" {
		all := append([]string{"pip", "install", "--python", python, "--no-progress", "--color", "never"}, args...)
		err = runTool(ctx, nil, o.UV, all...)
	} else {
		all := append([]string{"-I", "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--progress-bar", "off"}, args...)
		err = runTool(ctx, o.Say, python, all...)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", o.tool(), err)
	}
	return nil
}

// runTool runs Python or uv and returns its last words where it fails. say, which
// may be nil, is told of the lines of pip that a waiting person wants.
func runTool(ctx context.Context, say func(string), python string, args ...string) error {
	cmd := exec.CommandContext(ctx, python, args...)
	cmd.Env = environ()
	cmd.WaitDelay = 2 * time.Second
	group(cmd)
	out := &lines{say: say}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if words := out.words(); words != "" {
			return errors.New(words)
		}
		return err
	}
	return nil
}

// lines is the output of a command, line by line.
type lines struct {
	say  func(string)
	part []byte
	last []string // the last lines
	errs []string // those that say what went wrong
}

const keep = 12

func (l *lines) Write(p []byte) (int, error) {
	l.part = append(l.part, p...)
	for {
		i := bytes.IndexByte(l.part, '\n')
		if i < 0 {
			return len(p), nil
		}
		l.line(strings.TrimRight(string(l.part[:i]), "\r "))
		l.part = l.part[i+1:]
	}
}

func (l *lines) line(s string) {
	word := strings.TrimSpace(s)
	if word == "" {
		return
	}
	if l.last = append(l.last, word); len(l.last) > keep {
		l.last = l.last[1:]
	}
	if strings.HasPrefix(word, "ERROR") || strings.HasPrefix(strings.ToLower(word), "error:") {
		l.errs = append(l.errs, word)
	}
	if l.say != nil && (large(word) || strings.HasPrefix(word, "Installing collected packages") || strings.HasPrefix(word, "Building wheel for")) {
		if i := strings.IndexByte(word, ':'); i > 0 { // the names of a hundred packages
			word = word[:i]
		}
		l.say("  " + word)
	}
}

// large reports whether a line tells of a download of 20 MB and more, as pip
// writes it: Downloading torch-2.15.0-cp311.whl (812.4 MB).
func large(line string) bool {
	var size float64
	at := strings.LastIndexByte(line, '(')
	if !strings.HasPrefix(line, "Downloading ") || at < 0 {
		return false
	}
	var unit string
	if n, _ := fmt.Sscanf(line[at:], "(%f %s", &size, &unit); n < 2 {
		return false
	}
	unit = strings.TrimSuffix(unit, ")")
	return unit == "GB" || unit == "MB" && size >= 20
}

// words is what a failed command said of its failure.
func (l *lines) words() string {
	if len(l.part) > 0 {
		l.line(string(l.part))
		l.part = nil
	}
	if len(l.errs) > 0 && l.say != nil { // of pip: what else it says is of no use then
		return strings.Join(slices.Compact(l.errs), "\n")
	}
	return strings.Join(l.last, "\n")
}

// requirements is the file of list number i.
func requirements(dir string, i int) string {
	return filepath.Join(dir, fmt.Sprintf("requirements-%d.txt", i))
}

func writeCode(src Source, dir string) error {
	for i, list := range src.Lists {
		if err := os.WriteFile(requirements(dir, i), list.Text, 0o644); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "embedder.py"), src.Embedder, 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "launch.py"), []byte(launch), 0o644); err != nil {
		return err
	}
	sdk, err := fs.Sub(src.SDK, "bertopic_sdk")
	if err != nil {
		return err
	}
	return os.CopyFS(filepath.Join(dir, "bertopic_sdk"), sdk)
}

// compile makes the bytecode of the program's own code, as pip has made that of
// its packages: the program itself writes none.
func compile(ctx context.Context, dir string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "venv", "bin", "python"), "-I", "-m", "compileall", "-q", "bertopic_sdk", "embedder.py", "launch.py")
	cmd.Dir = dir
	cmd.Env = environ()
	cmd.WaitDelay = 2 * time.Second
	group(cmd)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("compile its code: %w: %s", err, lastLine(out))
	}
	return nil
}

// describe asks the program in dir for its name and version. That it answers
// shows that Python, the SDK and the embedder's module work together.
func describe(ctx context.Context, dir string) (name, version string, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(dir, "venv", "bin", "python"), "-I", filepath.Join(dir, "launch.py"), "--describe")
	cmd.Env = environ()
	cmd.WaitDelay = 2 * time.Second
	group(cmd)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		if words := lastLine(stderr.Bytes()); words != "" {
			err = errors.New(words)
		}
		return "", "", fmt.Errorf("ask it for its description: %w", err)
	}
	var d struct{ Name, Version string }
	if err := json.Unmarshal(out, &d); err != nil {
		return "", "", fmt.Errorf("ask it for its description: %w", err)
	}
	return d.Name, d.Version, nil
}

// place puts the built folder beside path, in the place of the one before it,
// and the program file at path.
func place(dir, path string, force bool) error {
	marker := Manifest
	if force {
		marker = ""
	}
	d, err := atomicfile.CreateDir(path+Suffix, marker)
	if err != nil {
		return err
	}
	defer d.Abort()
	if err := os.Remove(d.Path()); err != nil { // it is empty
		return err
	}
	if err := os.Rename(dir, d.Path()); err != nil {
		return err
	}
	if err := d.Commit(); err != nil {
		return err
	}
	if force { // what is there may be a link to something else
		if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	f, err := atomicfile.Create(path)
	if err != nil {
		return err
	}
	defer f.Abort()
	if _, err := f.Write([]byte(program)); err != nil {
		return err
	}
	if err := f.Commit(); err != nil {
		return err
	}
	return os.Chmod(path, 0o755)
}

func readManifest(dir string) (manifest, error) {
	var m manifest
	text, err := os.ReadFile(filepath.Join(dir, Manifest))
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(text, &m)
}

func writeManifest(dir string, m manifest) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, Manifest), append(text, '\n'), 0o644)
}

// previous is the folder of an earlier install of the same thing with the same
// packages, "" if there is none.
func previous(folder string, want manifest) string {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return ""
	}
	for _, e := range entries {
		dir := filepath.Join(folder, e.Name())
		if !strings.HasPrefix(e.Name(), Prefix) || !strings.HasSuffix(e.Name(), Suffix) {
			continue
		}
		m, err := readManifest(dir)
		if err == nil && m.Origin == want.Origin && m.Python == want.Python && m.Arch == want.Arch &&
			m.Requirements == want.Requirements && slices.Equal(m.With, want.With) {
			return dir
		}
	}
	return ""
}

// versions are those of Python that every list works with.
func (s Source) versions() Versions {
	all := Versions{Min: minPython}
	for _, l := range s.Lists {
		v := versionsOf(l.Text)
		if all.Min.less(v.Min) {
			all.Min = v.Min
		}
		if v.Below != (Version{}) && (all.Below == (Version{}) || v.Below.less(all.Below)) {
			all.Below = v.Below
		}
	}
	return all
}

// sum is a hash of the lists.
func (s Source) sum() string {
	h := sha256.New()
	for _, l := range s.Lists {
		fmt.Fprintf(h, "%d %t\n", len(l.Text), l.Whole)
		h.Write(l.Text)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// linkTree makes a folder with the same files as another, by hard links.
func linkTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		switch {
		case e.IsDir():
			return os.Mkdir(target, 0o755)
		case e.Type()&fs.ModeSymlink != 0:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(link, target)
		}
		return os.Link(path, target)
	})
}
