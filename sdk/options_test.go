package sdk

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
)

var everyType = Description{Options: []Option{
	{Name: "model", Type: String, Default: "small", Choices: []string{"small", "large"}, Help: "h"},
	{Name: "dim", Type: Integer, Default: 256, Help: "h"},
	{Name: "rate", Type: Number, Default: 0.5, Help: "h"},
	{Name: "lower", Type: Boolean, Default: true, Help: "h"},
	{Name: "words", Type: StringList, Default: []string{}, Help: "h"},
	{Name: "sizes", Type: IntegerList, Default: []int{1, 2}, Help: "h"},
	{Name: "extra", Type: Any, Help: "h"},
}}

func TestCheckOptions(t *testing.T) {
	defaults := map[string]string{
		"model": `"small"`, "dim": `256`, "rate": `0.5`, "lower": `true`, "words": `[]`, "sizes": `[1,2]`, "extra": `null`,
	}
	cases := []struct {
		name   string
		values map[string]any
		want   map[string]string // over the defaults
	}{
		{"defaults", nil, nil},
		{"as TOML decodes", map[string]any{
			"model": "large", "dim": int64(9), "rate": 1.5, "lower": false, "words": []any{"a", "b"}, "sizes": []any{int64(3)},
			"extra": map[string]any{"b": int64(1), "a": nil},
		}, map[string]string{
			"model": `"large"`, "dim": `9`, "rate": `1.5`, "lower": `false`, "words": `["a","b"]`, "sizes": `[3]`, "extra": `{"a":null,"b":1}`,
		}},
		{"an integer for a number", map[string]any{"rate": int64(2)}, map[string]string{"rate": "2"}},
		{"a whole number for an integer", map[string]any{"dim": 2.0}, map[string]string{"dim": "2"}},
		{"JSON numbers", map[string]any{"dim": json.Number("12"), "rate": json.Number("1e-3")}, map[string]string{"dim": "12", "rate": "0.001"}},
		{"JSON text", map[string]any{"sizes": json.RawMessage(`[7, 8]`)}, map[string]string{"sizes": "[7,8]"}},
		{"a large integer", map[string]any{"dim": json.Number("9007199254740993")}, map[string]string{"dim": "9007199254740993"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, faults := CheckOptions(everyType, c.values)
			if faults != nil {
				t.Fatalf("got faults %v", faults)
			}
			want := maps.Clone(defaults)
			maps.Copy(want, c.want)
			for name, text := range want {
				if string(got[name]) != text {
					t.Errorf("%s: got %s, want %s", name, got[name], text)
				}
			}
			if len(got) != len(want) {
				t.Errorf("got %d options, want %d", len(got), len(want))
			}
		})
	}
}

func TestCheckOptionsFaults(t *testing.T) {
	required := Description{Options: []Option{{Name: "path", Type: String, Required: true, Help: "the model's file"}}}
	cases := []struct {
		name   string
		d      Description
		values map[string]any
		want   []string // in the errors, in order
	}{
		{"misspelt", everyType, map[string]any{"modle": "x"}, []string{`option "modle": unknown`}},
		{"nearest", everyType, map[string]any{"lowre": true}, []string{`did you mean "lower"?`}},
		{"nothing near", everyType, map[string]any{"temperature": 1}, []string{`takes model, dim, rate, lower, words, sizes, extra`}},
		{"no options", Description{}, map[string]any{"x": 1}, []string{"takes no options"}},
		{"string", everyType, map[string]any{"model": int64(3)}, []string{`must be a string, not 3`}},
		{"JSON number for a string", everyType, map[string]any{"model": json.Number("3")}, []string{`must be a string, not 3`}},
		{"choice", everyType, map[string]any{"model": "smal"}, []string{`must be one of small, large, not "smal"; did you mean "small"?`}},
		{"integer", everyType, map[string]any{"dim": 1.5}, []string{`must be an integer, not 1.5`}},
		{"integer too large", everyType, map[string]any{"dim": 1e300}, []string{`must be an integer`}},
		{"number", everyType, map[string]any{"rate": math.Inf(1)}, []string{`must be a finite number`}},
		{"boolean", everyType, map[string]any{"lower": "yes"}, []string{`must be a boolean, not "yes"`}},
		{"list", everyType, map[string]any{"words": "one"}, []string{`must be a list of strings, not "one"`}},
		{"element", everyType, map[string]any{"sizes": []any{int64(1), "2"}}, []string{`must be a list of integers, not [1,"2"]`}},
		{"null", everyType, map[string]any{"dim": nil}, []string{`must be an integer, not empty`}},
		{"not JSON", everyType, map[string]any{"dim": json.RawMessage(`{`)}, []string{`is not JSON`}},
		{"any that is no JSON", everyType, map[string]any{"extra": math.NaN()}, []string{`can't be written as JSON`}},
		{"required", required, nil, []string{`option "path": is required (string: the model's file)`}},
		{"all at once", everyType, map[string]any{"zzz": 1, "dim": "x", "aaa": 1}, []string{`"aaa"`, `"dim"`, `"zzz"`}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, faults := CheckOptions(c.d, c.values)
			if got != nil || len(faults) != len(c.want) {
				t.Fatalf("got %v and faults %v, want %d faults", got, faults, len(c.want))
			}
			for i, f := range faults {
				if !strings.Contains(f.Error(), c.want[i]) {
					t.Errorf("fault %d: got %q, want %q in it", i, f, c.want[i])
				}
			}
		})
	}
}

func TestEdits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "", 3}, {"modle", "model", 1}, {"kitten", "sitting", 3}, {"dim", "dims", 1}} {
		if got := edits(c.a, c.b); got != c.want {
			t.Errorf("edits(%q, %q): got %d, want %d", c.a, c.b, got, c.want)
		}
		if got := edits(c.b, c.a); got != c.want {
			t.Errorf("edits(%q, %q): got %d, want %d", c.b, c.a, got, c.want)
		}
	}
}

func TestSettingsDecode(t *testing.T) {
	options, faults := CheckOptions(everyType, map[string]any{"dim": 3})
	if faults != nil {
		t.Fatal(faults)
	}
	var into struct {
		Model string
		Dim   int
		Sizes []int
	}
	if err := (Settings{Options: options}).Decode(&into); err != nil {
		t.Fatal(err)
	}
	if into.Model != "small" || into.Dim != 3 || !slices.Equal(into.Sizes, []int{1, 2}) {
		t.Errorf("got %+v", into)
	}
}
