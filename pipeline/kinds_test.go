package pipeline

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/rng"
	"github.com/bertopic-go/bertopic/pipeline/knn"
)

// near embeds a label into the direction of the blob with its number; others
// lie elsewhere.
type near struct{ labels []string }

func (e near) EmbedWords(_ context.Context, words []string) (*Dense, error) {
	m := matrix.NewDense(len(words), 16)
	for i, w := range words {
		g := slices.IndexFunc(e.labels, func(l string) bool { return strings.HasSuffix(w, l) })
		for j := range 16 {
			if g < 0 {
				m.Row(i)[j] = float32(rng.Normal(77, uint64(len(w)), uint64(j)))
			} else {
				m.Row(i)[j] = float32(rng.Normal(1, uint64(g), uint64(j)))
			}
		}
	}
	return m, nil
}

var labels = []string{"space", "baking", "music", "sailing", "chess", "tax law", "knitting", "plumbing"}

// mixedRows are rows of five groups: in turn a text, a picture, both. The
// group 4 has pictures alone.
func mixedRows() (Rows, []int) {
	m, group := blobs(5, 60, 16, 0.4)
	docs := texts(group, 12)
	rows := rowsOf(m, docs)
	rows.Pictures = make([]string, m.Rows)
	rows.Classes = make([]string, m.Rows)
	for i, g := range group {
		rows.Classes[i] = themes[g][0]
		kind := (i / 5) % 3
		if g == 4 {
			kind = 1
		}
		if kind != 0 {
			rows.Pictures[i] = rows.IDs[i] + ".png"
		}
		if kind == 1 {
			docs[i] = " "
		}
	}
	return rows, group
}

func TestTopicsOfTextsAndPictures(t *testing.T) {
	rows, group := mixedRows()
	model, r := mustFit(t, rows, Params{Seed: 42})
	if len(model.Topics) != 5 || r.Quality.OutlierShare > 0 {
		t.Fatalf("topics %+v, %.2f outliers", model.Topics, r.Quality.OutlierShare)
	}
	at := map[string]int{}
	for i, id := range rows.IDs {
		at[id] = i
	}
	for _, topic := range model.Topics {
		i := at[topic.Pictures[0].ID]
		want := KindCounts{20, 20, 20}
		if group[i] == 4 {
			want = KindCounts{0, 60, 0}
			if topic.Name != fmt.Sprintf("%d_pictures", topic.ID) || len(topic.Words) > 0 {
				t.Errorf("a topic of pictures is called %s, with the words %v", topic.Name, topic.Words)
			}
		} else if len(topic.Words) == 0 || topic.WordsFrom != "" {
			t.Errorf("topic %s has the words %v of %q", topic.Name, topic.Words, topic.WordsFrom)
		}
		if *topic.Kinds != want {
			t.Errorf("topic %s has the kinds %+v, want %+v", topic.Name, *topic.Kinds, want)
		}
		if len(topic.Pictures) != shownPictures || len(topic.Representative) != shownRepresentatives {
			t.Errorf("topic %s shows %d pictures, %d rows", topic.Name, len(topic.Pictures), len(topic.Representative))
		}
		last := math.Inf(1)
		for _, p := range topic.Pictures {
			i := at[p.ID]
			if p.Path != rows.Pictures[i] || r.Rows[i].Topic != topic.ID || r.Rows[i].Cosine > last {
				t.Errorf("topic %s: picture %+v of a row with topic %d and cosine %v after %v", topic.Name, p, r.Rows[i].Topic, r.Rows[i].Cosine, last)
			}
			last = r.Rows[i].Cosine
		}
		for _, id := range topic.Representative {
			if !r.Representative[at[id]] {
				t.Errorf("row %s of topic %s is not marked", id, topic.Name)
			}
		}
	}
	q := r.Quality
	if len(q.ByKind) != 3 || q.KindNMI == nil || *q.KindNMI > 0.5 {
		t.Fatalf("quality %+v", q)
	}
	for k, want := range []KindQuality{{Kind: TextOnly, Rows: 80}, {Kind: PictureOnly, Rows: 140}, {Kind: Both, Rows: 80}} {
		got := q.ByKind[k]
		if got.Kind != want.Kind || got.Rows != want.Rows || got.OutlierShare != 0 || got.ClassNMI == nil || *got.ClassNMI < 0.999 {
			t.Errorf("kind %+v, want %+v with a perfect NMI", got, want)
		}
	}
	if !slices.ContainsFunc(r.Warnings, func(w Warning) bool {
		return w.Code == "no-labels" && strings.HasPrefix(w.Text, "1 of 5 topics have no words") && strings.Contains(w.Text, "an embedder that embeds words")
	}) {
		t.Errorf("warnings %v", r.Warnings)
	}
}

func TestLabelsForTopicsWithoutWords(t *testing.T) {
	rows, _ := mixedRows()
	p := Params{Seed: 42, Words: near{labels}, Labels: Labels{Words: labels, Prompt: "a picture of {}"}}
	model, r := mustFit(t, rows, p)
	named := 0
	for _, topic := range model.Topics {
		if topic.Kinds.Text > 0 {
			if topic.WordsFrom != "" || slices.Contains(labels, topic.Words[0].Word) {
				t.Errorf("topic %s with texts has the words %v of %q", topic.Name, topic.Words, topic.WordsFrom)
			}
			continue
		}
		named++
		if topic.WordsFrom != FromLabels || len(topic.Words) == 0 || topic.Words[0].Word != "chess" || topic.Words[0].Weight < 0.9 {
			t.Errorf("topic %s has the words %v of %q", topic.Name, topic.Words, topic.WordsFrom)
		}
	}
	if named != 1 || len(r.Warnings) > 0 {
		t.Errorf("%d topics have labels; warnings %v", named, r.Warnings)
	}

	dir := filepath.Join(t.TempDir(), "model")
	if err := model.Save(dir); err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(model.Topics, loaded.Topics); diff != "" {
		t.Error(diff)
	}

	// Pictures alone: no warning about words that nobody expects.
	rows.Texts = nil
	model, r = mustFit(t, rows, p)
	for _, topic := range model.Topics {
		if topic.WordsFrom != FromLabels || !slices.Contains(labels[:5], topic.Words[0].Word) {
			t.Errorf("topic %s has the words %v of %q", topic.Name, topic.Words, topic.WordsFrom)
		}
	}
	if len(r.Warnings) > 0 || r.Quality.ByKind != nil || r.Quality.KindNMI != nil || r.Quality.NPMI != nil {
		t.Errorf("warnings %v, quality %+v", r.Warnings, r.Quality)
	}
	model, r = mustFit(t, rows, Params{Seed: 42, Words: near{labels}})
	if len(r.Warnings) != 1 || r.Warnings[0].Code != "no-labels" || !strings.Contains(r.Warnings[0].Text, "[topics] labels") {
		t.Errorf("warnings %v", r.Warnings)
	}
	if model.Topics[2].Name != "2_pictures" || len(model.Topics[2].Representative) != shownRepresentatives {
		t.Errorf("topic %+v", model.Topics[2])
	}
}

func TestZeroShotIsARepresentation(t *testing.T) {
	m, group := blobs(5, 40, 16, 0.4)
	rows := rowsOf(m, texts(group, 12))
	p := Params{Seed: 42, Words: near{labels}, Representation: []Representation{
		{Method: "zero-shot", Labels: Labels{Words: labels[:3]}, MinSimilarity: 0.5},
		{Method: "zero-shot", Name: "Label", Labels: Labels{Words: labels}},
	}}
	model, _ := mustFit(t, rows, p)
	kept := 0
	for _, topic := range model.Topics {
		if slices.Contains(labels[:3], topic.Words[0].Word) {
			if topic.Words[0].Weight < 0.5 {
				t.Errorf("topic %s: %v", topic.Name, topic.Words)
			}
		} else {
			kept++
		}
		if !slices.Contains(labels[:5], topic.Aspects["Label"][0].Word) {
			t.Errorf("topic %s: aspect %v", topic.Name, topic.Aspects)
		}
		if topic.Kinds != nil || topic.Pictures != nil || topic.WordsFrom != "" {
			t.Errorf("a topic of texts tells of pictures: %+v", topic)
		}
	}
	if kept != 2 {
		t.Errorf("%d topics keep their words, want the 2 that no label is near", kept)
	}
	_, _, err := Fit(context.Background(), rows, Params{Words: near{labels}, Representation: []Representation{{Method: "zero-shot"}}})
	if err == nil || !strings.Contains(err.Error(), "needs labels") {
		t.Errorf("no labels: %v", err)
	}
	_, _, err = Fit(context.Background(), rows, Params{Labels: Labels{Words: labels}})
	if err == nil || !strings.Contains(err.Error(), "embedder of words") {
		t.Errorf("no embedder: %v", err)
	}
}

func TestNearest(t *testing.T) {
	dense := &Dense{Rows: 4, Cols: 3, Data: []float32{1, 0, 0, 0, 2, 0, 2, 2, 0, 1, 0, 0}}
	query := &Dense{Rows: 1, Cols: 3, Data: []float32{3, 0, 0}}
	type hits = []Hit
	for _, c := range []struct {
		metric knn.Metric
		want   hits
	}{
		{knn.Cosine, hits{{0, 1}, {3, 1}, {2, math.Sqrt(0.5)}, {1, 0}}},
		{knn.Euclidean, hits{{0, 2}, {3, 2}, {2, math.Sqrt(5)}, {1, math.Sqrt(13)}}},
		{knn.Hellinger, hits{{0, 1}, {3, 1}, {2, math.Sqrt(0.5)}, {1, 0}}},
	} {
		for name, pair := range map[string][2]Matrix{"dense": {query, dense}, "sparse": {matrix.Sparse(query), matrix.Sparse(dense)}} {
			for _, threads := range []int{1, 3} {
				got, err := Nearest(pair[0], 0, pair[1], c.metric, 9, nil, threads)
				if err != nil || len(got) != 4 {
					t.Fatalf("%s, %s: %v, %v", c.metric, name, got, err)
				}
				for k, h := range got {
					if h.Row != c.want[k].Row || math.Abs(h.Score-c.want[k].Score) > 1e-6 {
						t.Errorf("%s, %s: hit %d is %+v, want %+v", c.metric, name, k, h, c.want[k])
					}
				}
			}
		}
	}
	got, err := Nearest(query, 0, dense, "cosine", 1, func(i int) bool { return i > 0 }, 1)
	if err != nil || len(got) != 1 || got[0].Row != 3 {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := Nearest(query, 0, &Dense{Rows: 1, Cols: 2, Data: make([]float32, 2)}, "cosine", 1, nil, 1); err == nil {
		t.Error("vectors of another width are taken")
	}
	if _, err := Nearest(query, 0, matrix.Sparse(dense), "cosine", 1, nil, 1); err == nil {
		t.Error("vectors of another layout are taken")
	}
}
