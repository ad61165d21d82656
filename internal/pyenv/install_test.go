package pyenv

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// sdk is no SDK, but starts what it is told to.
var sdk = fstest.MapFS{
	"bertopic_sdk/__init__.py": {Data: []byte(`import os, runpy, sys

def launch(path):
    print("elsewhere" if os.path.dirname(path) != os.path.dirname(os.path.dirname(__file__)) else "", file=sys.stderr)
    runpy.run_path(path)
`)},
	"bertopic_sdk/_proto/__init__.py": {Data: []byte("")},
}

const fine = `import json, sys
print(json.dumps({"name": "fine", "version": "0.1.0", "path": sys.path, "args": sys.argv[1:]}))
`

func needPython(t *testing.T) {
	t.Helper()
	if _, err := find(t.Context(), "", Versions{Min: minPython}); err != nil {
		t.Skip("no Python here that can make environments: ", err)
	}
	t.Setenv("PIP_NO_INDEX", "1") // nothing of these tests comes from outside
	t.Setenv("PIP_CONFIG_FILE", os.DevNull)
	t.Setenv("PIP_FIND_LINKS", "")
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestInstall(t *testing.T) {
	needPython(t)
	folder := filepath.Join(t.TempDir(), "plugins [with] a space")
	src := Source{Origin: "python:fine", Name: "fine", Embedder: []byte(fine), SDK: sdk}
	var said []string
	opt := Options{Folder: folder, Say: func(s string) { said = append(said, s) }}
	got, err := Install(t.Context(), src, opt)
	if err != nil {
		t.Fatal(err)
	}
	both := []string{"bertopic-embedder-fine", "bertopic-embedder-fine.d"}
	if got.Reused || got.Name != "fine" || got.Version != "0.1.0" || !slices.Equal(names(t, folder), both) {
		t.Fatalf("%+v, and the folder holds %v", got, names(t, folder))
	}
	if len(said) == 0 || !strings.Contains(said[0], "making an environment") {
		t.Errorf("said %q", said)
	}

	if made := names(t, filepath.Join(got.Folder, "bertopic_sdk", "__pycache__")); len(made) != 1 {
		t.Errorf("bytecode: %v", made)
	}

	// The program runs from anywhere, and after the two have been moved.
	t.Setenv("PYTHONPATH", t.TempDir())
	moved := filepath.Join(t.TempDir(), "m")
	if err := os.Rename(folder, moved); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(filepath.Join(moved, both[0]), "--describe", "a b").CombinedOutput()
	if err != nil || strings.Contains(string(out), "elsewhere") || !strings.Contains(string(out), `"args": ["--describe", "a b"]`) {
		t.Errorf("%v: %s", err, out)
	}
	if strings.Contains(string(out), os.Getenv("PYTHONPATH")) {
		t.Errorf("PYTHONPATH is looked at: %s", out)
	}
	opt.Folder = moved

	// A new version of the code takes the environment over.
	venv, err := os.Stat(filepath.Join(moved, both[1], "venv", "pyvenv.cfg"))
	if err != nil {
		t.Fatal(err)
	}
	src.Embedder = []byte(strings.ReplaceAll(fine, "0.1.0", "0.2.0"))
	got, err = Install(t.Context(), src, opt)
	if err != nil || !got.Reused || got.Version != "0.2.0" || !slices.Equal(names(t, moved), both) {
		t.Fatalf("%+v, %v, and the folder holds %v", got, err, names(t, moved))
	}
	if now, err := os.Stat(filepath.Join(moved, both[1], "venv", "pyvenv.cfg")); err != nil || !os.SameFile(now, venv) {
		t.Errorf("the environment is another one: %v", err)
	}

	// What fails leaves everything as it was.
	for name, bad := range map[string]struct {
		change func(*Source, *Options)
		want   string
	}{
		"code": {func(s *Source, _ *Options) { s.Embedder = []byte("raise SystemExit('no such library')") }, "no such library"},
		"name": {func(s *Source, _ *Options) { s.Embedder = []byte(strings.ReplaceAll(fine, "fine", "other")) }, `calls itself "other"`},
		"packages": {func(s *Source, _ *Options) {
			s.Lists = []List{{Name: "its packages", Text: []byte("nothing-like-it==1\n")}}
		}, "nothing-like-it==1"},
		"too old":   {func(s *Source, _ *Options) { s.Lists = []List{{Text: []byte("# requires-python: >=3.99\n")}} }, "needs Python 3.99 or newer"},
		"no python": {func(_ *Source, o *Options) { o.Python = filepath.Join(moved, "python") }, "can't be used as Python"},
	} {
		t.Run(name, func(t *testing.T) {
			s, o := src, opt
			bad.change(&s, &o)
			_, err := Install(t.Context(), s, o)
			if err == nil || !strings.Contains(err.Error(), bad.want) {
				t.Errorf("error %v, want one with %q", err, bad.want)
			}
			if !slices.Equal(names(t, moved), both) {
				t.Errorf("left: %v", names(t, moved))
			}
			out, err := exec.Command(filepath.Join(moved, both[0]), "--describe").Output()
			if err != nil || !strings.Contains(string(out), "0.2.0") {
				t.Errorf("the program before: %v: %s", err, out)
			}
		})
	}

	// A program of other origin is not replaced, unless one says so.
	other := filepath.Join(moved, "bertopic-embedder-theirs")
	if err := os.WriteFile(other, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	src = Source{Origin: "python:fine", Embedder: []byte(strings.ReplaceAll(fine, "fine", "theirs")), SDK: sdk}
	if _, err := Install(t.Context(), src, opt); err == nil || !strings.Contains(err.Error(), "--force") {
		t.Errorf("error %v", err)
	}
	opt.Force = true
	if got, err := Install(t.Context(), src, opt); err != nil || got.Program != other {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestInterrupted(t *testing.T) {
	needPython(t)
	folder := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	src := Source{Origin: "python:slow", Name: "slow", Embedder: []byte("import time\ntime.sleep(600)\n"), SDK: sdk}
	_, err := Install(ctx, src, Options{Folder: folder, Say: func(string) { cancel() }})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if left := names(t, folder); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}

func TestTidy(t *testing.T) {
	venv := t.TempDir()
	for name, mode := range map[string]os.FileMode{"bin/python3": 0o755, "bin/pip": 0o755, "bin/__pycache__/script.pyc": 0o644, ".lock": 0o666, "lib/a.py": 0o666, "lib/.lock": 0o600} {
		path := filepath.Join(venv, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	if err := tidy(venv); err != nil {
		t.Fatal(err)
	}
	if got := append(names(t, venv), append(names(t, venv+"/bin"), names(t, venv+"/lib")...)...); !slices.Equal(got, []string{"bin", "lib", "python3", ".lock", "a.py"}) {
		t.Errorf("left: %v", got)
	}
	for name, want := range map[string]os.FileMode{"lib/a.py": 0o644, "lib/.lock": 0o600, "bin/python3": 0o755} {
		if info, err := os.Stat(filepath.Join(venv, name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

func TestSweep(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{building + "old", building + "new", "other"} {
		if err := os.Mkdir(filepath.Join(folder, name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	before := time.Now().Add(-2 * stale)
	for _, name := range []string{building + "old", "other"} {
		if err := os.Chtimes(filepath.Join(folder, name), before, before); err != nil {
			t.Fatal(err)
		}
	}
	sweep(folder)
	if got := names(t, folder); !slices.Equal(got, []string{building + "new", "other"}) {
		t.Errorf("left: %v", got)
	}
}

func TestNoPython(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Install(t.Context(), Source{Origin: "python:fine", SDK: sdk}, Options{Folder: t.TempDir()})
	var python *PythonError
	if !errors.As(err, &python) || !strings.Contains(err.Error(), "there is no Python on the PATH (looked for python3, python3.14,") {
		t.Errorf("error %v", err)
	}
	if errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v looks like a missing file", err)
	}
}

func TestVersions(t *testing.T) {
	for _, c := range []struct {
		line, text   string
		holds, fails Version
	}{
		{"", "Python 3.10 or newer", Version{3, 20}, Version{3, 9}},
		{"# requires-python: >=3.11,<3.14", "Python 3.11 to 3.13", Version{3, 13}, Version{3, 14}},
		{"# requires-python: >=3.11, <3.12", "Python 3.11", Version{3, 11}, Version{2, 20}},
		{"# requires-python: >=3.12", "Python 3.12 or newer", Version{4, 0}, Version{3, 11}},
	} {
		v := versionsOf([]byte("# a head\n" + c.line + "\nnumpy\n"))
		if v.String() != c.text || !v.holds(c.holds) || v.holds(c.fails) {
			t.Errorf("%q is %v", c.line, v)
		}
	}
	both := Source{Lists: []List{{Text: []byte("# requires-python: >=3.11,<3.15\n")}, {Text: []byte("# requires-python: >=3.12,<3.14\n")}, {}}}
	if v := both.versions().String(); v != "Python 3.12 to 3.13" {
		t.Errorf("both together: %s", v)
	}
}

func TestLines(t *testing.T) {
	var said []string
	l := &lines{say: func(s string) { said = append(said, s) }}
	for _, s := range []string{
		"Collecting torch==2.15.0\n  Downloading torch-2.15.0-cp311.whl (812.4 MB)\n  Down", "loading tiny.whl (12 kB)\n  Downloading middle.whl (19.9 MB)\n",
		"Installing collected packages: a, b, c\n", "ERROR: No matching distribution found for x\n", "hint: try y",
	} {
		if _, err := l.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	if want := []string{"  Downloading torch-2.15.0-cp311.whl (812.4 MB)", "  Installing collected packages"}; !slices.Equal(said, want) {
		t.Errorf("said %q", said)
	}
	if got := l.words(); got != "ERROR: No matching distribution found for x" {
		t.Errorf("words %q", got)
	}
}
