package run

import (
	"cmp"
	"errors"
	"slices"

	"github.com/bertopic-go/bertopic/internal/par"
	"github.com/bertopic-go/bertopic/internal/picture"
	"github.com/bertopic-go/bertopic/internal/report"
	"github.com/bertopic-go/bertopic/pipeline"
)

// The thumbnails of a report: no side longer than thumbnailSide pixels, and no
// more than thumbnailBytes in all, so that a page of many topics still opens.
const (
	thumbnailSide    = 96
	thumbnailQuality = 82
	thumbnailBytes   = 6 << 20
)

// contactSheets makes the pictures that stand for each topic small enough to
// be put into a page. Where they have more bytes than the budget, each topic
// keeps its first ones.
// A picture that can't be read leaves a gap that says why.
func contactSheets(docs *documents, topics []pipeline.Topic, budget, threads int) [][]report.Picture {
	row := make(map[string]int, len(docs.rows))
	for i, r := range docs.rows {
		row[r.ID] = i
	}
	type slot struct{ topic, rank int }
	var slots []slot
	sheets := make([][]report.Picture, len(topics))
	for k, t := range topics {
		sheets[k] = make([]report.Picture, len(t.Pictures))
		for rank, p := range t.Pictures {
			sheets[k][rank] = report.Picture{ID: p.ID, Text: docs.rows[row[p.ID]].Text}
			slots = append(slots, slot{k, rank})
		}
	}
	par.Blocks(threads, len(slots), 1, func(_, lo, _ int) {
		s := slots[lo]
		p := &sheets[s.topic][s.rank]
		p.Thumbnail, p.Fault = thumbnail(docs.rows[row[p.ID]].Images[0])
	})
	slices.SortStableFunc(slots, func(a, b slot) int { return cmp.Compare(a.rank, b.rank) })
	left := budget
	for _, s := range slots {
		p := &sheets[s.topic][s.rank]
		copies := 1 // a page may show it among the words and the examples, too
		if t := topics[s.topic]; len(t.Words) == 0 || slices.Contains(t.Representative, p.ID) {
			copies = 2
		}
		if left -= copies * len(p.Thumbnail); left < 0 {
			p.Thumbnail, p.Fault = nil, ""
		}
	}
	for k := range sheets {
		sheets[k] = slices.DeleteFunc(sheets[k], func(p report.Picture) bool { return p.Thumbnail == nil && p.Fault == "" })
	}
	return sheets
}

// thumbnail returns a picture as a small JPEG file, or what is wrong with it.
func thumbnail(path string) (data []byte, fault string) {
	m, err := picture.Open(path, picture.Limits{})
	if err == nil {
		data, err = picture.JPEGBytes(picture.Thumbnail(m, thumbnailSide), thumbnailQuality)
	}
	if err == nil {
		return data, ""
	}
	var e *picture.Error
	if errors.As(err, &e) {
		return nil, e.Detail // without the path: a page is for other machines, too
	}
	return nil, err.Error()
}
