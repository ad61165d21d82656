package run

import (
	"strings"
	"testing"
	"time"

	"github.com/bertopic-go/bertopic/corpus"
	"github.com/bertopic-go/bertopic/internal/config"
)

func TestTimestampsAreReadInManyForms(t *testing.T) {
	for text, want := range map[string]string{
		"2021-03-04T05:06:07Z":        "2021-03-04T05:06:07Z",
		"2021-03-04t05:06:07z":        "2021-03-04T05:06:07Z",
		"2021-03-04T05:06:07.25Z":     "2021-03-04T05:06:07.25Z",
		"2021-03-04T05:06:07+02:00":   "2021-03-04T03:06:07Z",
		"2021-03-04 05:06:07+0200":    "2021-03-04T03:06:07Z",
		"2021-03-04 05:06:07.123456":  "2021-03-04T05:06:07.123456Z",
		"2021-03-04T05:06":            "2021-03-04T05:06:00Z",
		"2021-03-04":                  "2021-03-04T00:00:00Z",
		" 2021/03/04 ":                "2021-03-04T00:00:00Z",
		"20210304":                    "2021-03-04T00:00:00Z",
		"2021-03":                     "2021-03-01T00:00:00Z",
		"1789":                        "1789-01-01T00:00:00Z",
		"1614834367":                  "2021-03-04T05:06:07Z",
		"1614834367.5":                "2021-03-04T05:06:07.5Z",
		"1.614834367e9":               "2021-03-04T05:06:07Z",
		"1614834367250":               "2021-03-04T05:06:07.25Z",
		"-1":                          "1969-12-31T23:59:59Z",
		"0":                           "1970-01-01T00:00:00Z",
		"99999999":                    "1973-03-03T09:46:39Z", // no date
		"":                            "",
		"yesterday":                   "",
		"2021-13":                     "",
		"2021-02-30":                  "",
		"04.03.2021":                  "",
		"0000":                        "",
		"0001-01-01":                  "", // stands for no date in many programs
		"NaN":                         "",
		"1e300":                       "",
		"1614834367250000000":         "",
		"2021-03-04T05:06:07 o'clock": "",
		"e":                           "",
	} {
		got, ok := parseTime(text)
		if s := got.Format(time.RFC3339Nano); ok != (want != "") || ok && s != want {
			t.Errorf("%q is read as %v, %v, want %q", text, s, ok, want)
		}
	}
}

func FuzzParseTime(f *testing.F) {
	f.Add("2021-03-04T05:06:07+02:00")
	f.Add("-1e13")
	f.Add("9999-12-31T23:59:59-12:00")
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := parseTime(s)
		if !ok {
			return
		}
		again, ok := parseTime(got.Format(time.RFC3339Nano))
		if !ok || !again.Equal(got) {
			t.Errorf("%q is %v, which is read as %v", s, got, again)
		}
	})
}

func TestATimestampThatCannotBeReadIsNamed(t *testing.T) {
	d := &documents{rows: []corpus.Row{{ID: "a", Timestamp: "2021"}, {ID: "b", Timestamp: "soon"}, {ID: "c"}}}
	times, warnings := d.times(config.Corpus{Timestamp: "when"})
	if len(times) != 3 || times[0].IsZero() || !times[1].IsZero() || !times[2].IsZero() {
		t.Errorf("the times are %v", times)
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0].Text, `2 of 3 rows`) || !strings.Contains(warnings[0].Text, `row b, which has "soon"`) {
		t.Errorf("the warnings are %v", warnings)
	}
	if times, warnings := d.times(config.Corpus{}); times != nil || warnings != nil {
		t.Errorf("without a column the times are %v, %v", times, warnings)
	}
}
