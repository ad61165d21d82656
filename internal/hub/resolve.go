package hub

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// defaultOrg is whose models are meant by a name without an organisation, as
// in the Python library.
const defaultOrg = "sentence-transformers"

// ModelsDir is the folder of models: <user's cache>/bertopic/models.
func ModelsDir() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("find the cache folder: %w (set XDG_CACHE_HOME)", err)
	}
	return filepath.Join(cache, "bertopic", "models"), nil
}

// NotFoundError is a model that is not on this machine.
type NotFoundError struct{ Msg string }

func (e *NotFoundError) Error() string { return e.Msg }

// nameRule is a repository of a hub: "org/name", or "name" alone.
var nameRule = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)?$`)

// ValidName tells whether name can be that of a model on a hub.
func ValidName(name string) bool {
	return len(name) <= 200 && nameRule.MatchString(name) && !strings.Contains(name, "..")
}

// Resolve returns the folder of the model that name means. In this order:
//
//  1. a path: absolute, or from baseDir, the folder of the configuration. What
//     begins with "/", "./", "../" or "~/" is nothing but a path; any other
//     name is one where there is a folder that holds a model.
//  2. modelsDir/org/name
//  3. for a name without an organisation modelsDir/sentence-transformers/name,
//     modelsDir/gensim-data/name, then modelsDir/ORG/name if just one ORG has it
//
// modelsDir "" is ModelsDir(). No connection is opened. A model that is not
// there is a NotFoundError that lists those that are.
func Resolve(modelsDir, baseDir, name string) (dir string, err error) {
	if name == "" {
		return "", &NotFoundError{"no model is named"}
	}
	if modelsDir == "" {
		if modelsDir, err = ModelsDir(); err != nil {
			return "", err
		}
	}
	path := name
	if rest, ok := strings.CutPrefix(name, "~/"); ok {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("find the folder of %s: %w", name, err)
		}
		path = filepath.Join(home, rest)
	}
	if !filepath.IsAbs(path) {
		path = filepath.Join(baseDir, path)
	}
	path = filepath.Clean(path)
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir() && (isPath(name) || holdsModel(path)):
		return path, nil
	case err == nil && !info.IsDir():
		return "", &NotFoundError{fmt.Sprintf("the model %s is a file: name the folder that holds the model's files", path)}
	case err != nil && !errors.Is(err, fs.ErrNotExist) && isPath(name):
		return "", fmt.Errorf("look for the model %s: %w", name, err)
	}
	emptyFolder := err == nil
	if isPath(name) {
		return "", &NotFoundError{fmt.Sprintf("there is no folder %s", path)}
	}
	if ValidName(name) {
		dir, err := resolveName(modelsDir, name)
		if dir != "" || err != nil {
			return dir, err
		}
	}
	return "", &NotFoundError{missing(modelsDir, path, name, emptyFolder)}
}

// isPath is true for what can be nothing but a path.
func isPath(name string) bool {
	slashed := filepath.ToSlash(name)
	return filepath.IsAbs(name) || slashed == "." || slashed == ".." ||
		strings.HasPrefix(slashed, "./") || strings.HasPrefix(slashed, "../") || strings.HasPrefix(slashed, "~/")
}

// marks are files that a folder of a model has one of.
var marks = []string{"modules.json", "config.json", "config.cfg", "model.safetensors", "model.safetensors.index.json", "tokenizer.json", "model.onnx", "meta.json"}

func holdsModel(dir string) bool {
	return slices.ContainsFunc(marks, func(m string) bool { return isFile(filepath.Join(dir, m)) })
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// resolveName looks in the models folder; "" means that there is none.
func resolveName(modelsDir, name string) (string, error) {
	if strings.Contains(name, "/") {
		if dir := filepath.Join(modelsDir, filepath.FromSlash(name)); isDir(dir) {
			return dir, nil
		}
		return "", nil
	}
	if dir := filepath.Join(modelsDir, defaultOrg, name); isDir(dir) {
		return dir, nil
	}
	if dir := filepath.Join(modelsDir, gensimOrg, name); isDir(dir) {
		return dir, nil
	}
	if dir := filepath.Join(modelsDir, name); holdsModel(dir) {
		return dir, nil
	}
	var found []string
	for _, n := range names(modelsDir) {
		if _, base, ok := strings.Cut(n, "/"); ok && base == name {
			found = append(found, n)
		}
	}
	if len(found) > 1 {
		return "", &NotFoundError{fmt.Sprintf("the model %s can be %s: write the one you mean", name, strings.Join(found, " or "))}
	}
	if len(found) == 1 {
		return filepath.Join(modelsDir, filepath.FromSlash(found[0])), nil
	}
	return "", nil
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// names lists the models of a folder, "org/name", sorted. A folder that holds
// a model right under modelsDir is listed by its name alone.
func names(modelsDir string) []string {
	var out []string
	orgs, _ := os.ReadDir(modelsDir)
	for _, org := range orgs {
		dir := filepath.Join(modelsDir, org.Name())
		if strings.HasPrefix(org.Name(), ".") || !isDir(dir) {
			continue
		}
		if holdsModel(dir) {
			out = append(out, org.Name())
			continue
		}
		models, _ := os.ReadDir(dir)
		for _, m := range models {
			if !strings.HasPrefix(m.Name(), ".") && isDir(filepath.Join(dir, m.Name())) {
				out = append(out, org.Name()+"/"+m.Name())
			}
		}
	}
	slices.Sort(out)
	return out
}

// missing says where a model was looked for, what is there, and how to get it.
func missing(modelsDir, path, name string, emptyFolder bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "the model %s is not here: ", name)
	if emptyFolder {
		fmt.Fprintf(&b, "the folder %s holds no model", path)
	} else {
		fmt.Fprintf(&b, "there is no folder %s", path)
	}
	fmt.Fprintf(&b, ", and the models folder %s ", modelsDir)
	switch there := names(modelsDir); {
	case len(there) == 0:
		b.WriteString("is empty")
	case len(there) > 20:
		fmt.Fprintf(&b, "has %s and %d more", strings.Join(there[:20], ", "), len(there)-20)
	default:
		b.WriteString("has " + strings.Join(there, ", "))
	}
	if ValidName(name) {
		fmt.Fprintf(&b, "; `bertopic models get %s` brings it, or name the folder that holds it", fetchName(name))
	}
	return b.String()
}
