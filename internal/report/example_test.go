package report_test

import (
	"bytes"
	"fmt"

	"github.com/bertopic-go/bertopic/internal/report"
)

func ExampleWrite() {
	r := report.Report{
		Title:  "Letters to the editor",
		Run:    report.Run{Corpus: "letters.jsonl", Rows: 3, Seed: 42},
		Topics: []report.Topic{{ID: 0, Count: 3, Words: []report.Word{{Text: "bicycle", Weight: 0.4}, {Text: "lane", Weight: 0.3}}}},
		Points: []report.Point{{X: 0, Y: 0, ID: "a"}, {X: 1, Y: 0, ID: "b"}, {X: 0, Y: 1, ID: "c"}},
	}
	var page bytes.Buffer
	if err := report.Write(&page, r); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(bytes.Contains(page.Bytes(), []byte("bicycle, lane")))
	// Output: true
}
