package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/bertopic-go/bertopic/internal/nearest"
)

// prefix begins the file name of every embedder program.
const prefix = "bertopic-embedder-"

// PathEnv is the environment variable with a list of folders that hold embedder
// programs.
const PathEnv = "BERTOPIC_PLUGIN_PATH"

// Found is an embedder program in one of the places that are searched.
type Found struct {
	Name     string // NAME of bertopic-embedder-NAME
	Path     string
	Dir      string // the folder it was found in
	Shadowed bool   // an earlier folder has a program of this name, which is the one that is used
}

// searchDirs returns the folders that are searched, in order: dirs, those of
// $BERTOPIC_PLUGIN_PATH, ./.bertopic/plugins, bertopic/plugins in the user's
// data folder, and the folder of the running executable. $PATH is not among
// them: a program must be put in place on purpose.
func searchDirs(dirs []string) []string {
	all := slices.Clone(dirs)
	all = append(all, filepath.SplitList(os.Getenv(PathEnv))...)
	all = append(all, filepath.Join(".bertopic", "plugins"))
	if data := userData(); data != "" {
		all = append(all, filepath.Join(data, "bertopic", "plugins"))
	}
	if exe, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(exe); err == nil {
			exe = real
		}
		all = append(all, filepath.Dir(exe))
	}
	var unique []string
	for _, d := range all {
		if d == "" {
			continue
		}
		if abs, err := filepath.Abs(d); err == nil {
			d = abs
		}
		if !slices.Contains(unique, d) {
			unique = append(unique, d)
		}
	}
	return unique
}

// userData is the folder for a user's data as the XDG base directory
// specification has it, %LOCALAPPDATA% on Windows.
func userData() string {
	if d := os.Getenv("XDG_DATA_HOME"); filepath.IsAbs(d) {
		return d
	}
	if runtime.GOOS == "windows" {
		return os.Getenv("LOCALAPPDATA")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".local", "share")
}

// programName returns NAME where the file is called bertopic-embedder-NAME.
func programName(path string) (string, bool) {
	base := filepath.Base(path)
	if runtime.GOOS == "windows" {
		base = strings.TrimSuffix(strings.ToLower(base), ".exe")
	}
	name, ok := strings.CutPrefix(base, prefix)
	return name, ok && name != ""
}

func fileName(name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return prefix + name
}

// isPath reports whether plugin is a path to a program rather than its name.
func isPath(plugin string) bool {
	return strings.ContainsRune(plugin, '/') || strings.ContainsRune(plugin, filepath.Separator)
}

// Find returns the path of an embedder program. plugin is its NAME, searched in
// dirs and the places after it, or a path, which then is looked at alone. The
// error is an *Error of KindNotFound; it lists the places and the names of the
// programs there, the likeliest first.
func Find(plugin string, dirs []string) (string, error) {
	refuse := func(err error) (string, error) {
		return "", &Error{Kind: KindNotFound, Plugin: plugin, Op: "find the program", Err: err}
	}
	if plugin == "" {
		return refuse(errors.New("no name was given: set embedder.plugin"))
	}
	if isPath(plugin) {
		path, err := filepath.Abs(plugin)
		if err != nil {
			return refuse(err)
		}
		if err := runnable(path); err != nil {
			return refuse(fmt.Errorf("%s: %w", path, err))
		}
		return path, nil
	}
	name := strings.TrimPrefix(plugin, prefix)
	places := searchDirs(dirs)
	for _, dir := range places {
		path := filepath.Join(dir, fileName(name))
		err := runnable(path)
		if err == nil {
			return path, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return refuse(fmt.Errorf("%s: %w", path, err))
		}
	}
	return refuse(notFound(name, places))
}

// errNoFile is fs.ErrNotExist in words of ours.
type errNoFile struct{}

func (errNoFile) Error() string { return "there is no such file" }
func (errNoFile) Unwrap() error { return fs.ErrNotExist }

// runnable says why the file at path can't be run.
func runnable(path string) error {
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errNoFile{}
	case err != nil:
		var pe *fs.PathError
		if errors.As(err, &pe) {
			err = pe.Err
		}
		return err
	case !st.Mode().IsRegular():
		return errors.New("it is not a file that can be run")
	case runtime.GOOS != "windows" && st.Mode()&0o111 == 0:
		return errors.New("it may not be executed: chmod +x it")
	}
	return nil
}

func notFound(name string, places []string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "no %s in any of", fileName(name))
	for _, p := range places {
		b.WriteString("\n    ")
		b.WriteString(p)
	}
	names := byLikeness(name, names(list(places)))
	if len(names) == 0 {
		b.WriteString("\nno embedder program is there at all: build one, or name its folder in [plugins] dir or $" + PathEnv)
	} else {
		b.WriteString("\nthe programs there are " + strings.Join(names, ", "))
		if near, ok := nearest.Name(name, names); ok {
			fmt.Fprintf(&b, "; did you mean %q?", near)
		}
	}
	return errors.New(b.String())
}

// byLikeness puts the names nearest to name first.
func byLikeness(name string, names []string) []string {
	rest := slices.Clone(names)
	slices.Sort(rest)
	var sorted []string
	for {
		near, ok := nearest.Name(name, rest)
		if !ok {
			return append(sorted, rest...)
		}
		sorted = append(sorted, near)
		rest = slices.DeleteFunc(rest, func(s string) bool { return s == near })
	}
}

func names(found []Found) []string {
	var all []string
	for _, f := range found {
		if !f.Shadowed {
			all = append(all, f.Name)
		}
	}
	return all
}

// List returns the embedder programs in dirs and the places after it, in the
// order of the search, by name within a folder. Folders that don't exist or
// can't be read hold none.
func List(dirs []string) ([]Found, error) { return list(searchDirs(dirs)), nil }

func list(places []string) []Found {
	var found []Found
	seen := make(map[string]bool)
	for _, dir := range places {
		entries, err := os.ReadDir(dir) // sorted by name
		if err != nil {
			continue
		}
		for _, e := range entries {
			name, ok := programName(e.Name())
			path := filepath.Join(dir, e.Name())
			if !ok || runnable(path) != nil {
				continue
			}
			found = append(found, Found{Name: name, Path: path, Dir: dir, Shadowed: seen[name]})
			seen[name] = true
		}
	}
	return found
}
