package jsontext

import (
	"encoding/json"
	"testing"
)

var samples = []string{
	"", "plain", "a \"quoted\" \\ word", "<b>&amp;</b>", "tab\tline\nreturn\rbell\a\b\f\x00\x1f\x7f", "naïve 日本語 🙂", "\u2028 and \u2029",
	"bad \xff\xfe byte", "cut \xe2\x80", "\ufffd", "\xed\xa0\x80",
}

func check(t *testing.T, s string) {
	t.Helper()
	want, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	if got := AppendString([]byte("x"), s); string(got) != "x"+string(want) {
		t.Errorf("%q: %s, want %s", s, got[1:], want)
	}
}

func TestAppendString(t *testing.T) {
	for _, s := range samples {
		check(t, s)
	}
	for r := range rune(0x3000) {
		check(t, string(r))
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range samples {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { check(t, s) })
}
