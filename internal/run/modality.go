package run

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/bertopic-go/bertopic/corpus"
	"github.com/bertopic-go/bertopic/host"
	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/rng"
	"github.com/bertopic-go/bertopic/pipeline"
	"github.com/bertopic-go/bertopic/pipeline/knn"
	"github.com/bertopic-go/bertopic/sdk"
)

// Gap says how far apart the vectors of two kinds of rows lie: the two kinds
// of the corpus that lie furthest apart. An embedder of texts and pictures as
// a rule places both in clouds of their own (Liang et al., "Mind the Gap",
// 2022), and a clusterer may find the clouds before it finds what they show.
type Gap struct {
	A       pipeline.Kind `json:"a"`
	B       pipeline.Kind `json:"b"`
	RowsA   int           `json:"rows_a"`
	RowsB   int           `json:"rows_b"`
	WithinA float64       `json:"within_a"` // mean cosine between two rows of A
	WithinB float64       `json:"within_b"`
	Between float64       `json:"between"` // mean cosine between a row of A and one of B
	// Own and Other are the mean cosines of a row with the nearest row of its
	// own kind and of the other one, for the kind whose rows are the less apart
	// from the other.
	Own   float64 `json:"nearest_own"`
	Other float64 `json:"nearest_other"`
}

// lack is how much more alike rows are within the looser of the two kinds than
// between them. It is about 0 where both lie in one cloud.
func (g *Gap) lack() float64 { return min(g.WithinA, g.WithinB) - g.Between }

// wide reports whether the gap is worth telling. The means alone would tell of
// kinds that show different things, too: but then the rows of one kind, those
// that show what the other also shows, have near ones there.
func (g *Gap) wide() bool { return g.lack() >= gapLack && g.Own-g.Other >= gapLack }

const (
	gapRows = 20  // of a kind, at least, so that there is a gap to speak of
	gapLack = 0.1 // cosine
	// gapSample is how many rows of a kind are looked at for their nearest ones.
	gapSample = 400
	gapSeed   = 0x676170
)

// cloud is the vectors of the rows of one kind.
type cloud struct {
	kind   pipeline.Kind
	sum    []float64 // of unit vectors
	rows   []int
	sample [][]float64 // unit vectors of some rows, drawn by hash
}

// modalityGap measures the gap between the kinds of rows, nil where there are
// not two kinds of some size, or no cosine to speak of.
func modalityGap(rows pipeline.Rows, metric knn.Metric) *Gap {
	if rows.Pictures == nil || metric == knn.Hellinger {
		return nil
	}
	clouds := cloudsOf(rows, metric)
	var widest *Gap
	for i, a := range clouds {
		for _, b := range clouds[i+1:] {
			g := &Gap{A: a.kind, B: b.kind, RowsA: len(a.rows), RowsB: len(b.rows), WithinA: a.within(), WithinB: b.within()}
			g.Between = inner(a.sum, b.sum) / (float64(len(a.rows)) * float64(len(b.rows)))
			g.Own, g.Other = nearestOf(a.sample, b.sample)
			if own, other := nearestOf(b.sample, a.sample); own-other < g.Own-g.Other {
				g.Own, g.Other = own, other
			}
			if widest == nil || g.lack() > widest.lack() {
				widest = g
			}
		}
	}
	return widest
}

// cloudsOf returns the clouds of some size.
func cloudsOf(rows pipeline.Rows, metric knn.Metric) []*cloud {
	_, d := rows.Vectors.Dims()
	var clouds []*cloud
	for _, kind := range []pipeline.Kind{pipeline.TextOnly, pipeline.PictureOnly, pipeline.Both} {
		clouds = append(clouds, &cloud{kind: kind, sum: make([]float64, d)})
	}
	for i, s := range pipeline.Check(rows.Vectors, rows.Statuses, metric) {
		kind := pipeline.KindOf(rows.Texts[i], rows.Pictures[i])
		at := slices.IndexFunc(clouds, func(c *cloud) bool { return c.kind == kind })
		if s.HasVector() && at >= 0 && addUnit(clouds[at].sum, rows.Vectors, i) {
			clouds[at].rows = append(clouds[at].rows, i)
		}
	}
	clouds = slices.DeleteFunc(clouds, func(c *cloud) bool { return len(c.rows) < gapRows })
	for _, c := range clouds {
		drawn := slices.Clone(c.rows)
		slices.SortStableFunc(drawn, func(a, b int) int {
			return cmp.Compare(rng.Hash2(gapSeed, uint64(a), 0), rng.Hash2(gapSeed, uint64(b), 0))
		})
		for _, i := range drawn[:min(len(drawn), gapSample)] {
			v := make([]float64, d)
			addUnit(v, rows.Vectors, i)
			c.sample = append(c.sample, v)
		}
	}
	return clouds
}

// within is the mean cosine between two different rows of a cloud.
func (c *cloud) within() float64 {
	n := float64(len(c.rows))
	return (inner(c.sum, c.sum) - n) / (n * (n - 1))
}

// nearestOf returns the mean cosines of the vectors of a with the nearest other
// one of a and with the nearest one of b. Of the larger of the two so many are
// looked at as the smaller has, since the nearest of many is nearer.
func nearestOf(a, b [][]float64) (own, other float64) {
	n := min(len(a), len(b))
	for i := range n {
		bestOwn, bestOther := -1.0, -1.0
		for k := range n {
			if k != i {
				bestOwn = max(bestOwn, inner(a[i], a[k]))
			}
			bestOther = max(bestOther, inner(a[i], b[k]))
		}
		own += bestOwn / float64(n)
		other += bestOther / float64(n)
	}
	return own, other
}

// addUnit adds the direction of row i of m to sum; false where it has none.
func addUnit(sum []float64, m matrix.Matrix, i int) bool {
	list := values(m, i)
	norm := 0.0
	for _, v := range list {
		norm += float64(v) * float64(v)
	}
	if norm = math.Sqrt(norm); norm == 0 {
		return false
	}
	if sparse, ok := m.(*matrix.CSR); ok {
		cols, _ := sparse.Row(i)
		for k, c := range cols {
			sum[c] += float64(list[k]) / norm
		}
		return true
	}
	for k, v := range list {
		sum[k] += float64(v) / norm
	}
	return true
}

func inner(a, b []float64) float64 {
	sum := 0.0
	for i, x := range a {
		sum += float64(x * b[i])
	}
	return sum
}

// kindNames are the kinds as rows of them are called in a sentence.
var kindNames = map[pipeline.Kind]string{
	pipeline.TextOnly: "rows with a text alone", pipeline.PictureOnly: "rows with pictures alone", pipeline.Both: "rows with both",
}

const centerOption = "center_modalities"

// warnings tells of a gap that is wide, and what may close it. e, which has
// these options, may be nil.
func (g *Gap) warnings(e *host.Embedder, options map[string]any) []pipeline.Warning {
	if g == nil || !g.wide() {
		return nil
	}
	advice := ""
	if e != nil {
		resolved, _ := sdk.CheckOptions(e.Description(), options)
		switch value, ok := resolved[centerOption]; {
		case !ok:
			advice = " (the embedder " + e.Description().Name + " has no option " + centerOption + ", which would centre each kind)"
		case string(value) == "true":
			advice = "; " + centerOption + " is on already, so that the two may well show different things"
		default:
			advice = ": set " + centerOption + " = true in [embedder.options], which centres texts and pictures each by themselves"
		}
	}
	return []pipeline.Warning{{Code: "modality-gap", Text: fmt.Sprintf(
		"texts and pictures lie apart, so that topics may follow the kind of a row and not what it shows: the mean cosine is %.2f among %d %s, %.2f among %d %s, and %.2f between the two; that with the nearest row is %.2f in the same kind and %.2f in the other%s",
		g.WithinA, g.RowsA, kindNames[g.A], g.WithinB, g.RowsB, kindNames[g.B], g.Between, g.Own, g.Other, advice)}}
}

// ignored tells of content that the embedder does not take.
func ignored(docs *documents, v *vectors) []pipeline.Warning {
	if v.embedder == nil {
		return nil
	}
	d := v.embedder.Description()
	texts, pictures := docs.kinds()
	var out []pipeline.Warning
	for _, c := range []struct {
		modality     sdk.Modality
		n            int
		what, column string
	}{{sdk.Image, pictures, "pictures", "image"}, {sdk.Text, texts, "a text", "text"}} {
		if c.n > 0 && !slices.Contains(d.Modalities, c.modality) {
			out = append(out, pipeline.Warning{Code: "modality-ignored", Text: fmt.Sprintf(
				"%d of %d rows have %s, which the embedder %s does not take; [corpus] %s = %q leaves that column out", c.n, len(docs.rows), c.what, d.Name, c.column, corpus.NoColumn)})
		}
	}
	return out
}
