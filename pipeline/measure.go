package pipeline

import (
	"fmt"
	"math"

	"github.com/bertopic-go/bertopic/pipeline/quality"
)

// measure takes the figures of Quality.
func (f *fit) measure() error {
	q := &f.result.Quality
	outliers := 0
	for _, a := range f.result.Rows {
		if a.Topic == Outlier {
			outliers++
		}
	}
	q.OutlierShare = float64(outliers) / float64(len(f.result.Rows))

	var terms [][]int32
	for _, t := range f.topics.list {
		if t.ID == Outlier {
			continue
		}
		q.Topics++
		if f.topics.vocabulary == nil || t.WordsFrom == FromLabels {
			continue
		}
		var ids []int32
		for _, w := range t.Words {
			if j, ok := f.topics.vocabulary.Index(w.Word); ok {
				ids = append(ids, int32(j))
			}
		}
		if len(ids) > 0 {
			terms = append(terms, ids)
		}
	}
	if len(terms) > 0 {
		c := quality.NPMIDocuments(terms, len(f.result.Rows), f.postings(terms), quality.NPMIOptions{})
		q.NPMI = figure(c.Mean)
		q.Diversity = figure(quality.Diversity(terms, 10))
	}
	var err error
	q.ClassNMI, q.ClassARI, err = f.compare(func(int) bool { return true })
	if err != nil || f.kinds == nil {
		return err
	}
	return f.measureKinds()
}

func figure(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// compare holds the topics against the known classes, of the rows that have
// both and are wanted; nothing where there are none.
func (f *fit) compare(wanted func(row int) bool) (nmi, ari *float64, err error) {
	if f.rows.Classes == nil {
		return nil, nil, nil
	}
	return compare(f.result.Rows, f.rows.Classes, wanted)
}

// ClassAgreement holds the topics of rows against their known classes, as
// Quality does; "" is no class. It returns nil where no row has both.
func ClassAgreement(rows []Assignment, classes []string) (nmi, ari *float64, err error) {
	if len(rows) != len(classes) {
		return nil, nil, fmt.Errorf("compare topics and classes: %d rows against %d classes", len(rows), len(classes))
	}
	return compare(rows, classes, func(int) bool { return true })
}

func compare(rows []Assignment, classes []string, wanted func(row int) bool) (nmi, ari *float64, err error) {
	var labels []string
	var topics []int32
	for i, a := range rows {
		if classes[i] != "" && a.Topic != Outlier && wanted(i) {
			labels = append(labels, classes[i])
			topics = append(topics, int32(a.Topic))
		}
	}
	return agreement(labels, topics)
}

// agreement compares two labellings of the same rows.
func agreement(classes []string, topics []int32) (nmi, ari *float64, err error) {
	if len(topics) == 0 {
		return nil, nil, nil
	}
	number := map[string]int32{}
	labels := make([]int32, len(classes))
	for i, class := range classes {
		if _, ok := number[class]; !ok {
			number[class] = int32(len(number))
		}
		labels[i] = number[class]
	}
	a, err := quality.Compare(labels, topics)
	if err != nil {
		return nil, nil, err
	}
	return figure(a.NMI), figure(a.ARI), nil
}

// measureKinds takes the figures of each kind of rows, where there are several.
func (f *fit) measureKinds() error {
	q := &f.result.Quality
	for _, kind := range []Kind{TextOnly, PictureOnly, Both} {
		k := KindQuality{Kind: kind}
		outliers := 0
		for i, a := range f.result.Rows {
			if f.kinds[i] == kind {
				k.Rows++
				if a.Topic == Outlier {
					outliers++
				}
			}
		}
		if k.Rows == 0 {
			continue
		}
		k.OutlierShare = float64(outliers) / float64(k.Rows)
		var err error
		if k.ClassNMI, k.ClassARI, err = f.compare(func(i int) bool { return f.kinds[i] == kind }); err != nil {
			return err
		}
		q.ByKind = append(q.ByKind, k)
	}
	if len(q.ByKind) < 2 {
		q.ByKind = nil
		return nil
	}
	var kinds []string
	var topics []int32
	for i, a := range f.result.Rows {
		if a.Topic != Outlier {
			kinds = append(kinds, string(f.kinds[i]))
			topics = append(topics, int32(a.Topic))
		}
	}
	var err error
	q.KindNMI, _, err = agreement(kinds, topics)
	return err
}

// postings returns the documents of a term, for the terms that are asked for.
func (f *fit) postings(terms [][]int32) func(int32) []int32 {
	wanted := make([]bool, len(f.topics.vocabulary.Terms))
	for _, list := range terms {
		for _, t := range list {
			wanted[t] = true
		}
	}
	documents := map[int32][]int32{}
	for i := range f.topics.counts.Rows {
		cols, _ := f.topics.counts.Row(i)
		for _, c := range cols {
			if wanted[c] {
				documents[c] = append(documents[c], int32(i))
			}
		}
	}
	return func(t int32) []int32 { return documents[t] }
}
