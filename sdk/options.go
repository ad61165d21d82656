package sdk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Decode puts the options into the fields of *into, a struct whose JSON tags are
// the options' names.
func (s Settings) Decode(into any) error {
	text, err := json.Marshal(s.Options)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return fmt.Errorf("decode options: %w", err)
	}
	return nil
}

// OptionError is one thing wrong with the options of a configuration.
type OptionError struct {
	Option  string // as the user wrote it
	Problem string // what is wrong and what is wanted
	Nearest string // the valid name or choice that was probably meant, or empty
}

func (e OptionError) Error() string {
	text := fmt.Sprintf("option %q: %s", e.Option, e.Problem)
	if e.Nearest != "" {
		text += fmt.Sprintf("; did you mean %q?", e.Nearest)
	}
	return text
}

// CheckOptions holds values, the [embedder.options] as decoded from TOML or
// JSON, against a description. It returns every option of the description as
// canonical JSON, with the default where values has none; or else all that is
// wrong, sorted by option. An integer is welcome where a number is wanted, and a
// number without a fraction where an integer is.
func CheckOptions(d Description, values map[string]any) (map[string]json.RawMessage, []OptionError) {
	checked := make(map[string]json.RawMessage, len(d.Options))
	var faults []OptionError
	names := make([]string, len(d.Options))
	for i, o := range d.Options {
		names[i] = o.Name
		v, given := values[o.Name]
		switch {
		case !given && o.Required:
			faults = append(faults, OptionError{Option: o.Name, Problem: fmt.Sprintf("is required (%s: %s)", o.Type, o.Help)})
			continue
		case !given:
			v = o.Default
		}
		v, fault := o.canonical(v)
		if fault == nil {
			var err error
			if checked[o.Name], err = json.Marshal(v); err != nil {
				fault = &OptionError{Option: o.Name, Problem: "can't be written as JSON: " + err.Error()}
			}
		}
		if fault != nil {
			faults = append(faults, *fault)
		}
	}
	for name := range values {
		if !slices.Contains(names, name) {
			problem := "unknown; this embedder takes " + strings.Join(names, ", ")
			if len(names) == 0 {
				problem = "unknown; this embedder takes no options"
			}
			faults = append(faults, OptionError{Option: name, Problem: problem, Nearest: nearest(name, names)})
		}
	}
	if len(faults) > 0 {
		slices.SortFunc(faults, func(a, b OptionError) int { return strings.Compare(a.Option, b.Option) })
		return nil, faults
	}
	return checked, nil
}

// canonical returns v as the one Go type that stands for o.Type: string, int64,
// float64, bool, []string, []int64, or what v is where any value goes.
func (o Option) canonical(v any) (any, *OptionError) {
	if raw, ok := v.(json.RawMessage); ok {
		var err error
		if v, err = decodeJSON(raw); err != nil {
			return nil, &OptionError{Option: o.Name, Problem: "is not JSON: " + err.Error()}
		}
	}
	var c any
	ok := false
	switch o.Type {
	case String:
		c, ok = asString(v)
	case Integer:
		c, ok = asInteger(v)
	case Number:
		c, ok = asNumber(v)
	case Boolean:
		c, ok = v.(bool)
	case StringList:
		c, ok = asList(v, asString)
	case IntegerList:
		c, ok = asList(v, asInteger)
	case Any:
		c, ok = v, true
	}
	if !ok {
		return nil, &OptionError{Option: o.Name, Problem: fmt.Sprintf("must be %s, not %s", article(o.Type), show(v))}
	}
	if len(o.Choices) == 0 {
		return c, nil
	}
	chosen, _ := c.([]string)
	if s, ok := c.(string); ok {
		chosen = []string{s}
	}
	for _, s := range chosen {
		if !slices.Contains(o.Choices, s) {
			return nil, &OptionError{
				Option:  o.Name,
				Problem: fmt.Sprintf("must be one of %s, not %q", strings.Join(o.Choices, ", "), s),
				Nearest: nearest(s, o.Choices),
			}
		}
	}
	return c, nil
}

func asString(v any) (string, bool) {
	if _, ok := v.(json.Number); ok {
		return "", false
	}
	r := reflect.ValueOf(v)
	if r.Kind() != reflect.String {
		return "", false
	}
	return r.String(), true
}

func asInteger(v any) (int64, bool) {
	if n, ok := v.(json.Number); ok {
		if i, err := n.Int64(); err == nil {
			return i, true
		}
		f, err := n.Float64()
		return int64(f), err == nil && integral(f)
	}
	switch r := reflect.ValueOf(v); {
	case r.CanInt():
		return r.Int(), true
	case r.CanUint():
		return int64(r.Uint()), r.Uint() <= math.MaxInt64
	case r.CanFloat():
		return int64(r.Float()), integral(r.Float())
	}
	return 0, false
}

// integral: f is an integer that float64 holds exactly.
func integral(f float64) bool { return f == math.Trunc(f) && math.Abs(f) <= 1<<53 }

func asNumber(v any) (float64, bool) {
	if n, ok := v.(json.Number); ok {
		f, err := n.Float64()
		return f, err == nil
	}
	switch r := reflect.ValueOf(v); {
	case r.CanInt():
		return float64(r.Int()), true
	case r.CanUint():
		return float64(r.Uint()), true
	case r.CanFloat():
		f := r.Float()
		return f, !math.IsNaN(f) && !math.IsInf(f, 0)
	}
	return 0, false
}

func asList[T any](v any, as func(any) (T, bool)) ([]T, bool) {
	r := reflect.ValueOf(v)
	if r.Kind() != reflect.Slice {
		return nil, false
	}
	list := make([]T, r.Len())
	for i := range list {
		var ok bool
		if list[i], ok = as(r.Index(i).Interface()); !ok {
			return nil, false
		}
	}
	return list, true
}

func article(t OptionType) string {
	switch t {
	case Integer:
		return "an integer"
	case Number:
		return "a finite number"
	case StringList:
		return "a list of strings"
	case IntegerList:
		return "a list of integers"
	}
	return "a " + string(t)
}

// show names a value in an error message.
func show(v any) string {
	if v == nil {
		return "empty"
	}
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprintf("%v", v)
	}
	const most = 60
	if len(text) > most {
		text = append(bytes.ToValidUTF8(text[:most], nil), "..."...)
	}
	return string(text)
}

// decodeJSON keeps numbers as they are written.
func decodeJSON(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, fmt.Errorf("more than one value: %s", strconv.Quote(show(string(text))))
	}
	return v, nil
}

// nearest returns the valid name that takes the fewest edits to reach, if these
// are few enough for a slip of the finger; the first of equals.
func nearest(name string, valid []string) string {
	best, least := "", max(2, len(name)/3)+1
	for _, v := range valid {
		if n := edits(strings.ToLower(name), strings.ToLower(v)); n < least && n < max(len(v), 2) {
			best, least = v, n
		}
	}
	return best
}

// edits is the number of insertions, removals, replacements and swaps of
// neighbours between a and b (optimal string alignment).
func edits(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
