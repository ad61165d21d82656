package run

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/bertopic-go/bertopic/internal/config"
	"github.com/bertopic-go/bertopic/pipeline"
)

// times reads the timestamps of the rows, the zero time where a row has none.
// It returns nil where the corpus has no column of them, and a warning where
// some can't be read.
func (d *documents) times(c config.Corpus) ([]time.Time, []pipeline.Warning) {
	if c.Timestamp == "" {
		return nil, nil
	}
	out := make([]time.Time, len(d.rows))
	bad, first := 0, -1
	for i, r := range d.rows {
		t, ok := parseTime(r.Timestamp)
		if ok {
			out[i] = t
			continue
		}
		if bad++; first < 0 {
			first = i
		}
	}
	if bad == 0 {
		return out, nil
	}
	what := "which has none"
	if v := d.rows[first].Timestamp; v != "" {
		what = fmt.Sprintf("which has %.60q", v)
	}
	return out, []pipeline.Warning{{Code: "timestamps", Text: fmt.Sprintf(
		"%d of %d rows have no timestamp in the column %q that can be read and are left out of the topics over time; the first is row %s, %s",
		bad, len(d.rows), c.Timestamp, d.rows[first].ID, what)}}
}

// timeLayouts are the ways to write a time, a space standing for the T.
// Fractions of a second may follow the seconds of any.
var timeLayouts = []string{
	"2006-01-02", "2006-01", "2006/01/02",
	"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z0700", "2006-01-02 15:04:05",
	"2006-01-02 15:04Z07:00", "2006-01-02 15:04Z0700", "2006-01-02 15:04",
}

// Numbers up to the first bound are seconds since 1970, up to the second
// milliseconds: both reach the year 5138.
const (
	milliseconds = 1e11
	tooLarge     = 1e14
)

// parseTime reads a timestamp: RFC 3339; a date, with a time or without, whose
// zone is UTC where it has none; a year and a month; four digits as a year,
// eight as a date; any other number as seconds or milliseconds since 1970.
func parseTime(s string) (time.Time, bool) {
	s = strings.TrimSpace(s)
	fine := func(t time.Time) (time.Time, bool) {
		t = t.UTC().Truncate(time.Microsecond)
		return t, !t.IsZero() && t.Year() >= 1 && t.Year() <= 9999
	}
	if s != "" && strings.Trim(s, "0123456789") == "" {
		layout := map[int]string{4: "2006", 8: "20060102"}[len(s)]
		if t, err := time.Parse(layout, s); layout != "" && err == nil {
			return fine(t)
		}
	}
	if strings.Trim(s, "+-.0123456789eE") == "" {
		if v, err := strconv.ParseFloat(s, 64); err == nil {
			switch at := math.Abs(v); {
			case at < milliseconds:
				return fine(time.UnixMicro(int64(math.Round(v * 1e6))))
			case at < tooLarge:
				return fine(time.UnixMicro(int64(math.Round(v * 1e3))))
			}
			return time.Time{}, false
		}
	}
	if len(s) > 10 && (s[10] == 'T' || s[10] == 't') {
		s = s[:10] + " " + s[11:]
	}
	if n := len(s) - 1; n >= 0 && s[n] == 'z' {
		s = s[:n] + "Z"
	}
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return fine(t)
		}
	}
	return time.Time{}, false
}
