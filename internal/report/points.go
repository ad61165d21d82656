package report

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"html/template"
	"math"
	"slices"
	"strings"

	"github.com/bertopic-go/bertopic/internal/jsontext"
	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/rng"
)

// drawSample separates the numbers drawn here from any other use of the seed.
const drawSample = 0x7265706f7274 // "report"

// noTopic is the topic number of an outlier in the packed map.
const noTopic = math.MaxUint16

// noProbability is the packed value of a probability that is not known.
const noProbability = math.MaxUint8

// placed is the part of the points that the map draws.
type placed struct {
	points []*Point
	finite int // points with a position, before sampling
	total  int
}

// place picks the points to draw: those with a finite position and, above
// limit, the limit ones with the smallest hash of (seed, place in the corpus).
// The order of the corpus is kept.
func place(points []Point, seed uint64, limit int) placed {
	p := placed{total: len(points)}
	type ticket struct {
		hash uint64
		at   int
	}
	var tickets []ticket
	for i := range points {
		if q := &points[i]; isFinite(q.X) && isFinite(q.Y) {
			tickets = append(tickets, ticket{rng.Hash2(seed, drawSample, uint64(i)), i})
		}
	}
	p.finite = len(tickets)
	if len(tickets) > limit {
		slices.SortFunc(tickets, func(a, b ticket) int {
			return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.at, b.at))
		})
		tickets = tickets[:limit]
		slices.SortFunc(tickets, func(a, b ticket) int { return cmp.Compare(a.at, b.at) })
	}
	for _, t := range tickets {
		p.points = append(p.points, &points[t.at])
	}
	return p
}

// unit maps positions to 0..1 with one scale for both axes, the shorter axis
// centred. All points at one place give the middle.
type unit struct{ x, y, scale float64 }

func newUnit(points []*Point) unit {
	if len(points) == 0 {
		return unit{}
	}
	// Halved, so that the width of the widest finite range is finite too.
	x0, x1 := math.Inf(1), math.Inf(-1)
	y0, y1 := x0, x1
	for _, p := range points {
		x0, x1 = min(x0, p.X/2), max(x1, p.X/2)
		y0, y1 = min(y0, p.Y/2), max(y1, p.Y/2)
	}
	return unit{x: x0 + (x1-x0)/2, y: y0 + (y1-y0)/2, scale: max(x1-x0, y1-y0)}
}

func (u unit) at(p *Point) (x, y float64) {
	if u.scale == 0 {
		return 0.5, 0.5
	}
	return 0.5 + (p.X/2-u.x)/u.scale, 0.5 + (p.Y/2-u.y)/u.scale
}

// mapData is what the page's script reads to draw the map. X, Y and T are
// little-endian uint16 and P is uint8, each in base64. The texts are apart,
// since they are parsed only when the reader first points at the map.
type mapData struct {
	N      int        `json:"n"`
	X      string     `json:"x"`
	Y      string     `json:"y"`
	T      string     `json:"t"`
	P      string     `json:"p"`
	Topics []mapTopic `json:"topics"`
}

type mapTopic struct {
	ID    int    `json:"id"`
	Label string `json:"label"`
	Count int    `json:"count"`
	Color int    `json:"color"`
}

// pack encodes the drawn points; number holds a topic's place in topics by ID.
func pack(points []*Point, u unit, topics []mapTopic, number map[int]int) (data, texts template.JS, err error) {
	n := len(points)
	xs, ys, ts, ps := make([]byte, 2*n), make([]byte, 2*n), make([]byte, 2*n), make([]byte, n)
	for i, p := range points {
		x, y := u.at(p)
		binary.LittleEndian.PutUint16(xs[2*i:], uint16(math.Round(x*math.MaxUint16)))
		binary.LittleEndian.PutUint16(ys[2*i:], uint16(math.Round((1-y)*math.MaxUint16))) // the screen's y runs down
		t, ok := number[p.Topic]
		if !ok {
			t = noTopic
		}
		binary.LittleEndian.PutUint16(ts[2*i:], uint16(t))
		ps[i] = noProbability
		if p.Probability >= 0 && p.Probability <= 1 {
			ps[i] = uint8(math.Round(p.Probability * (noProbability - 1)))
		}
	}
	b64 := base64.StdEncoding.EncodeToString
	d := mapData{N: n, X: b64(xs), Y: b64(ys), T: b64(ts), P: b64(ps), Topics: topics}
	data, err = script(d)
	return data, packTexts(points), err
}

// packTexts is {"ids": [...], "texts": [...]}, an entry of each for a point.
func packTexts(points []*Point) template.JS {
	const block = 512
	type lists struct{ ids, texts []byte }
	parts := make([]lists, (len(points)+block-1)/block)
	par.Blocks(0, len(points), block, func(k, lo, hi int) {
		var l lists
		for _, p := range points[lo:hi] {
			l.ids = append(jsontext.AppendString(l.ids, excerpt(p.ID, pointRunes)), ',')
			l.texts = append(jsontext.AppendString(l.texts, excerpt(p.Text, pointRunes)), ',')
		}
		parts[k] = l
	})
	size := 0
	for _, l := range parts {
		size += len(l.ids) + len(l.texts)
	}
	var b strings.Builder
	b.Grow(size + 24)
	list := func(of func(lists) []byte) {
		for k, l := range parts {
			part := of(l)
			if k == len(parts)-1 {
				part = part[:len(part)-1] // its last comma
			}
			b.Write(part)
		}
	}
	b.WriteString(`{"ids":[`)
	list(func(l lists) []byte { return l.ids })
	b.WriteString(`],"texts":[`)
	list(func(l lists) []byte { return l.texts })
	b.WriteString(`]}`)
	return template.JS(b.String())
}

// script is v as JSON that can stand in a script element: encoding/json
// writes <, > and & as \u escapes, so no text can end the element.
func script(v any) (template.JS, error) {
	b, err := json.Marshal(v)
	return template.JS(b), err
}

func isFinite(x float64) bool { return !math.IsNaN(x) && !math.IsInf(x, 0) }
