package main

import (
	"fmt"
	"strings"

	"github.com/bertopic-go/bertopic/internal/encoder"
	"github.com/bertopic-go/bertopic/internal/picture"
	"github.com/bertopic-go/bertopic/internal/session"
	"github.com/bertopic-go/bertopic/sdk"
)

// options are the options as the user names them.
type options struct {
	Model       string  `json:"model"`
	Device      string  `json:"device"`
	Precision   string  `json:"precision"`
	Average     string  `json:"average"`
	TextWeight  float64 `json:"text_weight"`
	Center      bool    `json:"center_modalities"`
	BatchSize   int     `json:"batch_size"`
	MaxPixels   int64   `json:"max_pixels"`
	MaxFileSize int64   `json:"max_file_size"`
	MaxSide     int     `json:"max_side"`
}

// Values of average.
const (
	averageUnit = "unit"
	averageRaw  = "raw"
)

var schema = []sdk.Option{
	{Name: "model", Type: sdk.String, Default: "clip-ViT-B-32", Help: "a folder of a CLIP model, or the name of one that `bertopic models get` has brought"},
	{Name: "device", Type: sdk.String, Default: "auto", Help: "cpu, cuda, cuda:N, or auto: cuda where there is one, else cpu"},
	{Name: "precision", Type: sdk.String, Default: string(encoder.FP32), Choices: []string{string(encoder.FP32), string(encoder.FP16), string(encoder.Int8)}, Help: "fp32; or faster with nearly the same vectors: int8 on a CPU, fp16 on a GPU"},
	{Name: "average", Type: sdk.String, Default: averageUnit, Choices: []string{averageUnit, averageRaw}, Help: "unit: each side of a row and the whole are of unit length; raw: plain means, as BERTopic has them"},
	{Name: "text_weight", Type: sdk.Number, Default: 0.5, Help: "share of the text in a row that has pictures too, from 0 to 1"},
	{Name: "center_modalities", Type: sdk.Boolean, Default: false, Help: "learn the mean of all texts and that of all pictures, and take them away: for texts and pictures that lie apart"},
	{Name: "batch_size", Type: sdk.Integer, Default: int64(0), Help: "pictures or texts that go through the model at a time; 0: as suits the device"},
	{Name: "max_pixels", Type: sdk.Integer, Default: int64(picture.DefaultMaxPixels), Help: "a picture of more pixels (width times height) is refused before it is decoded"},
	{Name: "max_file_size", Type: sdk.Integer, Default: int64(picture.DefaultMaxFileSize), Help: "a picture of more bytes is refused before it is read"},
	{Name: "max_side", Type: sdk.Integer, Default: int64(picture.DefaultMaxSide), Help: "a picture that is wider or higher is refused before it is decoded"},
}

// maxBatchSize is far more than any device takes.
const maxBatchSize = 4096

// check returns what is wrong with the options that a schema can't tell.
func (o options) check() sdk.Diagnostics {
	var out sdk.Diagnostics
	fault := func(option, format string, args ...any) {
		out = append(out, sdk.Diagnostic{Error: true, Option: option, Summary: fmt.Sprintf(format, args...)})
	}
	if strings.TrimSpace(o.Model) == "" {
		fault("model", "model is empty: name a model folder, or a model that `bertopic models list` shows")
	}
	if _, err := session.ParseDevice(o.Device); err != nil {
		fault("device", "%v", err)
	}
	if o.TextWeight < 0 || o.TextWeight > 1 {
		fault("text_weight", "text_weight is %v: it must be from 0, pictures alone, to 1, texts alone", o.TextWeight)
	}
	if o.BatchSize < 0 || o.BatchSize > maxBatchSize {
		fault("batch_size", "batch_size is %d: it must be from 1 to %d, or 0 for what suits the device", o.BatchSize, maxBatchSize)
	}
	for _, l := range []struct {
		option string
		value  int64
	}{{"max_pixels", o.MaxPixels}, {"max_file_size", o.MaxFileSize}, {"max_side", int64(o.MaxSide)}} {
		if l.value < 1 {
			fault(l.option, "%s is %d: it must be 1 or more", l.option, l.value)
		}
	}
	return out
}

func (o options) limits() picture.Limits {
	return picture.Limits{MaxFileSize: o.MaxFileSize, MaxPixels: o.MaxPixels, MaxSide: o.MaxSide}
}
