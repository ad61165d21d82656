package spacy

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// config is a config.cfg: sections of keys and values. A section's name has
// dots where sections lie in each other.
type config map[string]map[string]string

// parseConfig reads the form of Python's configparser that spaCy writes:
// [section], key = value, and lines that go on indented. Values stay as they
// are spelled.
func parseConfig(r io.Reader) (config, error) {
	c := config{}
	var section map[string]string
	last := ""
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 16<<20)
	for n := 1; lines.Scan(); n++ {
		line := lines.Text()
		text := strings.TrimSpace(line)
		switch {
		case text == "" || text[0] == '#' || text[0] == ';':
		case line[0] == ' ' || line[0] == '\t':
			if last == "" {
				return nil, fmt.Errorf("line %d: %.60q belongs to no key", n, text)
			}
			section[last] += "\n" + text
		case text[0] == '[':
			if !strings.HasSuffix(text, "]") {
				return nil, fmt.Errorf("line %d: the section %.60q has no end", n, text)
			}
			name := strings.TrimSpace(text[1 : len(text)-1])
			if c[name] == nil {
				c[name] = map[string]string{}
			}
			section, last = c[name], ""
		default:
			key, value, ok := strings.Cut(text, "=")
			if !ok {
				return nil, fmt.Errorf("line %d: %.60q is neither a section nor a key with a value", n, text)
			}
			if section == nil {
				return nil, fmt.Errorf("line %d: a key before the first section", n)
			}
			last = strings.TrimSpace(key)
			section[last] = strings.TrimSpace(value)
		}
	}
	return c, lines.Err()
}

// text returns a value that is a string, "" if there is none.
func (c config) text(section, key string) string {
	var s string
	if json.Unmarshal([]byte(c[section][key]), &s) != nil {
		return ""
	}
	return s
}

// list returns a value that is a list of strings.
func (c config) list(section, key string) []string {
	var l []string
	if json.Unmarshal([]byte(c[section][key]), &l) != nil {
		return nil
	}
	return l
}
