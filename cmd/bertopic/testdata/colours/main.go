// Program bertopic-embedder-colours is an embedder of texts and pictures for
// tests: a text is where its words of colours lie, a picture where its mean
// colour does. Other words of a text move it a little.
package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"image"
	_ "image/png"
	"io/fs"
	"math"
	"os"
	"strings"

	"github.com/bertopic-go/bertopic/sdk"
)

const dimension = 5 // red, green, blue, and an axis for each kind of content

var named = map[string][3]float64{
	"red": {1, 0, 0}, "green": {0, 1, 0}, "blue": {0, 0, 1}, "yellow": {1, 1, 0}, "black": {0, 0, 0}, "white": {1, 1, 1},
	"cyan": {0, 1, 1}, "magenta": {1, 0, 1},
}

type colours struct { // its options
	Gap    float64
	Center bool `json:"center_modalities"`
}

var _ sdk.WordEmbedder = (*colours)(nil)

func (*colours) Describe() sdk.Description {
	return sdk.Description{
		Name: "colours", Version: "0.1.0", Summary: "colours of texts and pictures, for tests", Modalities: []sdk.Modality{sdk.Text, sdk.Image},
		Options: []sdk.Option{
			{Name: "gap", Type: sdk.Number, Default: 0.0, Help: "how far apart texts and pictures lie"},
			{Name: "center_modalities", Type: sdk.Boolean, Default: false, Help: "no gap"},
		},
	}
}

func (c *colours) Configure(_ context.Context, s sdk.Settings) (sdk.Info, sdk.Diagnostics, error) {
	*c = colours{}
	err := s.Decode(c)
	if c.Center {
		c.Gap = 0
	}
	return sdk.Info{Dimension: dimension, Metric: sdk.Cosine, UnitLength: true, Words: true, Device: "cpu", BatchInvariant: true}, nil, err
}

func (c *colours) Embed(ctx context.Context, rows []sdk.Row) (sdk.Vectors, error) {
	out := sdk.Vectors{Dense: &sdk.Dense{Rows: len(rows), Columns: dimension, Data: make([]float32, len(rows)*dimension)}}
	for i, row := range rows {
		var sum [dimension]float64
		sides := 0
		add := func(rgb [3]float64, axis int) {
			v := [dimension]float64{rgb[0] - 0.5, rgb[1] - 0.5, rgb[2] - 0.5}
			v[axis] = c.Gap
			unit(&v)
			for k := range v {
				sum[k] += v[k]
			}
			sides++
		}
		if rgb, ok := ofText(row.Text); ok {
			add(rgb, 3)
		}
		status := sdk.RowStatus{Row: i, Status: sdk.Empty}
		for _, m := range row.Images {
			rgb, err := ofPicture(m.Path)
			if err != nil {
				sides, status = -1, sdk.RowStatus{Row: i, Status: sdk.Failed, Reason: err.Error()}
				break
			}
			add(rgb, 4)
		}
		if sides <= 0 {
			if strings.TrimSpace(row.Text) != "" && status.Status == sdk.Empty {
				status.Status = sdk.OOV
			}
			out.Statuses = append(out.Statuses, status)
			continue
		}
		unit(&sum)
		for k, x := range sum {
			out.Dense.Data[i*dimension+k] = float32(x)
		}
	}
	return out, ctx.Err()
}

func (c *colours) EmbedWords(ctx context.Context, words []string) (sdk.Vectors, error) {
	rows := make([]sdk.Row, len(words))
	for i, w := range words {
		rows[i] = sdk.Row{Text: w, HasText: true}
	}
	return c.Embed(ctx, rows)
}

// ofText is the mean of the colours that a text names.
func ofText(text string) (mean [3]float64, ok bool) {
	n := 0.0
	for _, w := range strings.Fields(strings.ToLower(text)) {
		if rgb, is := named[w]; is {
			n++
			for k := range mean {
				mean[k] += rgb[k]
			}
		}
	}
	h := fnv.New64a()
	h.Write([]byte(text))
	for k := range mean {
		mean[k] = mean[k]/max(n, 1) + float64(h.Sum64()>>(8*k)&255)/255*0.2 - 0.1
	}
	return mean, n > 0
}

func ofPicture(path string) (mean [3]float64, err error) {
	f, err := os.Open(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = fmt.Errorf("%s: there is no such file", path)
		}
		return mean, err
	}
	defer f.Close()
	m, _, err := image.Decode(f)
	if err != nil {
		return mean, fmt.Errorf("%s: %w", path, err)
	}
	b := m.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, b, _ := m.At(x, y).RGBA()
			mean[0] += float64(r)
			mean[1] += float64(g)
			mean[2] += float64(b)
		}
	}
	for k := range mean {
		mean[k] /= 65535 * float64(b.Dx()*b.Dy())
	}
	return mean, nil
}

func unit(v *[dimension]float64) {
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	for k := range v {
		v[k] /= math.Sqrt(max(sum, 1e-12))
	}
}

func main() { sdk.Serve(&colours{}) }
