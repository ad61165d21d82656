// Package conformancetest tries an embedder program against the rules of package
// conformance in a Go test.
//
//	func TestConformance(t *testing.T) {
//		program := conformancetest.Build(t, ".", "mine")
//		conformancetest.Run(t, conformance.Config{Program: program})
//	}
package conformancetest

import (
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/bertopic-go/bertopic/conformance"
)

// Build makes bertopic-embedder-NAME of a Go package, given as for go build, in
// a folder that is removed after the test, and returns its path.
func Build(t testing.TB, pkg, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bertopic-embedder-"+name)
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, pkg).CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
	return path
}

// Run tries the program, with a subtest for each rule that is named by the
// rule's id, and returns the report. A broken rule of level must fails its
// subtest; one of level should is logged.
func Run(t *testing.T, cfg conformance.Config) *conformance.Report {
	t.Helper()
	report, err := conformance.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range report.Results {
		t.Run(x.ID, func(t *testing.T) {
			switch {
			case x.Outcome == conformance.Fail && x.Level == conformance.Must:
				t.Errorf("%s\n%s\nwhy: %s", x.Title, x.Detail, x.Why)
			case x.Outcome == conformance.Fail:
				t.Logf("should: %s\n%s", x.Title, x.Detail)
			case x.Outcome == conformance.Skip:
				t.Skip(x.Detail)
			case x.Detail != "":
				t.Log(x.Detail)
			}
		})
	}
	return report
}
