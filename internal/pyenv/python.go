package pyenv

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// look is how long an interpreter may take to tell its version.
const look = 30 * time.Second

// Versions are those of Python that something works with: from Min up to, and
// not with, Below. The zero value of Below is no limit.
type Versions struct{ Min, Below Version }

// Version is a version of Python, 3.11 say.
type Version struct{ Major, Minor int }

func (v Version) String() string { return fmt.Sprintf("%d.%d", v.Major, v.Minor) }

func (v Version) less(w Version) bool {
	return v.Major < w.Major || v.Major == w.Major && v.Minor < w.Minor
}

func (r Versions) holds(v Version) bool {
	return !v.less(r.Min) && (r.Below == Version{} || v.less(r.Below))
}

func (r Versions) String() string {
	if r.Below == (Version{}) {
		return fmt.Sprintf("Python %v or newer", r.Min)
	}
	last := Version{r.Below.Major, r.Below.Minor - 1}
	if last == r.Min {
		return "Python " + r.Min.String()
	}
	return fmt.Sprintf("Python %v to %v", r.Min, last)
}

var requiresPython = regexp.MustCompile(`(?m)^# requires-python: >=(\d+)\.(\d+)(?:,\s*<(\d+)\.(\d+))?\s*$`)

// minPython is the oldest version that the SDK runs on.
var minPython = Version{3, 10}

// versionsOf reads the line "# requires-python: >=3.11,<3.14" of a file of
// requirements; a file without one works with whatever the SDK works with.
func versionsOf(requirements []byte) Versions {
	m := requiresPython.FindSubmatch(requirements)
	if m == nil {
		return Versions{Min: minPython}
	}
	number := func(b []byte) int { n, _ := strconv.Atoi(string(b)); return n }
	return Versions{Version{number(m[1]), number(m[2])}, Version{number(m[3]), number(m[4])}}
}

// interpreter is a Python that was asked what it is.
type interpreter struct {
	path string // as it was called
	Full string `json:"version"` // 3.11.7
	Arch string `json:"arch"`
	Venv bool   `json:"venv"` // it can make environments, with pip in them

	version Version
}

const question = `import json, platform, sys
try:
    import ensurepip, venv
    able = True
except ImportError:
    able = False
print(json.dumps({"version": platform.python_version(), "arch": platform.machine(), "venv": able}))`

// ask starts a Python and lets it tell its version.
func ask(ctx context.Context, path string) (*interpreter, error) {
	ctx, cancel := context.WithTimeout(ctx, look)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, "-I", "-c", question)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			err = fmt.Errorf("it ended with %v: %s", exit.ProcessState, lastLine(exit.Stderr))
		}
		return nil, err
	}
	p := &interpreter{path: path}
	if err := json.Unmarshal(out, p); err != nil {
		return nil, errors.New("it is no Python 3")
	}
	if _, err := fmt.Sscanf(p.Full, "%d.%d", &p.version.Major, &p.version.Minor); err != nil {
		return nil, fmt.Errorf("it calls its version %q", p.Full)
	}
	return p, nil
}

// PythonError says that no interpreter on this machine will do.
type PythonError struct{ Msg string }

func (e *PythonError) Error() string { return e.Msg }

// find returns the interpreter to make an environment with: the one that was
// named, or else the first of those on the PATH that suits.
func find(ctx context.Context, named string, want Versions) (*interpreter, error) {
	if named != "" {
		p, err := ask(ctx, named)
		if err != nil {
			return nil, &PythonError{fmt.Sprintf("%s can't be used as Python: %v", named, err)}
		}
		if fault := p.fault(want); fault != "" {
			return nil, &PythonError{fmt.Sprintf("it needs %v, and %s %s", want, named, fault)}
		}
		return p, nil
	}
	names := []string{"python3"}
	newest := 14
	if want.Below != (Version{}) {
		newest = want.Below.Minor - 1
	}
	for minor := newest; minor >= want.Min.Minor; minor-- {
		names = append(names, "python3."+strconv.Itoa(minor))
	}
	var faults []string
	for _, name := range names {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		p, err := ask(ctx, path)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			continue // a name on the PATH with nothing behind it
		}
		fault := p.fault(want)
		if fault == "" {
			return p, nil
		}
		if f := path + " " + fault; !slices.Contains(faults, f) {
			faults = append(faults, f)
		}
	}
	if len(faults) == 0 {
		return nil, &PythonError{fmt.Sprintf("it needs %v, and there is no Python on the PATH (looked for %s): install it, or name one with --python", want, strings.Join(names, ", "))}
	}
	return nil, &PythonError{fmt.Sprintf("it needs %v, and %s: install a version that suits, or name one with --python", want, strings.Join(faults, "; "))}
}

// fault says why an interpreter won't do, "" if it will.
func (p *interpreter) fault(want Versions) string {
	switch {
	case !want.holds(p.version):
		return "is Python " + p.Full
	case !p.Venv:
		return "can't make environments: it lacks the modules venv and ensurepip (on Debian and Ubuntu: the package python3-venv)"
	}
	return ""
}

// environ is that of a Python that must not see the user's other environments.
// pip's own settings (PIP_INDEX_URL, proxies) stay. uv makes bytecode, as pip does,
// unless its own setting says otherwise: the program could not keep any.
func environ() []string {
	kept := slices.DeleteFunc(os.Environ(), func(pair string) bool {
		name, _, _ := strings.Cut(pair, "=")
		return name == "VIRTUAL_ENV" || name == "PIP_TARGET" || name == "PIP_PREFIX" || name == "PIP_USER" || name == "PIP_REQUIRE_VIRTUALENV"
	})
	if _, set := os.LookupEnv("UV_COMPILE_BYTECODE"); !set {
		kept = append(kept, "UV_COMPILE_BYTECODE=1")
	}
	return kept
}

func lastLine(text []byte) string {
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.TrimSpace(lines[len(lines)-1])
}
