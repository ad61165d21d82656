package run

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/bertopic-go/bertopic/pipeline"
)

// PrintTopics writes the topics as a table for a person: size, share, a bar,
// words.
func PrintTopics(w io.Writer, topics []pipeline.Topic, width int) {
	total, most := 0, 1
	for _, t := range topics {
		total += t.Count
		if t.ID != pipeline.Outlier {
			most = max(most, t.Count)
		}
	}
	const bar = 12
	room := max(30, width-5-1-7-1-6-2-bar-2)
	fmt.Fprintf(w, "%5s %7s %6s  %-*s  %s\n", "topic", "rows", "share", bar, "", "words")
	for _, t := range topics {
		share := 0.0
		if total > 0 {
			share = 100 * float64(t.Count) / float64(total)
		}
		if t.ID == pipeline.Outlier {
			fmt.Fprintf(w, "%5s %7d %5.1f%%  %-*s  %s\n", "-", t.Count, share, bar, "", "(rows without a topic)")
			continue
		}
		fmt.Fprintf(w, "%5d %7d %5.1f%%  %s  %s\n", t.ID, t.Count, share, blocks(float64(t.Count)/float64(most), bar), topicWords(t, room))
	}
}

// topicWords are as many words of a topic as have room.
func topicWords(t pipeline.Topic, room int) string {
	if len(t.Words) == 0 && len(t.Pictures) > 0 {
		return "(pictures without words)"
	}
	return fit(t.Words, room)
}

// blocks draws part of width cells in eighths of a cell.
func blocks(part float64, width int) string {
	eighths := int(math.Round(part * float64(width) * 8))
	s := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		s += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return s + strings.Repeat(" ", width-utf8.RuneCountInString(s))
}

// fit joins as many words as have room.
func fit(words []pipeline.Word, room int) string {
	var b strings.Builder
	used := 0
	for i, w := range words {
		n := utf8.RuneCountInString(w.Word)
		if i > 0 {
			n += 2
		}
		if used+n > room {
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(w.Word)
		used += n
	}
	if used == 0 {
		return "(no words)"
	}
	return b.String()
}

// PrintKinds writes the figures of each kind of rows, a line each.
func PrintKinds(w io.Writer, kinds []pipeline.KindQuality) {
	for _, k := range kinds {
		fmt.Fprintf(w, "%-17s %6d rows, %5.1f%% outliers", kindLabels[k.Kind], k.Rows, 100*k.OutlierShare)
		if k.ClassNMI != nil {
			fmt.Fprintf(w, ", NMI with known classes %.2f", *k.ClassNMI)
		}
		fmt.Fprintln(w)
	}
}
