package main

import (
	"compress/gzip"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bertopic-go/bertopic/internal/ortlib"
	"github.com/bertopic-go/bertopic/sdk"
	"github.com/bertopic-go/bertopic/sdk/sdktest"
)

var (
	emojiClip = filepath.Join("..", "..", "examples", "mixed", "emoji-clip")
	drawn     = filepath.Join("..", "..", "internal", "picture", "testdata", "images")
)

func needRuntime(t testing.TB) {
	t.Helper()
	if _, err := ortlib.Path(); err != nil {
		t.Skip(err)
	}
}

// start configures a program with options.
func start(t testing.TB, options map[string]any) *sdktest.Program {
	t.Helper()
	needRuntime(t)
	p := sdktest.Start(t, &embedder{})
	p.Configure(options)
	return p
}

func readJSON(t testing.TB, path string, into any) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(z).Decode(into); err != nil {
		t.Fatal(err)
	}
}

func source(path string) sdk.ImageSource {
	abs, err := filepath.Abs(path)
	if err != nil {
		panic(err)
	}
	return sdk.ImageSource{Path: abs}
}

func pictureRow(paths ...string) sdk.Row {
	var r sdk.Row
	for _, p := range paths {
		r.Images = append(r.Images, source(p))
	}
	return r
}

func row(v sdk.Vectors, i int) []float32 {
	return v.Dense.Data[i*v.Dense.Columns : (i+1)*v.Dense.Columns]
}

func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for j, x := range a {
		ab, aa, bb = ab+float64(x)*float64(b[j]), aa+float64(x)*float64(x), bb+float64(b[j])*float64(b[j])
	}
	return ab / math.Sqrt(aa*bb)
}

// near tells whether got is want: with the same pixels what remains is the order
// of sums, some millionths of values of size 1 to 5.
func near(got, want []float32) bool {
	if len(got) != len(want) || cosine(got, want) < 0.99999 {
		return false
	}
	for j, x := range got {
		if math.Abs(float64(x-want[j])) > 1e-4 {
			return false
		}
	}
	return true
}

// Vectors of texts and of pictures in every odd format are those of
// transformers.
func TestVectors(t *testing.T) {
	p := start(t, map[string]any{"model": emojiClip, "average": "raw"})
	var want struct {
		Texts []struct {
			Text   string
			Lost   int
			Vector []float32
		}
		Pictures map[string][]float32
	}
	readJSON(t, filepath.Join("testdata", "expected.json.gz"), &want)
	if len(want.Texts) != 11 || len(want.Pictures) != 39 {
		t.Fatalf("%d texts and %d pictures", len(want.Texts), len(want.Pictures))
	}
	var rows []sdk.Row
	for _, w := range want.Texts {
		rows = append(rows, sdk.Row{Text: w.Text, HasText: true})
	}
	v := p.Embed(rows...)
	lost := map[int]int{}
	for _, s := range v.Statuses {
		if s.Status != sdk.Truncated {
			t.Errorf("row %d: %v", s.Row, s)
		}
		lost[s.Row] = s.TokensLost
	}
	for i, w := range want.Texts {
		if lost[i] != w.Lost {
			t.Errorf("%.40q lost %d tokens, want %d", w.Text, lost[i], w.Lost)
		}
		if !near(row(v, i), w.Vector) {
			t.Errorf("%.40q: cosine %v", w.Text, cosine(row(v, i), w.Vector))
		}
	}
	for name, w := range want.Pictures {
		v := p.Embed(pictureRow(filepath.Join(drawn, name)))
		if len(v.Statuses) > 0 || !near(row(v, 0), w) {
			t.Errorf("%s: %v, cosine %v", name, v.Statuses, cosine(row(v, 0), w))
		}
		data, err := os.ReadFile(filepath.Join(drawn, name))
		if err != nil {
			t.Fatal(err)
		}
		again := p.Embed(sdk.Row{Images: []sdk.ImageSource{{Data: data}}})
		for j, x := range row(again, 0) {
			if x != row(v, 0)[j] {
				t.Errorf("%s: other bits from bytes than from a path", name)
				break
			}
		}
	}
}

// shared is the folder of golden values, which is not part of the repository.
func shared(t *testing.T) string {
	dir := filepath.Join("..", "..", "..", "shared", "golden", "embedders", "clip")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("there are no golden values of embedders beside the repository")
	}
	return dir
}

// golden is one of the files expected*.json.gz there.
type golden struct {
	Texts       []string
	Untruncated []int       `json:"untruncated_length"`
	TextEmbeds  [][]float32 `json:"text_embeds"`
	Images      map[string]struct {
		Error     string
		Embeds    []float32 `json:"image_embeds"`
		Turned    []float32 `json:"if_exif_applied"`
		HighByte  []float32 `json:"if_high_byte_taken"`
		Flattened []float32 `json:"if_flattened_on_white"`
	}
	BERTopic struct {
		Texts    []string `json:"truncated_text"` // by a rule of its own: the first 75 tokens, decoded and encoded again
		Images   []string
		Both     [][]float32
		TextOnly [][]float32 `json:"text_only"`
	}
}

// picture is the vector that is wanted of a picture.
func (g *golden) picture(name string) []float32 {
	e := g.Images[name]
	for _, v := range [][]float32{e.Turned, e.HighByte, e.Flattened} {
		if v != nil {
			return v
		}
	}
	return e.Embeds
}

// Folders of both layouts of sentence-transformers and of Hugging Face give the
// vectors of the Python libraries, with the end mark of old configurations and
// with that of new ones, and BERTopic's averages.
func TestGoldenFolders(t *testing.T) {
	dir := shared(t)
	for folder, file := range map[string]string{"tiny": "expected", "st-legacy": "expected", "st-new": "expected", "tiny-eos": "expected-eos"} {
		t.Run(folder, func(t *testing.T) {
			var g golden
			readJSON(t, filepath.Join(dir, file+".json.gz"), &g)
			p := start(t, map[string]any{"model": filepath.Join(dir, folder), "average": "raw"})
			var rows []sdk.Row
			for _, text := range g.Texts {
				rows = append(rows, sdk.Row{Text: text, HasText: true})
			}
			v := p.Embed(rows...)
			for i, text := range g.Texts {
				switch st := status(v, i); {
				case text == "":
					if st.Status != sdk.Empty {
						t.Errorf("an empty text: %v", st)
					}
					continue
				case max(0, g.Untruncated[i]-77) != st.TokensLost:
					t.Errorf("text %d of %d tokens: %v", i, g.Untruncated[i], st)
				}
				if !near(row(v, i), g.TextEmbeds[i]) {
					t.Errorf("text %d: cosine %v", i, cosine(row(v, i), g.TextEmbeds[i]))
				}
			}
			for name, e := range g.Images {
				v := p.Embed(pictureRow(filepath.Join(dir, "images", name)))
				if e.Error != "" {
					if s := status(v, 0); s.Status != sdk.Failed || !strings.Contains(s.Reason, name) {
						t.Errorf("%s: %v", name, s)
					}
				} else if !near(row(v, 0), g.picture(name)) {
					t.Errorf("%s: cosine %v", name, cosine(row(v, 0), g.picture(name)))
				}
			}
			// BERTopic ignores orientation and clips 16 bits: its own averages
			// are those of other pictures there, so that side is put in its place.
			for i, name := range g.BERTopic.Images {
				want := g.BERTopic.Both[i]
				if e := g.Images[name]; e.Turned != nil || e.HighByte != nil {
					want = make([]float32, len(want))
					for j, x := range g.BERTopic.TextOnly[i] {
						want[j] = (x + g.picture(name)[j]) / 2
					}
				}
				r := pictureRow(filepath.Join(dir, "images", name))
				r.Text, r.HasText = g.BERTopic.Texts[i], true
				if r.Text == "" {
					continue // BERTopic embeds the empty text; here the picture stands alone
				}
				if v := p.Embed(r); !near(row(v, 0), want) {
					t.Errorf("average %d of %s: cosine %v", i, name, cosine(row(v, 0), want))
				}
			}
		})
	}
}

func status(v sdk.Vectors, i int) sdk.RowStatus {
	for _, s := range v.Statuses {
		if s.Row == i {
			return s
		}
	}
	return sdk.RowStatus{Row: i}
}
