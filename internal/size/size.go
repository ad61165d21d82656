// Package size reads and writes amounts of memory as people write them: 4GiB.
package size

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

var form = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)?) *([kKMGT]i?)?B?$`)

var units = map[string]float64{
	"": 1, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
	"ki": 1 << 10, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40,
}

// Parse reads "4GiB", "500 MB", "1.5G" or a number of bytes. GiB are 1024 MiB, GB
// 1000 MB.
func Parse(s string) (int64, error) {
	m := form.FindStringSubmatch(strings.TrimSpace(s))
	if m == nil {
		return 0, fmt.Errorf("%q is no amount of memory such as \"4GiB\" or \"500MB\"", s)
	}
	x, err := strconv.ParseFloat(m[1], 64)
	if err != nil || x*units[m[2]] > math.MaxInt64/2 {
		return 0, fmt.Errorf("%q is more memory than there is", s)
	}
	return int64(x * units[m[2]]), nil
}

// Exact writes n so that Parse reads it again: in the largest of GiB, MiB and
// KiB that divides it, else in bytes.
func Exact(n int64) string {
	for k, unit := range []string{"GiB", "MiB", "KiB"} {
		if one := int64(1) << (30 - 10*k); n >= one && n%one == 0 {
			return fmt.Sprintf("%d%s", n/one, unit)
		}
	}
	return fmt.Sprint(n)
}

// Rough writes n with two digits or three, for reading.
func Rough(n int64) string {
	x, unit := float64(n), "B"
	for _, next := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if x < 1000 {
			break
		}
		x, unit = x/1024, next
	}
	if x < 10 && unit != "B" {
		return fmt.Sprintf("%.1f %s", x, unit)
	}
	return fmt.Sprintf("%.0f %s", x, unit)
}
