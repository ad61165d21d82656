package conformance

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"slices"
	"strings"

	"github.com/bertopic-go/bertopic/sdk"
)

// sentences is the sample for programs that take text: 8 x 8 beginnings and
// ends, so that no two are alike and words come back.
func sentences() []sdk.Row {
	who := []string{
		"the old lighthouse keeper", "a young violinist", "our neighbour's cat", "the minister of finance",
		"every second goalkeeper", "a team of botanists", "the night train to the coast", "my grandmother",
	}
	what := []string{
		"waited for rain on the northern hills", "found a letter in the kitchen drawer", "played a slow song until midnight",
		"lost three votes and a good friend", "counted the seeds of a rare orchid", "crossed the river before the bridge was closed",
		"remembers the price of bread in winter", "won the match in the last minute",
	}
	var rows []sdk.Row
	for i := range who {
		for j := range what {
			rows = append(rows, text(who[i]+" "+what[(i+j)%len(what)]))
		}
	}
	return rows
}

func text(s string) sdk.Row { return sdk.Row{Text: s, HasText: true} }

// pictures is the sample for programs that take pictures alone.
func pictures() ([]sdk.Row, error) {
	var rows []sdk.Row
	for n := range 40 {
		row, err := picture(32, 24, png.DefaultCompression, func(x, y int) color.RGBA {
			return color.RGBA{uint8(x * (n + 1)), uint8(y*n + 40), uint8((x + y) * 3 * (n % 5)), 255}
		})
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// largePicture has more than 4 MiB.
func largePicture() (sdk.Row, error) {
	return picture(1280, 1280, png.NoCompression, func(x, y int) color.RGBA {
		return color.RGBA{uint8(x), uint8(y), uint8(x ^ y), 255}
	})
}

func picture(width, height int, level png.CompressionLevel, at func(x, y int) color.RGBA) (sdk.Row, error) {
	m := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			m.SetRGBA(x, y, at(x, y))
		}
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: level}).Encode(&b, m); err != nil {
		return sdk.Row{}, fmt.Errorf("make a picture: %w", err)
	}
	return sdk.Row{Images: []sdk.ImageSource{{Data: b.Bytes()}}}, nil
}

// takes reports whether the program takes rows of a modality.
func (s *suite) takes(m sdk.Modality) bool { return slices.Contains(s.description.Modalities, m) }

// SampleError is that of a sample which has no row for the program.
type SampleError struct {
	Rows  int            // that there are
	Takes []sdk.Modality // what the program takes
}

func (e *SampleError) Error() string {
	return fmt.Sprintf("none of the %d rows of the sample is one that the program takes, which is rows of nothing but %v", e.Rows, e.Takes)
}

// fillSample sees to it that there are rows to try the program with. Those of a
// corpus that it does not take are left out.
func (s *suite) fillSample() (err error) {
	for _, r := range s.cfg.Sample {
		if (r.Text != "" || len(r.Images) > 0) && (r.Text == "" || s.takes(sdk.Text)) && (len(r.Images) == 0 || s.takes(sdk.Image)) {
			s.sample = append(s.sample, r)
		}
	}
	if len(s.cfg.Sample) > 0 && len(s.sample) == 0 {
		s.unfit = &SampleError{len(s.cfg.Sample), s.description.Modalities}
		return s.unfit
	}
	if len(s.sample) == 0 && s.takes(sdk.Text) {
		s.sample = sentences()
	} else if len(s.sample) == 0 {
		s.sample, err = pictures()
	}
	if len(s.sample) > 512 {
		s.sample = s.sample[:512]
	}
	return err
}

// first returns n rows of the sample, from its beginning again where it is
// shorter.
func (s *suite) first(n int) []sdk.Row {
	rows := make([]sdk.Row, n)
	for i := range rows {
		rows[i] = s.sample[i%len(s.sample)]
	}
	return rows
}

// The rows that each rule on odd content asks about begin or are made so that
// no other rule's rows have the same content.
const (
	longBegin   = "One megabyte of text follows."
	cancelBegin = "A batch to be given up."
	busyBegin   = "A batch that is at work when the end comes."
)

// longText is a text of n bytes.
func longText(begin string, n int) string {
	return (begin + strings.Repeat(" many words of a long document go on and on", n/43+1))[:n]
}

// hardTexts are texts that programs trip over.
var hardTexts = []string{
	"שלום עולם, مرحبا بالعالم",                                  // right to left
	"e\u0301a\u0308o\u0302 n\u0303 \u1100\u1161\u11a8 क्षि ক্ষ", // combining marks, conjoining letters
	"👩\u200d👩\u200d👧\u200d👦 🏳\ufe0f\u200d🌈 👍🏽 🇪🇺",               // emoji that are one to the eye
	"a nul \x00 and a bell \x07 and an escape \x1b[31m",
	"\ufeffa byte order mark, \u200ba zero width space, \u202ea turn of direction\u202c",
	"\U0010ffff \uffff \ue000 \U000f0000 \ufffd", // noncharacters, private use, replacement
	"漢字仮名交じり文と한국어와 ภาษาไทย",
	"𝕿𝖍𝖊 𝖖𝖚𝖎𝖈𝖐 ﬁ ﬂ ½ ℡ Ⅷ",                                      // compatibility characters
	"line\r\nend\u2028and\u2029paragraph\u0085next\vtab\ffeed", // every line's end
	"Z̴̢͓a̸͍͝l̵͈̈g̶̹͝ơ̷͜ " + strings.Repeat("\u0301", 500),
	strings.Repeat("x", 20_000), // a word that never ends
	"....,,,;;;!!!???---***",
}
