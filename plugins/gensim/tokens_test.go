package main

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// TestPythonFields: texts are cut as a loop over their characters cuts them.
func TestPythonFields(t *testing.T) {
	space := func(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }
	parts := []string{" ", "\n", "\x1c", "\x1f", "\x1b", "\x00", "\x7f", "\u0085", "\u00a0", "\u2003", "\u3000", "\u200b", "\ufffd", "\xff", "\x85", "\xe2\x80",
		"a", "!", "~", "word", "\u00e9", "\u0420", "\U0001f600", "seventeen-letters"}
	random := rand.New(rand.NewPCG(3, 4))
	for range 5000 {
		var b strings.Builder
		for range random.IntN(60) {
			b.WriteString(parts[random.IntN(len(parts))])
		}
		var have []string
		pythonFields(b.String(), func(w string) { have = append(have, w) })
		if want := strings.FieldsFunc(b.String(), space); !slices.Equal(have, want) {
			t.Fatalf("%q is cut into %q, want %q", b.String(), have, want)
		}
	}
}
