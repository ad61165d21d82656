package picture

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// Preprocessor makes pixel values of a picture as an image processor of the
// Python library transformers does.
type Preprocessor struct {
	// Width and Height are those of the pixel values.
	Width, Height int

	resize   bool
	shortest int // of the sides, after resizing; 0: to resizeW x resizeH
	resizeW  int
	resizeH  int
	filter   Filter
	crop     bool
	values   [3][256]float32 // the pixel value of a byte, by channel
}

// config is what the file says. A pointer is nil where a key is missing.
type config struct {
	Type        string          `json:"image_processor_type"`
	OldType     string          `json:"feature_extractor_type"`
	Resize      *bool           `json:"do_resize"`
	Size        json.RawMessage `json:"size"`
	Resample    *int            `json:"resample"`
	CenterCrop  *bool           `json:"do_center_crop"`
	CropSize    json.RawMessage `json:"crop_size"`
	Rescale     *bool           `json:"do_rescale"`
	Factor      *float64        `json:"rescale_factor"`
	Normalize   *bool           `json:"do_normalize"`
	Mean        []float64       `json:"image_mean"`
	Std         []float64       `json:"image_std"`
	CropPercent *float64        `json:"crop_pct"`
}

// processor is what an image processor does where the file says nothing.
type processor struct {
	size, crop string // JSON
	filter     Filter
	square     bool // a size that is one number is that of both sides
	mean, std  []float64
}

var (
	clipProcessor = processor{
		size: `{"shortest_edge": 224}`, crop: `224`, filter: Bicubic,
		mean: []float64{0.48145466, 0.4578275, 0.40821073}, std: []float64{0.26862954, 0.26130258, 0.27577711},
	}
	siglipProcessor = processor{
		size: `{"height": 224, "width": 224}`, filter: Bicubic, square: true,
		mean: []float64{0.5, 0.5, 0.5}, std: []float64{0.5, 0.5, 0.5},
	}
	vitProcessor = processor{
		size: `{"height": 224, "width": 224}`, filter: Bilinear, square: true,
		mean: []float64{0.5, 0.5, 0.5}, std: []float64{0.5, 0.5, 0.5},
	}
)

// processors are the classes that are known, without the ends that name a
// backend.
var processors = map[string]processor{
	"":                          clipProcessor,
	"CLIPImageProcessor":        clipProcessor,
	"CLIPFeatureExtractor":      clipProcessor,
	"SiglipImageProcessor":      siglipProcessor,
	"ViTImageProcessor":         vitProcessor,
	"ViTFeatureExtractor":       vitProcessor,
	"ChineseCLIPImageProcessor": clipProcessor,
}

// switches are the keys of the form do_x that are known. One that is not, and is
// true, would be a step that is left out.
var switches = []string{"do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_convert_rgb"}

// ReadPreprocessor reads the settings in a preprocessor_config.json, or in the
// part image_processor of a processor_config.json.
func ReadPreprocessor(path string) (*Preprocessor, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the settings of pictures: %w", err)
	}
	p, err := ParsePreprocessor(text)
	if err != nil {
		return nil, fmt.Errorf("read the settings of pictures %s: %w", path, err)
	}
	return p, nil
}

// ParsePreprocessor reads the JSON of a preprocessor_config.json, or of a
// processor_config.json. What it does not know it refuses by name.
func ParsePreprocessor(text []byte) (*Preprocessor, error) {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("it is not a JSON object: %w", err)
	}
	if part, ok := all["image_processor"]; ok {
		text, all = part, nil
		if err := json.Unmarshal(text, &all); err != nil {
			return nil, fmt.Errorf("image_processor is not a JSON object: %w", err)
		}
	}
	var c config
	if err := json.Unmarshal(text, &c); err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if strings.HasPrefix(name, "do_") && !slices.Contains(switches, name) && string(all[name]) == "true" {
			return nil, fmt.Errorf("%s is true, which is a step that is not known; those known are %s", name, strings.Join(switches, ", "))
		}
	}
	if c.CropPercent != nil {
		return nil, errors.New("crop_pct is a setting that is not known")
	}
	return c.preprocessor()
}

func (c config) preprocessor() (*Preprocessor, error) {
	name := c.Type
	if name == "" {
		name = c.OldType
	}
	name = strings.TrimSuffix(strings.TrimSuffix(name, "Fast"), "Pil")
	kind, ok := processors[name]
	if !ok {
		return nil, fmt.Errorf("image_processor_type is %s, which is not known; those known are %s", name, strings.Join(slices.Sorted(maps.Keys(processors))[1:], ", "))
	}
	p := &Preprocessor{resize: isTrue(c.Resize, true), filter: kind.filter, crop: isTrue(c.CenterCrop, kind.crop != "")}
	if c.Resample != nil {
		var err error
		if p.filter, err = filterByNumber(*c.Resample); err != nil {
			return nil, err
		}
	}
	if p.resize {
		s, err := readSize("size", c.Size, kind.size)
		switch {
		case err != nil:
			return nil, err
		case s.one > 0 && kind.square:
			p.resizeW, p.resizeH = s.one, s.one
		case s.one > 0:
			p.shortest = s.one
		case s.shortest > 0:
			p.shortest = s.shortest
		default:
			p.resizeW, p.resizeH = s.width, s.height
		}
	}
	switch {
	case p.crop:
		fallback := kind.crop
		if fallback == "" {
			fallback = "224"
		}
		s, err := readSize("crop_size", c.CropSize, fallback)
		if err != nil {
			return nil, err
		}
		if s.shortest > 0 {
			return nil, errors.New("crop_size has a shortest_edge: it must have height and width")
		}
		p.Width, p.Height = max(s.width, s.one), max(s.height, s.one)
	case p.resizeW > 0:
		p.Width, p.Height = p.resizeW, p.resizeH
	default:
		return nil, errors.New("do_center_crop is false and size is not a height and a width: pictures would be of different sizes")
	}
	return p, p.setValues(c, kind)
}

// setValues works out what each byte becomes.
func (p *Preprocessor) setValues(c config, kind processor) error {
	factor := 1.0
	if isTrue(c.Rescale, true) {
		factor = 1.0 / 255
		if c.Factor != nil {
			factor = *c.Factor
		}
	}
	mean, std := kind.mean, kind.std
	if c.Mean != nil {
		mean = c.Mean
	}
	if c.Std != nil {
		std = c.Std
	}
	if !isTrue(c.Normalize, true) {
		mean, std = []float64{0, 0, 0}, []float64{1, 1, 1}
	}
	if len(mean) != 3 || len(std) != 3 || slices.Contains(std, 0) {
		return fmt.Errorf("image_mean is %v and image_std is %v: each must be three numbers, the second of them not zeros", mean, std)
	}
	for i := range p.values {
		for v := range p.values[i] {
			p.values[i][v] = (float32(float64(v)*factor) - float32(mean[i])) / float32(std[i])
		}
	}
	return nil
}

func isTrue(b *bool, otherwise bool) bool {
	if b == nil {
		return otherwise
	}
	return *b
}

// size is a size as configurations write it: one number, or named ones.
type size struct {
	one                     int
	shortest, width, height int
}

// maxSide keeps a damaged file from asking for any amount of memory.
const maxSide = 4096

func readSize(key string, text json.RawMessage, fallback string) (size, error) {
	if len(text) == 0 || string(text) == "null" {
		text = json.RawMessage(fallback)
	}
	var s size
	var named map[string]*int
	if err := json.Unmarshal(text, &s.one); err != nil {
		if err := json.Unmarshal(text, &named); err != nil {
			return size{}, fmt.Errorf("%s is %s: it must be a number, or an object of numbers", key, text)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		v := named[name]
		switch {
		case v == nil:
		case name == "shortest_edge":
			s.shortest = *v
		case name == "height":
			s.height = *v
		case name == "width":
			s.width = *v
		default:
			return size{}, fmt.Errorf("%s has %s, which is not known: it must have shortest_edge, or height and width", key, name)
		}
	}
	for _, v := range []int{s.one, s.shortest, s.width, s.height} {
		if v < 0 || v > maxSide {
			return size{}, fmt.Errorf("%s is %s: a side must be from 1 to %d pixels", key, text, maxSide)
		}
	}
	if s.one == 0 && s.shortest == 0 && (s.width == 0 || s.height == 0) {
		return size{}, fmt.Errorf("%s is %s: it must have shortest_edge, or height and width", key, text)
	}
	return s, nil
}

// Worker is what Pixels works with: memory, and the weights of the last
// resizing. Its zero value is ready. It is for one goroutine at a time.
type Worker struct {
	resampler resampler
	plane     []uint8
}

// Len is the number of a picture's pixel values: 3 x Height x Width.
func (p *Preprocessor) Len() int { return 3 * p.Height * p.Width }

// Pixels writes the pixel values of m into dst, which is Len long: channel by
// channel, row-major. Of a large picture only what is not cropped away is
// computed. Only here a picture need not be upright: what is made of it is.
func (p *Preprocessor) Pixels(dst []float32, m *Image, w *Worker) {
	outW, outH := p.scaled(m.upright())
	left, top := floorHalf(outW-p.Width), floorHalf(outH-p.Height)
	// Of the resized picture, what is taken:
	x0, x1 := max(left, 0), min(left+p.Width, outW)
	y0, y1 := max(top, 0), min(top+p.Height, outH)
	columns, rows := x1-x0, y1-y0

	transposed := w.resampler.plan(m, outW, outH, x0, y0, x1, y1, p.filter)
	n := p.Width * p.Height
	w.plane = slices.Grow(w.plane[:0], n)[:columns*rows]
	for c, plane := range m.planes() {
		out, values := dst[c*n:(c+1)*n], &p.values[c]
		w.resampler.plane(w.plane, plane, m.Width)
		if columns < p.Width || rows < p.Height {
			for i := range out { // zeros around it
				out[i] = values[0]
			}
		}
		for y := range rows {
			row := out[(y+y0-top)*p.Width+x0-left:][:columns]
			if transposed {
				for x := range row {
					row[x] = values[w.plane[x*rows+y]]
				}
				continue
			}
			for x, v := range w.plane[y*columns : (y+1)*columns] {
				row[x] = values[v]
			}
		}
	}
}

// scaled is the size to which a picture is resized. The longer side is rounded
// down.
func (p *Preprocessor) scaled(width, height int) (int, int) {
	switch {
	case !p.resize:
		return width, height
	case p.shortest == 0:
		return p.resizeW, p.resizeH
	case width <= height:
		return p.shortest, p.shortest * height / width
	}
	return p.shortest * width / height, p.shortest
}

// floorHalf is n/2, rounded down.
func floorHalf(n int) int { return n >> 1 }
