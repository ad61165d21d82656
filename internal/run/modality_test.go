package run

import (
	"math"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/rng"
	"github.com/bertopic-go/bertopic/pipeline"
)

// twoKinds are n rows of texts and n of pictures that show the same five
// things, the pictures moved by gap along an axis of their own. Where apart,
// they show different things.
func twoKinds(n int, gap float64, apart bool) pipeline.Rows {
	const d = 24
	m := matrix.NewDense(2*n, d)
	rows := pipeline.Rows{Vectors: m}
	for i := range 2 * n {
		thing := uint64(i % 5)
		text, picture := "", "p.png"
		if i < n {
			text, picture = "a text", ""
		} else if apart {
			thing += 5
		}
		rows.Texts, rows.Pictures = append(rows.Texts, text), append(rows.Pictures, picture)
		for j := range d - 1 {
			m.Row(i)[j] = float32(rng.Normal(1, thing, uint64(j)) + 0.4*rng.Normal(2, uint64(i), uint64(j)))
		}
		m.Row(i)[d-1] = float32(gap)
		if i < n {
			m.Row(i)[d-1] *= -1
		}
	}
	return rows
}

func TestGapIsToldWhereThereIsOne(t *testing.T) {
	for _, c := range []struct {
		name  string
		rows  pipeline.Rows
		wide  bool
		none  bool
		like  float64 // between
		reach float64
	}{
		{name: "one cloud", rows: twoKinds(200, 0, false), like: 0.17, reach: 0.1},
		{name: "two clouds", rows: twoKinds(200, 8, false), wide: true, like: -0.7, reach: 0.15},
		{name: "sparse", rows: func() pipeline.Rows {
			r := twoKinds(200, 8, false)
			r.Vectors = matrix.Sparse(r.Vectors.(*matrix.Dense))
			return r
		}(), wide: true, like: -0.7, reach: 0.15},
		{name: "few rows", rows: twoKinds(gapRows-1, 8, false), none: true},
		{name: "texts alone", rows: func() pipeline.Rows { r := twoKinds(50, 8, false); r.Pictures = nil; return r }(), none: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := modalityGap(c.rows, "cosine")
			if c.none {
				if g != nil || len(g.warnings(nil, nil)) > 0 {
					t.Fatalf("gap %+v", g)
				}
				return
			}
			if g == nil || g.wide() != c.wide || math.Abs(g.Between-c.like) > c.reach || g.A != pipeline.TextOnly || g.B != pipeline.PictureOnly {
				t.Fatalf("gap %+v", g)
			}
			w := g.warnings(nil, nil)
			if (len(w) == 1) != c.wide || c.wide && !strings.Contains(w[0].Text, "among 200 rows with a text alone") {
				t.Errorf("warnings %v", w)
			}
		})
	}
	if g := modalityGap(twoKinds(50, 8, false), "hellinger"); g != nil {
		t.Errorf("gap %+v of vectors without negative values", g)
	}
}

// Kinds that share some of what they show lie in one cloud, whatever else one
// of them shows.
func TestKindsThatShowOtherThingsHaveNoGap(t *testing.T) {
	shared, other := twoKinds(100, 0, false), twoKinds(100, 0, true)
	m := matrix.NewDense(300, 24)
	copy(m.Data, shared.Vectors.(*matrix.Dense).Data)
	copy(m.Data[200*24:], other.Vectors.(*matrix.Dense).Data[100*24:])
	for i := 200; i < 300; i++ { // one thing, with a direction of its own
		for j := range 24 {
			m.Row(i)[j] = float32(rng.Normal(1, 9, uint64(j)) + 0.2*rng.Normal(3, uint64(i), uint64(j)))
		}
	}
	rows := pipeline.Rows{Vectors: m, Texts: append(shared.Texts, other.Texts[100:]...), Pictures: append(shared.Pictures, other.Pictures[100:]...)}
	if g := modalityGap(rows, "cosine"); g == nil || g.wide() {
		t.Errorf("gap %+v", g)
	}
}
