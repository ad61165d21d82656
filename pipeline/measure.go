package pipeline

import (
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
	if f.rows.Classes != nil && outliers < len(f.result.Rows) {
		return f.compare()
	}
	return nil
}

func figure(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

// compare holds the topics against the known classes, of the rows that have
// both.
func (f *fit) compare() error {
	number := map[string]int32{}
	var classes, labels []int32
	for i, a := range f.result.Rows {
		class := f.rows.Classes[i]
		if class == "" || a.Topic == Outlier {
			continue
		}
		if _, ok := number[class]; !ok {
			number[class] = int32(len(number))
		}
		classes = append(classes, number[class])
		labels = append(labels, int32(a.Topic))
	}
	if len(labels) == 0 {
		return nil
	}
	agreement, err := quality.Compare(classes, labels)
	if err != nil {
		return err
	}
	f.result.Quality.ClassNMI, f.result.Quality.ClassARI = figure(agreement.NMI), figure(agreement.ARI)
	return nil
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
