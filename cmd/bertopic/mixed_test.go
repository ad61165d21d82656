package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bertopic-go/bertopic/internal/rng"
)

// mixedThemes are the colours of the mixed corpus and what is said of each.
// The last has pictures alone.
var mixedThemes = []struct {
	name  string
	rgb   [3]int
	words string
}{
	{"red", [3]int{230, 20, 20}, "apple rose ruby brick poppy lobster"},
	{"green", [3]int{20, 220, 30}, "leaf meadow emerald moss frog lime"},
	{"blue", [3]int{25, 30, 230}, "ocean sapphire denim sky cobalt whale"},
	{"yellow", [3]int{235, 230, 25}, ""},
}

// mixedCommand, "mixed DIR ROWS", writes DIR/corpus.jsonl and the pictures that
// it names in DIR/img: in turn a text, a picture, both.
func mixedCommand(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Join(dir, "img"), 0o755))
	var b bytes.Buffer
	for i := range n {
		theme := mixedThemes[i%len(mixedThemes)]
		kind := i / len(mixedThemes) % 3
		row := map[string]any{"id": fmt.Sprintf("%s-%03d", theme.name, i), "class": theme.name}
		if theme.words != "" && kind != 1 {
			words := strings.Fields(theme.words)
			text := []string{theme.name}
			for j := range 5 {
				text = append(text, words[rng.Below(rng.Hash3(5, uint64(i), uint64(j), 0), len(words))])
			}
			row["text"] = strings.Join(text, " ")
		}
		if row["text"] == nil || kind == 2 {
			file := fmt.Sprintf("img/%s-%03d.png", theme.name, i)
			row["image"] = file
			ts.Check(os.WriteFile(filepath.Join(dir, file), plain(theme.rgb, uint64(i)), 0o644))
		}
		line, _ := json.Marshal(row)
		b.Write(append(line, '\n'))
	}
	ts.Check(os.WriteFile(filepath.Join(dir, "corpus.jsonl"), b.Bytes(), 0o644))
}

// plain is a PNG of nearly one colour.
func plain(rgb [3]int, seed uint64) []byte {
	m := image.NewRGBA(image.Rect(0, 0, 8, 8))
	shift := func(k int) int { return rng.Below(rng.Hash3(9, seed, uint64(k), 0), 21) - 10 }
	level := func(k int) uint8 { return uint8(rgb[k] + shift(k)) }
	for i := range 64 {
		m.Set(i%8, i/8, color.RGBA{level(0), level(1), level(2), 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// renameCommand, "rename CORPUS NEW", writes the corpus of mixedCommand with
// other names for its columns, beside its folder.
func renameCommand(ts *testscript.TestScript, neg bool, args []string) {
	text := ts.ReadFile(args[0])
	text = strings.NewReplacer(`"text":`, `"caption":`, `"image":"`, `"picture":"`+filepath.Base(filepath.Dir(args[0]))+"/").Replace(text)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o644))
}
