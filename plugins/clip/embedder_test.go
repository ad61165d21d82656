package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bertopic-go/bertopic/internal/encoder"
	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/sdktest"
)

// fake is a model without towers, for what is made of their vectors.
func fake(average string, weight float64, c *centers) *model {
	return &model{average: average, textWeight: weight, dimension: 2, centers: c}
}

func textRow(text string) sdk.Row { return sdk.Row{Text: text, HasText: true} }

// TestJoin has the text vector [1 0] and the picture vector [0 3], as a stub of
// BERTopic's test has them.
func TestJoin(t *testing.T) {
	text := textSide{ids: []int64{0}, vector: []float32{1, 0}}
	pic := pictureSide{vector: []float32{0, 3}}
	broken := pictureSide{err: errors.New("read picture a.png: there is no such file")}
	const r = math.Sqrt2 / 2
	tests := []struct {
		name     string
		model    *model
		texts    []textSide
		pictures []pictureSide
		want     []float32
		status   sdk.Status
		reason   string
	}{
		{"text", fake(averageUnit, .5, nil), []textSide{text}, nil, []float32{1, 0}, sdk.OK, ""},
		{"picture", fake(averageUnit, .5, nil), nil, []pictureSide{pic}, []float32{0, 1}, sdk.OK, ""},
		{"both", fake(averageUnit, .5, nil), []textSide{text}, []pictureSide{pic}, []float32{r, r}, sdk.OK, ""},
		{"both, raw", fake(averageRaw, .5, nil), []textSide{text}, []pictureSide{pic}, []float32{.5, 1.5}, sdk.OK, ""},
		{"picture, raw", fake(averageRaw, .5, nil), nil, []pictureSide{pic}, []float32{0, 3}, sdk.OK, ""},
		{"weight", fake(averageUnit, .8, nil), []textSide{text}, []pictureSide{pic}, []float32{float32(.8 / math.Hypot(.8, .2)), float32(.2 / math.Hypot(.8, .2))}, sdk.OK, ""},
		{"weight 0 of a text alone", fake(averageUnit, 0, nil), []textSide{text}, nil, []float32{1, 0}, sdk.OK, ""},
		{"weight 0", fake(averageUnit, 0, nil), []textSide{text}, []pictureSide{pic}, []float32{0, 1}, sdk.OK, ""},
		{"two pictures", fake(averageUnit, .5, nil), nil, []pictureSide{pic, {vector: []float32{5, 0}}}, []float32{r, r}, sdk.OK, ""},
		{"two pictures, raw", fake(averageRaw, .5, nil), nil, []pictureSide{pic, {vector: []float32{5, 0}}}, []float32{2.5, 1.5}, sdk.OK, ""},
		{"nothing", fake(averageUnit, .5, nil), nil, nil, nil, sdk.Empty, ""},
		{"white space", fake(averageUnit, .5, nil), []textSide{{blank: true}}, nil, nil, sdk.Empty, ""},
		{"no token", fake(averageUnit, .5, nil), []textSide{{}}, nil, nil, sdk.OOV, ""},
		{"white space and a picture", fake(averageUnit, .5, nil), []textSide{{blank: true}}, []pictureSide{pic}, []float32{0, 1}, sdk.OK, ""},
		{"text and a broken picture", fake(averageUnit, .5, nil), []textSide{text}, []pictureSide{broken}, nil, sdk.Failed, "read picture a.png"},
		{"one of two is broken", fake(averageUnit, .5, nil), nil, []pictureSide{pic, broken}, nil, sdk.Failed, "picture 2 of 2: read picture a.png"},
		{"opposite", fake(averageUnit, .5, nil), []textSide{{ids: text.ids, vector: []float32{0, -2}}}, []pictureSide{pic}, nil, sdk.Failed, "opposite"},
		{"zeros", fake(averageUnit, .5, nil), []textSide{{ids: text.ids, vector: []float32{0, 0}}}, nil, nil, sdk.Failed, "zeros"},
		{"zeros, raw", fake(averageRaw, .5, nil), []textSide{{ids: text.ids, vector: []float32{0, 0}}}, nil, nil, sdk.Failed, "zeros"},
		{"not finite", fake(averageUnit, .5, nil), nil, []pictureSide{{vector: []float32{float32(math.NaN()), 0}}}, nil, sdk.Failed, "not finite"},
		{"truncated", fake(averageUnit, .5, nil), []textSide{{ids: text.ids, vector: text.vector, lost: 4}}, []pictureSide{pic}, []float32{r, r}, sdk.Truncated, ""},
		{"centred", fake(averageUnit, .5, &centers{Texts: center{Mean: []float64{1, -1}}}), []textSide{text}, []pictureSide{pic}, []float32{0, 1}, sdk.OK, ""},
		{"the mean itself", fake(averageUnit, .5, &centers{Texts: center{Mean: []float64{1, 0}}}), []textSide{text}, nil, nil, sdk.Failed, "mean vector of its kind"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &sides{texts: tt.texts, textOf: []int{len(tt.texts) - 1}, pictures: tt.pictures, picturesOf: [][2]int{{0, len(tt.pictures)}}}
			got := make([]float32, 2)
			st := tt.model.join(got, s, 0)
			if st.Status != tt.status || !strings.Contains(st.Reason, tt.reason) {
				t.Fatalf("status %v, want %v, %q", st, tt.status, tt.reason)
			}
			if tt.want == nil {
				tt.want = []float32{0, 0}
			}
			for j := range got {
				if math.Abs(float64(got[j]-tt.want[j])) > 1e-6 {
					t.Fatalf("%v, want %v", got, tt.want)
				}
			}
		})
	}
}

// A text of any length keeps its begin and end marks, and what was cut off is
// counted and has no effect.
func TestLongTexts(t *testing.T) {
	p := start(t, map[string]any{"model": emojiClip})
	if p.Info.MaxTokens != 77 || !p.Info.UnitLength || p.Info.NeedsFit {
		t.Errorf("promises %+v", p.Info)
	}
	// "red" is a token.
	red := func(n int) sdk.Row { return textRow(strings.TrimSpace(strings.Repeat("red ", n))) }
	v := p.Embed(red(74), red(75), red(76), red(498), textRow(""), textRow(" \n"), sdk.Row{})
	want := []sdk.RowStatus{
		{Row: 2, Status: sdk.Truncated, TokensLost: 1}, {Row: 3, Status: sdk.Truncated, TokensLost: 498 - 75},
		{Row: 4, Status: sdk.Empty}, {Row: 5, Status: sdk.Empty}, {Row: 6, Status: sdk.Empty},
	}
	slices.SortFunc(v.Statuses, func(a, b sdk.RowStatus) int { return a.Row - b.Row })
	if !slices.Equal(v.Statuses, want) {
		t.Errorf("%v, want %v", v.Statuses, want)
	}
	if !slices.Equal(row(v, 1), row(v, 2)) || !slices.Equal(row(v, 1), row(v, 3)) || slices.Equal(row(v, 0), row(v, 1)) {
		t.Error("what is cut off changes the vector, or what isn't does not")
	}
	words := p.EmbedWords("red", "", "apple")
	if !slices.Equal(words.Statuses, []sdk.RowStatus{{Row: 1, Status: sdk.Empty}}) || !slices.Equal(row(words, 0), row(p.Embed(textRow("red")), 0)) {
		t.Errorf("words: %v, or their vectors are not those of texts", words.Statuses)
	}
}

// bomb is a PNG file of 70 bytes that says that it has 60,000 x 60,000 pixels.
func bomb() []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 4, 4))); err != nil {
		panic(err)
	}
	file := b.Bytes()
	binary.BigEndian.PutUint32(file[16:], 60_000)
	binary.BigEndian.PutUint32(file[20:], 60_000)
	binary.BigEndian.PutUint32(file[29:], crc32.ChecksumIEEE(file[12:29]))
	return file
}

// One bad picture fails its row alone, by a reason that names it.
func TestBadPictures(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, content []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	encode := func(m image.Image) []byte {
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	good := filepath.Join(drawn, "rgb.png")
	closed := write("closed.png", encode(image.NewGray(image.Rect(0, 0, 4, 4))))
	if err := os.Chmod(closed, 0); err != nil {
		t.Fatal(err)
	}
	root := runtime.GOOS == "windows" || os.Geteuid() == 0
	tests := []struct {
		name, reason string // no reason: it has a vector
		row          sdk.Row
	}{
		{"good", "", pictureRow(good)},
		{"bomb", "max_pixels", pictureRow(write("bomb.png", bomb()))},
		{"1 x 1", "", pictureRow(write("one.png", encode(image.NewGray(image.Rect(0, 0, 1, 1)))))},
		{"1 x 20000", "", pictureRow(write("long.png", encode(image.NewGray(image.Rect(0, 0, 1, 20_000)))))},
		{"truncated", "truncated.jpg: the JPEG is damaged", pictureRow(filepath.Join(drawn, "truncated.jpg"))},
		{"text", "it is text", pictureRow(write("text.png", []byte("a text, not a picture")))},
		{"empty", "the file is empty", pictureRow(write("empty.png", nil))},
		{"missing", "there is no such file", pictureRow(filepath.Join(dir, "none.png"))},
		{"folder", "it is a folder", pictureRow(dir)},
		{"alpha", "", pictureRow(filepath.Join(drawn, "rgba.png"))},
		{"palette", "", pictureRow(filepath.Join(drawn, "palette.png"))},
		{"turned", "", pictureRow(filepath.Join(drawn, "exif-6.jpg"))},
		{"upright", "", pictureRow(filepath.Join(drawn, "exif-1.jpg"))},
		{"closed", "no permission", pictureRow(closed)},
		{"bytes that are none", "read picture: ", sdk.Row{Images: []sdk.ImageSource{{Data: []byte("no picture")}}}},
		{"second of three", "picture 2 of 3: read picture ", pictureRow(good, filepath.Join(dir, "none.png"), good)},
		{"good again", "", pictureRow(good, good)},
	}
	var rows []sdk.Row
	for _, tt := range tests {
		rows = append(rows, tt.row)
	}
	p := start(t, map[string]any{"model": emojiClip})
	v := p.Embed(rows...)
	at := map[string]int{}
	for i, tt := range tests {
		at[tt.name] = i
		s := status(v, i)
		switch {
		case tt.name == "closed" && root: // may read it
		case tt.reason == "" && s.Status != sdk.OK:
			t.Errorf("%s: %v", tt.name, s)
		case tt.reason != "" && (s.Status != sdk.Failed || !strings.Contains(s.Reason, tt.reason)):
			t.Errorf("%s: %v, want %q", tt.name, s, tt.reason)
		}
	}
	if c := cosine(row(v, at["turned"]), row(v, at["upright"])); c < 0.999 {
		t.Errorf("a turned picture is not the upright one: cosine %v", c)
	}
	if c := cosine(row(v, at["good"]), row(v, at["good again"])); c < 0.999999 {
		t.Errorf("two times a picture is not the picture: cosine %v", c)
	}
}

// mixed are rows of every kind, some of them bad.
func mixed(n int) []sdk.Row {
	names := []string{"rgb.png", "large.jpg", "gray.png", "exif-6.jpg", "truncated.png", "palette.png", "cmyk.jpg", "wide.png", "small-5x7.png", "rgba.webp"}
	rows := make([]sdk.Row, n)
	for i := range rows {
		if i%3 != 1 {
			rows[i] = textRow(strings.Repeat("a red apple ", 1+i%7) + fmt.Sprint(i))
		}
		if i%3 > 0 {
			rows[i].Images = append(rows[i].Images, source(filepath.Join(drawn, names[i%len(names)])))
		}
		if i%9 == 2 {
			rows[i].Images = append(rows[i].Images, source(filepath.Join(drawn, names[(i+1)%len(names)])))
		}
	}
	return rows
}

// A row has the same bits alone and among others, in batches of any size, on any
// number of threads and after a restart.
func TestBits(t *testing.T) {
	rows := mixed(60)
	var want sdk.Vectors
	for i, o := range []map[string]any{{}, {"batch_size": 1}, {"batch_size": 3}, {"batch_size": 64}, {"precision": "int8"}, {"precision": "int8", "batch_size": 5}} {
		o["model"] = emojiClip
		p := start(t, o)
		v := p.Embed(rows...)
		if i == 0 || i == 4 {
			want = v
		}
		if !slices.Equal(v.Dense.Data, want.Dense.Data) || !slices.Equal(v.Statuses, want.Statuses) {
			t.Errorf("%v: other bits", o)
		}
		backwards := slices.Clone(rows[20:40])
		slices.Reverse(backwards)
		v = p.Embed(backwards...)
		for k := range backwards {
			if !slices.Equal(row(v, k), row(want, 39-k)) {
				t.Errorf("%v: row %d has other bits among others", o, 39-k)
			}
		}
	}
	for _, threads := range []uint32{1, 5} {
		needRuntime(t)
		e := &embedder{}
		t.Cleanup(func() { e.Close() })
		settings := sdk.Settings{Threads: int(threads)}
		var faults []sdk.OptionError
		if settings.Options, faults = sdk.CheckOptions(e.Describe(), map[string]any{"model": emojiClip, "precision": "int8"}); faults != nil {
			t.Fatal(faults)
		}
		if _, _, err := e.Configure(t.Context(), settings); err != nil {
			t.Fatal(err)
		}
		// Rows without content are answered by the server alone.
		v, err := e.Embed(t.Context(), rows)
		if err != nil || !slices.Equal(v.Dense.Data, want.Dense.Data) {
			t.Errorf("%d threads: other bits, %v", threads, err)
		}
	}
}

// A fit learns where texts and pictures lie, and takes that away.
func TestCenter(t *testing.T) {
	var rows []sdk.Row
	names := []string{"rgb.png", "gray.png", "exif-6.jpg", "palette.png", "cmyk.jpg", "wide.png", "small-5x7.png", "tall.png", "one-pixel.png", "large.jpg", "one-bit.png", "still.gif"}
	for i := range 48 {
		rows = append(rows, textRow(fmt.Sprintf("a picture of thing %d", i)), pictureRow(filepath.Join(drawn, names[i%len(names)])))
	}
	apart := func(v sdk.Vectors) float64 {
		gap := 0.0
		for j := range v.Dense.Columns {
			diff := 0.0
			for i := range rows {
				diff += float64(row(v, i)[j]) * float64(1-2*(i%2)) / float64(len(rows)/2)
			}
			gap += diff * diff
		}
		return math.Sqrt(gap)
	}
	plain := start(t, map[string]any{"model": emojiClip})
	before := apart(plain.Embed(rows...))
	p := start(t, map[string]any{"model": emojiClip, "center_modalities": true})
	if !p.Info.NeedsFit || p.Info.Dimension != 64 {
		t.Fatalf("promises %+v", p.Info)
	}
	p.Fit(rows...)
	v := p.Embed(rows...)
	if after := apart(v); after > before/3 {
		t.Errorf("the means of texts and pictures lie %.3f apart, before %.3f", after, before)
	}
	state := p.State()
	again := start(t, map[string]any{"model": emojiClip, "center_modalities": true})
	again.LoadState(state)
	if w := again.Embed(rows...); !slices.Equal(w.Dense.Data, v.Dense.Data) {
		t.Error("other bits from the state")
	}

	e := &embedder{model: &model{average: averageUnit, dimension: 64, info: plain.Info}}
	for name, bad := range map[string]string{
		"other average": strings.Replace(string(state), `"unit"`, `"raw"`, 1),
		"other model":   strings.Replace(string(state), plain.Info.ModelSHA256[:8], "00000000", 1),
		"no such state": "{}",
		"not JSON":      string(state[:len(state)-9]),
		"newer":         strings.Replace(string(state), `"version":1`, `"version":2`, 1),
		"short mean":    strings.Replace(string(state), `"mean":[`, `"mean":[0,`, 1),
	} {
		if _, err := e.LoadState(t.Context(), []byte(bad)); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := e.LoadState(t.Context(), state); err != nil {
		t.Error(err)
	}
}

// Too few rows of a kind have no mean, which is said.
func TestCenterOfFew(t *testing.T) {
	needRuntime(t)
	e := &embedder{}
	t.Cleanup(func() { e.Close() })
	options, _ := sdk.CheckOptions(e.Describe(), map[string]any{"model": emojiClip, "center_modalities": true})
	if _, _, err := e.Configure(t.Context(), sdk.Settings{Options: options}); err != nil {
		t.Fatal(err)
	}
	few := func(yield func(sdk.Row, error) bool) {
		for range 3 {
			if !yield(textRow("red apple"), nil) {
				return
			}
		}
	}
	_, remarks, err := e.Fit(t.Context(), few)
	if err != nil || len(remarks) != 1 || !strings.Contains(remarks[0].Summary, "3 rows have a vector of one, and it takes 20") {
		t.Errorf("%v, %v", remarks, err)
	}
	if v, err := e.Embed(t.Context(), []sdk.Row{textRow("red apple")}); err != nil || len(v.Statuses) > 0 {
		t.Errorf("%v, %v", v.Statuses, err)
	}
}

// The sample of a fit depends on the rows' numbers alone.
func TestSample(t *testing.T) {
	draw := func(n int) []sdk.Row {
		s := newSample(42, 0)
		for i := range n {
			s.add(textRow(fmt.Sprint(i)))
		}
		return s.rows()
	}
	if rows := draw(5); len(rows) != 5 || rows[4].Text != "4" {
		t.Errorf("%v", rows)
	}
	rows := draw(10_000)
	if len(rows) != fitSample || !slices.EqualFunc(rows, draw(10_000), func(a, b sdk.Row) bool { return a.Text == b.Text }) {
		t.Errorf("%d rows, or others the second time", len(rows))
	}
}

func TestOptions(t *testing.T) {
	p := sdktest.Start(t, &embedder{})
	for option, bad := range map[string]any{
		"model": "  ", "device": "gpu", "text_weight": 1.5, "batch_size": -1, "max_pixels": 0, "max_file_size": -2, "max_side": 0,
	} {
		remarks, _ := p.TryConfigure(map[string]any{option: bad})
		if !remarks.Refused() || remarks[0].Option != option {
			t.Errorf("%s = %v: %v", option, bad, remarks)
		}
	}
	for name, files := range map[string]map[string]string{
		"no model":         {},
		"no config":        {"tokenizer.json": "{}"},
		"no preprocessor":  nil,
		"other picture":    {"preprocessor_config.json": `{"size": 32, "crop_size": 32}`},
		"unknown step":     {"preprocessor_config.json": `{"do_flip_channel_order": true}`},
		"model for texts":  {"modules.json": `[{"idx":0,"path":"","type":"sentence_transformers.models.Transformer"},{"idx":1,"path":"1_Pooling","type":"sentence_transformers.models.Pooling"}]`},
		"cut-off weights":  {"model.safetensors": "abc"},
		"another's tokens": {"tokenizer.json": `{"model":{"type":"WordLevel","vocab":{"a":0,"[UNK]":1},"unk_token":"[UNK]"}}`},
	} {
		dir := t.TempDir()
		if name != "no model" && name != "no config" {
			for _, f := range []string{"config.json", "tokenizer.json", "tokenizer_config.json", "preprocessor_config.json", "model.safetensors"} {
				content, err := os.ReadFile(filepath.Join(emojiClip, f))
				if err != nil {
					t.Fatal(err)
				}
				if name != "no preprocessor" || f != "preprocessor_config.json" {
					if err := os.WriteFile(filepath.Join(dir, f), content, 0o666); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		for f, content := range files {
			if err := os.WriteFile(filepath.Join(dir, f), []byte(content), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		remarks, err := p.TryConfigure(map[string]any{"model": dir})
		if !remarks.Refused() || remarks[0].Option != "model" || !strings.Contains(remarks[0].Summary, dir) {
			t.Errorf("%s: %v, %v", name, remarks, err)
		}
	}
}

// A batch that is given up ends soon, and the next one is answered.
func TestCancel(t *testing.T) {
	p := start(t, map[string]any{"model": emojiClip})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := p.TryEmbed(ctx, mixed(20_000)...); err == nil {
		t.Skip("the batch was done before it could be given up")
	}
	if v := p.Embed(textRow("red")); len(v.Statuses) > 0 {
		t.Error(v.Statuses)
	}
}

// A SigLIP model, whose texts have no begin mark and are all of one length.
func TestSigLIP(t *testing.T) {
	dir := t.TempDir()
	from := filepath.Join("..", "..", "internal", "encoder", "testdata", "siglip")
	config, err := os.ReadFile(filepath.Join(from, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(from, "model.safetensors.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	weights, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"config.json": config, "model.safetensors": weights,
		"preprocessor_config.json": []byte(`{"image_processor_type": "SiglipImageProcessor", "size": {"height": 20, "width": 20}}`),
		"tokenizer.json": []byte(`{"version": "1.0", "added_tokens": [{"id": 1, "content": "</s>", "special": true}], "pre_tokenizer": {"type": "Whitespace"},
			"post_processor": {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
				"pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}], "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}},
			"model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "</s>": 1, "red": 2, "apple": 3, "green": 4}, "unk_token": "[UNK]"}}`),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	p := start(t, map[string]any{"model": dir})
	if p.Info.MaxTokens != 16 || p.Info.Dimension != 24 {
		t.Errorf("promises %+v", p.Info)
	}
	v := p.Embed(textRow("red apple"), textRow("green"), pictureRow(filepath.Join(drawn, "rgb.png")), textRow(strings.Repeat("red ", 20)))
	if !slices.Equal(v.Statuses, []sdk.RowStatus{{Row: 3, Status: sdk.Truncated, TokensLost: 5}}) {
		t.Errorf("%v", v.Statuses)
	}
	if alone := p.Embed(textRow("red apple")); !slices.Equal(row(alone, 0), row(v, 0)) || slices.Equal(row(v, 0), row(v, 1)) {
		t.Error("a text has other bits alone, or two texts have the same")
	}
}

// A folder with ONNX files in the place of weights gives the same vectors.
func TestGivenFiles(t *testing.T) {
	needRuntime(t)
	clip, err := encoder.BuildCLIP(t.Context(), encoder.CLIPSpec{Dir: emojiClip})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, m := range map[string]*encoder.Model{"text_model.onnx": clip.Text, "vision_model.onnx": clip.Vision} {
		b, err := m.Bytes()
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"config.json", "tokenizer.json", "preprocessor_config.json"} {
		b, err := os.ReadFile(filepath.Join(emojiClip, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	rows := mixed(20)
	want := start(t, map[string]any{"model": emojiClip}).Embed(rows...)
	p := start(t, map[string]any{"model": dir})
	got := p.Embed(rows...)
	if !slices.Equal(got.Statuses, want.Statuses) {
		t.Errorf("%v, want %v", got.Statuses, want.Statuses)
	}
	for i := range rows {
		if status(want, i).Status != sdk.Failed && cosine(row(got, i), row(want, i)) < 0.999999 {
			t.Errorf("row %d: cosine %v", i, cosine(row(got, i), row(want, i)))
		}
	}
	if remarks, _ := p.TryConfigure(map[string]any{"model": dir, "precision": "int8"}); !remarks.Refused() {
		t.Error("ONNX files are taken in another precision")
	}
}
