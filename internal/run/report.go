package run

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bertopic-go/bertopic/internal/config"
	"github.com/bertopic-go/bertopic/internal/report"
	"github.com/bertopic-go/bertopic/pipeline"
)

// reportOf is what report.html shows of a run.
func reportOf(docs *documents, v *vectors, model *pipeline.Model, result *pipeline.Result, record *Record) report.Report {
	r := report.Report{
		Title: "Topics of " + filepath.Base(docs.path),
		Run: report.Run{
			Version: record.Version, Date: record.Started.Format("2006-01-02 15:04 MST"), Corpus: filepath.Base(docs.path), Rows: len(docs.rows),
			Seed: record.Seed, Settings: settings(record.Config),
			Embedder: report.Embedder{Name: "vectors from " + filepath.Base(record.Vectors.File), Dimension: record.Vectors.Dimension, Metric: record.Vectors.Metric},
		},
		Quality: report.Quality{OutlierShare: &result.Quality.OutlierShare, NPMI: result.Quality.NPMI, Diversity: result.Quality.Diversity},
	}
	if docs.path == "-" {
		r.Title = "Topics"
	}
	if e := record.Embedder; e != nil {
		r.Run.Embedder.Name, r.Run.Embedder.Version, r.Run.Embedder.Device = e.Name, e.Version, e.Device
		if e.Model != "" {
			r.Run.Embedder.Name += " (" + e.Model + ")"
		}
	}
	for _, f := range []struct {
		name, help string
		value      *float64
	}{
		{"NMI with known classes", "of the rows with a topic; 1 is perfect agreement", result.Quality.ClassNMI},
		{"ARI with known classes", "of the rows with a topic; 1 is perfect agreement, 0 is chance", result.Quality.ClassARI},
	} {
		if f.value != nil {
			r.Quality.More = append(r.Quality.More, report.Figure{Name: f.name, Value: *f.value, Help: f.help})
		}
	}
	for _, s := range record.Steps {
		r.Run.Steps = append(r.Run.Steps, report.Step{Name: s.Name, Seconds: s.Seconds, PeakBytes: int64(s.PeakMiB * (1 << 20))})
	}
	for _, w := range record.Warnings {
		r.Run.Warnings = append(r.Run.Warnings, report.Warning{Code: w.Code, Text: w.Text})
	}
	byID := make(map[string]int, len(docs.rows))
	for i, row := range docs.rows {
		byID[row.ID] = i
	}
	r.Kinds = kindFigures(result.Quality)
	sheets := contactSheets(docs, model.Topics, thumbnailBytes, record.Config.Run.Threads)
	centroids, _ := model.TopicVectors.(*pipeline.Dense)
	for k, t := range model.Topics {
		rt := report.Topic{ID: t.ID, Count: t.Count, Name: t.Name, Words: reportWords(t.Words)}
		if len(t.Words) == 0 {
			rt.Name = "" // the page numbers it, rather than call many topics "pictures"
		}
		for _, name := range pipeline.AspectNames([]pipeline.Topic{t}) {
			rt.Aspects = append(rt.Aspects, report.Aspect{Name: name, Words: reportWords(t.Aspects[name])})
		}
		rt.Pictures, rt.WordsFrom = sheets[k], t.WordsFrom
		thumbnails := map[string][]byte{}
		for _, p := range rt.Pictures {
			thumbnails[p.ID] = p.Thumbnail
		}
		if t.Kinds != nil {
			rt.Modalities = report.Modalities{TextOnly: t.Kinds.Text, ImageOnly: t.Kinds.Picture, Both: t.Kinds.Both}
		}
		for _, id := range t.Representative {
			i := byID[id]
			if t.Kinds != nil && strings.TrimSpace(docs.rows[i].Text) == "" {
				continue // it is among the pictures
			}
			rt.Examples = append(rt.Examples, report.Example{ID: id, Text: docs.rows[i].Text, Probability: result.Rows[i].Probability, Thumbnail: thumbnails[id]})
		}
		if centroids != nil && t.ID != pipeline.Outlier {
			rt.Centroid = centroids.Row(k)
		}
		r.Topics = append(r.Topics, rt)
	}
	causes := map[string]int{}
	for i, row := range result.Rows {
		if row.Topic == pipeline.Outlier {
			cause := string(row.Status.Status)
			if row.Status.HasVector() {
				cause = "noise"
			}
			causes[cause]++
		}
		text := docs.rows[i].Text
		if text == "" && len(docs.rows[i].Images) > 0 {
			text = docs.pictureName(docs.rows[i].Images[0])
		}
		p := result.Map.Row(i)
		r.Points = append(r.Points, report.Point{X: float64(p[0]), Y: float64(p[1]), Topic: row.Topic, ID: docs.rows[i].ID, Text: text, Probability: row.Probability})
	}
	r.OverTime, r.PerClass = reportSpread(result.OverTime), reportSpread(result.PerClass)
	r.Status, r.OutlierCauses = counts(record.Rows), counts(causes)
	return r
}

func reportSpread(s *pipeline.Spread) *report.Spread {
	if s == nil {
		return nil
	}
	out := &report.Spread{}
	for _, p := range s.Parts {
		out.Parts = append(out.Parts, report.Part{Name: p.Name, From: p.From, To: p.To, Rows: p.Rows})
	}
	for _, t := range s.Topics {
		out.Counts = append(out.Counts, report.PartCount{Topic: t.Topic, Part: t.Part, N: t.Count})
	}
	return out
}

// kindFigures are the figures of each kind of rows.
func kindFigures(q pipeline.Quality) []report.Kind {
	var out []report.Kind
	for _, k := range q.ByKind {
		out = append(out, report.Kind{Name: kindLabels[k.Kind], Rows: k.Rows, OutlierShare: k.OutlierShare, NMI: k.ClassNMI})
	}
	return out
}

// kindLabels are the kinds as a table names them.
var kindLabels = map[pipeline.Kind]string{pipeline.TextOnly: "text only", pipeline.PictureOnly: "picture only", pipeline.Both: "text and picture"}

func reportWords(words []pipeline.Word) []report.Word {
	out := make([]report.Word, len(words))
	for i, w := range words {
		out[i] = report.Word{Text: w.Word, Weight: w.Weight}
	}
	return out
}

// counts orders a count by size, then by name.
func counts(m map[string]int) []report.Count {
	out := make([]report.Count, 0, len(m))
	for name, n := range m {
		out = append(out, report.Count{Name: name, N: n})
	}
	slices.SortFunc(out, func(a, b report.Count) int {
		if a.N != b.N {
			return b.N - a.N
		}
		return strings.Compare(a.Name, b.Name)
	})
	return out
}

// settings are the keys of a configuration with their values, in order.
func settings(c *config.Config) []report.Setting {
	var out []report.Setting
	for key, value := range c.Values() {
		b, err := json.Marshal(value)
		if err != nil {
			b = fmt.Append(nil, value)
		}
		out = append(out, report.Setting{Key: key, Value: string(b)})
	}
	return out
}
