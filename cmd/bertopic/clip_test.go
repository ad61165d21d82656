package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/matrix"
	"github.com/bertopic-go/bertopic/internal/ortlib"
	"github.com/bertopic-go/bertopic/internal/vectorfile"
)

// clipJob is a folder with a corpus for the clip embedder and the small model
// of the mixed example.
type clipJob struct {
	t   *testing.T
	dir string
	n   int
}

func newClipJob(t *testing.T) *clipJob {
	t.Helper()
	if _, err := ortlib.Path(); err != nil {
		t.Skipf("clip needs ONNX Runtime: %v", err)
	}
	model, err := filepath.Abs("../../examples/mixed/emoji-clip")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(programs, "bertopic-embedder-clip")
	if _, err := os.Stat(program); err != nil {
		if out, err := exec.Command("go", "build", "-o", program, "../../plugins/clip").CombinedOutput(); err != nil {
			t.Fatalf("build clip: %v\n%s", err, out)
		}
	}
	j := &clipJob{t: t, dir: t.TempDir()}
	j.write("run.toml", fmt.Appendf(nil, "[corpus]\npath = \"corpus.jsonl\"\n[embedder]\nplugin = %q\n[embedder.options]\nmodel = %q\n", program, model))
	return j
}

func (j *clipJob) write(name string, data []byte) {
	j.t.Helper()
	if err := os.WriteFile(filepath.Join(j.dir, name), data, 0o644); err != nil {
		j.t.Fatal(err)
	}
}

// clipRow is a row of the corpus.
type clipRow struct {
	ID    string `json:"id"`
	Text  any    `json:"text,omitempty"`
	Image any    `json:"image,omitempty"`
}

// embed runs `bertopic embed` over the rows and returns their vectors and
// statuses.
func (j *clipJob) embed(rows []clipRow, sets ...string) (*matrix.Dense, []string) {
	j.t.Helper()
	var corpus bytes.Buffer
	for _, r := range rows {
		line, _ := json.Marshal(r)
		corpus.Write(append(line, '\n'))
	}
	j.write("corpus.jsonl", corpus.Bytes())
	j.n++
	file := filepath.Join(j.dir, fmt.Sprintf("vectors%d.npy", j.n))
	args := []string{"embed", filepath.Join(j.dir, "run.toml"), "--out", file, "-q"}
	for _, s := range sets {
		args = append(args, "--set", s)
	}
	var stderr bytes.Buffer
	if code := runMain(context.Background(), args, nil, &bytes.Buffer{}, &stderr); code != 0 {
		j.t.Fatalf("exit code %d\n%s", code, stderr.String())
	}
	v, err := vectorfile.Read(context.Background(), file, vectorfile.Options{})
	if err != nil {
		j.t.Fatal(err)
	}
	text, err := os.ReadFile(file + ".status.csv")
	if err != nil {
		j.t.Fatal(err)
	}
	lines, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil || len(lines) != len(rows)+1 {
		j.t.Fatalf("%d lines of statuses for %d rows, %v", len(lines), len(rows), err)
	}
	statuses := make([]string, len(rows))
	for i := range rows {
		if lines[i+1][0] != rows[i].ID {
			j.t.Fatalf("row %d is %s, want %s", i, lines[i+1][0], rows[i].ID)
		}
		statuses[i] = lines[i+1][1]
	}
	return v.Matrix.(*matrix.Dense), statuses
}

func dot(a, b []float32) float64 {
	sum := 0.0
	for i, x := range a {
		sum += float64(x) * float64(b[i])
	}
	return sum
}

// scene is a picture that is not the same upside down.
func scene(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		x, y := i%w, i/w
		c := color.RGBA{120, 180, 250, 255}
		switch {
		case y > 2*h/3:
			c = color.RGBA{40, 140, 40, 255}
		case (x-w/4)*(x-w/4)+(y-h/4)*(y-h/4) < w*w/50:
			c = color.RGBA{250, 220, 40, 255}
		}
		m.SetRGBA(x, y, c)
	}
	return m
}

func pngOf(m image.Image) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err)
	}
	return b.Bytes()
}

func jpegOf(m image.Image) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// turned is a JPEG whose pixels lie a quarter turn to the left, and whose EXIF
// says to turn them back.
func turned(m *image.RGBA) []byte {
	b := m.Bounds()
	left := image.NewRGBA(image.Rect(0, 0, b.Dy(), b.Dx()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			left.SetRGBA(y, b.Dx()-1-x, m.RGBAAt(x, y))
		}
	}
	tiff := binary.LittleEndian.AppendUint32([]byte("II*\x00"), 8)
	tiff = binary.LittleEndian.AppendUint16(tiff, 1) // one entry: orientation, short, one value, 6
	for _, v := range []uint16{0x0112, 3, 1, 0, 6, 0, 0, 0} {
		tiff = binary.LittleEndian.AppendUint16(tiff, v)
	}
	exif := append([]byte("Exif\x00\x00"), tiff...)
	whole := jpegOf(left)
	out := append([]byte{}, whole[:2]...)
	out = binary.BigEndian.AppendUint16(append(out, 0xFF, 0xE1), uint16(len(exif)+2))
	return append(append(out, exif...), whole[2:]...)
}

// T5: any row may have a text, pictures, both or neither, in any order; sides
// are of unit length before they are averaged, and the row after.
func TestClipRowsOfAnyKind(t *testing.T) {
	j := newClipJob(t)
	j.write("a.png", pngOf(scene(64, 64)))
	rows := []clipRow{
		{ID: "none"}, {ID: "both", Text: "red apple", Image: "a.png"}, {ID: "blank", Text: " \t"},
		{ID: "picture", Image: "a.png"}, {ID: "text", Text: "red apple"}, {ID: "twice", Image: []string{"a.png", "a.png"}},
	}
	v, statuses := j.embed(rows)
	if want := []string{"empty", "ok", "empty", "ok", "ok", "ok"}; !slices.Equal(statuses, want) {
		t.Fatalf("statuses %q, want %q", statuses, want)
	}
	both, picture, text := v.Row(1), v.Row(3), v.Row(4)
	for _, i := range []int{1, 3, 4, 5} {
		if n := dot(v.Row(i), v.Row(i)); math.Abs(n-1) > 1e-5 {
			t.Errorf("row %s has the squared length %v", rows[i].ID, n)
		}
	}
	for _, i := range []int{0, 2} {
		if dot(v.Row(i), v.Row(i)) != 0 {
			t.Errorf("row %s has a vector", rows[i].ID)
		}
	}
	mean := make([]float32, len(text))
	for k := range mean {
		mean[k] = text[k] + picture[k]
	}
	if c := dot(both, mean) / math.Sqrt(dot(mean, mean)); c < 1-1e-6 {
		t.Errorf("a row of both has the cosine %v with the mean of its sides", c)
	}
	if c := dot(picture, v.Row(5)); c < 1-1e-6 {
		t.Errorf("a picture twice has the cosine %v with the picture", c)
	}
	one, _ := j.embed(rows, "embedder.batch_size=1")
	if !slices.Equal(one.Data, v.Data) {
		t.Error("the batch size changes vectors")
	}
}

// T6: a text of more tokens than the model takes is cut and its row says so.
func TestClipCutsLongTexts(t *testing.T) {
	j := newClipJob(t)
	// "apple" is one token; begin and end take two of the 77.
	apples := func(n int, then ...string) string {
		return strings.Join(append(slices.Repeat([]string{"apple"}, n), then...), " ")
	}
	v, statuses := j.embed([]clipRow{
		{ID: "74", Text: apples(74)}, {ID: "75", Text: apples(75)}, {ID: "76", Text: apples(76)},
		{ID: "498", Text: apples(498)}, {ID: "tail", Text: apples(75, "dog", "moon", "train")},
	})
	if want := []string{"ok", "ok", "truncated(1)", "truncated(423)", "truncated(3)"}; !slices.Equal(statuses, want) {
		t.Errorf("statuses %q, want %q", statuses, want)
	}
	for _, i := range []int{2, 3, 4} {
		if !slices.Equal(v.Row(i), v.Row(1)) {
			t.Errorf("row %d has another vector than the text of its first 75 tokens", i)
		}
	}
}

// T7: a bad picture fails its row alone, with its path and the reason; any form
// of a good one is read, upright.
func TestClipBadPicturesFailAlone(t *testing.T) {
	j := newClipJob(t)
	m := scene(160, 120)
	whole := jpegOf(m)
	indexed := image.NewPaletted(m.Bounds(), color.Palette{m.At(0, 0), m.At(40, 30), m.At(0, 119)})
	draw.Draw(indexed, m.Bounds(), m, image.Point{}, draw.Src)
	clear, white := image.NewNRGBA(m.Bounds()), image.NewNRGBA(m.Bounds())
	draw.Draw(clear, m.Bounds(), m, image.Point{}, draw.Src)
	draw.Draw(white, m.Bounds(), m, image.Point{}, draw.Src)
	for i := range 40 * 40 { // a hole, and what is to be seen through it
		clear.SetNRGBA(i%40, i/40, color.NRGBA{200, 0, 0, 0})
		white.SetNRGBA(i%40, i/40, color.NRGBA{255, 255, 255, 255})
	}
	gray := image.NewGray(m.Bounds())
	draw.Draw(gray, m.Bounds(), m, image.Point{}, draw.Src)
	for name, data := range map[string][]byte{
		"1.jpg": whole, "2.png": pngOf(m), "3.png": pngOf(gray), "4.jpg": whole[:len(whole)/2], "5.png": pngOf(scene(1, 1)), "6.png": pngOf(scene(1, 500)),
		"8.png": pngOf(clear), "9.png": pngOf(indexed), "10.jpg": turned(m), "white.png": pngOf(white),
	} {
		j.write(name, data)
	}
	var rows []clipRow
	for i, ext := range []string{"jpg", "png", "png", "jpg", "png", "png", "jpg", "png", "png", "jpg"} {
		rows = append(rows, clipRow{ID: fmt.Sprint(i + 1), Image: fmt.Sprintf("%d.%s", i+1, ext)})
	}
	v, statuses := j.embed(append(rows, clipRow{ID: "white", Image: "white.png"}))
	for i, s := range statuses[:10] {
		bad := i+1 == 4 || i+1 == 7
		if bad != strings.HasPrefix(s, "failed(") || bad && !strings.Contains(s, filepath.Join(j.dir, rows[i].Image.(string))) || !bad && s != "ok" {
			t.Errorf("picture %s has the status %s", rows[i].ID, s)
		}
	}
	if !strings.Contains(statuses[6], "there is no such file") {
		t.Errorf("the missing picture has the status %s", statuses[6])
	}
	for _, pair := range [][2]int{{1, 0}, {8, 0}, {9, 0}, {7, 10}} { // the same scene in other forms
		if c := dot(v.Row(pair[0]), v.Row(pair[1])); c < 0.999 {
			t.Errorf("picture %d has the cosine %v with picture %d, its like", pair[0]+1, c, pair[1]+1)
		}
	}
}
