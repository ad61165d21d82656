package represent

import (
	"context"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/bertopic-go/bertopic/internal/matrix"
)

// plane embeds words by the angle that they name, in tens of degrees.
type plane map[string]float64

func (p plane) EmbedWords(_ context.Context, words []string) (*matrix.Dense, error) {
	m := matrix.NewDense(len(words), 2)
	for i, w := range words {
		a := p[strings.TrimPrefix(w, "a picture of ")] * math.Pi / 18
		m.Row(i)[0], m.Row(i)[1] = float32(math.Cos(a)), float32(math.Sin(a))
	}
	return m, nil
}

func TestZeroShot(t *testing.T) {
	angles := plane{"north": 0, "nearly north": 1, "east": 9, "south": 18, "west": 27}
	list := []string{"south", "east", "north", "nearly north", "west"}
	means := &matrix.Dense{Rows: 3, Cols: 2, Data: []float32{2, 0, 0, 5, 0, 0}} // north, east, nowhere
	words := [][]Word{{{Term: "ice", Weight: 1}}, nil, {{Term: "kept", Weight: 1}}}
	near := func(x float64) float64 { return math.Cos(x * math.Pi / 18) }
	for _, c := range []struct {
		name string
		step ZeroShot
		want [][]Word
	}{
		{"nearer to the best than to the average", ZeroShot{Labels: list}, [][]Word{{{Term: "north", Weight: 1}, {Term: "nearly north", Weight: near(1)}}, {{Term: "east", Weight: 1}}, words[2]}},
		{"one", ZeroShot{Labels: list, TopN: 1, Prompt: "a picture of {}"}, [][]Word{{{Term: "north", Weight: 1}}, {{Term: "east", Weight: 1}}, words[2]}},
		{"none is near enough", ZeroShot{Labels: []string{"west", "nearly north"}, MinSimilarity: 0.5}, [][]Word{{{Term: "nearly north", Weight: near(1)}}, nil, words[2]}},
		{"a list of one", ZeroShot{Labels: []string{"south"}, MinSimilarity: -1}, [][]Word{{{Term: "south", Weight: -1}}, {{Term: "south", Weight: 0}}, words[2]}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.step.Embedder = angles
			for layout, m := range map[string]matrix.Matrix{"dense": means, "sparse": matrix.Sparse(means)} {
				got, err := c.step.Refine(context.Background(), &Topics{Means: m}, words)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, got, cmpopts.EquateApprox(0, 1e-6), cmpopts.EquateEmpty()); diff != "" {
					t.Errorf("%s: %s", layout, diff)
				}
			}
		})
	}
	for _, c := range []struct {
		step   ZeroShot
		topics Topics
		want   string
	}{
		{ZeroShot{Labels: list}, Topics{Means: means}, "no embedder of words"},
		{ZeroShot{Embedder: angles}, Topics{Means: means}, "no labels"},
		{ZeroShot{Embedder: angles, Labels: list}, Topics{}, "vectors of the topics"},
		{ZeroShot{Embedder: angles, Labels: list}, Topics{Means: matrix.NewDense(2, 2)}, "vectors of 2 topics, and words of 3"},
		{ZeroShot{Embedder: angles, Labels: list}, Topics{Means: matrix.NewDense(3, 5)}, "must share one space"},
	} {
		if _, err := c.step.Refine(context.Background(), &c.topics, words); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %q", err, c.want)
		}
	}
}
