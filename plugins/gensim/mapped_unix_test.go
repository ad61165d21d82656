//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/sdk/sdktest"
)

// TestCutWhileInUse: a mapped file that gets shorter has no memory behind its end;
// the batch fails, and the program lives on.
func TestCutWhileInUse(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(fixtures, "w2v.bin"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "vectors.bin")
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	p := start(t, map[string]any{"model": path})
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	_, err = p.TryEmbed(t.Context(), sdktest.Texts("the river", "the garden")...)
	if err == nil || !strings.Contains(err.Error(), "was changed while it was in use") {
		t.Errorf("the error is %v", err)
	}
	if _, err := p.TryConfigure(map[string]any{"model": write(t, goals)}); err != nil {
		t.Fatal(err)
	}
	if v := p.Embed(sdktest.Texts("goal")...); len(v.Statuses) > 0 {
		t.Errorf("statuses %v", v.Statuses)
	}
}
