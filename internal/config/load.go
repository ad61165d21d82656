package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/bertopic-go/bertopic/internal/nearest"
)

// Error is a mistake in a configuration. Its text says where it is, what it is
// and what to write instead.
type Error struct {
	File string // "" for the command line
	Line int    // 0 where no line is to blame
	Key  string // dotted; "" where no key is to blame
	Msg  string

	Cause error // that Msg tells of; nil if there is none
}

func (e *Error) Unwrap() error { return e.Cause }

func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		if e.Line > 0 {
			fmt.Fprintf(&b, ":%d", e.Line)
		}
		b.WriteString(": ")
	}
	if e.Key != "" {
		b.WriteString(e.Key + ": ")
	}
	return b.String() + e.Msg
}

// Load reads the file at path, lays it over the defaults, then lays the sets
// ("run.threads=2") over both, and validates the whole.
//
// Relative paths in the file are taken from the file's folder, those in sets
// from the working directory. An empty path reads no file. The error joins
// every fault that was found, each an *Error.
func Load(path string, sets []string) (*Config, error) {
	c := Default()
	c.BaseDir = "."
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, &Error{Msg: fmt.Sprintf("can't read the configuration: %v (`bertopic init` writes one)", err)}
		}
		c.Path = path
		c.BaseDir = filepath.Dir(path)
		c.lines = lines(string(text))
		if err := c.decode(string(text), path); err != nil {
			return nil, err
		}
		c.resolve(c.BaseDir)
	}
	for _, set := range sets {
		if err := c.set(set); err != nil {
			return nil, err
		}
	}
	c.resolve(".")
	if abs, err := filepath.Abs(c.BaseDir); err == nil {
		c.BaseDir = abs
	}
	return c, c.validate()
}

// Parse is Load for a configuration that is not in a file; relative paths are
// taken from base.
func Parse(text, base string) (*Config, error) {
	c := Default()
	c.BaseDir = base
	c.lines = lines(text)
	if err := c.decode(text, ""); err != nil {
		return nil, err
	}
	c.resolve(base)
	return c, c.validate()
}

func (c *Config) decode(text, file string) error {
	md, err := toml.Decode(text, c)
	if err != nil {
		return decodeError(err, file)
	}
	var errs []error
	for _, key := range md.Undecoded() {
		if len(key) > 2 && key[0] == "embedder" && key[1] == "options" {
			continue // the plugin's own schema checks them
		}
		// A table that is unknown brings all its keys along: tell it once.
		if len(key) > 1 && !known(key[:len(key)-1]) {
			continue
		}
		errs = append(errs, &Error{File: file, Line: c.lines[key.String()], Key: key.String(), Msg: "unknown key" + suggestion(key)})
	}
	return errors.Join(errs...)
}

var lineOf = regexp.MustCompile(`^(?:toml: )?(?:line (\d+) )?\(last key "([^"]*)"\): `)

func decodeError(err error, file string) error {
	var pe toml.ParseError
	if errors.As(err, &pe) {
		return &Error{File: file, Line: pe.Position.Line, Key: pe.LastKey, Msg: pe.Message}
	}
	msg := err.Error()
	e := &Error{File: file}
	if m := lineOf.FindStringSubmatch(msg); m != nil {
		fmt.Sscan(m[1], &e.Line)
		e.Key = m[2]
		msg = msg[len(m[0]):]
	}
	msg = strings.TrimPrefix(msg, "incompatible types: ")
	msg = strings.Replace(msg, "TOML value has type ", "the value is a ", 1)
	msg = strings.Replace(msg, "; destination has type ", ", it must be a ", 1)
	msg = strings.NewReplacer(" a integer", " an integer", " a int64", " an integer", " a float64", " a number", " a bool", " a boolean", " a map[string]any", " a table", " a []any", " a list").Replace(msg)
	e.Msg = strings.TrimPrefix(msg, "toml: ")
	return e
}

// set applies one KEY=VALUE of the command line. A value that is no TOML is
// taken as a string, so that run.out=here needs no quotes.
func (c *Config) set(s string) error {
	key, value, ok := strings.Cut(s, "=")
	key = strings.TrimSpace(key)
	if !ok || key == "" {
		return &Error{Msg: fmt.Sprintf("--set %s: write KEY=VALUE, as in --set run.threads=2", s)}
	}
	var probe map[string]any
	line := key + " = " + value
	if _, err := toml.Decode("x = "+value, &probe); err != nil {
		line = key + " = " + tomlString(strings.TrimSpace(value))
	}
	if key == "embedder.options" { // the whole table, not a key of it
		c.Embedder.Options = nil
	}
	if err := c.decode(line, ""); err != nil {
		var e *Error
		if errors.As(err, &e) {
			return &Error{Key: e.Key, Msg: e.Msg + " (in --set " + s + ")"}
		}
		return err
	}
	for k := range c.lines {
		if k == key || strings.HasPrefix(k, key+".") {
			delete(c.lines, k)
		}
	}
	return nil
}

func tomlString(s string) string {
	b, _ := json.Marshal(s) // JSON's escapes are TOML's
	return string(b)
}

// resolve makes the relative paths of c relative to base.
func (c *Config) resolve(base string) {
	for _, p := range []*string{&c.Run.Out, &c.Corpus.Path, &c.Plugins.Dir, &c.Plugins.Lock, &c.Embeddings.Path} {
		if *p == "" || *p == "-" || filepath.IsAbs(*p) {
			continue
		}
		if abs, err := filepath.Abs(filepath.Join(base, *p)); err == nil {
			*p = abs
		}
	}
	if p := c.Embedder.Plugin; strings.ContainsRune(p, filepath.Separator) && !filepath.IsAbs(p) {
		if abs, err := filepath.Abs(filepath.Join(base, p)); err == nil {
			c.Embedder.Plugin = abs
		}
	}
	files := []*string{&c.Topics.Labels.Name}
	for i := range c.Representation {
		files = append(files, &c.Representation[i].Labels.Name)
	}
	if w := &c.Vectorizer.StopWords; strings.ContainsAny(w.Name, "./") {
		files = append(files, &w.Name)
	}
	for _, f := range files {
		if *f == "" || filepath.IsAbs(*f) {
			continue
		}
		if abs, err := filepath.Abs(filepath.Join(base, *f)); err == nil {
			*f = abs
		}
	}
}

// Line returns the line of the file that sets key, 0 if none does.
func (c *Config) Line(key string) int { return c.lines[key] }

// keys returns the names that may stand in the table at path, or nil where
// path is not a table of the configuration.
func keys(path []string) []string {
	t := reflect.TypeFor[Config]()
	for _, name := range path {
		found := false
		for f := range fields(t) {
			if f.name == name {
				t, found = f.typ, true
				break
			}
		}
		if !found {
			return nil
		}
		if t.Kind() == reflect.Slice {
			t = t.Elem()
		}
	}
	var names []string
	for f := range fields(t) {
		names = append(names, f.name)
	}
	return names
}

type field struct {
	name string
	typ  reflect.Type
}

func fields(t reflect.Type) func(func(field) bool) {
	return func(yield func(field) bool) {
		if t.Kind() != reflect.Struct {
			return
		}
		for i := range t.NumField() {
			name := t.Field(i).Tag.Get("toml")
			if name == "" || name == "-" {
				continue
			}
			if !yield(field{name, t.Field(i).Type}) {
				return
			}
		}
	}
}

func known(path []string) bool { return len(keys(path)) > 0 }

func suggestion(key []string) string {
	names := keys(key[:len(key)-1])
	if best, ok := nearest.Name(key[len(key)-1], names); ok {
		return fmt.Sprintf("; did you mean %s?", best)
	}
	// Perhaps the key is right and the table is wrong.
	for _, table := range keys(nil) {
		for _, name := range keys([]string{table}) {
			if name == key[len(key)-1] {
				return fmt.Sprintf("; did you mean %s.%s?", table, name)
			}
		}
	}
	return "; known here: " + strings.Join(names, ", ")
}

// lines finds the line of each key of a TOML document. It is for messages
// only: a key inside a multi-line string may fool it.
func lines(text string) map[string]int {
	m := map[string]int{}
	table := ""
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			table = strings.Trim(strings.SplitN(line, "#", 2)[0], "[] \t")
			if _, ok := m[table]; !ok {
				m[table] = i + 1
			}
		default:
			key, _, ok := strings.Cut(line, "=")
			if !ok {
				continue
			}
			key = strings.Trim(strings.TrimSpace(key), `"'`)
			if table != "" {
				key = table + "." + key
			}
			if _, ok := m[key]; !ok {
				m[key] = i + 1
			}
		}
	}
	return m
}

func jsonOf(v any) ([]byte, error) { return json.Marshal(v) }

// Values yields every key with its value, in the order of the tables.
func (c *Config) Values() iter.Seq2[string, any] {
	return func(yield func(string, any) bool) {
		v := reflect.ValueOf(c).Elem()
		for i := range v.NumField() {
			table := v.Type().Field(i).Tag.Get("toml")
			if table == "-" || table == "" {
				continue
			}
			if v.Field(i).Kind() != reflect.Struct {
				if v.Field(i).Len() > 0 && !yield(table, v.Field(i).Interface()) {
					return
				}
				continue
			}
			for k := range v.Field(i).NumField() {
				key := table + "." + v.Field(i).Type().Field(k).Tag.Get("toml")
				if !yield(key, v.Field(i).Field(k).Interface()) {
					return
				}
			}
		}
	}
}

// MarshalJSON writes every key by the name that it has in a file, in the same
// order: what a run.json holds can be written down as a configuration again.
func (c *Config) MarshalJSON() ([]byte, error) {
	out := []byte("{")
	open := ""
	for key, value := range c.Values() {
		table, name, inTable := strings.Cut(key, ".")
		if table != open {
			if open != "" {
				out = append(out, '}')
			}
			if open = ""; len(out) > 1 {
				out = append(out, ',')
			}
			out = append(append(out, tomlString(table)...), ':')
			if inTable {
				open = table
				out = append(out, '{')
			}
		} else {
			out = append(out, ',')
		}
		if inTable {
			out = append(append(out, tomlString(name)...), ':')
		}
		b, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		if string(b) == "null" { // a list or a table that has no entry
			if b = []byte("[]"); reflect.TypeOf(value).Kind() == reflect.Map {
				b = []byte("{}")
			}
		}
		out = append(out, b...)
	}
	if open != "" {
		out = append(out, '}')
	}
	return append(out, '}'), nil
}
