package report

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strconv"
	"strings"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string
)

var page = template.Must(template.New("report").Parse(pageHTML))

// policy lets the page run its own script and show pictures it carries, and
// nothing else: no request of any kind, no other script.
func policy() string {
	sum := sha256.Sum256([]byte(pageJS))
	hash := base64.StdEncoding.EncodeToString(sum[:])
	return "default-src 'none'; script-src 'sha256-" + hash + "'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
}

// view is the report as the template shows it: every text cleaned, every
// number written, nothing left to decide.
type view struct {
	Policy string
	CSS    template.CSS
	JS     template.JS

	Title    string
	Byline   []string
	Cards    []card
	Plain    string // one sentence where there are no topics
	Warnings []Warning

	Map    *mapView
	Topics []*topicView // outliers last
	Named  int          // topics, outliers not counted

	Heat *heatView

	OverTime *timeView
	PerClass *classView

	Pictures       bool // some document has one
	Kinds          []kindView
	KindNMI        bool // some of Kinds have one
	Status, Causes []bar
	Steps          []stepView
	Embedder       []Setting
	Groups         []group
	Facts          bool // any of the last three
}

// card is a headline figure.
type card struct{ Value, Name, Help string }

type mapView struct {
	Data, Texts template.JS
	Note        string
	Shown       string
}

type topicView struct {
	ID         int
	IDText     string
	Outliers   bool
	Color      int
	Label      string
	Count      int
	CountText  string
	Share      string
	ShareWidth string
	Chips      []wordView
	Bars       []wordView
	Aspects    []aspectView
	Mix        string
	WordsFrom  string
	Pictures   []pictureView
	Strip      []pictureView // the first of Pictures, where there are no words
	Examples   []exampleView
	Search     string
}

type wordView struct {
	Text, Weight, Width string
	Level               int // 1 to 5, by weight within the topic
}

type aspectView struct{ Name, Words string }

type exampleView struct {
	ID, Text, Probability string
	Thumbnail             template.URL
}

// pictureView is a cell of a contact sheet. Alt is for a reader who does not
// see the picture, Title for one who points at it.
type pictureView struct {
	Thumbnail         template.URL
	Alt, Title, Fault string
}

// stripPictures is how many pictures stand in a table where words would.
const stripPictures = 6

type kindView struct{ Name, Rows, Outliers, NMI string }

type bar struct {
	Name, N, Share, Width string
}

type stepView struct{ Name, Seconds, Memory, Width string }

type group struct {
	Name string
	Rows []Setting
}

// width is a share of 1 as an SVG length.
func width(x float64) string {
	if !isFinite(x) {
		x = 0
	}
	return strconv.FormatFloat(100*min(max(x, 0), 1), 'f', 2, 64) + "%"
}

func newView(r *Report) (*view, error) {
	v := &view{Policy: policy(), CSS: template.CSS(pageCSS), JS: template.JS(pageJS)}
	v.Title = cmp.Or(excerpt(r.Title, 200), "Topics")

	topics := make([]*Topic, 0, len(r.Topics))
	var outliers *Topic
	for i := range r.Topics {
		if t := &r.Topics[i]; t.ID == -1 {
			outliers = t
		} else {
			topics = append(topics, t)
		}
	}
	v.Named = len(topics)

	limit := cmp.Or(r.MaxPoints, DefaultMaxPoints)
	drawn := place(r.Points, r.Run.Seed, limit)
	u := newUnit(drawn.points)
	number := make(map[int]int, len(topics))
	for i, t := range topics {
		number[t.ID] = i
	}
	colour := paint(middles(drawn.points, u, number, len(topics)))

	largest := 0
	total := 0
	for i := range r.Topics {
		largest, total = max(largest, r.Topics[i].Count), total+r.Topics[i].Count
	}
	legend := make([]mapTopic, len(topics))
	for i, t := range topics {
		tv := newTopicView(t, colour[i], largest, total)
		v.Topics = append(v.Topics, tv)
		legend[i] = mapTopic{ID: t.ID, Label: tv.Label, Count: t.Count, Color: colour[i]}
	}
	if outliers != nil {
		v.Topics = append(v.Topics, newTopicView(outliers, 0, largest, total))
	}

	if len(drawn.points) > 0 {
		data, texts, err := pack(drawn.points, u, legend, number)
		if err != nil {
			return nil, fmt.Errorf("pack the map: %w", err)
		}
		v.Map = &mapView{Data: data, Texts: texts, Shown: thousands(len(drawn.points)), Note: mapNote(drawn, r.Run.Seed)}
	}
	v.Heat = newHeat(topics)
	v.OverTime = newTimeView(r, v.Topics)
	v.PerClass = newClassView(r, v.Topics)
	for i := range r.Topics {
		v.Pictures = v.Pictures || len(r.Topics[i].Pictures) > 0 || r.Topics[i].Modalities != (Modalities{})
	}
	for _, k := range r.Kinds {
		kv := kindView{Name: excerpt(k.Name, 60), Rows: thousands(k.Rows), Outliers: percent(k.OutlierShare)}
		if k.NMI != nil {
			kv.NMI, v.KindNMI = decimal(*k.NMI), true
		}
		v.Kinds = append(v.Kinds, kv)
	}
	v.facts(r)
	return v, nil
}

func mapNote(p placed, seed uint64) string {
	var notes []string
	if n := p.finite - len(p.points); n > 0 {
		notes = append(notes, fmt.Sprintf("A random sample of %s of %s documents is drawn (seed %d).", thousands(len(p.points)), thousands(p.finite), seed))
	}
	switch n := p.total - p.finite; {
	case n == 1:
		notes = append(notes, "1 document has no position and isn't drawn.")
	case n > 1:
		notes = append(notes, thousands(n)+" documents have no position and aren't drawn.")
	}
	return strings.Join(notes, " ")
}

// middles is the mean place of each topic's points on the unit square.
func middles(points []*Point, u unit, number map[int]int, topics int) (at [][2]float64, has []bool) {
	at, has = make([][2]float64, topics), make([]bool, topics)
	n := make([]float64, topics)
	for _, p := range points {
		if t, ok := number[p.Topic]; ok {
			x, y := u.at(p)
			at[t][0] += x
			at[t][1] += y
			n[t]++
		}
	}
	for t := range at {
		if n[t] > 0 {
			at[t][0] /= n[t]
			at[t][1] /= n[t]
			has[t] = true
		}
	}
	return at, has
}

func newTopicView(t *Topic, colour, largest, total int) *topicView {
	v := &topicView{ID: t.ID, IDText: strings.Replace(strconv.Itoa(t.ID), "-", "\u2212", 1), Outliers: t.ID == -1, Color: colour, Label: label(t), Count: t.Count, CountText: thousands(t.Count)}
	v.Share, v.ShareWidth = percent(share(t.Count, total)), width(share(t.Count, largest))
	top := 0.0
	for _, w := range t.Words {
		if isFinite(w.Weight) {
			top = max(top, w.Weight)
		}
	}
	search := []string{strconv.Itoa(t.ID), v.Label, excerpt(t.Name, 200)}
	for _, w := range t.Words {
		text := excerpt(w.Text, 60)
		if text == "" {
			continue // BERTopic pads short topics with empty words
		}
		x := 0.0
		if top > 0 && isFinite(w.Weight) {
			x = max(w.Weight/top, 0)
		}
		v.Bars = append(v.Bars, wordView{Text: text, Weight: weight(w.Weight), Width: width(x), Level: 1 + min(int(x*5), 4)})
		search = append(search, text)
	}
	v.Chips = v.Bars[:min(len(v.Bars), 10)]
	for _, a := range t.Aspects {
		var words []string
		for _, w := range a.Words {
			if s := excerpt(w.Text, 200); s != "" {
				words = append(words, s)
			}
		}
		av := aspectView{Name: excerpt(a.Name, 60), Words: strings.Join(words, ", ")}
		v.Aspects = append(v.Aspects, av)
		search = append(search, av.Words)
	}
	if m := t.Modalities; m != (Modalities{}) {
		var parts []string
		for _, p := range []struct {
			n    int
			what string
		}{{m.TextOnly, "text only"}, {m.ImageOnly, "picture only"}, {m.Both, "text and picture"}} {
			if p.n > 0 {
				parts = append(parts, fmt.Sprintf("%s %s (%s)", thousands(p.n), p.what, percent(share(p.n, m.TextOnly+m.ImageOnly+m.Both))))
			}
		}
		v.Mix = strings.Join(parts, ", ")
		if t.ModalityGap != nil {
			v.Mix += "; gap between texts and pictures " + decimal(*t.ModalityGap)
		}
	}
	if len(t.Words) > 0 {
		v.WordsFrom = excerpt(t.WordsFrom, 60)
	}
	for _, p := range t.Pictures {
		pv := pictureView{Thumbnail: dataURL(p.Thumbnail), Alt: "picture of document " + excerpt(p.ID, pointRunes), Title: excerpt(p.ID, pointRunes), Fault: excerpt(p.Fault, 200)}
		if text := excerpt(p.Text, pointRunes); text != "" {
			pv.Alt += ": " + text
			pv.Title += "\n" + text
		}
		if pv.Thumbnail == "" {
			pv.Fault = cmp.Or(pv.Fault, "not shown")
			pv.Title += "\n" + pv.Fault
		}
		v.Pictures = append(v.Pictures, pv)
	}
	if len(v.Chips) == 0 {
		v.Strip = v.Pictures[:min(len(v.Pictures), stripPictures)]
	}
	for _, e := range t.Examples {
		ev := exampleView{ID: excerpt(e.ID, pointRunes), Text: excerpt(e.Text, exampleRunes), Thumbnail: dataURL(e.Thumbnail)}
		if isFinite(e.Probability) {
			ev.Probability = decimal(e.Probability)
		}
		v.Examples = append(v.Examples, ev)
	}
	v.Search = strings.ToLower(strings.Join(search, " "))
	return v
}

// dataURL is a picture inside the page, "" where there is none.
func dataURL(data []byte) template.URL {
	kind := imageType(data)
	if kind == "" {
		return ""
	}
	return template.URL("data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data))
}

func share(n, total int) float64 {
	if total <= 0 {
		return 0
	}
	return float64(n) / float64(total)
}

// facts fills all that does not speak of single topics.
func (v *view) facts(r *Report) {
	run := &r.Run
	byline := func(s string) {
		if s = excerpt(s, 300); s != "" {
			v.Byline = append(v.Byline, s)
		}
	}
	byline(run.Corpus)
	byline(run.Date)
	if run.Version != "" {
		byline("bertopic " + run.Version)
	}
	byline("seed " + strconv.FormatUint(run.Seed, 10))

	add := func(value, name, help string) { v.Cards = append(v.Cards, card{value, name, help}) }
	figure := func(f *float64, write func(float64) string, name, help string) {
		if f != nil {
			add(write(*f), name, help)
		}
	}
	add(thousands(run.Rows), "documents", "")
	add(thousands(v.Named), "topics", "")
	q := &r.Quality
	figure(q.OutlierShare, percent, "outliers", "documents in no topic")
	figure(q.NPMI, decimal, "coherence", "NPMI, −1 to 1: how often a topic's words share a document; compare runs over one corpus only")
	figure(q.Diversity, decimal, "diversity", "share of distinct words among the topics' words")
	for _, f := range q.More {
		add(decimal(f.Value), excerpt(f.Name, 60), excerpt(f.Help, 200))
	}
	all, peak := 0.0, int64(0)
	for _, s := range run.Steps {
		if isFinite(s.Seconds) {
			all += max(s.Seconds, 0)
		}
		peak = max(peak, s.PeakBytes)
	}
	if len(run.Steps) > 0 {
		add(seconds(all), "running time", "")
	}
	if peak > 0 {
		add(memory(peak), "peak memory", "")
	}
	switch {
	case run.Rows == 0 && v.Named == 0:
		v.Plain = "The run read no documents, so there is nothing to show."
	case v.Named == 0:
		v.Plain = "No topics were found: every document is an outlier. With few documents, a smaller cluster.min_cluster_size or reduce.n_neighbors may find some."
	}

	for _, w := range run.Warnings {
		v.Warnings = append(v.Warnings, Warning{Code: excerpt(w.Code, 40), Text: excerpt(w.Text, 1000)})
	}
	for _, s := range run.Steps {
		sv := stepView{Name: excerpt(s.Name, 80), Seconds: seconds(s.Seconds), Memory: memory(s.PeakBytes), Width: "0%"}
		if all > 0 {
			sv.Width = width(s.Seconds / all)
		}
		v.Steps = append(v.Steps, sv)
	}
	v.Status, v.Causes = bars(r.Status), bars(r.OutlierCauses)
	fact := func(key, value string) {
		if value = excerpt(value, 300); value != "" {
			v.Embedder = append(v.Embedder, Setting{key, value})
		}
	}
	e := &run.Embedder
	fact("name", e.Name)
	fact("version", e.Version)
	if e.Dimension > 0 {
		fact("dimension", thousands(e.Dimension))
	}
	fact("metric", e.Metric)
	fact("device", e.Device)
	v.Groups = groups(run.Settings)
	v.Facts = len(v.Steps)+len(v.Embedder)+len(v.Groups) > 0
}

func bars(counts []Count) []bar {
	total := 0
	for _, c := range counts {
		total += max(c.N, 0)
	}
	var out []bar
	for _, c := range counts {
		x := share(c.N, total)
		out = append(out, bar{Name: excerpt(c.Name, 80), N: thousands(c.N), Share: percent(x), Width: width(x)})
	}
	return out
}

// groups gathers settings by the part of the key before the first dot, in the
// order of first appearance.
func groups(settings []Setting) []group {
	var out []group
	place := map[string]int{}
	for _, s := range settings {
		name, key, ok := strings.Cut(s.Key, ".")
		if !ok {
			name, key = "", s.Key
		}
		i, known := place[name]
		if !known {
			i = len(out)
			place[name] = i
			out = append(out, group{Name: excerpt(name, 80)})
		}
		out[i].Rows = append(out[i].Rows, Setting{excerpt(key, 120), excerpt(s.Value, 1000)})
	}
	return out
}

// heatView is the likeness of topics as a square of cells.
type heatView struct {
	Size, Left, Wide, High int // of a cell, the row labels and the whole, in SVG units
	ColumnY                int // baseline of the column labels
	Rows                   []heatRow
	Columns                []heatColumn
	Pairs                  []heatPair
	Note                   string
}

type heatRow struct {
	Y     int
	Label string
	Cells template.HTML // numbers only; they are many, and a template is slow
}

type heatColumn struct {
	X, ID int
}

type heatPair struct {
	A, B, Value string
	IDA, IDB    int
}

// newHeat shows how alike the largest topics are, or nothing where fewer than
// two have vectors of one length.
func newHeat(topics []*Topic) *heatView {
	var with []*Topic
	for _, t := range topics {
		if n := len(t.Centroid); n > 0 && (len(with) == 0 || n == len(with[0].Centroid)) {
			with = append(with, t)
		}
	}
	if len(with) < 2 {
		return nil
	}
	h := &heatView{Size: 16, Left: 190}
	if len(with) > heatTopics {
		slices.SortStableFunc(with, func(a, b *Topic) int { return cmp.Compare(b.Count, a.Count) })
		h.Note = fmt.Sprintf("The %d largest of %s topics.", heatTopics, thousands(len(with)))
		with = with[:heatTopics]
	}
	n := len(with)
	vectors := make([][]float32, n)
	for i, t := range with {
		vectors[i] = t.Centroid
	}
	sim := likeness(vectors)
	low, high := math.Inf(1), math.Inf(-1)
	for i := range n {
		for j := range i {
			low, high = min(low, sim[i*n+j]), max(high, sim[i*n+j])
		}
	}
	order := chain(sim, n)
	h.Wide, h.High, h.ColumnY = h.Left+n*h.Size, n*h.Size+16, n*h.Size+12
	for row, i := range order {
		var cells []byte
		for col, j := range order {
			x := 1.0
			if i != j {
				x = (sim[i*n+j] - low) / max(high-low, 1e-9)
			}
			cells = fmt.Appendf(cells, `<rect x="%d" width="15" height="15" fill-opacity="%.2f" data-v="%s"/>`, h.Left+col*h.Size, 0.04+0.92*x, decimal(sim[i*n+j]))
		}
		h.Rows = append(h.Rows, heatRow{Y: row * h.Size, Label: strconv.Itoa(with[i].ID) + "  " + excerpt(label(with[i]), 26), Cells: template.HTML(cells)})
		h.Columns = append(h.Columns, heatColumn{X: h.Left + row*h.Size + h.Size/2, ID: with[i].ID})
	}
	h.Pairs = closest(with, sim)
	return h
}

// closest lists the pairs of topics most alike, at most eight.
func closest(topics []*Topic, sim []float64) []heatPair {
	n := len(topics)
	type pair struct {
		i, j int
		s    float64
	}
	var pairs []pair
	for i := range n {
		for j := i + 1; j < n; j++ {
			pairs = append(pairs, pair{i, j, sim[i*n+j]})
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int { return cmp.Compare(b.s, a.s) })
	var out []heatPair
	for _, p := range pairs[:min(len(pairs), 8)] {
		a, b := topics[p.i], topics[p.j]
		out = append(out, heatPair{A: label(a), B: label(b), IDA: a.ID, IDB: b.ID, Value: decimal(p.s)})
	}
	return out
}
