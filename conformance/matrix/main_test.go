package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bertopic-go/bertopic/conformance"
)

func TestWrite(t *testing.T) {
	result := func(id string, level conformance.Level, o conformance.Outcome, detail string) conformance.Result {
		return conformance.Result{Rule: conformance.Rule{ID: id, Title: "a rule", Level: level}, Outcome: o, Detail: detail}
	}
	report := &conformance.Report{Version: "1.2.3", Results: []conformance.Result{
		result("EMB-001", conformance.Must, conformance.Pass, ""), result("EMB-002", conformance.Must, conformance.Pass, ""),
		result("EMB-005", conformance.Should, conformance.Fail, "no doctor"), result("EMB-050", conformance.Must, conformance.Skip, "no fit"),
		result("EMB-090", conformance.Note, conformance.Pass, "123 rows a second"),
	}}
	var b bytes.Buffer
	write(&b, []line{
		{try: try{name: "mine"}, report: report, took: 1500 * time.Millisecond},
		{try: try{name: "theirs", skip: "it is not there"}},
		{try: try{name: "broken"}, err: errors.New("no such file")},
	})
	var words [][]string
	for l := range strings.Lines(b.String()) {
		words = append(words, strings.Fields(l))
	}
	if want := strings.Fields("mine 1.2.3 2/3 - - - - - - - 2/2 0/1 123 1.5"); !slices.Equal(words[1], want) {
		t.Errorf("%q, not %q", words[1], want)
	}
	for _, want := range []string{"mine: EMB-005 (should) a rule: no doctor\n", "theirs: not tried: it is not there\n", "broken: not tried: no such file\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}

func TestVariants(t *testing.T) {
	dir := t.TempDir()
	source := filepath.Join(dir, "plugins", "mine")
	program := filepath.Join(dir, "bertopic-embedder-mine")
	if got := variants(program, source, true); len(got) != 1 || got[0].name != "mine" || got[0].options != "" || got[0].skip != "" {
		t.Errorf("%+v", got)
	}
	if got := variants(program, source, false); len(got) != 1 || got[0].skip == "" {
		t.Errorf("%+v", got)
	}
	if err := os.MkdirAll(filepath.Join(source, "testdata"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"conformance.toml", "conformance-large.toml", "other.toml"} {
		if err := os.WriteFile(filepath.Join(source, "testdata", name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	for _, v := range variants(program, source, true) {
		names = append(names, v.name)
	}
	if want := []string{"mine (large)", "mine"}; !slices.Equal(names, want) {
		t.Errorf("%q, not %q", names, want)
	}
}
