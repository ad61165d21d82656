package main

import (
	"os"
	"sync"
	"testing"

	"github.com/BurntSushi/toml"

	"github.com/bertopic-go/bertopic/conformance"
	"github.com/bertopic-go/bertopic/internal/remote/remotetest"
)

// programs is a folder for this program and bertopic.
var programs string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "cohere-")
	if err != nil {
		panic(err)
	}
	programs = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// build builds the programs, once.
var build = sync.OnceValue(func() error {
	return remotetest.Build(programs, map[string]string{"bertopic-embedder-cohere": ".", "bertopic": "../../cmd/bertopic"})
})

// built returns the folder of the programs.
func built(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds programs and starts processes")
	}
	if err := build(); err != nil {
		t.Fatal(err)
	}
	return programs
}

func TestConformance(t *testing.T) {
	dir := built(t)
	s := remotetest.Start(t, remotetest.Config{})
	var options map[string]any
	if _, err := toml.DecodeFile("testdata/conformance.toml", &options); err != nil {
		t.Fatal(err)
	}
	options["base_url"] = s.URL
	report := conformance.Test(t, conformance.Config{Program: "cohere", Dirs: []string{dir}, Options: options})
	if report != nil && !report.Conforms {
		t.Errorf("it does not conform")
	}
}

// The example works as it stands, but for the corpus and the address.
func TestExample(t *testing.T) {
	remotetest.Example{Programs: built(t), Config: "../../examples/cohere.toml", Env: "COHERE_API_KEY", Key: secret}.Run(t)
}
