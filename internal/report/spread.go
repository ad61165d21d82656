package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// Most of what is shown of topics over time and classes.
const (
	timeTopics  = 20
	timeColumns = 60
	classes     = 30
	classTopics = 100
)

func (s *Spread) validate(topics map[int]bool) error {
	if s == nil {
		return nil
	}
	for _, c := range s.Counts {
		switch {
		case !topics[c.Topic]:
			return fmt.Errorf("topic %d is not one of the topics", c.Topic)
		case c.Part < 0 || c.Part >= len(s.Parts):
			return fmt.Errorf("topic %d has documents in part %d of %d", c.Topic, c.Part, len(s.Parts))
		}
	}
	return nil
}

// table counts the documents of the given topics, a row each, where each
// neighbouring parts are one column.
func (s *Spread) table(topics []int, each, columns int) [][]int {
	out := make([][]int, len(topics))
	place := make(map[int]int, len(topics))
	for i, id := range topics {
		out[i], place[id] = make([]int, columns), i
	}
	for _, c := range s.Counts {
		if i, ok := place[c.Topic]; ok {
			out[i][c.Part/each] += c.N
		}
	}
	return out
}

// timeView is topics over time as rows of cells, in SVG units.
type timeView struct {
	Wide, High, AxisY int
	From, To          string
	Bars              []timeBar
	Rows              []timeRow
	Axis              []timeTick
	Note              string
}

type timeBar struct {
	X, W  int
	Y, H  string
	Title string
}

type timeRow struct {
	Y, Color, MostX int
	Label, Most     string
	Cells           []timeCell
}

type timeCell struct {
	X, W           int
	Opacity, Title string
}

type timeTick struct {
	X    int
	Text string
}

const (
	timeLeft = 190
	timeTop  = 44 // the height of the bars of all documents and what parts them from the topics
	timeRowH = 21
	barH     = 38
)

// newTimeView shows the largest topics, or nothing where fewer than two bins
// have documents. views are those of the report's topics, outliers last.
func newTimeView(r *Report, views []*topicView) *timeView {
	s := r.OverTime
	if s == nil {
		return nil
	}
	filled := 0
	for _, p := range s.Parts {
		if p.Rows > 0 {
			filled++
		}
	}
	var shown []int // places in r.Topics
	for k, t := range r.Topics {
		if t.ID != -1 {
			shown = append(shown, k)
		}
	}
	if filled < 2 || len(shown) == 0 {
		return nil
	}
	v := &timeView{}
	if len(shown) > timeTopics {
		slices.SortStableFunc(shown, func(a, b int) int { return cmp.Compare(r.Topics[b].Count, r.Topics[a].Count) })
		v.Note = fmt.Sprintf("The %d largest of %s topics.", timeTopics, thousands(len(shown)))
		shown = shown[:timeTopics]
	}
	parts, joined := narrow(s.Parts, timeColumns)
	if joined > 1 {
		if v.Note != "" {
			v.Note += " "
		}
		v.Note += fmt.Sprintf("Each column joins %d bins.", joined)
	}
	n := len(parts)
	ids := make([]int, len(shown))
	for i, k := range shown {
		ids[i] = r.Topics[k].ID
	}
	table := s.table(ids, joined, n)
	w := min(max(780/n, 11), 64)
	first, last := parts[0].From, parts[n-1].To
	layout := timeLayout(last.Sub(first))
	v.From, v.To = first.Format(layout), last.Format(layout)
	v.Wide, v.AxisY = timeLeft+n*w+110, timeTop+len(shown)*timeRowH+12
	v.High = v.AxisY + 6

	most := 0
	for _, p := range parts {
		most = max(most, p.Rows)
	}
	names := make([]string, n)
	step := (70 + w - 1) / w // columns to a date below them
	for p, part := range parts {
		names[p] = part.From.Format(layout)
		if to := part.To.Format(layout); to != names[p] {
			names[p] += " to " + to
		}
		h := barH * share(part.Rows, most)
		if part.Rows > 0 {
			h = max(h, 1)
		}
		v.Bars = append(v.Bars, timeBar{
			X: timeLeft + p*w, W: w - 1, Y: strconv.FormatFloat(barH-h, 'f', 1, 64), H: strconv.FormatFloat(h, 'f', 1, 64),
			Title: names[p] + ": " + thousands(part.Rows) + " documents",
		})
		if p%step == 0 {
			v.Axis = append(v.Axis, timeTick{X: timeLeft + p*w, Text: part.From.Format(layout)})
		}
	}
	colour := map[int]int{}
	for _, t := range views {
		colour[t.ID] = t.Color
	}
	for i, k := range shown {
		t := &r.Topics[k]
		row := timeRow{Y: timeTop + i*timeRowH, Color: colour[t.ID], MostX: timeLeft + n*w + 8, Label: strconv.Itoa(t.ID) + "  " + excerpt(label(t), 26)}
		top := 0.0
		for p, part := range parts {
			top = max(top, share(table[i][p], part.Rows))
		}
		for p, part := range parts {
			if part.Rows == 0 {
				continue
			}
			x := share(table[i][p], part.Rows)
			row.Cells = append(row.Cells, timeCell{
				X: timeLeft + p*w, W: w - 1, Opacity: strconv.FormatFloat(0.05+0.95*x/max(top, 1e-9), 'f', 2, 64),
				Title: fmt.Sprintf("%s: %s of %s (%s)", names[p], thousands(table[i][p]), thousands(part.Rows), percent(x)),
			})
		}
		row.Most = "up to " + percent(top)
		v.Rows = append(v.Rows, row)
	}
	return v
}

// narrow joins neighbouring bins, so many of them each, until there are at
// most so many.
func narrow(parts []Part, most int) (joined []Part, each int) {
	each = (len(parts) + most - 1) / most
	if each <= 1 {
		return parts, 1
	}
	joined = make([]Part, (len(parts)+each-1)/each)
	for p, part := range parts {
		q := &joined[p/each]
		if p%each == 0 {
			q.From = part.From
		}
		q.To = part.To
		q.Rows += part.Rows
	}
	return joined, each
}

// timeLayout is how dates are written in a span of time.
func timeLayout(span time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case span > 60*365*day:
		return "2006"
	case span > 5*365*day:
		return "2006-01"
	case span > 5*day:
		return "2006-01-02"
	case span > 5*time.Minute:
		return "01-02 15:04"
	}
	return "15:04:05"
}

// classView is topics by class as a table.
type classView struct {
	Classes []className
	Rows    []classRow
	Note    string
}

type className struct{ Name, Rows, Title string }

type classRow struct {
	Topic *topicView
	Cells []classCell
}

type classCell struct {
	Share, Title string
	Level        int // 0 to 5, by the largest share of the table
}

// newClassView shows the topics of each class, or nothing where there are no
// classes, or too many for a table.
func newClassView(r *Report, views []*topicView) *classView {
	s := r.PerClass
	if s == nil || len(s.Parts) == 0 || len(s.Parts) > classes {
		return nil
	}
	v := &classView{}
	for _, p := range s.Parts {
		v.Classes = append(v.Classes, className{Name: excerpt(p.Name, 24), Title: excerpt(p.Name, 200), Rows: thousands(p.Rows)})
	}
	shown := slices.Clone(views)
	if len(shown) > classTopics {
		slices.SortStableFunc(shown, func(a, b *topicView) int { return cmp.Compare(b.Count, a.Count) })
		v.Note = fmt.Sprintf("The %d largest of %s rows.", classTopics, thousands(len(shown)))
		shown = shown[:classTopics]
	}
	ids := make([]int, len(shown))
	for i, t := range shown {
		ids[i] = t.ID
	}
	table := s.table(ids, 1, len(s.Parts))
	top := 0.0
	for i := range shown {
		for p, part := range s.Parts {
			top = max(top, share(table[i][p], part.Rows))
		}
	}
	for i, t := range shown {
		row := classRow{Topic: t}
		for p, part := range s.Parts {
			n := table[i][p]
			x := share(n, part.Rows)
			c := classCell{Level: int(math.Round(5 * x / max(top, 1e-9)))}
			if n > 0 {
				c.Share, c.Title = percent(x), fmt.Sprintf("%s of %s documents of %s", thousands(n), thousands(part.Rows), excerpt(part.Name, 60))
			}
			row.Cells = append(row.Cells, c)
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}
