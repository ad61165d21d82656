package conformance

import "context"

// TB is what Test needs of a *testing.T.
type TB interface {
	Helper()
	Context() context.Context
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Logf(format string, args ...any)
}

// Test tries a program in a Go test. A broken rule of level must is an error of
// the test, one of level should is logged, and so is what was measured.
//
//	func TestConformance(t *testing.T) {
//		program := filepath.Join(t.TempDir(), "bertopic-embedder-mine")
//		if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
//			t.Fatalf("build: %v\n%s", err, out)
//		}
//		conformance.Test(t, conformance.Config{Program: program})
//	}
func Test(t TB, cfg Config) *Report {
	t.Helper()
	report, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatalf("%v", err)
		return nil
	}
	for _, x := range report.Results {
		switch {
		case x.Outcome == Fail && x.Level == Must:
			t.Errorf("%s %s\n%s\nwhy: %s", x.ID, x.Title, x.Detail, x.Why)
		case x.Outcome == Fail:
			t.Logf("%s should: %s\n%s", x.ID, x.Title, x.Detail)
		case x.Level == Note && x.Outcome == Pass:
			t.Logf("%s %s", x.ID, x.Detail)
		}
	}
	return report
}
