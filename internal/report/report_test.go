package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func render(t *testing.T, r Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// block returns the text of the script element with the given id.
func block(t *testing.T, page, id string) string {
	t.Helper()
	m := regexp.MustCompile(`(?s)<script type="application/json" id="` + id + `">(.*?)</script>`).FindStringSubmatch(page)
	if m == nil {
		t.Fatalf("the page has no script element %q", id)
	}
	return m[1]
}

type unpacked struct {
	data  mapData
	texts mapTexts
	x, y  []uint16
	topic []uint16
	prob  []byte
}

// unpack reads the map back the way page.js does.
func unpack(t *testing.T, page string) unpacked {
	t.Helper()
	var u unpacked
	if err := json.Unmarshal([]byte(block(t, page, "map-data")), &u.data); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(block(t, page, "map-texts")), &u.texts); err != nil {
		t.Fatal(err)
	}
	raw := func(s string) []byte {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	shorts := func(s string) []uint16 {
		b := raw(s)
		out := make([]uint16, len(b)/2)
		for i := range out {
			out[i] = binary.LittleEndian.Uint16(b[2*i:])
		}
		return out
	}
	u.x, u.y, u.topic, u.prob = shorts(u.data.X), shorts(u.data.Y), shorts(u.data.T), raw(u.data.P)
	for _, n := range []int{len(u.x), len(u.y), len(u.topic), len(u.prob), len(u.texts.IDs), len(u.texts.Texts)} {
		if n != u.data.N {
			t.Fatalf("an array of the map has %d values for %d points", n, u.data.N)
		}
	}
	return u
}

func TestWriteCases(t *testing.T) {
	noWords := sample(2, 40)
	noWords.Topics[0].Words, noWords.Topics[1].Words, noWords.Topics[1].Examples = nil, nil, nil
	noMap := sample(3, 100)
	noMap.Points = nil
	same := sample(2, 30)
	for i := range same.Points {
		same.Points[i].X, same.Points[i].Y = 3, -3
	}
	nowhere := sample(1, 9)
	for i := range nowhere.Points {
		nowhere.Points[i].X = math.NaN()
	}
	far := sample(1, 2)
	far.Points[0].X, far.Points[1].X = -math.MaxFloat64, math.MaxFloat64

	for _, c := range []struct {
		name          string
		report        Report
		want, without []string
	}{
		{"zero value", Report{}, []string{"<h1 dir=\"auto\">Topics</h1>", "read no documents"}, []string{"<canvas", `id="topics"`, `id="likeness"`, `id="run"`}},
		{"no topics", sample(0, 50), []string{"No topics were found", "<canvas", ">Outliers<"}, []string{`id="likeness"`}},
		{"no topics, no points", func() Report { r := sample(0, 50); r.Points = nil; return r }(), []string{"No topics were found"}, []string{"<canvas"}},
		{"one topic", sample(1, 50), []string{"hockey, team, season", "<canvas"}, []string{`id="likeness"`}},
		{"two topics", sample(2, 50), []string{"hockey", "encryption", "Closest pairs"}, nil},
		{"many topics", sample(60, 500), []string{"The 40 largest of 60 topics."}, nil},
		{"topics without words", noWords, []string{"no words", "Topic"}, nil},
		{"no map", noMap, []string{"hockey"}, []string{"<canvas", "map-data"}},
		{"all points at one place", same, []string{"<canvas"}, nil},
		{"no point has a place", nowhere, nil, []string{"<canvas"}},
		{"extreme positions", far, []string{"<canvas"}, nil},
		{"real-looking", sample(20, 3000), []string{"3,000", "21.4 %", "0.154", "0.842", "truncated-rows", "all-MiniLM-L6-v2", "780 MiB", "disconnected"}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			page := render(t, c.report)
			for _, s := range c.want {
				if !strings.Contains(page, s) {
					t.Errorf("the page lacks %q", s)
				}
			}
			markup := strings.NewReplacer(pageJS, "", pageCSS, "").Replace(page)
			for _, s := range c.without {
				if strings.Contains(markup, s) {
					t.Errorf("the page should not hold %q", s)
				}
			}
			for _, s := range []string{"NaN", "Inf", "ZgotmplZ", "%!", "<nil>"} {
				if strings.Contains(markup, s) {
					t.Errorf("the page holds %q", s)
				}
			}
			offline(t, page)
			balanced(t, page)
			if again := render(t, c.report); again != page {
				t.Error("two pages of one report differ")
			}
			if strings.Contains(page, "map-data\"") && strings.Contains(page, "<canvas") {
				unpack(t, page)
			}
		})
	}
}

// offline fails if the page could ask for anything outside it.
func offline(t *testing.T, page string) {
	t.Helper()
	for _, s := range []string{"http:", "https:", "ws:", "wss:", "@import", "url(", "fetch(", "XMLHttpRequest", "import(", "sendBeacon", "<iframe", "<object", "<embed", "<base"} {
		if i := strings.Index(page, s); i >= 0 {
			t.Errorf("the page holds %q: %.60q", s, page[i:])
		}
	}
	for _, m := range regexp.MustCompile(`(?:src|href|action|data|poster|srcset)="([^"]*)"`).FindAllStringSubmatch(page, -1) {
		if !strings.HasPrefix(m[1], "#") && !strings.HasPrefix(m[1], "data:") {
			t.Errorf("the page refers to %q", m[1])
		}
	}
	m := regexp.MustCompile(`http-equiv="Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(page)
	if m == nil {
		t.Fatal("the page has no content security policy")
	}
	policy := html.UnescapeString(m[1])
	js := regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindAllStringSubmatch(page, -1)
	if len(js) != 1 {
		t.Fatalf("the page has %d plain script elements, want 1", len(js))
	}
	sum := sha256.Sum256([]byte(js[0][1]))
	if want := "script-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"; !strings.Contains(policy, want) {
		t.Errorf("policy %q does not allow the page's own script: want %s", policy, want)
	}
	if !strings.Contains(policy, "default-src 'none'") {
		t.Errorf("policy %q does not forbid the rest", policy)
	}
}

// balanced fails unless every element that needs an end has one, in order.
func balanced(t *testing.T, page string) {
	t.Helper()
	markup := regexp.MustCompile(`(?s)<(script|style)[^>]*>.*?</(script|style)>`).ReplaceAllString(page, "")
	var open []string
	ids := map[string]bool{}
	for _, m := range regexp.MustCompile(`<(/?)([a-z][a-z0-9]*)((?:[^>"]|"[^"]*")*)>`).FindAllStringSubmatch(markup, -1) {
		if id := regexp.MustCompile(` id="([^"]*)"`).FindStringSubmatch(m[3]); id != nil {
			if ids[id[1]] {
				t.Errorf("id %q stands twice", id[1])
			}
			ids[id[1]] = true
		}
		if slices.Contains([]string{"meta", "link", "img", "input"}, m[2]) || strings.HasSuffix(m[3], "/") {
			continue
		}
		if m[1] == "" {
			open = append(open, m[2])
			continue
		}
		if len(open) == 0 || open[len(open)-1] != m[2] {
			t.Fatalf("</%s> ends no open element; open: %v", m[2], open)
		}
		open = open[:len(open)-1]
	}
	if len(open) > 0 {
		t.Errorf("elements left open: %v", open)
	}
	for _, m := range regexp.MustCompile(` (?:href="#|aria-labelledby=")([^"]+)"`).FindAllStringSubmatch(markup, -1) {
		if !ids[m[1]] {
			t.Errorf("the page points at %q, which isn't there", m[1])
		}
	}
}

func TestHostileTexts(t *testing.T) {
	hostile := []string{
		"</script><script>alert(1)</script>",
		"<!--<script>", "]]>", "</style><img src=x onerror=alert(1)>", "</textarea></title>",
		`" onmouseover="alert(1)`, `' autofocus onfocus='alert(1)`, "`${alert(1)}`", "{{.JS}}", "\\u003cscript\\u003e",
		"javascript:alert(1)", "&lt;b&gt; &amp; &#60;", "a\x00b\x01c\x7f\u0085d", "\xff\xfe broken \xc3", "\u202eright to left\u202c", "שלום עולם", "مرحبا", "\u2028line\u2029",
		strings.Repeat("x", 5000), "\ufeff", " \t\n ", "e\u0301\u0301\u0301", "👩‍👩‍👧‍👦",
	}
	for _, s := range hostile {
		t.Run(fmt.Sprintf("%.20q", s), func(t *testing.T) {
			r := sample(2, 12)
			r.Title, r.Run.Version, r.Run.Date, r.Run.Corpus = s, s, s, s
			r.Run.Embedder = Embedder{Name: s, Version: s, Dimension: 3, Metric: s, Device: s}
			r.Run.Steps = []Step{{s, 1, 1}}
			r.Run.Settings = []Setting{{s, s}, {"a." + s, s}, {s + ".b", s}}
			r.Run.Warnings = []Warning{{s, s}}
			r.Quality.More = []Figure{{s, 1, s}}
			r.Status, r.OutlierCauses = []Count{{s, 1}}, []Count{{s, 1}}
			for i := range r.Topics {
				r.Topics[i].Name = s
				r.Topics[i].Words = []Word{{s, 1}, {s, 0.5}}
				r.Topics[i].Aspects = []Aspect{{s, []Word{{s, 1}}}}
				r.Topics[i].Examples = []Example{{ID: s, Text: s, Probability: 1}}
			}
			for i := range r.Points {
				r.Points[i].ID, r.Points[i].Text = s, s
			}
			page := render(t, r)
			offline(t, page)
			balanced(t, page)
			if n := strings.Count(page, "<script"); n != 3 {
				t.Errorf("the page has %d script elements, want 3", n)
			}
			if n := strings.Count(strings.ToLower(page), "</script"); n != 3 {
				t.Errorf("the page ends %d script elements, want 3", n)
			}
			if strings.Contains(page, "<img") || regexp.MustCompile(`<[a-z][^>"]*(?:"[^"]*"[^>"]*)* on[a-z]+=`).MatchString(strings.Replace(page, pageJS, "", 1)) {
				t.Error("a text became an element or an event handler")
			}
			for _, b := range []byte(page) {
				if b < 0x20 && b != '\n' || b == 0x7f {
					t.Fatalf("the page holds control character %#x", b)
				}
			}
			want := excerpt(s, pointRunes)
			if u := unpack(t, page); u.texts.Texts[0] != want || u.texts.IDs[0] != want {
				t.Errorf("text came back as %q and %q, want %q", u.texts.Texts[0], u.texts.IDs[0], want)
			}
		})
	}
}

func TestMapRoundTrip(t *testing.T) {
	r := sample(5, 400)
	r.Points[3].X = math.Inf(1)
	r.Points[7].Y = math.NaN()
	page := render(t, r)
	if !strings.Contains(page, "2 documents have no position") {
		t.Error("the page does not count the documents without a position")
	}
	u := unpack(t, page)
	if u.data.N != 398 {
		t.Fatalf("%d points, want 398", u.data.N)
	}
	var kept []Point
	for i, p := range r.Points {
		if i != 3 && i != 7 {
			kept = append(kept, p)
		}
	}
	x0, x1, y0, y1 := math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, p := range kept {
		x0, x1, y0, y1 = min(x0, p.X), max(x1, p.X), min(y0, p.Y), max(y1, p.Y)
	}
	scale := max(x1-x0, y1-y0)
	for i, p := range kept {
		x := (float64(u.x[i])/65535-0.5)*scale + (x0+x1)/2
		y := (0.5-float64(u.y[i])/65535)*scale + (y0+y1)/2
		// Half a step of the 16-bit grid, and a little for rounding.
		if tol := scale * 0.51 / 65535; math.Abs(x-p.X) > tol || math.Abs(y-p.Y) > tol {
			t.Fatalf("point %d at (%g, %g) came back as (%g, %g)", i, p.X, p.Y, x, y)
		}
		wantTopic := uint16(noTopic)
		if p.Topic >= 0 {
			wantTopic = uint16(p.Topic) // the sample's topics stand in the order of their IDs
		}
		if u.topic[i] != wantTopic || u.texts.IDs[i] != p.ID {
			t.Fatalf("point %d: topic %d of %q, want %d of %q", i, u.topic[i], u.texts.IDs[i], wantTopic, p.ID)
		}
		if math.IsNaN(p.Probability) {
			if u.prob[i] != noProbability {
				t.Fatalf("point %d: probability byte %d, want none", i, u.prob[i])
			}
		} else if d := math.Abs(float64(u.prob[i])/254 - p.Probability); d > 0.5/254+1e-9 {
			t.Fatalf("point %d: probability off by %g", i, d)
		}
	}
}

func TestSample(t *testing.T) {
	r := sample(4, 1000)
	r.MaxPoints = 100
	page := render(t, r)
	if !strings.Contains(page, "A random sample of 100 of 1,000 documents is drawn (seed 42).") {
		t.Error("the page does not say that the map is a sample")
	}
	ids := unpack(t, page).texts.IDs
	if len(ids) != 100 || !slices.IsSorted(ids) {
		t.Errorf("%d documents drawn, in corpus order: %v", len(ids), slices.IsSorted(ids))
	}
	// A smaller sample is a part of a larger one, so the map keeps its shape.
	r.MaxPoints = 40
	for _, id := range unpack(t, render(t, r)).texts.IDs {
		if !slices.Contains(ids, id) {
			t.Errorf("%s is in the sample of 40 and not in that of 100", id)
		}
	}
	r.MaxPoints, r.Run.Seed = 100, 43
	if slices.Equal(ids, unpack(t, render(t, r)).texts.IDs) {
		t.Error("another seed drew the same documents")
	}
	r.MaxPoints = 1000
	if strings.Contains(render(t, r), "random sample") {
		t.Error("a map of all documents is called a sample")
	}
}

func TestValidate(t *testing.T) {
	r := Report{
		MaxPoints: -1,
		Topics: []Topic{
			{ID: 1}, {ID: 1}, {ID: -2},
			{ID: 3, Examples: []Example{{ID: "p", Thumbnail: []byte("<svg/>")}}},
		},
		Points: []Point{{Topic: 9, ID: "a"}, {Topic: 9, ID: "b"}},
	}
	err := Write(&bytes.Buffer{}, r)
	if err == nil {
		t.Fatal("no error")
	}
	for _, s := range []string{"negative", "topic 1 is given twice", "topic -2", `document "p"`, `point 0 (document "a"): topic 9`} {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("error lacks %q: %v", s, err)
		}
	}
	if strings.Contains(err.Error(), `document "b"`) {
		t.Errorf("the second point of a kind is told too: %v", err)
	}
}

type brokenWriter struct{ left int }

var errFull = errors.New("disk full")

func (w *brokenWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestWriteError(t *testing.T) {
	if err := Write(&brokenWriter{2000}, sample(3, 50)); !errors.Is(err, errFull) {
		t.Errorf("got %v, want the writer's error", err)
	}
}

func TestThumbnail(t *testing.T) {
	r := sample(1, 5)
	png := []byte("\x89PNG\r\n\x1a\nrest")
	r.Topics[0].Examples[0].Thumbnail = png
	r.Topics[0].Modalities = Modalities{TextOnly: 1200, ImageOnly: 3, Both: 1}
	gap := 0.25
	r.Topics[0].ModalityGap = &gap
	page := render(t, r)
	for _, s := range []string{
		`src="data:image/png;base64,` + base64.StdEncoding.EncodeToString(png) + `"`,
		"1,200 text only (99.7 %), 3 picture only (0.2 %), 1 text and picture (0.1 %); gap between texts and pictures 0.250",
	} {
		if !strings.Contains(page, s) {
			t.Errorf("the page lacks %q", s)
		}
	}
	offline(t, page)
	for kind, b := range map[string]string{"image/jpeg": "\xff\xd8\xff\xe0", "image/gif": "GIF89a", "image/webp": "RIFF1234WEBPVP8 ", "": "RIFF1234WAVE"} {
		if got := imageType([]byte(b)); got != kind {
			t.Errorf("imageType(%q) = %q, want %q", b, got, kind)
		}
	}
}

func TestContactSheet(t *testing.T) {
	r := sample(2, 40)
	picture := func(k int) []byte { return fmt.Appendf(nil, "\xff\xd8\xff\xe0picture %d", k) }
	source := func(k int) string {
		return `src="data:image/jpeg;base64,` + base64.StdEncoding.EncodeToString(picture(k)) + `"`
	}
	r.Topics[0].Pictures = []Picture{{ID: `a"><b>`, Text: "a red\napple", Thumbnail: picture(0)}, {ID: "gone", Fault: "there is no such file"}, {ID: "left out"}}
	r.Topics[1].Words, r.Topics[1].WordsFrom = nil, "labels"
	for k := range 9 {
		r.Topics[1].Pictures = append(r.Topics[1].Pictures, Picture{ID: fmt.Sprint(k), Thumbnail: picture(k + 1)})
	}
	nmi := 0.625
	r.Kinds = []Kind{{Name: "text only", Rows: 1200, OutlierShare: 0.25, NMI: &nmi}, {Name: "picture only", Rows: 3}}
	page := render(t, r)
	offline(t, page)
	balanced(t, page)
	for _, s := range []string{
		`<img ` + source(0) + ` alt="picture of document a&#34;&gt;&lt;b&gt;: a red apple">`,
		`<span class="gap"><span class="vh">picture of document gone: </span>there is no such file</span>`,
		`picture of document left out: </span>not shown</span>`,
		`<th scope="row" class="n">text only</th><td class="n">1,200</td><td class="n soft">25.0 %</td><td class="n">0.625</td>`,
		`<th scope="row" class="n">picture only</th><td class="n">3</td><td class="n soft">0 %</td><td class="n"></td>`,
		"are alike in what they say or show",
	} {
		if !strings.Contains(page, s) {
			t.Errorf("the page lacks %q", s)
		}
	}
	if strings.Contains(page, "Words from labels") {
		t.Error("words that are not there are from labels")
	}
	for k := range 9 { // the first ones stand in the table, too, in the place of words
		want := 1
		if k < stripPictures {
			want = 2
		}
		if n := strings.Count(page, source(k+1)); n != want {
			t.Errorf("picture %d is in the page %d times, want %d", k, n, want)
		}
	}
	if strings.Count(page, source(0)) != 1 {
		t.Error("a topic with words shows its picture twice")
	}
	r.Topics[1].Words = []Word{{"apple", 0.5}}
	if page := render(t, r); !strings.Contains(page, "Words from labels, by nearness to the topic") {
		t.Error("the page does not say where the words are from")
	}
	if page := render(t, sample(2, 40)); strings.Contains(strings.Replace(page, pageCSS, "", 1), "sheet") || !strings.Contains(page, "near dots have like texts") {
		t.Error("a report of texts tells of pictures")
	}
	r.Topics[0].Pictures[0].Thumbnail = []byte("<svg/>")
	if err := r.Validate(); err == nil || !strings.Contains(err.Error(), "is not a JPEG") {
		t.Errorf("got %v", err)
	}
}

func BenchmarkWrite(b *testing.B) {
	r := sample(200, DefaultMaxPoints)
	var buf bytes.Buffer
	for b.Loop() {
		buf.Reset()
		if err := Write(&buf, r); err != nil {
			b.Fatal(err)
		}
	}
	b.SetBytes(int64(buf.Len()))
}

// mapTexts is what the page's script finds in the texts of the map.
type mapTexts struct {
	IDs   []string `json:"ids"`
	Texts []string `json:"texts"`
}
