package pipeline

import (
	"cmp"
	"fmt"
	"slices"
)

// shownPictures is how many pictures stand for a topic.
const shownPictures = 12

// onlyPictures reports whether rows have pictures and none has a text.
func (f *fit) onlyPictures() bool {
	return f.kinds != nil && !slices.ContainsFunc(f.kinds, func(k Kind) bool { return k == TextOnly || k == Both })
}

// showPictures counts the kinds of rows of each topic, chooses the pictures
// that stand for it and, where too few rows do so by their words, rows that do
// by their vectors. A topic without words is called after its pictures.
func (f *fit) showPictures() {
	members := make([][]int, len(f.topics.list)) // of each topic, nearest to its vector first
	for i, class := range f.topics.class {
		t := &f.topics.list[class]
		if t.Kinds == nil {
			t.Kinds = &KindCounts{}
		}
		t.Kinds.add(f.kinds[i])
		if t.ID != Outlier {
			members[class] = append(members[class], i)
		}
	}
	group := f.groupOf()
	nameless := 0
	for k := range f.topics.list {
		t := &f.topics.list[k]
		if t.ID == Outlier {
			continue
		}
		slices.SortStableFunc(members[k], func(a, b int) int {
			return cmp.Compare(f.result.Rows[b].Cosine, f.result.Rows[a].Cosine)
		})
		for _, i := range unlike(members[k], group, shownPictures, func(i int) bool { return f.rows.Pictures[i] != "" }) {
			t.Pictures = append(t.Pictures, Picture{f.rows.IDs[i], f.rows.Pictures[i]})
		}
		more := unlike(members[k], group, shownRepresentatives-len(t.Representative), func(i int) bool { return !f.result.Representative[i] })
		for _, i := range more {
			f.result.Representative[i] = true
			t.Representative = append(t.Representative, f.rows.IDs[i])
		}
		if len(t.Words) == 0 {
			nameless++
			if t.Kinds.Picture+t.Kinds.Both > 0 {
				t.Name = fmt.Sprintf("%d_pictures", t.ID)
			}
		}
	}
	if nameless == 0 {
		return
	}
	topics, _ := f.classes(f.rowTopics())
	advice := "name a list of words in [topics] labels, and each gets those that are nearest to it"
	if f.p.Words == nil {
		advice = "an embedder that embeds words could choose some from a list, [topics] labels"
	}
	f.warn("no-labels", "%d of %d topics have no words, since no text of their rows gives any: %s", nameless, topics, advice)
}

// unlike returns the first n rows that are wanted, of equal rows the first
// alone as long as there are others.
func unlike(rows, group []int, n int, wanted func(row int) bool) []int {
	var first, again []int
	seen := map[int]bool{}
	for _, i := range rows {
		switch {
		case len(first) >= n || !wanted(i):
		case seen[group[i]]:
			again = append(again, i)
		default:
			seen[group[i]] = true
			first = append(first, i)
		}
	}
	return append(first, again[:min(len(again), max(0, n-len(first)))]...)
}
