package encoder

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"

	"github.com/bertopic-go/bertopic/internal/onnx"
)

// The names of the inputs and outputs of the two towers of a CLIP model, beside
// InputIDs.
const (
	PixelValues = "pixel_values"
	TextEmbeds  = "text_embeds"
	ImageEmbeds = "image_embeds"
)

// CLIPSpec says which towers to build.
type CLIPSpec struct {
	// Dir is the folder of config.json and the weights; see FindCLIP.
	Dir string
	// Precision is FP32 if empty.
	Precision Precision
	// Only is the tower to build; the other is left nil. Empty: both.
	Only Tower
}

// Tower is one half of a CLIP model.
type Tower string

// The towers.
const (
	TextTower   Tower = "text"
	VisionTower Tower = "vision"
)

// CLIP is a pair of graphs that embed texts and pictures into one space. Their
// vectors are not of unit length.
type CLIP struct {
	// Arch is the model_type of the configuration.
	Arch string
	// Text takes input_ids, int64 of shape batch x tokens, and gives
	// text_embeds, batch x Dimension. There is no mask: a text's vector is that
	// of its end mark, which sees nothing behind it, so that whatever stands
	// there as padding has no effect but on the last bits. Batches of texts of
	// one length have none either. (A given ONNX file may want attention_mask as
	// well.)
	Text *Model
	// Vision takes pixel_values, float32 of shape batch x 3 x ImageSize x
	// ImageSize, and gives image_embeds, batch x Dimension.
	Vision *Model
	// Dimension is the length of a vector of either tower.
	Dimension int
	// MaxTokens is how many tokens a text can have, begin and end marks
	// included.
	MaxTokens int
	// Padded says that every text must have MaxTokens tokens, PadID behind its
	// own ones.
	Padded bool
	// ImageSize is the width and height of a picture.
	ImageSize int
	// BOS and EOS are the ids of the begin and end marks, PadID is what stands
	// behind the end mark of a shorter text in a batch.
	BOS, EOS, PadID int64
	// LogitScale is what cosines are multiplied by before a softmax over texts
	// makes probabilities of them. 0: not known, as with a given ONNX file.
	LogitScale float64
	// Given is set where the towers are ONNX files that the folder brings. A
	// row's bits may depend on its batch mates in such a file.
	Given bool
}

// BuildCLIP reads a folder of a Hugging Face CLIPModel and returns its two
// towers. The same folder and spec give the same bytes. Where there are no
// weights, or for an architecture that is not built, the towers are the ONNX
// files that the folder brings: text_model.onnx and vision_model.onnx, or
// model.onnx, in it or in its folder onnx. (The vectors of a model.onnx are of
// unit length already, as transformers exports it.)
//
// It fails as Build does; an architecture that is not built and has no ONNX file
// is an UnsupportedError.
func BuildCLIP(ctx context.Context, spec CLIPSpec) (*CLIP, error) {
	return wrapCLIP(ctx, spec.Dir, func() (*CLIP, error) {
		switch spec.Only {
		case "", TextTower, VisionTower:
		default:
			return nil, fmt.Errorf("there is no tower %q: the towers are %s and %s", spec.Only, TextTower, VisionTower)
		}
		precision, err := spec.Precision.check()
		if err != nil {
			return nil, err
		}
		return eitherCLIP(ctx, spec.Dir, func(m *clipModel) error {
			return m.build(precision, spec.Only)
		}, func(m *CLIP, files givenTowers) error {
			if precision != FP32 {
				return fmt.Errorf("its ONNX files are used as they are: precision must be %s", FP32)
			}
			return m.attach(ctx, files, spec.Only)
		})
	})
}

// DescribeCLIP is BuildCLIP without the towers, which are left nil. It reads no
// weights but one.
func DescribeCLIP(ctx context.Context, dir string) (*CLIP, error) {
	return wrapCLIP(ctx, dir, func() (*CLIP, error) {
		return eitherCLIP(ctx, dir, func(*clipModel) error { return nil }, func(m *CLIP, files givenTowers) error {
			err := m.attach(ctx, files, "")
			m.Text, m.Vision = nil, nil
			return err
		})
	})
}

func wrapCLIP(ctx context.Context, dir string, read func() (*CLIP, error)) (*CLIP, error) {
	m, err := read()
	if err != nil {
		var unsupported *UnsupportedError
		if errors.As(err, &unsupported) || ctx.Err() != nil {
			return nil, err
		}
		return nil, fmt.Errorf("model folder %s: %w", dir, err)
	}
	return m, nil
}

// eitherCLIP reads the configuration and has the towers made of the weights or
// of given files.
func eitherCLIP(ctx context.Context, dir string, build func(*clipModel) error, attach func(*CLIP, givenTowers) error) (out *CLIP, err error) {
	c, err := readConfig(filepath.Join(dir, "config.json"))
	if err != nil {
		return nil, err
	}
	arch := c.str("model_type")
	known, ok := pairs[arch]
	if _, text := builders[arch]; text {
		return nil, &UnsupportedError{Arch: arch, Dir: dir, pair: true}
	}
	files := findGiven(dir)
	if !files.none() && (!ok || !hasWeights(dir)) {
		m := &CLIP{Given: true}
		read := readCLIP
		if ok {
			read = known.read
		}
		s := read(c)
		m.describe(dir, arch, s)
		if err := errors.Join(c.err(), s.err()); err != nil {
			return nil, err
		}
		return m, attach(m, files)
	}
	if !ok {
		return nil, &UnsupportedError{Arch: arch, Dir: dir, pair: true}
	}
	w, err := openWeights(ctx, dir)
	if err != nil {
		return nil, err
	}
	defer w.close()
	w.strip("text_model.embeddings.token_embedding.weight")
	m := &clipModel{w: w, pair: known, clipSizes: known.read(c)}
	defer w.stopped(func(fault error) { out, err = nil, errors.Join(m.err(), fault) })
	if err := errors.Join(c.err(), m.err()); err != nil {
		return nil, err
	}
	m.describe(dir, arch, m.clipSizes)
	m.LogitScale = math.Exp(w.number("logit_scale"))
	err = build(m)
	towers := m.CLIP // without what it was built of
	return &towers, err
}

// clipModel is a model whose towers are built of weights.
type clipModel struct {
	CLIP
	clipSizes
	pair pair
	w    *weights
}

// pair is an architecture of two towers.
type pair struct {
	read   func(*config) clipSizes
	text   func(*graph, *weights, textSizes, int) string
	vision func(*graph, *weights, visionSizes, int) string
}

var pairs = map[string]pair{
	"clip":   {readCLIP, (*graph).clipText, (*graph).clipVision},
	"siglip": {readSigLIP, (*graph).siglipText, (*graph).siglipVision},
}

func (m *CLIP) describe(dir, arch string, s clipSizes) {
	m.Arch, m.Dimension, m.MaxTokens, m.ImageSize = arch, s.dimension, s.text.positions, s.vision.image
	m.BOS, m.EOS, m.PadID, m.Padded = s.text.bos, s.text.eos, s.text.pad, s.padded
	if s.padded { // configurations leave the id out, which a vector depends on here
		if id, ok := padTokenID(dir); ok {
			m.PadID = id
		}
	}
}

func (m *clipModel) build(p Precision, only Tower) error {
	if only != VisionTower {
		g := newTextGraph(p, true)
		x := m.pair.text(g, m.w, m.text, m.dimension)
		m.Text = g.tower(m.Arch+" text", InputIDs, TextEmbeds, x, m.dimension)
		m.Text.MaxTokens, m.Text.PadID = m.MaxTokens, m.PadID
		if err := errors.Join(m.err(), g.err); err != nil {
			return err
		}
	}
	if only != TextTower {
		g := newVisionGraph(p, m.vision)
		x := m.pair.vision(g, m.w, m.vision, m.dimension)
		m.Vision = g.tower(m.Arch+" vision", PixelValues, ImageEmbeds, x, m.dimension)
		if err := errors.Join(m.err(), g.err); err != nil {
			return err
		}
	}
	return nil
}

// clipSizes are the numbers of a CLIP configuration.
type clipSizes struct {
	dimension int
	text      textSizes
	vision    visionSizes
	padded    bool
}

// err gives what the readers of both parts of the configuration noted.
func (s clipSizes) err() error { return errors.Join(s.text.c.err(), s.vision.c.err()) }

// towerSizes are those that both towers have.
type towerSizes struct {
	c                           *config
	width, inner, layers, heads int
	eps                         float64
	activation                  string
}

type textSizes struct {
	towerSizes
	vocab, positions int
	bos, eos, pad    int64
	highest          bool // the vector is taken at the highest id, not at the first end mark
}

type visionSizes struct {
	towerSizes
	image, patch int
	class        bool // a token of its own stands before the patches
}

// side is how many patches lie side by side. What is left of a picture beside
// them is not looked at.
func (s visionSizes) side() int { return s.image / s.patch }

// tokens are those of a picture.
func (s visionSizes) tokens() int {
	n := s.side() * s.side()
	if s.class {
		n++
	}
	return n
}

// readCLIP reads a CLIPConfig. Values that a folder leaves out are those of
// CLIPTextConfig and CLIPVisionConfig.
func readCLIP(c *config) clipSizes {
	text, vision := c.tower("text_config", "quick_gelu", 1e-5), c.tower("vision_config", "quick_gelu", 1e-5)
	s := clipSizes{
		dimension: c.countOr("projection_dim", 512),
		text: textSizes{
			towerSizes: text.towerSizes(512, 2048, 12, 8),
			vocab:      text.countOr("vocab_size", 49408),
			positions:  text.countOr("max_position_embeddings", 77),
			bos:        int64(text.intOr("bos_token_id", 49406)),
			eos:        int64(text.intOr("eos_token_id", 49407)),
		},
		vision: visionSizes{
			towerSizes: vision.towerSizes(768, 3072, 12, 12),
			image:      vision.countOr("image_size", 224),
			patch:      vision.countOr("patch_size", 32),
			class:      true,
		},
	}
	s.vision.check()
	// Configurations of before 2023 have ids of marks that are not the
	// vocabulary's: its last two are. CLIPTextTransformer tells them by the 2.
	if s.text.eos == 2 {
		s.text.highest = true
		s.text.bos, s.text.eos = int64(s.text.vocab-2), int64(s.text.vocab-1)
	}
	s.text.pad = s.text.eos
	return s
}

func (s *visionSizes) check() {
	s.c.only("num_channels", 3.0)
	if s.image < s.patch {
		s.c.fail("image_size %d is less than patch_size %d", s.image, s.patch)
		s.patch = s.image
	}
}

// tower reads the part of one tower. What stands in the older text_config_dict
// goes before text_config. activation and eps are for what it leaves out.
func (c *config) tower(key, activation string, eps float64) *config {
	t := &config{values: map[string]any{"hidden_act": activation, "layer_norm_eps": eps}}
	for _, k := range []string{key, key + "_dict"} {
		for name, v := range c.sub(k).values {
			t.values[name] = v
		}
	}
	return t
}

func (c *config) towerSizes(width, inner, layers, heads int) towerSizes {
	return towerSizes{
		c:     c,
		width: c.countOr("hidden_size", width), inner: c.countOr("intermediate_size", inner),
		layers: c.countOr("num_hidden_layers", layers), heads: c.countOr("num_attention_heads", heads),
		eps: c.floatOr("layer_norm_eps", 0), activation: c.str("hidden_act"),
	}
}

// layer holds the names of a layer of either tower.
func (s towerSizes) layer() preNorm {
	head := s.c.heads(s.width, s.heads)
	return preNorm{
		query: "self_attn.q_proj", key: "self_attn.k_proj", value: "self_attn.v_proj", out: "self_attn.out_proj",
		norm1: "layer_norm1", up: "mlp.fc1", down: "mlp.fc2", norm2: "layer_norm2",
		width: s.width, inner: s.inner, eps: s.eps, activation: s.activation,
		attention: attention{heads: s.heads, width: head, scale: 1 / math.Sqrt(float64(head))},
	}
}

// encode applies the layers of a tower to x, (batch*tokens) x width, and returns
// the row of each text or picture that pick takes, batch x width: of the last
// layer, that row alone is computed. Without pick it returns all rows. last is
// what attention has in the last layer in the place of the causal mask.
func (s towerSizes) encode(g *graph, w *weights, prefix, x string, causal bool, pick func(string) string, last func() string) string {
	l := s.layer()
	for i := range s.layers - 1 {
		l.attention.causal = causal
		x = l.layer(g, w, fmt.Sprintf("%s.encoder.layers.%d.", prefix, i), x)
	}
	l.attention.causal = false
	if causal {
		l.attention.bias = last()
	}
	return l.one(g, w, fmt.Sprintf("%s.encoder.layers.%d.", prefix, s.layers-1), x, pick)
}

// clipText follows CLIPTextModelWithProjection.
func (g *graph) clipText(w *weights, s textSizes, dimension int) string {
	const p = "text_model"
	x := g.placedTokens(w, p, s)
	at := g.endMark(s)
	pick := func(x string) string {
		return g.op("GatherND", []string{g.reshape(x, g.textShape(int64(s.width))), at}, attr("batch_dims", 1))
	}
	// What is behind the end mark, batch x 1 x 1 x tokens.
	behind := func() string {
		far := g.op("Greater", []string{g.unsqueeze(g.positions(), 0), at})
		return g.unsqueeze(g.op("Where", []string{far, g.scalar(g.lowest()), g.scalar(0)}), 1, 2)
	}
	x = s.encode(g, w, p, x, true, pick, behind)
	x = g.layerNorm(x, w, p+".final_layer_norm", s.width, s.eps)
	return g.project(x, w, "text_projection", s.width, dimension)
}

// placedTokens adds the embeddings of tokens and of the positions 0, 1, ...:
// (batch*tokens) x width.
func (g *graph) placedTokens(w *weights, prefix string, s textSizes) string {
	words := g.embedding(w, prefix+".embeddings.token_embedding.weight", s.vocab, s.width, InputIDs)
	name := prefix + ".embeddings.position_embedding.weight"
	places := g.weight(name, w.values(name, s.positions, s.width), s.positions, s.width)
	return g.flat(g.add(words, g.slice(places, g.ints(0), g.tokens(), 0)), s.width)
}

// endMark is the position of the token whose vector is the text's: batch x 1.
func (g *graph) endMark(s textSizes) string {
	ids := g.cast(InputIDs, onnx.Int32)
	if !s.highest {
		mark := g.constant(g.fresh("mark"), onnx.Int32, rawInt64([]int64{s.eos})[:4])
		ids = g.cast(g.op("Equal", []string{ids, mark}), onnx.Int32)
	}
	return g.op("ArgMax", []string{ids}, attr("axis", 1), attr("keepdims", 1)) // the first of equals
}

// newVisionGraph begins a graph of pictures. A picture is a row whose tokens are
// its patches and the class.
func newVisionGraph(p Precision, s visionSizes) *graph {
	g := newGraph(p, true)
	size := onnx.Dim{Value: int64(s.image)}
	g.inputs = []onnx.Value{{Name: PixelValues, Type: onnx.Float, Dims: []onnx.Dim{{Param: "batch"}, {Value: 3}, size, size}}}
	g.fixed = s.tokens()
	return g
}

// clipVision follows CLIPVisionModelWithProjection.
func (g *graph) clipVision(w *weights, s visionSizes, dimension int) string {
	const p = "vision_model"
	x := g.patches(w, p+".embeddings.patch_embedding", s)
	name := p + ".embeddings.position_embedding.weight"
	places := w.values(name, s.tokens(), s.width)
	// The class is at position 0 of every picture.
	class := w.values(p+".embeddings.class_embedding", s.width)
	for i := range class {
		class[i] += places[i]
	}
	rest := g.weight(name, places[s.width:], s.tokens()-1, s.width)
	first := g.weight(p+".embeddings.class_embedding", class, 1, 1, s.width)
	shape := g.op("Concat", []string{g.rows(PixelValues), g.ints(1, int64(s.width))}, attr("axis", 0))
	x = g.op("Concat", []string{g.op("Expand", []string{first, shape}), g.add(x, rest)}, attr("axis", 1))
	x = g.flat(g.layerNorm(x, w, p+".pre_layrnorm", s.width, s.eps), s.width)

	pick := func(x string) string {
		return g.op("Gather", []string{g.reshape(x, g.textShape(int64(s.width))), g.integer(0)}, attr("axis", 1))
	}
	x = s.encode(g, w, p, x, false, pick, nil)
	x = g.layerNorm(x, w, p+".post_layernorm", s.width, s.eps)
	return g.project(x, w, "visual_projection", s.width, dimension)
}

// patches multiplies each patch of a picture by the weight of the convolution
// whose kernel is as large as its step: batch x patches x width. In 8 bits, this
// layer alone stays as it is.
func (g *graph) patches(w *weights, name string, s visionSizes) string {
	x := PixelValues
	n, edge := int64(s.side()), s.side()*s.patch
	if edge < s.image {
		x = g.op("Slice", []string{x, g.ints(0, 0), g.ints(int64(edge), int64(edge)), g.ints(2, 3)})
	}
	if g.float != onnx.Float {
		x = g.cast(x, g.float)
	}
	size := int64(s.patch)
	x = g.reshape(x, g.ints(-1, 3, n, size, n, size))
	x = g.flat(g.transpose(x, 0, 2, 4, 1, 3, 5), 3*s.patch*s.patch)
	var bias []float32
	if w.has(name + ".bias") {
		bias = w.values(name+".bias", s.width)
	}
	kernel := w.values(name+".weight", s.width, 3, s.patch, s.patch)
	x = g.product(x, name, kernel, bias, 3*s.patch*s.patch, s.width)
	return g.reshape(x, g.ints(-1, n*n, int64(s.width)))
}

// project multiplies the vectors of texts or pictures by a weight, in float32.
func (g *graph) project(x string, w *weights, name string, in, out int) string {
	x = g.toFloat(x)
	return g.linear(x, w, name, in, out)
}

// tower wraps a graph of one input.
func (g *graph) tower(arch, input, output, x string, dimension int) *Model {
	g.result(output, x, onnx.Dim{Param: "batch"}, onnx.Dim{Value: int64(dimension)})
	return &Model{Arch: arch, InputNames: []string{input}, OutputName: output, Dimension: dimension, graph: g.model(arch)}
}
