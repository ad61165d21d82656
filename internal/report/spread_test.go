package report

import (
	"strings"
	"testing"
	"time"
)

func spreadReport(bins int) Report {
	r := Report{Topics: []Topic{{ID: 0, Count: 30, Name: "a"}, {ID: 1, Count: 9, Name: "b"}, {ID: -1, Count: 3}}, OverTime: &Spread{}, PerClass: &Spread{}}
	for b := range bins {
		from := time.Date(2020, 1, 1+b, 0, 0, 0, 0, time.UTC)
		r.OverTime.Parts = append(r.OverTime.Parts, Part{From: from, To: from.AddDate(0, 0, 1), Rows: 4})
		r.OverTime.Counts = append(r.OverTime.Counts, PartCount{0, b, 3}, PartCount{-1, b, 1})
	}
	r.PerClass.Parts = []Part{{Name: "<news>", Rows: 10}, {Name: "none"}}
	r.PerClass.Counts = []PartCount{{1, 0, 4}, {-1, 0, 6}}
	return r
}

func views(r Report) []*topicView {
	var out []*topicView
	for i := range r.Topics {
		out = append(out, newTopicView(&r.Topics[i], i, 1, 1))
	}
	return out
}

func TestTopicsOverTime(t *testing.T) {
	r := spreadReport(6)
	r.OverTime.Parts[2].Rows = 0
	v := newTimeView(&r, views(r))
	if len(v.Rows) != 2 || len(v.Bars) != 6 || len(v.Rows[0].Cells) != 5 || v.Rows[0].Most != "up to 75.0 %" || v.Rows[1].Most != "up to 0 %" {
		t.Errorf("the view is %+v", v)
	}
	if c := v.Rows[0].Cells[0]; c.Opacity != "1.00" || c.Title != "2020-01-01 to 2020-01-02: 3 of 4 (75.0 %)" {
		t.Errorf("the first cell is %+v", c)
	}

	// Many bins are joined, none is lost.
	r = spreadReport(130)
	v = newTimeView(&r, views(r))
	if len(v.Bars) != 44 || v.Note != "Each column joins 3 bins." || !strings.Contains(v.Rows[0].Cells[0].Title, "9 of 12") || !strings.Contains(v.Rows[0].Cells[43].Title, "3 of 4") {
		t.Errorf("%d columns, %q, %+v", len(v.Bars), v.Note, v.Rows[0].Cells)
	}

	// One bin says nothing.
	r = spreadReport(1)
	if v := newTimeView(&r, views(r)); v != nil {
		t.Errorf("one bin is shown: %+v", v)
	}
	r = spreadReport(2)
	for id := 2; id < 40; id++ {
		r.Topics = append(r.Topics, Topic{ID: id, Count: id})
	}
	if v := newTimeView(&r, views(r)); len(v.Rows) != timeTopics || v.Note != "The 20 largest of 40 topics." || !strings.HasPrefix(v.Rows[0].Label, "39 ") {
		t.Errorf("%d rows, %q", len(v.Rows), v.Note)
	}
}

func TestTopicsByClass(t *testing.T) {
	r := spreadReport(2)
	v := newClassView(&r, views(r))
	if len(v.Classes) != 2 || len(v.Rows) != 3 || v.Rows[1].Cells[0] != (classCell{"40.0 %", "4 of 10 documents of <news>", 3}) || v.Rows[0].Cells[1] != (classCell{}) {
		t.Errorf("the view is %+v", v)
	}
	var b strings.Builder
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`id="time"`, `id="classes"`, "&lt;news&gt;"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the page has no %s", want)
		}
	}
	r.PerClass.Parts = make([]Part, classes+1)
	if newClassView(&r, views(r)) != nil {
		t.Error("so many classes are shown")
	}
	r.PerClass.Counts = []PartCount{{7, 0, 1}}
	r.OverTime.Counts = []PartCount{{0, 2, 1}}
	err := r.Validate()
	for _, want := range []string{"topics by class: topic 7 is not one of the topics", "topics over time: topic 0 has documents in part 2 of 2"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, want %q", err, want)
		}
	}
}

func TestDatesAreAsLongAsTheSpanAsks(t *testing.T) {
	const day = 24 * time.Hour
	for span, want := range map[time.Duration]string{
		100 * 365 * day: "2021", 10 * 365 * day: "2021-03", 365 * day: "2021-03-04", day: "03-04 05:06", time.Minute: "05:06:07",
	} {
		if got := time.Date(2021, 3, 4, 5, 6, 7, 0, time.UTC).Format(timeLayout(span)); got != want {
			t.Errorf("a time in a span of %v is %s, want %s", span, got, want)
		}
	}
}
