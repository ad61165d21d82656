package size

import "testing"

func TestParse(t *testing.T) {
	for text, want := range map[string]int64{
		"4GiB": 4 << 30, "4 GiB": 4 << 30, "500MB": 500e6, "1.5G": 15e8, "64k": 64e3, "64KiB": 64 << 10, "123": 123, "0": 0, " 2TiB ": 2 << 40,
		"": -1, "GiB": -1, "-1": -1, "4 gib": -1, "4XB": -1, "99999999TiB": -1, "1e9": -1,
	} {
		n, err := Parse(text)
		if (err != nil) != (want < 0) || err == nil && n != want {
			t.Errorf("%q: %d, %v", text, n, err)
		}
		if err == nil {
			if back, err := Parse(Exact(n)); err != nil || back != n {
				t.Errorf("%d: %q is read as %d, %v", n, Exact(n), back, err)
			}
		}
	}
}

func TestRough(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 2048: "2.0 KiB", 4617089843: "4.3 GiB", 300 << 20: "300 MiB", 1 << 30: "1.0 GiB"} {
		if s := Rough(n); s != want {
			t.Errorf("%d: %q, not %q", n, s, want)
		}
	}
}
