package conformance

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestBadge(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made")
	must, should := Rule{ID: "EMB-001", Level: Must}, Rule{ID: "EMB-005", Level: Should}
	mine := filepath.Join(t.TempDir(), "bertopic-embedder-mine")
	if err := os.WriteFile(mine, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	r := &Report{Program: mine, SHA256: "ab", Name: "mine", Version: "1.2.3", Protocol: 1, Conforms: true, Results: []Result{
		{Rule: must, Outcome: Pass}, {Rule: should, Outcome: Fail}, {Rule: must, Outcome: Skip}, {Rule: Rule{Level: Note}, Outcome: Pass},
	}}
	line := func(sha string) string {
		t.Helper()
		return Recall(dir, r.Program).Line(sha)
	}
	if got := line("ab"); got != "not checked" {
		t.Error(got)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 5, time.UTC)
	if err := r.Keep(dir, now); err != nil {
		t.Fatal(err)
	}
	if b := Recall(dir, r.Program); b == nil || b.Name != "mine" || !b.Date.Equal(now.Truncate(time.Second)) {
		t.Errorf("%+v", b)
	}
	if got := line("ab"); got != "conforms (1 of 2)" {
		t.Error(got)
	}
	if got := line("cd"); got != "changed since" {
		t.Error(got)
	}
	if b := Recall(dir, "/elsewhere/bertopic-embedder-mine"); b != nil {
		t.Errorf("of another place: %+v", b)
	}
	r.Conforms, r.Results = false, nil
	for _, id := range []string{"EMB-001", "EMB-002", "EMB-003", "EMB-004"} {
		r.Results = append(r.Results, Result{Rule: Rule{ID: id, Level: Must}, Outcome: Fail})
	}
	if err := r.Keep(dir, now); err != nil {
		t.Fatal(err)
	}
	if got := line("ab"); got != "fails EMB-001, EMB-002, EMB-003, ..." {
		t.Error(got)
	}
	if got := (&Badge{SHA256: "ab", Conforms: true, Suite: Suite - 1, Passed: 3, Tried: 3}).Line("ab"); got != "conforms (3 of 3), by older rules" {
		t.Error(got)
	}
	// What is remembered of a program that is gone goes, too.
	gone := badgeFile(dir, r.Program)
	if err := os.Remove(mine); err != nil {
		t.Fatal(err)
	}
	other := *r
	other.Program = filepath.Join(dir, "bertopic-embedder-other")
	if err := other.Keep(dir, now); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(gone); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("still there: %v", err)
	}
	if err := os.WriteFile(badgeFile(dir, r.Program), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := line("ab"); got != "not checked" {
		t.Error(got)
	}
}

// Whoever changes a rule gives the suite a new version, and the rules' digest a
// new value here.
func TestSuite(t *testing.T) {
	h := sha256.New()
	for _, r := range Rules() {
		fmt.Fprintln(h, r)
	}
	if have := fmt.Sprint(Suite, " ", hex.EncodeToString(h.Sum(nil))[:12]); have != "2 843a1e43a74f" {
		t.Errorf("the rules are others: count Suite up, and say %q here", have)
	}
}
