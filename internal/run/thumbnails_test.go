package run

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/corpus"
	"github.com/bertopic-go/bertopic/internal/rng"
	"github.com/bertopic-go/bertopic/pipeline"
)

// noise writes a PNG that no encoder makes small.
func noise(t *testing.T, path string, side int, seed uint64) {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, side, side))
	for i := range side * side {
		h := rng.Hash2(seed, uint64(i), 0)
		m.Set(i%side, i/side, color.RGBA{uint8(h), uint8(h >> 8), uint8(h >> 16), 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestContactSheetsAreSmallAndSayWhatIsMissing(t *testing.T) {
	dir := t.TempDir()
	noise(t, filepath.Join(dir, "a.png"), 400, 1)
	if err := os.WriteFile(filepath.Join(dir, "b.png"), []byte("no picture at all"), 0o644); err != nil {
		t.Fatal(err)
	}
	docs := &documents{path: filepath.Join(dir, "corpus.jsonl")}
	row := func(id, file string) pipeline.Picture {
		docs.rows = append(docs.rows, corpus.Row{ID: id, Text: "of " + id, Images: []string{filepath.Join(dir, file)}})
		return pipeline.Picture{ID: id, Path: file}
	}
	topics := []pipeline.Topic{{ID: 0, Pictures: []pipeline.Picture{row("good", "a.png"), row("bad", "b.png"), row("gone", "c.png")}}, {ID: pipeline.Outlier}}
	sheets := contactSheets(docs, topics, thumbnailBytes, 2)
	if len(sheets) != 2 || len(sheets[0]) != 3 || len(sheets[1]) != 0 {
		t.Fatalf("sheets %+v", sheets)
	}
	good, bad, gone := sheets[0][0], sheets[0][1], sheets[0][2]
	c, kind, err := image.DecodeConfig(bytes.NewReader(good.Thumbnail))
	if err != nil || kind != "jpeg" || c.Width != thumbnailSide || c.Height != thumbnailSide || good.Text != "of good" {
		t.Errorf("%s of %d x %d, %v", kind, c.Width, c.Height, err)
	}
	if bad.Thumbnail != nil || bad.Fault == "" || gone.Fault != "there is no such file" || strings.Contains(bad.Fault, dir) {
		t.Errorf("faults %q, %q", bad.Fault, gone.Fault)
	}
}

func TestContactSheetsOfManyTopicsKeepTheFirstPictures(t *testing.T) {
	dir := t.TempDir()
	noise(t, filepath.Join(dir, "a.png"), thumbnailSide, 1)
	docs := &documents{path: filepath.Join(dir, "corpus.jsonl")}
	topics := make([]pipeline.Topic, 10)
	for k := range topics {
		for range 12 {
			id := fmt.Sprint(len(docs.rows))
			docs.rows = append(docs.rows, corpus.Row{ID: id, Images: []string{filepath.Join(dir, "a.png")}})
			topics[k].Words = []pipeline.Word{{Word: "word"}}
			topics[k].Pictures = append(topics[k].Pictures, pipeline.Picture{ID: id})
		}
	}
	const budget = 400 << 10
	total, least, most := 0, 99, 0
	for k, sheet := range contactSheets(docs, topics, budget, 0) {
		for rank, p := range sheet {
			total += len(p.Thumbnail)
			if p.ID != topics[k].Pictures[rank].ID {
				t.Fatalf("topic %d shows %s at place %d", k, p.ID, rank)
			}
		}
		least, most = min(least, len(sheet)), max(most, len(sheet))
	}
	if total > budget || total < budget*9/10 || least < 1 || most > least+1 || most == 12 {
		t.Errorf("%d bytes in all, %d to %d pictures a topic", total, least, most)
	}
}
