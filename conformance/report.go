package conformance

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Level says how much a rule weighs.
type Level string

// The levels.
const (
	Must   Level = "must"   // a program that breaks it does not conform
	Should Level = "should" // breaking it costs users something, but no wrong result
	Note   Level = "note"   // a measurement; never broken
)

// Rule is one promise of an embedder program.
type Rule struct {
	ID    string `json:"id"` // EMB-001; never given to another rule
	Title string `json:"title"`
	Why   string `json:"why"`
	Level Level  `json:"level"`
}

// Outcome is what became of a rule.
type Outcome string

// The outcomes.
const (
	Pass Outcome = "pass"
	Fail Outcome = "fail"
	Skip Outcome = "skip" // it does not apply, or another broken rule is in the way
)

// Result is the outcome of one rule. Detail says what was wrong, why the rule
// was skipped, or what was measured.
type Result struct {
	Rule
	Outcome Outcome `json:"outcome"`
	Detail  string  `json:"detail,omitempty"`
	Seconds float64 `json:"seconds"`
}

// Report is the outcome of all rules for one program.
type Report struct {
	Program  string   `json:"program"` // its path
	SHA256   string   `json:"sha256"`  // of that file, in hexadecimal
	Name     string   `json:"name"`
	Version  string   `json:"version"`
	Protocol int      `json:"protocol"`
	Conforms bool     `json:"conforms"` // no rule of level must is broken, and none of them was skipped for another's sake
	Results  []Result `json:"results"`  // in the order of Rules
	Stderr   []string `json:"stderr,omitempty"`
}

// Failed returns the ids of the rules that are broken, in order.
func (r *Report) Failed() []string {
	var ids []string
	for _, x := range r.Results {
		if x.Outcome == Fail {
			ids = append(ids, x.ID)
		}
	}
	return ids
}

// Badge is the outcome in a line, with the hash of the program that it is true
// of.
func (r *Report) Badge() string {
	verdict := "conforms"
	if !r.Conforms {
		verdict = "does not conform"
	}
	return fmt.Sprintf("%s %s %s to embedder protocol %d (sha256 %s)", r.Name, r.Version, verdict, r.Protocol, r.SHA256)
}

// count returns how many results of a level have an outcome.
func (r *Report) count(level Level, o Outcome) int {
	n := 0
	for _, x := range r.Results {
		if x.Level == level && x.Outcome == o {
			n++
		}
	}
	return n
}

// WriteTable writes the outcome for a person: a line a rule, with what there is
// to say below it, and the badge.
func (r *Report) WriteTable(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, x := range r.Results {
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\n", x.ID, x.Level, x.Outcome, x.Title)
		if x.Detail != "" && (x.Outcome != Pass || x.Level == Note) {
			for line := range strings.SplitSeq(x.Detail, "\n") {
				fmt.Fprintf(tw, "\t\t\t  %s\n", line)
			}
		}
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	if !r.Conforms && len(r.Stderr) > 0 {
		fmt.Fprintln(w, "\nthe last lines of its standard error:")
		for _, line := range r.Stderr {
			fmt.Fprintln(w, "    "+line)
		}
	}
	_, err := fmt.Fprintf(w, "\nmust: %d pass, %d fail, %d skip; should: %d pass, %d fail, %d skip\n%s\n",
		r.count(Must, Pass), r.count(Must, Fail), r.count(Must, Skip),
		r.count(Should, Pass), r.count(Should, Fail), r.count(Should, Skip), r.Badge())
	return err
}

// WriteJSON writes the report as one JSON object.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string     `xml:"classname,attr"`
		Name    string     `xml:"name,attr"`
		Time    string     `xml:"time,attr"`
		Failure *junitText `xml:"failure,omitempty"`
		Skipped *junitText `xml:"skipped,omitempty"`
		Output  string     `xml:"system-out,omitempty"`
	}
	junitText struct {
		Message string `xml:"message,attr"`
	}
)

// WriteJUnit writes the report as a JUnit test suite. A broken rule of level
// should is a skipped case there, since it is no reason to stop a build.
func (r *Report) WriteJUnit(w io.Writer) error {
	s := junitSuite{Name: "bertopic conformance " + r.Name, Tests: len(r.Results)}
	for _, x := range r.Results {
		c := junitCase{Class: "conformance." + r.Name, Name: x.ID + " " + x.Title, Time: fmt.Sprintf("%.3f", x.Seconds)}
		detail := printable(x.Detail)
		switch {
		case x.Outcome == Fail && x.Level == Must:
			c.Failure = &junitText{detail}
			s.Failures++
		case x.Outcome == Fail:
			c.Skipped = &junitText{"should: " + detail}
			s.Skipped++
		case x.Outcome == Skip:
			c.Skipped = &junitText{detail}
			s.Skipped++
		default:
			c.Output = detail
		}
		s.Cases = append(s.Cases, c)
	}
	text, err := xml.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("write the JUnit report: %w", err)
	}
	_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, text)
	return err
}

// printable replaces what XML can't hold.
func printable(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\n' && c != '\t' {
			return '\uFFFD'
		}
		return c
	}, s)
}
